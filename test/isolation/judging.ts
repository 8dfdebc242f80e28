import { type Answer, freshKey, type Person } from '../api/api.support';
import { eventOf } from './event-stream';
import { type Case, type Download, type Rank, type Things, type Verdict } from './rights';
import { type Tenants } from './tenants';
import { type World } from './world';

/** Everything of an answer that a caller can see or measure, but what differs from call to call anyway. */
export interface Observed {
  status: number;
  headers: string[];
  body: string;
  storeCalls: string[];
}

export interface Judged {
  verdict: Verdict;
  observed: Observed;
}

/** What carries a subscription; everything else is asked over HTTP. */
export type Transport = 'WebSocket' | 'SSE';

export function transportsOf({ document }: Pick<Case, 'document'>): (Transport | 'HTTP')[] {
  return document.startsWith('subscription') ? ['WebSocket', 'SSE'] : ['HTTP'];
}

type Body = { data?: unknown; errors?: { extensions: Record<string, unknown> }[] };

/** Asks for what a case asks for of one tenant's things. */
export async function observe(
  world: World,
  { people, north }: Pick<Tenants, 'people' | 'north'>,
  each: Case,
  rank: Rank,
  things: Things,
  transport: Transport | 'HTTP' = transportsOf(each)[0]!,
): Promise<Judged> {
  const variables = each.variables(things, north, rank, freshKey());
  world.storeCalls();
  const { status, headers, ...body } = await ask(world, people[rank], each.document, variables, transport);
  return {
    verdict: verdictOf(each, body),
    observed: {
      status,
      headers: headersOf(headers),
      body: masked(JSON.stringify(body), things),
      storeCalls: world.storeCalls(),
    },
  };
}

/** The answer, or the first one of a subscription in the shape of an answer over HTTP. */
export async function ask(
  world: Pick<World, 'ask' | 'subscriber' | 'url'>,
  who: Person,
  document: string,
  variables: object,
  transport: Transport | 'HTTP',
): Promise<Answer<Record<string, unknown>>> {
  if (transport === 'HTTP') return world.ask<Record<string, unknown>, object>(who, document, variables);
  if (transport === 'SSE') return eventOf(world.url, who, document, variables);
  const client = world.subscriber(who);
  try {
    const results = client.iterate<Record<string, unknown>>({
      query: document,
      variables: variables as Record<string, unknown>,
    });
    const { value } = await results.next();
    await results.return?.();
    return { status: 0, headers: new Headers(), ...value, data: value.data ?? null };
  } catch (errors) {
    return { status: 0, headers: new Headers(), data: null, errors: errors as never };
  } finally {
    await client.dispose();
  }
}

export async function observeDownload(
  world: World,
  { people }: Pick<Tenants, 'people'>,
  each: Download,
  rank: Rank,
  things: Things,
): Promise<Judged> {
  world.storeCalls();
  const response = await fetch(`${world.url}${each.path(things)}`, {
    headers: { authorization: `Bearer ${people[rank].token}` },
  });
  const text = await response.text();
  const code = response.ok ? 'seen' : (JSON.parse(text) as Required<Body>).errors[0]!.extensions['code'];
  return {
    verdict: code as Verdict,
    observed: {
      status: response.status,
      headers: headersOf(response.headers),
      body: masked(text, things),
      storeCalls: world.storeCalls(),
    },
  };
}

/** What the table says of one's own, and of everybody else's. */
export function expected(each: Case, rank: Rank): { own: Verdict; foreign: Verdict } {
  const mayNotAsk = each.refused?.includes(rank) ?? false;
  return {
    own: each.seen.includes(rank) ? 'seen' : mayNotAsk ? 'FORBIDDEN' : each.otherwise,
    foreign: each.throughOwnBuilding && mayNotAsk ? 'FORBIDDEN' : each.otherwise,
  };
}

export function verdictOf(each: Pick<Case, 'at'>, body: Body): Verdict {
  const code = body.errors?.[0]?.extensions?.['code'];
  if (code !== undefined) return code as Verdict;
  let value: unknown = body.data;
  for (const name of each.at.split('.')) value = (value as Record<string, unknown> | null)?.[name] ?? null;
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'nothing';
  return ((value as { code?: Verdict }).code ?? 'seen') as Verdict;
}

function headersOf(headers: Headers): string[] {
  return [...headers]
    .filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name))
    .map(([name, value]) => `${name}: ${value}`);
}

/** A text without the ids of things, and without what differs from call to call. */
export function masked(text: string, things: Things): string {
  let result = text.replace(/"requestId":"[^"]*"/g, '"requestId":"*"');
  // How old what is told is grows, and what a client has left fills again between two answers.
  result = result.replace(/"ageMs":\d+/g, '"ageMs":"*"');
  result = result.replace(/"currentlyAvailable":\d+/g, '"currentlyAvailable":"*"');
  const ids = Object.entries(things).flatMap(([name, value]: [string, unknown]) => {
    // What is printed on devices is the caller's own; what is by role is a thing for each.
    const of = typeof value === 'string' ? [value] : name === 'claims' ? [] : Object.values(value as object);
    return of.map((id: string) => ({ id, name }));
  });
  // An id that holds another one, as an alert's holds its building's, goes first.
  for (const { id, name } of ids.sort((a, b) => b.id.length - a.id.length)) {
    result = result.replaceAll(id, name);
  }
  return result;
}
