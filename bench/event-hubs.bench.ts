import { EventHubConsumerClient, EventHubProducerClient, latestEventPosition } from '@azure/event-hubs';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type EventHubsProcess, startEventHubs } from '../test/verify/event-hubs-process';
import { type Bench, type BenchReport, type Figure } from './bench';
import { connectLoad, encodeBatch } from './event-hubs.load';

const HUB = 'bench';
const PARTITIONS = 4;
const BATCH = 100;
const EVENT_BYTES = 200;
/** A frame of 100 readings in Avro columns, see docs/architecture.md. */
const READINGS = 100;
const FRAME_BYTES = 2_800;
const GIGABYTE = 1024 ** 3;
const IN_FLIGHT = 8;

export const bench: Bench = {
  name: 'event-hubs',
  summary: "the Event Hubs stand-in's CPU an event, rates, latency, memory and start",
  options: [
    '--events N        how many events stream through for the memory figure (default 2000000)',
    '--log-megabytes N size of the log that the start is timed with (default 1024)',
  ],
  async run({ args, progress }): Promise<BenchReport> {
    const { values } = parseArgs({
      args,
      options: {
        events: { type: 'string', default: '2000000' },
        'log-megabytes': { type: 'string', default: '1024' },
      },
    });
    const root = mkdtempSync(join(tmpdir(), 'event-hubs-bench-'));
    const config = join(root, 'config.json');
    writeFileSync(config, JSON.stringify(configuration));
    const data = join(root, 'data');
    const start = (): Promise<EventHubsProcess> => startEventHubs({ data, args: ['--config', config] });
    let server = await start();
    try {
      const figures: Figure[] = [];
      progress('latency of single events through the SDK');
      figures.push(...(await latency(server)));
      progress(`frames of ${READINGS} readings`);
      figures.push(...(await frames(server)));
      progress(`${values.events} events of ${EVENT_BYTES} bytes in batches of ${BATCH}`);
      figures.push(...(await stream(server, Number(values.events), progress)));
      progress('start with a large log');
      await fill(server, data, Number(values['log-megabytes']) * 1024 * 1024);
      await server.kill('SIGKILL');
      const began = performance.now();
      server = await start();
      const took = performance.now() - began;
      figures.push(
        { name: 'log at start', value: Math.round(logBytes(data) / 1024 ** 2), unit: 'MB' },
        { name: 'start after kill -9, spawn to ready', value: took / 1000, unit: 's', target: { atMost: 2 } },
      );
      return { figures, notes };
    } finally {
      await server.kill('SIGTERM');
      rmSync(root, { recursive: true, force: true });
    }
  },
};

const notes = [
  'CPU is that of the server process alone (user and system), as its own metrics tell it',
  'events and frames come from and go to a bare AMQP client on the same machine: the SDK costs 20 to 30 us an event and would be what is measured',
  'latency is through the SDK: a send until its acknowledgement, which waits for fsync, and until the consumer has it',
];

const configuration = {
  UserConfig: {
    NamespaceConfig: [
      {
        Type: 'EventHub',
        Name: 'bench',
        Entities: [
          { Name: HUB, PartitionCount: PARTITIONS },
          { Name: 'frames', PartitionCount: PARTITIONS },
          { Name: 'latency', PartitionCount: 1 },
        ],
      },
    ],
  },
};

async function cpuSeconds(server: EventHubsProcess): Promise<number> {
  const text = await (await fetch(`${server.healthUrl}/metrics`)).text();
  return Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1]);
}

function residentMegabytes(pid: number): number {
  return (
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
  );
}

interface Measured {
  cpuMicroseconds: number;
  seconds: number;
}

async function measured(server: EventHubsProcess, work: () => Promise<unknown>): Promise<Measured> {
  const before = await cpuSeconds(server);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  return { cpuMicroseconds: ((await cpuSeconds(server)) - before) * 1e6, seconds };
}

const all = <T>(work: (partition: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => work(partition)));

async function frames(server: EventHubsProcess): Promise<Figure[]> {
  const batches = 200;
  const perBatch = 20;
  const count = batches * perBatch * PARTITIONS;
  const client = await connectLoad(server.connectionString);
  const batch = encodeBatch(Array.from({ length: perBatch }, () => randomBytes(FRAME_BYTES)));
  const sent = await measured(server, () =>
    all((partition) => client.send({ hub: 'frames', partition, batch, times: batches, inFlight: IN_FLIGHT })),
  );
  const received = await measured(server, () =>
    all((partition) => client.receive({ hub: 'frames', partition, count: batches * perBatch })),
  );
  client.close();
  const readings = count * READINGS;
  return [
    {
      name: 'CPU a reading, in and out, 100 readings an event',
      value: (sent.cpuMicroseconds + received.cpuMicroseconds) / readings,
      unit: 'us',
      target: { atMost: 1.5 },
    },
    { name: 'readings in', value: readings / sent.seconds, unit: '/s' },
    { name: 'readings out', value: readings / received.seconds, unit: '/s' },
  ];
}

async function stream(
  server: EventHubsProcess,
  events: number,
  progress: (line: string) => void,
): Promise<Figure[]> {
  const client = await connectLoad(server.connectionString);
  const reader = await connectLoad(server.connectionString);
  const batch = encodeBatch(Array.from({ length: BATCH }, () => randomBytes(EVENT_BYTES)));
  const rounds = 10;
  const times = Math.ceil(events / PARTITIONS / BATCH / rounds);
  const total = times * rounds * BATCH * PARTITIONS;
  const resident: number[] = [];
  let sendCpu = 0;
  let sendSeconds = 0;
  for (let round = 0; round < rounds; round += 1) {
    const sent = await measured(server, () =>
      all((partition) => client.send({ hub: HUB, partition, batch, times, inFlight: IN_FLIGHT })),
    );
    sendCpu += sent.cpuMicroseconds;
    sendSeconds += sent.seconds;
    resident.push(residentMegabytes(server.pid));
    progress(`  ${round + 1}0 % in, ${Math.round(resident.at(-1)!)} MB resident`);
  }
  const watch = { stop: false };
  const watched = (async () => {
    while (!watch.stop) {
      await delay(250);
      resident.push(residentMegabytes(server.pid));
    }
  })();
  const received = await measured(server, () =>
    all((partition) => reader.receive({ hub: HUB, partition, count: total / PARTITIONS })),
  );
  watch.stop = true;
  await watched;
  client.close();
  reader.close();
  const inCpu = sendCpu / total;
  const outCpu = received.cpuMicroseconds / total;
  return [
    { name: 'CPU an event in', value: inCpu, unit: 'us' },
    { name: 'CPU an event out', value: outCpu, unit: 'us' },
    { name: 'CPU an event, in and out', value: inCpu + outCpu, unit: 'us', target: { atMost: 20 } },
    { name: 'events in', value: total / sendSeconds, unit: '/s' },
    { name: 'events out', value: total / received.seconds, unit: '/s' },
    { name: 'events streamed', value: total, unit: 'events' },
    { name: 'resident after the first tenth', value: resident[0]!, unit: 'MB' },
    { name: 'resident at most', value: Math.max(...resident), unit: 'MB' },
    {
      name: 'resident growth after the first tenth',
      value: Math.max(...resident) - resident[0]!,
      unit: 'MB',
      target: { atMost: 64 },
    },
  ];
}

async function latency(server: EventHubsProcess): Promise<Figure[]> {
  const producer = new EventHubProducerClient(server.connectionString, 'latency');
  const consumer = new EventHubConsumerClient('$Default', server.connectionString, 'latency');
  const arrivals = new Map<string, number>();
  let attached = false;
  const subscription = consumer.subscribe(
    '0',
    {
      processEvents(events) {
        attached = true;
        for (const event of events) arrivals.set(String(event.body), performance.now());
        return Promise.resolve();
      },
      processError: () => Promise.resolve(),
    },
    { startPosition: latestEventPosition, maxBatchSize: 100, maxWaitTimeInSeconds: 0.2 },
  );
  while (!attached) await delay(20);
  const acknowledged: number[] = [];
  const departures = new Map<string, number>();
  const sends = 400;
  for (let i = 0; i < sends; i += 1) {
    const body = `${i} ${'x'.repeat(EVENT_BYTES)}`;
    const began = performance.now();
    departures.set(body, began);
    await producer.sendBatch([{ body }], { partitionId: '0' });
    if (i > sends / 10) acknowledged.push(performance.now() - began);
  }
  while (arrivals.size < sends) await delay(20);
  await subscription.close();
  await Promise.all([producer.close(), consumer.close()]);
  const through = [...arrivals].slice(sends / 10).map(([body, at]) => at - departures.get(body)!);
  return [
    { name: 'acknowledgement p50', value: quantile(acknowledged, 0.5), unit: 'ms' },
    { name: 'acknowledgement p99', value: quantile(acknowledged, 0.99), unit: 'ms' },
    { name: 'send to receipt p50', value: quantile(through, 0.5), unit: 'ms' },
    { name: 'send to receipt p99', value: quantile(through, 0.99), unit: 'ms' },
  ];
}

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

function logBytes(data: string): number {
  return readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.log'))
    .reduce((sum, each) => sum + statSync(join(data, each)).size, 0);
}

/** Appends until the logs hold this much in all. */
async function fill(server: EventHubsProcess, data: string, bytes: number): Promise<void> {
  const client = await connectLoad(server.connectionString);
  const batch = encodeBatch([randomBytes(900_000)]);
  const wanted = Math.min(bytes, 4 * GIGABYTE) - logBytes(data);
  const times = Math.max(0, Math.ceil(wanted / batch.length / PARTITIONS));
  if (times > 0) await all((partition) => client.send({ hub: HUB, partition, batch, times, inFlight: 4 }));
  client.close();
}
