import { type ReceivedEventData } from '@azure/event-hubs';
import fc from 'fast-check';
import { EMPTY_SECONDS, horizonsFor, RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { createAggregateMetrics } from '../../src/aggregate/metrics';
import { type AggregatePartition, createAggregatePartition } from '../../src/aggregate/partition';
import { createRecentMetrics } from '../../src/aggregate/recent/metrics';
import { openSnapshot, type Snapshot, SnapshotError } from '../../src/aggregate/snapshot';
import { type PlaceState } from '../../src/domain/state';
import { type BuildingAverage, WINDOW_SECONDS } from '../../src/domain/window';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { mergedPoint } from '../../src/store/averages-documents';
import { type AveragePoint } from '../../src/store/documents';
import { decodeAverages } from '../../src/stream/averages';
import { FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { decodeStates, STATES_SCHEMA } from '../../src/stream/states';
import { LATENESS_MS } from './drive';
import { countedRows, differenceFrom, expectedAt, type Row, rowsOf } from './plain-model';
import { expectedStateAt, stateDifferenceFrom } from './plain-states';
import { createRecentMemory } from './recent-memory';
import { BEGINNING, bodyOf, longStream, type StreamEvent } from './random-stream';

jest.setTimeout(240_000);

/** When the worker dies, for how long it is gone, and for how long the store was away before. */
interface Crash {
  afterEvent: number;
  downForMs: number;
  storeAwayMs: number;
  /** What becomes of the snapshot meanwhile. */
  snapshot: 'kept' | 'lost' | 'damaged' | 'rolled back';
}

const crash: fc.Arbitrary<Crash> = fc.record({
  afterEvent: fc.integer({ min: 50, max: 200 }),
  downForMs: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 900_000 })),
  storeAwayMs: fc.constantFrom(0, 15_000, 200_000, 800_000),
  snapshot: fc.constantFrom('kept', 'kept', 'kept', 'lost', 'damaged', 'rolled back'),
});

const logger = createLogger({ name: 'test', level: 'silent' });

/** One partition from its first event to long after its last, with workers that die and others that take over. */
async function live(
  events: StreamEvent[],
  crashes: readonly Crash[],
  maximumPoints: number,
  maximumReadings: number,
  snapshotEveryMs?: number,
): Promise<{
  told: BuildingAverage[];
  toldStates: PlaceState[];
  record: Map<string, AveragePoint>;
  /** Events that were applied again after a crash. */
  replayed: number;
  restored: number;
}> {
  const told: BuildingAverage[] = [];
  const toldStates: PlaceState[] = [];
  const record = new Map<string, AveragePoint>();
  let now = events[0]!.enqueuedAt;
  let checkpoint = -1;
  let storeAway = false;
  let snapshots: { sequence: number; body: Buffer }[] = [];
  let replayed = 0;
  let restoredTimes = 0;
  const metrics = createAggregateMetrics(createMetrics({ process: 'test' }));
  const recentMetrics = createRecentMetrics(createMetrics({ process: 'test' }));
  let alive = {};
  const stored = createRecentMemory(() => !storeAway);

  const take = async (): Promise<AggregatePartition> => {
    let dead = false;
    const self = (alive = {});
    const unlessGone = <T>(answer: () => Promise<T>): Promise<T> =>
      self === alive ? answer() : Promise.reject(new Error('away'));
    let restored: Snapshot | undefined;
    const newest = snapshots.at(-1);
    if (newest !== undefined && newest.sequence >= checkpoint) {
      try {
        restored = await openSnapshot(newest.body);
        restoredTimes++;
      } catch (error) {
        expect(error).toBeInstanceOf(SnapshotError);
        snapshots = [];
      }
    }
    beginsBehind = Math.max(checkpoint, restored?.head.from ?? -1);
    const partition = createAggregatePartition({
      logger,
      metrics,
      owned: {
        partition: 0,
        incarnation: 'i',
        lastEnqueuedSequence: events.filter((event) => event.enqueuedAt <= now).length - 1,
        checkpointedSequence: checkpoint,
        ended: new AbortController().signal,
        checkpoint: ({ sequenceNumber }) => {
          if (!dead) checkpoint = sequenceNumber;
          return Promise.resolve();
        },
        now: () => Promise.reject(new Error('not asked')),
      },
      horizons: horizonsFor(LATENESS_MS),
      expected: () => 5,
      averages: {
        write(buildingId, points) {
          if (storeAway || dead) return Promise.reject(new Error('away'));
          for (const point of points) {
            const key = `${buildingId} ${point.quantity} ${point.windowEnd}`;
            record.set(key, mergedPoint(record.get(key), point));
          }
          return Promise.resolve([]);
        },
      },
      recent: {
        metrics: recentMetrics,
        writer: {
          begin: (...asked) => unlessGone(() => stored.begin(...asked)),
          write: (batch) => unlessGone(() => stored.write(batch)),
        },
        source: { rows: (...asked) => unlessGone(() => stored.rows(...asked)) },
        maximumReadings,
      },
      producer: {
        partitionCount: 1,
        incarnation: 'averages',
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        send(_, schema, [body], properties) {
          if (dead) return Promise.resolve();
          if (schema === STATES_SCHEMA) toldStates.push(...decodeStates(body));
          else told.push(...decodeAverages(body, { ...properties?.[0], [SCHEMA_PROPERTY]: schema }));
          return Promise.resolve();
        },
      },
      maximumPoints,
      writesAtOnce: 2,
      ...(restored && { restored }),
      ...(snapshotEveryMs !== undefined && {
        snapshotEveryMs,
        storeSnapshot: ({ sequenceNumber }, body) => {
          if (!dead && sequenceNumber > (snapshots.at(-1)?.sequence ?? -1)) {
            snapshots.push({ sequence: sequenceNumber, body });
          }
          return Promise.resolve();
        },
      }),
      now: () => now,
    });
    kill = () => (dead = true);
    return partition;
  };
  let kill = (): boolean => false;
  let beginsBehind = -1;

  let partition = await take();
  let delivered = -1;
  /** As the consumer does: what fails is closed and opened again behind the checkpoint. */
  const deliver = async (batch: readonly StreamEvent[]): Promise<void> => {
    delivered = Math.max(delivered, batch.at(-1)?.sequence ?? -1);
    try {
      await partition.process(batch.map(received));
      await partition.snapshotStored();
    } catch {
      await partition.close();
      await reopen();
    }
  };
  const reopen = async (): Promise<void> => {
    partition = await take();
    const batch = events.filter((each) => each.sequence > beginsBehind && each.enqueuedAt <= now);
    replayed += batch.filter((each) => each.sequence <= delivered).length;
    await deliver(batch);
  };
  /** Time goes by, second by second, while nothing is enqueued. */
  const wait = async (until: number): Promise<void> => {
    while (now < until) {
      now = Math.min(until, Math.floor(now / 1000) * 1000 + 1000);
      await deliver([]);
      partition.tick();
    }
  };

  for (const event of events) {
    if (event.sequence <= delivered) continue;
    await wait(event.receivedAt);
    if (event.sequence > delivered) await deliver([event]);
    storeAway = crashes.some((each) => {
      const at = events[each.afterEvent]?.receivedAt ?? 0;
      return now > at - each.storeAwayMs && now <= at;
    });
    const fatal = crashes.find((each) => each.afterEvent === event.sequence);
    if (fatal === undefined) continue;
    kill();
    storeAway = false;
    now += fatal.downForMs;
    if (fatal.snapshot === 'lost') snapshots = [];
    if (fatal.snapshot === 'rolled back') snapshots = snapshots.slice(0, Math.ceil(snapshots.length / 2));
    const newest = snapshots.at(-1);
    if (fatal.snapshot === 'damaged' && newest) newest.body[newest.body.length >> 1]! ^= 0x41;
    await reopen();
  }
  await wait(now + 1_000_000);
  return { told, toldStates, record, replayed, restored: restoredTimes };
}

function received(event: StreamEvent): ReceivedEventData {
  return {
    body: bodyOf(event.rows),
    properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
    sequenceNumber: event.sequence,
    offset: String(event.sequence),
    enqueuedTimeUtc: new Date(event.enqueuedAt),
  } as unknown as ReceivedEventData;
}

/** Compares every told value at its position, and the record with what the whole stream says. */
function differencesOf(
  events: StreamEvent[],
  { told, toldStates, record }: Pick<Awaited<ReturnType<typeof live>>, 'told' | 'toldStates' | 'record'>,
): string[] {
  const differences: string[] = [];
  const counted = countedRows(
    events.flatMap(({ rows }) => rows),
    RECORD_LATENESS_MS,
  );
  const seriesOf = (key: string) => counted.filter((row) => `${row.buildingId} ${row.quantity}` === key);
  const byPlace = new Map<string, Row[]>();
  for (const value of told) {
    const key = `${value.buildingId} ${value.spaceId} ${value.quantity}`;
    if (value.deviceMean === undefined) differences.push(`told ${key}: without the mean over devices`);
    let rows = byPlace.get(key);
    if (rows === undefined) byPlace.set(key, (rows = rowsOf(counted, value)));
    const expected = expectedAt(rows, value.windowEnd, value.position.sequence);
    const difference = differenceFrom(expected, value);
    if (difference) differences.push(`told ${key} at ${value.windowEnd}: ${difference}`);
  }
  for (const value of toldStates) {
    const key = `${value.buildingId} ${value.spaceId} ${value.quantity}`;
    const rows = byPlace.get(key) ?? rowsOf(counted, value);
    byPlace.set(key, rows);
    const expected = expectedStateAt(rows, value.windowEnd, value.position.sequence);
    const difference = stateDifferenceFrom(expected, value);
    if (difference) differences.push(`state ${key} at ${value.windowEnd}: ${difference}`);
  }
  for (const key of ['bld_a 1', 'bld_a 2', 'bld_b 1']) {
    const series = seriesOf(key);
    const minutes = new Set<number>();
    for (const row of series) {
      const slot = Math.ceil(row.observedAt / 1000);
      const last = slot + WINDOW_SECONDS + EMPTY_SECONDS;
      for (let end = Math.ceil(slot / 60) * 60; end < last; end += 60) minutes.add(end);
    }
    for (const windowEnd of minutes) {
      const point = record.get(`${key} ${windowEnd}`);
      if (point === undefined) {
        differences.push(`record ${key} at ${windowEnd}: missing`);
        continue;
      }
      const [mean, minimum, maximum, readings, devicesReporting, , lastReadingAt] = point;
      const deviceMean = point[12]!;
      const found = { mean, minimum, maximum, deviceMean, readings, devicesReporting, lastReadingAt };
      const difference = differenceFrom(expectedAt(series, windowEnd, Infinity), found);
      if (difference) differences.push(`record ${key} at ${windowEnd}: ${difference}`);
    }
  }
  return differences.slice(0, 5);
}

describe('a partition whose worker dies again and again', () => {
  it.each([
    ['also while the store is away', 10_000, 10_000, undefined],
    ['also when more points wait for the store than may', 12, 10_000, undefined],
    ['going on from snapshots that are kept, lost, damaged and rolled back', 10_000, 10_000, 20_000],
    ['going on from snapshots when more points wait for the store than may', 12, 10_000, 20_000],
    ['going on from snapshots when more readings wait for the store than may', 10_000, 20, 20_000],
  ])(
    'tells nothing wrong and records the whole stream, %s',
    async (_, maximumPoints, maximumReadings, snapshotEveryMs) => {
      let restored = 0;
      let states = 0;
      await fc.assert(
        fc.asyncProperty(
          longStream,
          fc.array(crash, { minLength: 1, maxLength: 8, size: 'max' }),
          async (events, crashes) => {
            const outcome = await live(events, crashes, maximumPoints, maximumReadings, snapshotEveryMs);
            restored += outcome.restored;
            states += outcome.toldStates.length;
            expect(differencesOf(events, outcome)).toEqual([]);
          },
        ),
        { numRuns: 10, endOnFailure: true },
      );
      expect(states).toBeGreaterThan(500);
      if (snapshotEveryMs !== undefined) expect(restored).toBeGreaterThan(0);
    },
  );

  describe('counts a message once that is repeated', () => {
    const events = repeatingStream();
    const after = (minutes: number) => events.findLastIndex((each) => each.enqueuedAt <= at(minutes));
    const gone = { downForMs: 1_000, storeAwayMs: 0 };

    it('where an owner that cannot tell what repeats stores again what the one before stored at once', async () => {
      const outcome = await live(
        events,
        [
          { ...gone, afterEvent: after(20), storeAwayMs: 30 * 60_000, snapshot: 'lost' },
          { ...gone, afterEvent: after(24.9), snapshot: 'lost' },
        ],
        10_000,
        10_000,
      );
      expect(differencesOf(events, outcome)).toEqual([]);
    });

    it('where an owner stores what the one before has counted', async () => {
      const outcome = await live(
        events,
        [
          // Between the seconds at which the two buildings are written: one of them is not when the next takes over.
          { ...gone, afterEvent: after(24.9), downForMs: 57_900, snapshot: 'lost' },
          { ...gone, afterEvent: after(26), snapshot: 'kept' },
          // In the middle of a second of which the beginning was counted and needed not be stored.
          { ...gone, afterEvent: after(27), snapshot: 'kept' },
        ],
        10_000,
        10_000,
        5_000,
      );
      expect(outcome.restored).toBe(2);
      expect(differencesOf(events, outcome)).toEqual([]);
    });
  });
});

function at(minutes: number): number {
  return BEGINNING + minutes * 60_000;
}

/**
 * Messages without a time, each sent again half a minute and two minutes later; once a minute, when what came before is stored, an event
 * that only repeats, another within its second, and one with a reading. In the end late readings of every minute, so that
 * the record says what is stored.
 */
function repeatingStream(): StreamEvent[] {
  const events: StreamEvent[] = [];
  const add = (
    enqueuedAt: number,
    rows: readonly Pick<Row, 'pointOrdinal' | 'value' | 'observedAt' | 'undated'>[],
  ): void => {
    const sequence = events.length;
    const of = { sequence, enqueuedAt, spaceId: 'spc_1', quantity: 1, deviceOrdinal: 0 };
    events.push({
      sequence,
      enqueuedAt,
      receivedAt: enqueuedAt,
      rows: rows.map((row) => ({ ...of, buildingId: row.pointOrdinal === 5 ? 'bld_b' : 'bld_a', ...row })),
    });
  };
  const message = (number: number, observedAt: number, value: number) => ({
    ...{ pointOrdinal: 3, observedAt, value },
    undated: { messageId: `message-${number}`, messageIndex: 0 },
  });
  const dated = (observedAt: number, value: number) => ({ pointOrdinal: 0, observedAt, value });
  for (let number = 0; number < 56; number++) {
    const now = at(number / 2);
    add(now, [
      dated(now, 20),
      message(number, now, 10),
      ...[1, 4].filter((ago) => ago <= number).map((ago) => message(number - ago, now, ago * 1e3)),
    ]);
    if (number % 2 === 0) continue;
    add(now + 10_000, [{ pointOrdinal: 5, observedAt: now, value: 30 }]);
    add(now + 20_000, [message(number, now + 20_000, 1e6)]);
    add(now + 20_300, [message(number, now + 20_300, 1e9)]);
    add(now + 20_600, [dated(now + 20_600, 21)]);
  }
  for (let minute = 0; minute <= 28; minute++) {
    add(at(42) + 100 * minute, [{ pointOrdinal: 1, observedAt: at(minute) + 7, value: 5 }]);
  }
  return events;
}
