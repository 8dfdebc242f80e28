import { type Answer } from '../api/api.support';

/** The first answer of an operation over server-sent events; none, where the stream completes before. */
export async function eventOf(
  url: string,
  who: { token: string },
  query: string,
  variables: object,
): Promise<Answer<Record<string, unknown>>> {
  const gone = new AbortController();
  const response = await fetch(`${url}/graphql/stream`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${who.token}`,
    },
    body: JSON.stringify({ query, variables }),
    signal: gone.signal,
  });
  const { status, headers } = response;
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk, { stream: true });
      const found = /event: next\ndata: (.*)\n\n/.exec(text);
      if (found !== null) return { status, headers, data: null, ...(JSON.parse(found[1]!) as object) };
      if (text.includes('event: complete')) break;
    }
  } finally {
    gone.abort();
  }
  if (!text.startsWith('{')) return { status, headers, data: null };
  return { status, headers, data: null, ...(JSON.parse(text) as object) };
}
