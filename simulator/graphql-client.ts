import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { OperatorError } from '../src/observability/operator-error';
import { type TypedDocumentString } from './generated/graphql';

/** Asks the public GraphQL API as one of the demo people. */
export interface GraphqlClient {
  /**
   * Repeats what got no answer: queries change nothing, and every mutation used here carries an idempotency key or may be
   * repeated by nature. A document is named by its id where it is registered, see `own-documents.ts`.
   * @throws OperatorError where the API cannot be reached or does not accept the token; Error for a GraphQL error.
   */
  execute<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result>;
  /** A token that is good for a while yet. */
  token(): Promise<string>;
  close(): Promise<void>;
}

const ATTEMPTS = 6;
const RENEW_MS = 60_000;
const LONGEST_CALL_MS = 180_000;
/** How long in all a call waits for what the API says that it may have again. */
const LONGEST_WAIT_MS = 300_000;

export function createGraphqlClient(options: {
  api: string;
  identity: string;
  /** The email address of a demo person. */
  user: string;
}): GraphqlClient {
  const { api, identity, user } = options;
  const dispatcher = new Agent({ headersTimeout: LONGEST_CALL_MS, bodyTimeout: LONGEST_CALL_MS });
  let held: { token: string; until: number } | undefined;

  const token = async (): Promise<string> => {
    if (held !== undefined && Date.now() < held.until) return held.token;
    const { statusCode, body } = await request(new URL('/token', identity), {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:atrium:demo-person',
        client_id: 'atrium-cli',
        user,
      }).toString(),
    });
    const answer = (await body.json()) as {
      access_token?: string;
      expires_in?: number;
      error_description?: string;
    };
    if (statusCode !== 200 || answer.access_token === undefined) {
      throw new OperatorError(
        `the identity provider at ${identity} gave no token for ${user} (${answer.error_description ?? statusCode}): name a demo person by --user`,
      );
    }
    held = { token: answer.access_token, until: Date.now() + (answer.expires_in ?? 300) * 1000 - RENEW_MS };
    return held.token;
  };

  interface Answer {
    status: number;
    text: string;
    /** Seconds to wait. */
    retryAfter: number;
  }

  /** Documents that the API does not know by their ids: their texts are sent. */
  const unregistered = new Set<string>();

  const once = async (
    document: { query: string } | { documentId: string },
    variables: unknown,
  ): Promise<Answer> => {
    const { statusCode, headers, body } = await request(api, {
      dispatcher,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        authorization: `Bearer ${await token()}`,
      },
      body: JSON.stringify({ ...document, variables }),
    });
    const retryAfter = Number(headers['retry-after'] ?? 0);
    return { status: statusCode, text: await body.text(), retryAfter };
  };

  return {
    token,
    async execute<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables) {
      const query = document.toString();
      const documentId = (document.__meta__?.['hash'] as string | undefined) ?? '';
      let trouble = '';
      let waitedMs = 0;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) await delay(200 * 2 ** attempt);
        let answer: Answer;
        try {
          const byId = documentId !== '' && !unregistered.has(documentId);
          answer = await once(byId ? { documentId } : { query }, variables);
          // So a build whose documents are not registered, or not yet, works all the same.
          if (byId && answer.status === 400 && isNotFound(answer)) {
            unregistered.add(documentId);
            answer = await once({ query }, variables);
          }
        } catch (error) {
          if (error instanceof OperatorError) throw error;
          trouble = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
          continue;
        }
        if (answer.status === 401) held = undefined;
        if (answer.status === 429 && waitedMs < LONGEST_WAIT_MS) {
          // What is refused by its cost was not tried: it does not count.
          const waitMs = Math.max(1, answer.retryAfter) * 1000 * (1 + Math.random() / 2);
          waitedMs += waitMs;
          await delay(waitMs);
          attempt = -1;
          continue;
        }
        if (answer.status === 401 || answer.status === 429 || answer.status >= 500) {
          trouble = `status ${answer.status} ${answer.text.slice(0, 200)}`;
          continue;
        }
        return resultOf<Result>(answer);
      }
      throw new OperatorError(`the API at ${api} does not answer (${trouble}): is the platform running?`);
    },
    close: () => dispatcher.destroy(),
  };
}

function isNotFound({ text }: { text: string }): boolean {
  try {
    const { errors } = JSON.parse(text) as { errors?: { extensions?: { code?: string } }[] };
    return errors?.[0]?.extensions?.code === 'DOCUMENT_NOT_FOUND';
  } catch {
    return false;
  }
}

function resultOf<Result>({ status, text }: { status: number; text: string }): Result {
  let answer: { data?: Result | null; errors?: { message: string }[] };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new Error(`the API answered ${status} with no JSON: ${text.slice(0, 200)}`);
  }
  if (answer.errors !== undefined && answer.errors.length > 0) {
    throw new Error(`the API answered: ${answer.errors.map(({ message }) => message).join('; ')}`);
  }
  if (answer.data == null) throw new Error(`the API answered ${status} with no data`);
  return answer.data;
}
