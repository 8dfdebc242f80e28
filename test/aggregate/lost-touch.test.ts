import { type ReceivedEventData } from '@azure/event-hubs';
import { horizonsFor } from '../../src/aggregate/horizons';
import { createAggregateMetrics } from '../../src/aggregate/metrics';
import { createAggregatePartition } from '../../src/aggregate/partition';
import { type BuildingAverage } from '../../src/domain/window';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { decodeAverages } from '../../src/stream/averages';
import { createFrameBuilder, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { buildReading } from '../support/readings';

const BEGAN = 1_800_000_000_000;

/** A partition whose clock and whose deliveries are the test's, and the last event that the hub says it holds. */
function buildPartition() {
  const told: BuildingAverage[] = [];
  const hub = { now: BEGAN, last: -1, away: false };
  const partition = createAggregatePartition({
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createAggregateMetrics(createMetrics({ process: 'test' })),
    owned: {
      partition: 0,
      incarnation: 'i',
      lastEnqueuedSequence: -1,
      checkpointedSequence: -1,
      ended: new AbortController().signal,
      checkpoint: () => Promise.resolve(),
      now: () =>
        hub.away
          ? Promise.reject(new Error('away'))
          : Promise.resolve({
              incarnation: 'i',
              hubCreatedAt: BEGAN,
              firstSequence: 0,
              lastEnqueuedSequence: hub.last,
            }),
    },
    horizons: horizonsFor(300_000),
    expected: () => 1,
    averages: { write: () => Promise.resolve([]) },
    producer: {
      partitionCount: 1,
      incarnation: 'averages',
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      send(_, schema, [body]) {
        told.push(
          ...decodeAverages(body, { [SCHEMA_PROPERTY]: schema }).filter(({ spaceId }) => spaceId === null),
        );
        return Promise.resolve();
      },
    },
    maximumPoints: 100_000,
    writesAtOnce: 2,
    now: () => hub.now,
  });
  const event = (sequenceNumber: number, at: number): ReceivedEventData => {
    const frame = createFrameBuilder();
    frame.add(buildReading({ observedAt: at - 1_000, receivedAt: at }));
    return {
      body: frame.take(),
      properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
      enqueuedTimeUtc: new Date(at),
      partitionKey: null,
      offset: String(sequenceNumber),
      sequenceNumber,
      getRawAmqpMessage: () => ({}) as never,
    };
  };
  return { partition, told, hub, event };
}

describe('a partition whose connection was lost for minutes', () => {
  it('tells nothing, and lets no time pass, before it has applied what was enqueued meanwhile', async () => {
    const { partition, told, hub, event } = buildPartition();
    hub.last = 0;
    await partition.process([event(0, BEGAN)]);
    hub.now += 1_000;
    partition.tick();
    expect(told.at(-1)).toMatchObject({ readings: 1 });
    const before = told.length;

    // Readings go on being enqueued; a connection that is new has at first nothing to deliver.
    const sent = hub.now + 1_000;
    hub.last = 1;
    hub.now += 250_000;
    await partition.process([]);
    partition.tick();
    expect(partition.silentBecause()).toContain('replays');
    expect(told).toHaveLength(before);

    await partition.process([event(1, sent)]);
    await partition.process([]);
    hub.now += 1_000;
    partition.tick();
    expect(told.at(-1)).toMatchObject({ readings: 2 });
  });

  it('stays silent for as long as the hub cannot be asked', async () => {
    const { partition, told, hub, event } = buildPartition();
    hub.last = 0;
    await partition.process([event(0, BEGAN)]);
    hub.now += 60_000;
    hub.away = true;
    await partition.process([]);
    partition.tick();
    expect(told).toEqual([]);

    hub.away = false;
    await partition.process([]);
    partition.tick();
    expect(told.at(-1)).toMatchObject({ readings: 1 });
  });
});
