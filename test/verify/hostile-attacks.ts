import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { documentIdOf } from '../../src/domain/document-id';

/** What an attack finds to be attacked. */
export interface Target {
  /** `http://127.0.0.1:PORT/graphql`. */
  url: string;
  /** Of somebody who may ask: an attacker with a right to be there. */
  token: string;
  building: string;
}

/** What came back, by kind: a status, a close code, or how the connection ended. */
export type Seen = Record<string, number>;

export interface Attack {
  name: string;
  run(target: Target, signal: AbortSignal, seen: Seen): Promise<void>;
}

const AT_ONCE = 20;
const CONNECTIONS = 2_000;
const SOCKETS = 500;

/** Nested as deep as it can be said. */
const deep = `{ spaces: building(id: "bld_x") ${'{ tenant '.repeat(300)}{ id }${'}'.repeat(300)} }`;
const wide = (n: number): string => `{ ${`a${n}: viewer { id } `.repeat(600)} }`;
const aliased = `{ ${Array.from({ length: 400 }, (_, n) => `a${n}: viewer { id }`).join(' ')} }`;
const looping = 'query { viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }';
/** Each fragment spreads the next one twice: two to the power of thirty fields, in few tokens. */
const doubling = `query { viewer { ...F0 } } ${Array.from(
  { length: 30 },
  (_, n) => `fragment F${n} on Viewer { ...F${n + 1} ...F${n + 1} }`,
).join(' ')} fragment F30 on Viewer { id }`;
/** Every two of its fields must be compared to say that they may stand in one place. */
const overlapping = `{ ${'viewer { id } '.repeat(450)} }`;
const largest =
  'query($id: ID!) { building(id: $id) { devices(first: 100) { nodes { assignments { point { latestReading { value } } } } } } }';
const introspection =
  '{ __schema { types { name description fields { name description args { name description type { name } } type { name ofType { name ofType { name } } } } } } }';

/** What is registered for the attacker's tenant: as many documents as a tenant may have. */
export const REGISTERED: readonly string[] = Array.from(
  { length: 5_000 },
  (_, n) => `query Registered${n} { viewer { id } buildings(first: ${1 + (n % 50)}) { nodes { id name } } }`,
);

/** Everything that somebody may try who has a token, or none. */
export const ATTACKS: readonly Attack[] = [
  flood('deep documents', () => ({ query: deep })),
  flood('wide documents', (n) => ({ query: wide(n) })),
  flood('aliases', () => ({ query: aliased })),
  flood('fragments that loop', () => ({ query: looping })),
  flood('fragments that double', () => ({ query: doubling })),
  flood('fields that overlap', () => ({ query: overlapping })),
  flood('invalid documents, each another', (n) => ({ query: `{ nothing${n}${'x'.repeat(1_000)} }` })),
  flood('valid documents, each another', (n) => ({
    query: `query Q${n} { viewer { id } buildings(first: ${1 + (n % 50)}) { nodes { id name } } }`,
  })),
  flood('registered documents by their ids, each in turn', (n) => ({
    documentId: documentIdOf(REGISTERED[n % REGISTERED.length]!),
  })),
  flood('documents by ids that are made up', (n) => ({ documentId: documentIdOf(`made up ${n}`) })),
  flood('the largest answers', (_, { building }) => ({ query: largest, variables: { id: building } })),
  flood('the whole schema', () => ({ query: introspection })),
  flood('a request replayed', () => ({ query: '{ viewer { id } }' })),
  flood('variables that are huge', () => ({
    query: 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: { ids: Array.from({ length: 50_000 }, () => 'dev_x') },
  })),
  flood('tokens that are made up', () => ({ query: '{ viewer { id } }' }), {
    token: () =>
      `eyJhbGciOiJFUzI1NiJ9.${randomBytes(64).toString('base64url')}.${randomBytes(64).toString('base64url')}`,
  }),
  flood('no JSON', () => '{"query": "{ viewer { id } }"'),
  { name: 'bodies without an end', run: endlessBodies },
  { name: 'requests that trickle', run: trickle },
  { name: 'answers that nobody reads', run: unread },
  { name: 'connections that say nothing', run: silence },
  { name: 'sockets that never sign in', run: strangers },
  { name: 'frames that are too large', run: largeFrames },
  { name: 'operations without end on one socket', run: manyOperations },
];

function flood(
  name: string,
  body: (n: number, target: Target) => unknown,
  { token }: { token?: () => string } = {},
): Attack {
  return {
    name,
    async run(target, signal, seen) {
      const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
      let n = 0;
      const client = async (): Promise<void> => {
        while (!signal.aborted) {
          const given = body(n++, target);
          const text = typeof given === 'string' ? given : JSON.stringify(given);
          count(seen, await post(target, agent, text, token?.() ?? target.token, signal));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, client));
      agent.destroy();
    },
  };
}

function post(
  target: Target,
  agent: Agent,
  text: string,
  token: string,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(
      target.url,
      {
        agent,
        signal,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      },
      (response) => {
        response.resume();
        response.once('close', () => resolve(String(response.statusCode)));
      },
    );
    sent.once('error', () => resolve(signal.aborted ? 'over' : 'cut off'));
    sent.end(text);
  });
}

/** Chunks for as long as they are taken. */
async function endlessBodies(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (!signal.aborted) {
        const { socket, closed } = open(target, signal, seen);
        socket.write(headers(target, 'Transfer-Encoding: chunked'));
        const more = (): void => {
          let writable = true;
          while (writable && !socket.destroyed) {
            writable = socket.write(Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]));
          }
        };
        socket.on('drain', more);
        socket.once('data', (data) => {
          count(seen, statusOf(data));
          socket.destroy();
        });
        more();
        await closed;
      }
    }),
  );
}

/** A byte now and then: of headers, and of a body. */
async function trickle(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  await Promise.all(
    Array.from({ length: SOCKETS }, async (_, n) => {
      const { socket, closed } = open(target, signal, seen);
      socket.on('data', (data) => count(seen, statusOf(data)));
      socket.write(
        n % 2 === 0 ? 'POST /graphql HTTP/1.1\r\nHost: a\r\n' : headers(target, 'Content-Length: 4000'),
      );
      while (!signal.aborted && !socket.destroyed) {
        socket.write(n % 2 === 0 ? `x-${n}: y\r\n` : ' ');
        await pause(500, signal);
      }
      await closed;
    }),
  );
}

/** Asks for much, many times on each connection, and reads nothing. */
async function unread(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  const body = JSON.stringify({ query: introspection });
  const asked = `${headers(target, `Content-Length: ${Buffer.byteLength(body)}`)}${body}`;
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const { socket, closed } = open(target, signal, seen);
      socket.pause();
      for (let times = 0; times < 50 && !signal.aborted; times++) {
        if (!socket.write(asked)) await pause(200, signal);
      }
      await closed;
    }),
  );
}

async function silence(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  await Promise.all(Array.from({ length: CONNECTIONS }, () => open(target, signal, seen).closed));
}

async function strangers(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  await Promise.all(
    Array.from({ length: SOCKETS }, async () => {
      while (!signal.aborted) await socketTo(target, signal, seen, () => undefined);
    }),
  );
}

async function largeFrames(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  const frame = JSON.stringify({
    type: 'connection_init',
    payload: { Authorization: 'x'.repeat(2_000_000) },
  });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (!signal.aborted) await socketTo(target, signal, seen, (socket) => socket.send(frame));
    }),
  );
}

/** Signs in, subscribes as often as it is let, reads nothing, and begins again. */
async function manyOperations(target: Target, signal: AbortSignal, seen: Seen): Promise<void> {
  const query = 'subscription($id: ID!) { buildingAverages(buildingIds: [$id]) { mean } }';
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (!signal.aborted) {
        await socketTo(target, signal, seen, (socket) => {
          socket.send(
            JSON.stringify({
              type: 'connection_init',
              payload: { Authorization: `Bearer ${target.token}` },
            }),
          );
          socket.once('message', () => {
            for (let n = 0; n < 2_000; n++) {
              socket.send(
                JSON.stringify({
                  type: 'subscribe',
                  id: String(n),
                  payload: { query, variables: { id: target.building } },
                }),
              );
            }
            socket.pause();
          });
        });
      }
    }),
  );
}

function socketTo(
  { url }: Target,
  signal: AbortSignal,
  seen: Seen,
  opened: (socket: WebSocket) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    const end = (): void => socket.terminate();
    signal.addEventListener('abort', end);
    socket.once('open', () => opened(socket));
    socket.on('error', () => undefined);
    socket.once('close', (code) => {
      signal.removeEventListener('abort', end);
      count(seen, signal.aborted ? 'over' : `closed ${code}`);
      // Not at once: a peer that is refused and comes again without a pause is a flood of connections by itself.
      void pause(50, signal).then(resolve);
    });
  });
}

function open({ url }: Target, signal: AbortSignal, seen: Seen): { socket: Socket; closed: Promise<void> } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end);
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      signal.removeEventListener('abort', end);
      count(seen, signal.aborted ? 'over' : 'cut off');
      resolve();
    }),
  );
  if (signal.aborted) socket.destroy();
  return { socket, closed };
}

function headers({ token }: Target, more: string): string {
  return [
    'POST /graphql HTTP/1.1',
    'Host: attacked.example',
    'Content-Type: application/json',
    `Authorization: Bearer ${token}`,
    more,
    '\r\n',
  ].join('\r\n');
}

const statusOf = (data: Buffer): string => data.subarray(9, 12).toString('latin1');

function count(seen: Seen, what: string): void {
  seen[what] = (seen[what] ?? 0) + 1;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
