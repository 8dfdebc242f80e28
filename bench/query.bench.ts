import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Bench, type Figure } from './bench';
import { quantityNamed, type QuantityName } from '../src/domain/quantity';
import { createRecentWriter } from '../src/store/recent-writer';
import { recentBatches } from '../test/analytics/recent-batches';
import { average, buildBuilding, NORTH, type Person, startApi, type TestApi } from '../test/api/api.support';
import { startCosmosProcess } from '../test/support/cosmos-process';
import { buildReading } from '../test/support/readings';
import { DASHBOARD, type Dashboard } from './query.document';
import { type Kind, KINDS, type Order, type Setup, untyped } from './query.kinds';

const DEVICES = 20;
/** What the devices measure continuously: the worker tells of each. */
const QUANTITIES: QuantityName[] = [
  'AIR_TEMPERATURE',
  'RELATIVE_HUMIDITY',
  'CO2_LEVEL',
  'ILLUMINANCE',
  'MOTION_LEVEL',
];
const CONNECTIONS = 10;
const MANY_CONNECTIONS = 100;
/** Until the code is compiled and the documents are known. */
const WARM_UP = 3_000;
const IDLE_MS = 3_000;

interface LoadResult {
  /** Milliseconds. */
  latency: { p50: number; p99: number };
  /** Seconds. */
  duration: number;
  non2xx: number;
  errors: number;
  timeouts: number;
}
const autocannon = untyped<(options: object) => Promise<LoadResult>>('autocannon');

interface Round {
  /** Microseconds of CPU a request, less what the process uses idle. */
  cpu: number;
  p50: number;
  p99: number;
  perSecond: number;
}

export const bench: Bench = {
  name: 'query',
  summary:
    'A dashboard query over HTTP: CPU a request of the API with tokens, limits and cost, beside Apollo on express, Yoga and Mercurius without them, over the same schema and store.',
  options: [
    '--requests N     of each measurement (4000)',
    '--rounds N       of each server, in turn (3)',
    '--servers A,B    only these of atrium, apollo, yoga, mercurius (all)',
    '--profile FOLDER of a CPU profile of each server (none)',
    '--through        nothing that was read is kept: each request asks the store for all of it',
  ],
  async run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: {
        requests: { type: 'string', default: '4000' },
        rounds: { type: 'string', default: '3' },
        servers: { type: 'string', default: KINDS.join() },
        profile: { type: 'string' },
        through: { type: 'boolean', default: false },
      },
    });
    const kinds = KINDS.filter((kind) => values.servers.split(',').includes(kind));
    const requests = Number(values.requests);
    const folder = mkdtempSync(join(tmpdir(), 'atrium-query-'));
    const cosmos = await startCosmosProcess(folder);
    const account = { endpoint: cosmos.endpoint, key: cosmos.key };
    const api = await startApi({ account });
    const servers: Server[] = [];
    let again: NodeJS.Timeout | undefined;
    try {
      const owner = await api.person('owner', NORTH, 'OWNER');
      const { building, publish } = await seed(api, owner);
      await publish();
      // As the worker does, though once in five seconds is enough: values that are told no more are over.
      again = setInterval(() => void publish(), 5_000);
      const setup: Setup = {
        account,
        namespace: api.namespace,
        issuer: api.issuer,
        remember: !values.through,
        principal: owner.scope.principal,
      };
      const ask: Ask = { token: owner.token, building };
      for (const kind of kinds) {
        const server = await startServer(kind, setup, values.profile);
        servers.push(server);
        await server.check(ask);
        await server.load(ask, CONNECTIONS, WARM_UP);
      }
      const rounds = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]));
      for (let round = 1; round <= Number(values.rounds); round++) {
        for (const server of servers) {
          const measured = await server.measure(ask, CONNECTIONS, requests);
          rounds.get(server.kind)!.push(measured);
          progress(
            `round ${round}, ${server.kind}: ${measured.cpu.toFixed(0)} us a request, p99 ${measured.p99} ms`,
          );
        }
      }
      const figures: Figure[] = [];
      const cpuOf = (kind: Kind): number => median(rounds.get(kind)!.map(({ cpu }) => cpu));
      for (const server of servers) {
        const { kind } = server;
        const many = await server.measure(ask, MANY_CONNECTIONS, requests);
        progress(`${kind}, ${MANY_CONNECTIONS} connections: p99 ${many.p99} ms`);
        figures.push(
          { name: `${kind}: CPU a request`, value: cpuOf(kind), unit: 'us' },
          { name: `${kind}: p99 at ${MANY_CONNECTIONS} connections`, value: many.p99, unit: 'ms' },
          { name: `${kind}: requests a second then`, value: many.perSecond, unit: '/s' },
          { name: `${kind}: resident memory`, value: (await server.memory()) / 1e6, unit: 'MB' },
        );
      }
      const compared = kinds.includes('atrium') && kinds.includes('apollo');
      if (compared)
        figures.push({
          name: 'CPU a request, of stock Apollo’s',
          value: cpuOf('atrium') / cpuOf('apollo'),
          unit: 'times',
          target: { atMost: 0.7 },
        });
      return {
        figures,
        notes: [
          `A building, its ${QUANTITIES.length} averages, ${DEVICES} devices and what each of their points measured last; medians of ${values.rounds} rounds in turn.`,
          'Only Atrium checks tokens, limits and cost; the others answer as the same person. All share the resolvers, the rules before the fields and one Cosmos stand-in, which is another process.',
          values.through
            ? 'Nothing is kept: each request asks the store for the building, its devices and what they measured last.'
            : 'All keep what they read as the API does, documents until they change and latest readings for a second, and all ask for one building, so that few requests reach the store; see --through for none of it.',
        ],
      };
    } finally {
      clearInterval(again);
      for (const server of servers) server.stop();
      await api.stop();
      await cosmos.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Ask {
  token: string;
  building: string;
}

/** A building with devices that were heard and averages that are known. */
async function seed(
  api: TestApi,
  owner: Person,
): Promise<{ building: string; publish: () => Promise<void> }> {
  const { building, devices } = await buildBuilding(api, owner, NORTH, { devices: DEVICES });
  const at = Date.now() - 60_000;
  const readings = devices.flatMap(({ id: deviceId, tenantId, buildingId, assignments }) =>
    assignments.map(({ quantity, ...point }) =>
      buildReading({
        ...point,
        ...{ tenantId, buildingId, deviceId, observedAt: at, value: 21 },
        quantity: quantityNamed(quantity).code,
      }),
    ),
  );
  const arrival = { incarnation: '1700000000000-8', partition: 0, sequence: 0, enqueuedAt: at, readings };
  for (const batch of recentBatches([arrival])) await createRecentWriter(api).write(batch);
  const publish = (): Promise<void> =>
    api.publish(...QUANTITIES.map((quantityName) => average(building, { quantityName })));
  return { building: building.id, publish };
}

type Server = Awaited<ReturnType<typeof startServer>>;

async function startServer(kind: Kind, setup: Setup, profile?: string) {
  const child = fork(join(__dirname, 'query.servers.js'), [kind, JSON.stringify(setup)], {
    env: { ...process.env, NODE_ENV: 'production' },
    execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the server '${kind}' ended with ${code}`);
  });
  failed.catch(() => undefined);
  const [url] = (await Promise.race([once(child, 'message'), failed])) as [string];
  const tell = async (order: Order): Promise<number> => {
    child.send(order);
    const [answer] = (await Promise.race([once(child, 'message'), failed])) as [number];
    return answer;
  };
  const requestOf = ({ token, building }: Ask) => ({
    method: 'POST' as const,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: DASHBOARD, variables: { id: building } }),
  });
  /** As many at once as there are connections, each after the answer to the one before. */
  const load = async (ask: Ask, connections: number, amount: number): Promise<LoadResult> => {
    const result = await autocannon({ url, connections, amount, ...requestOf(ask) });
    const bad = result.non2xx + result.errors + result.timeouts;
    if (bad > 0) throw new Error(`'${kind}' did not answer ${bad} of ${amount} requests`);
    return result;
  };
  return {
    kind,
    load,
    /** That it answers all of what is asked, before it is measured. */
    async check(ask: Ask): Promise<void> {
      // What the averages' stream tells arrives a moment after the start.
      for (let tries = 0; ; tries++) {
        const response = await fetch(url, requestOf(ask));
        const text = await response.text();
        const { averages, devices } = (JSON.parse(text) as Partial<Dashboard>).data?.building ?? {};
        const heard = devices?.nodes.every(({ latestReadings }) => latestReadings.length > 0);
        if (averages?.length === QUANTITIES.length && devices?.nodes.length === DEVICES && heard) return;
        if (tries === 100) throw new Error(`'${kind}' answers ${response.status} ${text.slice(0, 500)}`);
        await delay(100);
      }
    },
    async measure(ask: Ask, connections: number, amount: number): Promise<Round> {
      const idleFrom = await tell('cpu');
      await delay(IDLE_MS);
      const from = await tell('cpu');
      const idle = ((from - idleFrom) / IDLE_MS) * 1000;
      const { latency, duration } = await load(ask, connections, amount);
      const used = (await tell('cpu')) - from - idle * duration;
      return {
        cpu: (used / amount) * 1e6,
        p50: latency.p50,
        p99: latency.p99,
        perSecond: amount / duration,
      };
    },
    memory: () => tell('memory'),
    stop: () => stop(child),
  };
}

/** It ends itself where nobody tells it anything any more, so that what was recorded of it (`--cpu-prof`) is written. */
function stop(child: ChildProcess): void {
  child.disconnect();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
