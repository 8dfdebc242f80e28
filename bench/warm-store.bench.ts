import { parseArgs } from 'node:util';
import { createCosmosEmulator } from '../emulators/cosmos/emulator';
import { count } from '../simulator/arguments';
import { horizonsFor } from '../src/aggregate/horizons';
import { createAggregateMetrics } from '../src/aggregate/metrics';
import { createAggregatePartition } from '../src/aggregate/partition';
import { createRecentMetrics } from '../src/aggregate/recent/metrics';
import { QUANTITIES } from '../src/domain/quantity';
import { createLogger } from '../src/observability/logger';
import { createMetrics } from '../src/observability/metrics';
import { createAveragesWriter } from '../src/store/averages-writer';
import { type Cosmos, createCosmos } from '../src/store/cosmos';
import { createRecentSource } from '../src/store/recent-reader';
import { createRecentWriter } from '../src/store/recent-writer';
import { createFrameBuilder, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../src/stream/frame';
import { type Bench, type BenchContext, type BenchReport } from './bench';

const PARTITIONS = 8;
const CHANNELS = 5;
/** Until every building's documents are there. */
const FILLING_SECONDS = 120;

export const bench: Bench = {
  name: 'warm-store',
  summary:
    'what the aggregate worker writes to Cosmos: averages, single readings and the latest of each point, in writes and request units a second of the stream',
  options: [
    '--buildings N  (1000)',
    '--devices N    in each, of five channels, that report once a minute (20)',
    '--measure N    seconds of stream that are measured, after two minutes; ten minutes are a document’s life (600)',
  ],
  run,
};

/** The whole worker behind its consumer, on a clock of its own, against the stand-in over HTTP. */
async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      buildings: { type: 'string', default: '1000' },
      devices: { type: 'string', default: '20' },
      measure: { type: 'string', default: '600' },
    },
  });
  const buildings = count(values.buildings, 'buildings', 100_000);
  const devices = count(values.devices, 'devices', 10_000);
  const measured = count(values.measure, 'measure', 86_400);

  const logger = createLogger({ name: 'bench', level: 'warn' });
  const cosmosMetrics = createMetrics({ process: 'cosmos' });
  const emulator = createCosmosEmulator({ logger, sync: false, metrics: cosmosMetrics });
  const { endpoint, key } = await emulator.start();
  const cosmos = createCosmos({ endpoint, key }, 'atrium');
  await cosmos.ensureContainers();
  let running = 0;
  let documents = 0;
  let bytes = 0;
  let recentDocuments = 0;
  const counting: Cosmos = {
    ...cosmos,
    async batch(container, partition, changes) {
      running++;
      documents += changes.length;
      for (const change of changes) {
        if (!('upsert' in change)) continue;
        recentDocuments++;
        bytes += Buffer.byteLength(JSON.stringify(change.upsert));
      }
      try {
        return await cosmos.batch(container, partition, changes);
      } finally {
        running--;
      }
    },
    async readMany(container, keys) {
      running++;
      try {
        return await cosmos.readMany(container, keys);
      } finally {
        running--;
      }
    },
  };

  const start = Math.floor(Date.now() / 600_000) * 600;
  let second = start;
  const now = (): number => second * 1000 + 5;
  const metrics = createMetrics({ process: 'aggregate' });
  const aggregate = createAggregateMetrics(metrics);
  const recent = {
    metrics: createRecentMetrics(metrics),
    writer: createRecentWriter({ cosmos: counting, now }),
    source: createRecentSource({ cosmos: counting }),
  };
  const averages = createAveragesWriter({ cosmos: counting });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
    createAggregatePartition({
      logger,
      metrics: aggregate,
      owned: {
        partition,
        incarnation: 'bench',
        lastEnqueuedSequence: -1,
        checkpointedSequence: -1,
        ended: new AbortController().signal,
        checkpoint: () => Promise.resolve(),
        now: () => Promise.reject(new Error('not asked')),
      },
      horizons: horizonsFor(300_000),
      expected: () => devices,
      averages,
      recent,
      producer: {
        partitionCount: PARTITIONS,
        incarnation: 'bench',
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        send: () => Promise.resolve(),
      },
      maximumPoints: 100_000,
      writesAtOnce: 2,
      now,
    }),
  );
  const quantities = QUANTITIES.filter(({ kind }) => kind === 'continuous').slice(0, CHANNELS);
  const id = (kind: string, ...of: number[]): string =>
    `${kind}_${Buffer.from(of.join('-').padEnd(16, '.')).toString('base64url').slice(0, 22)}`;
  const sequences = new Array<number>(PARTITIONS).fill(0);
  let readings = 0;

  /** The readings of one second: each device reports at its own second of the minute, all channels together. */
  const eventOf = (partition: number) => {
    const builder = createFrameBuilder();
    for (let building = partition; building < buildings; building += PARTITIONS) {
      for (let device = 0; device < devices; device++) {
        if ((building * 7919 + device * 104_729) % 60 !== second % 60) continue;
        quantities.forEach(({ code }, channel) => {
          readings++;
          builder.add({
            tenantId: id('ten', building % 100),
            buildingId: id('bld', building),
            spaceId: id('spc', building, device % 5),
            pointId: id('pnt', building, device, channel),
            pointOrdinal: device * CHANNELS + channel,
            deviceId: id('dev', building, device),
            deviceOrdinal: device,
            quantity: code,
            observedAt: second * 1000 - 40 - ((device * 37) % 900),
            receivedAt: second * 1000,
            value: Math.round((20 + Math.sin(second / 600 + channel) + device / 10) * 100) / 100,
          });
        });
      }
    }
    return {
      body: builder.take(),
      properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
      sequenceNumber: sequences[partition]!++,
      offset: '0',
      enqueuedTimeUtc: new Date(second * 1000),
    };
  };

  const pass = async (): Promise<void> => {
    second++;
    for (const [partition, each] of partitions.entries()) {
      await each.process([eventOf(partition)] as unknown as Parameters<typeof each.process>[0]);
      each.tick();
    }
    // What is written meanwhile is written in this second of the stream.
    do await new Promise(setImmediate);
    while (running > 0);
  };
  const spent = async (): Promise<{ charge: number; requests: number }> => {
    const sum = async (name: string): Promise<number> =>
      (await cosmosMetrics.getSingleMetric(name)!.get()).values.reduce((all, { value }) => all + value, 0);
    return { charge: await sum('cosmos_request_units_total'), requests: await sum('cosmos_requests_total') };
  };

  try {
    for (let passed = 0; passed < FILLING_SECONDS; passed++) await pass();
    progress(`${FILLING_SECONDS} s filled`);
    const before = await spent();
    documents = readings = bytes = recentDocuments = 0;
    for (let passed = 0; passed < measured; passed++) {
      await pass();
      if (passed % 60 === 59) progress(`${passed + 1} of ${measured} s`);
    }
    const after = await spent();
    return {
      figures: [
        { name: 'readings a second of the stream', value: Math.round(readings / measured), unit: '/s' },
        {
          name: 'documents written to Cosmos',
          value: documents / measured,
          unit: '/s',
          target: { atMost: 150 },
        },
        { name: 'requests to Cosmos', value: (after.requests - before.requests) / measured, unit: '/s' },
        {
          name: 'request units',
          value: (after.charge - before.charge) / measured,
          unit: 'RU/s',
          target: { atMost: 1500 },
        },
        { name: 'bytes stored a recent reading', value: bytes / readings, unit: 'B' },
        { name: 'bytes a document of recent readings', value: bytes / recentDocuments, unit: 'B' },
      ],
      notes: [
        `${buildings} buildings of ${devices} devices with ${CHANNELS} channels; charges by the stand-in's model (emulators/cosmos/charges.ts)`,
        'averages, recent readings and the latest of each point; alerts and what gateways note are not the worker’s beat',
      ],
    };
  } finally {
    cosmos.stop();
    await emulator.stop();
  }
}
