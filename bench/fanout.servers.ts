import 'reflect-metadata';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { decodeJwt } from 'jose';
import { WebSocketServer } from 'ws';
import { createThrottle } from '../src/api/throttle';
import { QUANTITIES } from '../src/domain/quantity';
import { type BuildingAverage } from '../src/domain/window';
import { BuildingAverage as Shown } from '../src/resolvers/average/average.type';
import { average, buildBuilding, NORTH, startApi } from '../test/api/api.support';
import { DOCUMENT } from './fanout.document';

/**
 * A process that serves the subscribers of the fan-out's bench: ours, stock graphql-ws, or ws alone. It is told of each
 * change, measures its own CPU and memory, and is otherwise left alone.
 */
export interface FanoutServer {
  /** Where to connect, and a token and a building for each subscriber. */
  endpoint: { url: string; building: string; tokens: string[] };
  /** One change of the average, told to every subscriber. */
  publish(value: BuildingAverage): Promise<void>;
}
type Kind = 'atrium' | 'atrium-sse' | 'graphql-ws' | 'ws';

/** To the server: what to do; it answers each, `cpu` with seconds. */
export type Order = { order: 'publish'; quantities: number } | { order: 'cpu' } | { order: 'measure' };
export interface Measured {
  /** Bytes after a collection. */
  resident: number;
  heap: number;
}

const CONTINUOUS = QUANTITIES.filter(({ kind }) => kind === 'continuous').map(({ name }) => name);
const HOUSE = { id: 'bld_bench', tenantId: NORTH };

/** The platform's own API, over the stand-ins, which live in this process too: their idle CPU is measured apart. */
async function startAtrium(subscribers: number, byEvents: boolean): Promise<FanoutServer> {
  // What many clients of one tenant may ask in a minute is not measured here.
  const plenty = { capacity: 1e9, restorePerSecond: 1e9 };
  const throttle = createThrottle({ client: plenty, tenant: plenty });
  const api = await startApi({ throttle, keepAliveMilliseconds: 60_000 });
  const owner = await api.person('owner', NORTH, 'OWNER');
  const { building } = await buildBuilding(api, owner, NORTH);
  const issuer = decodeJwt(owner.token).iss!;
  const subjects = Array.from({ length: subscribers }, (_, n) => `person ${n}`);
  await api.registry.seedTenants({
    tenants: [],
    // Of two roles with the same right to averages.
    members: subjects.map((subject, n) => ({
      issuer,
      subject,
      tenantId: NORTH,
      role: n % 2 ? 'VIEWER' : 'ANALYST',
    })),
  });
  const tokens: string[] = [];
  for (const subject of subjects) tokens.push(await api.token(subject));
  return {
    endpoint: {
      url: byEvents ? `${api.url}/graphql/stream` : api.webSocketUrl,
      building: building.id,
      tokens,
    },
    publish: (value) => api.publish({ ...value, buildingId: building.id, tenantId: building.tenantId }),
  };
}

/** graphql-ws as its documentation shows it: an execution for each subscriber, of a schema of the same shape. */
async function startStock(): Promise<FanoutServer> {
  const schema = buildSchema(`
    type Query { nothing: Int }
    type StreamPosition { incarnation: String! partition: Int! sequence: Float! }
    type BuildingAverage {
      quantity: String! unit: String! mean: Float minimum: Float maximum: Float readings: Float!
      devicesReporting: Int! devicesExpected: Int! windowStart: String! windowEnd: String! asOf: String!
      lastReadingAt: String position: StreamPosition! revision: Int!
    }
    type Subscription { buildingAverage(building: ID!): BuildingAverage! }`);
  const subscribers = new Set<(value: object) => void>();
  async function* changes(): AsyncGenerator<object> {
    const waiting: object[] = [];
    let wake: (() => void) | undefined;
    subscribers.add((value) => {
      waiting.push(value);
      wake?.();
    });
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const subscription = schema.getSubscriptionType()!.getFields()['buildingAverage']!;
  subscription.subscribe = () => changes();
  subscription.resolve = (value: unknown) => value;
  const server = createServer();
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  return {
    endpoint: { url: await listen(server), building: HOUSE.id, tokens: [] },
    async publish(value) {
      const shown = shownAsText(shownOf(value));
      for (const each of subscribers) each(shown);
    },
  };
}

/** What the network costs by itself: the bytes that ours sends, to every socket. */
async function startBare(): Promise<FanoutServer> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      if (String(data).includes('connection_init')) socket.send('{"type":"connection_ack"}');
    });
  });
  return {
    endpoint: { url: await listen(server), building: HOUSE.id, tokens: [] },
    async publish(value) {
      const payload = { data: { buildingAverage: shownAsText(shownOf(value)) } };
      const id = '9d5c1a52-6f3b-4b0e-9d0a-000000000000';
      const frame = Buffer.from(JSON.stringify({ id, type: 'next', payload }));
      for (const socket of sockets.clients) socket.send(frame, { binary: false });
    },
  };
}

const shownOf = (value: BuildingAverage): Shown => Shown.of({ ...value, revision: 1 })!;

/** As it is written in an answer. */
function shownAsText({ tenantId: _tenant, buildingId: _building, ...shown }: Shown): object {
  return JSON.parse(JSON.stringify(shown)) as object;
}

function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      resolve(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
    }),
  );
}

async function measure(): Promise<Measured> {
  // Twice, with a pause: what a first collection frees for finalisers, a second one gives back.
  for (let times = 0; times < 2; times++) {
    global.gc?.();
    await delay(100);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}

/** Seconds, user and system. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function main(): Promise<void> {
  const [kind, subscribers] = process.argv.slice(2) as [Kind, string];
  const server =
    kind === 'atrium' || kind === 'atrium-sse'
      ? await startAtrium(Number(subscribers), kind === 'atrium-sse')
      : kind === 'graphql-ws'
        ? await startStock()
        : await startBare();
  let mean = 20;
  process.on('disconnect', () => process.exit());
  process.on('message', (asked: Order) => {
    void (async () => {
      const { order } = asked;
      if (order === 'measure') process.send!(await measure());
      else if (order === 'cpu') process.send!(cpu());
      else {
        mean += 0.01;
        const position = { incarnation: 'bench', partition: 0, sequence: Math.round(mean * 100) };
        for (const quantityName of CONTINUOUS.slice(0, asked.quantities)) {
          await server.publish(average(HOUSE, { quantityName, mean, position }));
        }
        process.send!('published');
      }
    })();
  });
  process.send!({ ...server.endpoint, document: DOCUMENT });
}

void main();
