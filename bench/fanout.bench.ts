import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Bench, type Figure } from './bench';
import { type ClientOrder } from './fanout.clients';
import { type Measured, type Order } from './fanout.servers';

const KINDS = ['ws', 'atrium', 'atrium-sse', 'graphql-ws'] as const;
type Kind = (typeof KINDS)[number];

/** What one server did with one number of subscribers. */
interface Run {
  /** CPU microseconds of the server process for each delivery, less what it uses idle. */
  perDelivery: number;
  /** Of the process while nothing is delivered, in a second. */
  idleMilliseconds: number;
  p50: number;
  p99: number;
}

const IDLE_MS = 4_000;
const SETTLE_MS = 1_500;
/** Deliveries that one measurement takes, at least: enough for the clock that counts CPU. Several quantities change at once. */
const DELIVERIES = 60_000;
/** So many that what a round costs beside them is little. */
const DELIVERIES_A_ROUND = 15_000;
const MOST_QUANTITIES = 6;
const WARM_UP_ROUNDS = 3;
/** Of one quantity. */
const TIMED_ROUNDS = 4;
const ROUND_MS = 1_500;

export const bench: Bench = {
  name: 'fanout',
  summary:
    'One change of an average to thousands of subscribers over WebSocket and server-sent events: CPU a delivery, memory, time; beside ws alone and stock graphql-ws.',
  options: ['--few N   the smaller number of subscribers (1000)', '--many N  the greater (5000)'],
  async run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: { few: { type: 'string', default: '1000' }, many: { type: 'string', default: '5000' } },
    });
    const few = Number(values.few);
    const many = Number(values.many);
    const runs = {} as Record<Kind, { few: Run; many: Run; memory: number }>;
    for (const kind of KINDS) {
      const house = await start(kind, many);
      try {
        const empty = await house.measure();
        await house.connect(few);
        const first = await house.run();
        progress(
          `${kind}, ${few} subscribers: ${first.perDelivery.toFixed(1)} us a delivery, p99 ${first.p99} ms`,
        );
        await house.connect(many);
        const full = await house.measure();
        const second = await house.run();
        progress(
          `${kind}, ${many} subscribers: ${second.perDelivery.toFixed(1)} us a delivery, p99 ${second.p99} ms`,
        );
        runs[kind] = { few: first, many: second, memory: (full.resident - empty.resident) / many / 1024 };
      } finally {
        house.stop();
      }
    }
    const { ws: bare, 'graphql-ws': stock } = runs;
    const figures: Figure[] = [];
    for (const [size, count] of [
      ['few', few],
      ['many', many],
    ] as const) {
      figures.push({
        name: `CPU a delivery of ws alone, ${count} subscribers`,
        value: bare[size].perDelivery,
        unit: 'us',
      });
    }
    figures.push({ name: 'memory a subscriber of ws alone', value: bare.memory, unit: 'KB' });
    for (const [kind, over] of [
      ['atrium', 'WebSocket'],
      ['atrium-sse', 'server-sent events'],
    ] as const) {
      const ours = runs[kind];
      const peer = (value: number) => (kind === 'atrium' ? { peer: { name: 'graphql-ws', value } } : {});
      for (const [size, count] of [
        ['few', few],
        ['many', many],
      ] as const) {
        figures.push(
          {
            name: `${over}: CPU a delivery, ${count} subscribers`,
            value: ours[size].perDelivery,
            unit: 'us',
            ...peer(stock[size].perDelivery),
          },
          {
            name: `${over}: CPU a delivery against ws alone, ${count} subscribers`,
            value: ours[size].perDelivery / bare[size].perDelivery,
            unit: 'times',
            ...peer(stock[size].perDelivery / bare[size].perDelivery),
            target: { atMost: 1.5 },
          },
        );
      }
      figures.push(
        {
          name: `${over}: CPU a delivery, ${many} against ${few} subscribers`,
          value: ours.many.perDelivery / ours.few.perDelivery,
          unit: 'times',
          ...peer(stock.many.perDelivery / stock.few.perDelivery),
          target: { atMost: 1.2 },
        },
        {
          name: `${over}: memory a subscriber`,
          value: ours.memory,
          unit: 'KB',
          ...peer(stock.memory),
          target: { atMost: 50 },
        },
        {
          name: `${over}: p99 from publishing to receipt, ${many} subscribers`,
          value: ours.many.p99,
          unit: 'ms',
          ...peer(stock.many.p99),
          target: { atMost: 1_000 },
        },
        {
          name: `${over}: p50 from publishing to receipt, ${many} subscribers`,
          value: ours.many.p50,
          unit: 'ms',
        },
        {
          name: `${over}: CPU idle, taken off, in a second`,
          value: ours.many.idleMilliseconds,
          unit: 'ms',
        },
      );
    }
    return {
      figures,
      notes: [
        'server and clients are two processes on the same cores; each round waits for the one before it, and begins a second after it, which is the shortest interval of a subscriber',
        'every subscriber of Atrium is a person of their own, of two roles; its process also holds the stand-ins of Cosmos and Event Hubs, through which each change comes',
      ],
    };
  },
};

/** A server and its subscribers. */
async function start(kind: Kind, most: number) {
  const server = fork(join(__dirname, 'fanout.servers.js'), [kind, String(most)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' },
  });
  const clients = fork(join(__dirname, 'fanout.clients.js'));
  const failed = Promise.race(
    [server, clients].map(async (child) => {
      const [code] = (await once(child, 'exit')) as [number | null];
      throw new Error(`a process of the bench ended with ${code}`);
    }),
  );
  failed.catch(() => undefined);
  const [endpoint] = (await Promise.race([once(server, 'message'), failed])) as [
    { url: string; building: string; tokens: string[] },
  ];
  const ask = async <T>(child: ChildProcess, order: Order | ClientOrder): Promise<T> => {
    child.send(order);
    const [answer] = (await Promise.race([once(child, 'message'), failed])) as [T];
    return answer;
  };
  const measure = () => ask<Measured>(server, { order: 'measure' });
  const cpu = () => ask<number>(server, { order: 'cpu' });
  let publishedAt = -Infinity;
  const round = async (quantities: number): Promise<number[]> => {
    // Sooner, a change would wait for the subscribers' interval to end.
    await delay(Math.max(publishedAt + ROUND_MS - performance.now(), 0));
    const arrived = ask<{ latencies: number[] }>(clients, { order: 'await', results: quantities });
    await ask(server, { order: 'publish', quantities });
    const { latencies } = await arrived;
    publishedAt = performance.now();
    return latencies;
  };
  let subscribers = 0;
  return {
    measure,
    async connect(count: number): Promise<void> {
      await ask(clients, { order: 'connect', ...endpoint, subscribers: count });
      subscribers = count;
      await delay(SETTLE_MS);
    },
    async run(): Promise<Run> {
      const quantities = Math.min(Math.ceil(DELIVERIES_A_ROUND / subscribers), MOST_QUANTITIES);
      for (let n = 0; n < WARM_UP_ROUNDS; n++) await round(quantities);
      const latencies: number[] = [];
      for (let n = 0; n < TIMED_ROUNDS; n++) latencies.push(...(await round(1)));
      await delay(ROUND_MS);
      const idleFrom = await cpu();
      await delay(IDLE_MS);
      const idleTo = await cpu();
      const idle = (idleTo - idleFrom) / (IDLE_MS / 1000);
      const began = performance.now();
      const rounds = Math.ceil(DELIVERIES / (subscribers * quantities));
      for (let n = 0; n < rounds; n++) await round(quantities);
      const seconds = (performance.now() - began) / 1000;
      const after = await cpu();
      latencies.sort((a, b) => a - b);
      const used = after - idleTo - idle * seconds;
      return {
        perDelivery: (used / (rounds * subscribers * quantities)) * 1e6,
        idleMilliseconds: idle * 1000,
        p50: latencies[Math.floor(latencies.length * 0.5)]!,
        p99: latencies[Math.floor(latencies.length * 0.99)]!,
      };
    },
    stop(): void {
      server.kill();
      clients.kill();
    },
  };
}
