import { type BuildingAverage } from '../../domain/window';
import { type Logger } from '../../observability/logger';
import { type RecentSource, type RecentWriter } from '../../store/recent';
import { type Frame } from '../../stream/frame';
import { type BuildingState, type DevicesExpected } from '../engine';
import { type Horizons } from '../horizons';
import { createCorrections } from './corrections';
import { createLateMinutes, type PackedLate } from './late-minutes';
import { type RecentMetrics } from './metrics';
import { createRecentRecord, type Repeats, type Verdicts } from './recent-record';

/** Where recent readings are stored and read again. */
export interface RecentStore {
  metrics: RecentMetrics;
  writer: RecentWriter;
  source: RecentSource;
  /** Readings of one partition that may wait while the store is away. */
  maximumReadings?: number;
}

/** What of it stands in a snapshot. */
export interface PackedRecent {
  late: PackedLate[];
  repeats: Repeats;
}

/** One partition's recent readings, and the corrections that are computed from them. */
export interface Recent {
  note(frame: Frame, verdicts: Verdicts, sequence: number, enqueuedAt: number): void;
  markLate(building: BuildingState, code: number, firstMinute: number, lastMinute: number): void;
  /** `isComplete`: whether all that the engine has applied was noted. */
  pump(isComplete: boolean): void;
  /**
   * The first event that a successor must see again to store its readings; undefined for none. It need not count it: what
   * the engine has counted stands in the snapshot.
   */
  oldestUnstored(): number | undefined;
  /**
   * No checkpoint may pass an event that was enqueued at this instant or later: its readings are not all stored, or the
   * minutes that it touched are not computed. Infinity for none.
   */
  neededSince(): number;
  /** Whether checkpoints may move and snapshots be taken at all. */
  hasBegun(): boolean;
  pack(): PackedRecent;
  /** Of the readings that may wait, the part that does. */
  fullness(): number;
  healthy(): boolean;
  needsReplay(): boolean;
  drain(milliseconds: number): Promise<void>;
}

/** About five minutes of a partition of a million points. */
const MAXIMUM_READINGS = 500_000;

export function createRecent(
  store: RecentStore,
  options: {
    logger: Logger;
    incarnation: string;
    partition: number;
    horizons: Horizons;
    expected: DevicesExpected;
    /** Where the engine stands, and the event it is applying. */
    engine(): { readonly second: number; readonly sequence: number };
    /** Observed from when on readings are surely among the events seen; undefined before the first event. */
    recordsFrom(): number | undefined;
    enqueuedAt(): number;
    /** No successor begins before this event. Never falls. */
    neverAgain(): number;
    writesAtOnce: number;
    restored?: PackedRecent;
    offer(buildingId: string, points: BuildingAverage[]): void;
    now(): number;
  },
): Recent {
  const { logger, incarnation, partition, horizons, expected, restored, now } = options;
  const { metrics, maximumReadings = MAXIMUM_READINGS } = store;
  const late = createLateMinutes(restored?.late ?? [], now);
  const record = createRecentRecord({
    logger,
    metrics,
    store: store.writer,
    incarnation,
    partition,
    recordsFrom: options.recordsFrom,
    repeats: restored?.repeats ?? [],
    neverAgain: options.neverAgain,
    recordLatenessMs: horizons.recordLatenessMs,
    maximumReadings,
    writesAtOnce: options.writesAtOnce,
    now,
  });
  const corrections = createCorrections({
    logger,
    metrics,
    late,
    record,
    source: store.source,
    horizons,
    expected,
    engine: {
      get second() {
        return options.engine().second;
      },
      get sequence() {
        return options.engine().sequence;
      },
    },
    incarnation,
    partition,
    offer: options.offer,
    now,
  });

  return {
    note: record.note,
    markLate(building, code, firstMinute, lastMinute) {
      late.mark(building, code, firstMinute, lastMinute, { enqueuedAt: options.enqueuedAt() });
    },
    pump(isComplete) {
      record.pump();
      if (isComplete) corrections.pump();
    },
    oldestUnstored: () => record.oldest()?.sequence,
    neededSince: () => Math.min(record.oldest()?.enqueuedAt ?? Infinity, late.oldestEnqueuedAt()),
    hasBegun: record.hasBegun,
    pack: () => ({ late: late.pack(), repeats: record.repeats() }),
    fullness: () => record.size() / maximumReadings,
    healthy: record.healthy,
    needsReplay: record.needsReplay,
    async drain(milliseconds) {
      await record.drain(milliseconds);
      for (const gauge of [metrics.waiting, metrics.lateMinutes]) gauge.remove({ partition });
    },
  };
}
