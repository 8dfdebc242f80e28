import { type ReceivedEventData } from '@azure/event-hubs';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { explain, type Logger } from '../observability/logger';
import { type AveragesWriter } from '../store/averages';
import { type CheckpointEvent, type OwnedPartition, type PartitionProcessor } from '../stream/consumer';
import { decodeFrame, FrameError } from '../stream/frame';
import { frameWithout } from '../stream/frame-without';
import { type StreamProducer } from '../stream/producer';
import { REPEATED_WITHIN_MS } from '../domain/reading';
import { WINDOW_SECONDS } from '../domain/window';
import { type AlertsShared, createPartitionAlerts } from './alerts/partition-alerts';
import { type BuildingState, createEngine, type DevicesExpected, type EngineCounts } from './engine';
import { EMPTY_SECONDS, FUTURE_ALLOWANCE_MS, type Horizons, KNOWN_AFTER_MS } from './horizons';
import { createLiveValues } from './live-values';
import { type AggregateMetrics } from './metrics';
import { createMinuteRecord } from './minute-record';
import { type PackedPart } from './packed';
import { createRecent, type RecentStore } from './recent/recent';
import { createToldCorrections } from './recent/told-corrections';
import { createReplayMarks } from './replay-marks';
import { STATE_REACH_SECONDS } from './state-point';
import { packSnapshot, sealSnapshot, type Snapshot } from './snapshot';
import { type SpaceTree } from './tree';
import { type IsErased } from './without-erased';

/** One partition's state while this worker owns it. */
export interface AggregatePartition extends PartitionProcessor {
  readonly partition: number;
  /** Takes up what is stored of its alerts. To be called before the first events. */
  open(): Promise<void>;
  /** To be called at least once a second, just after the second has changed. */
  tick(): void;
  /** More is known of where a building's spaces lie. */
  regroup(buildingId: string): void;
  /** Why the partition is not telling live values now; undefined when it is. */
  silentBecause(): string | undefined;
  /** Resolves when no snapshot is being stored. */
  snapshotStored(): Promise<void>;
}

/** Events older than this when they arrive mean that more are behind them: the partition catches up. */
const CURRENT_WITHIN_MS = 5_000;
/** Without a word from the hub for this long it is unknown what was observed: the clock stands until it speaks again. */
const HEARD_WITHIN_MS = 5_000;
/** A backlog that the hub has named and that does not come for this long has been trimmed away. */
const BACKLOG_GONE_MS = 10_000;
const CHECKPOINT_EVERY_MS = 10_000;
/** Work in one piece, so that ticks, sends and health answers are not held up. */
const SLICE_MS = 10;
/** A minute's points wait for readings under way and for the other buildings: two to ten seconds, by building. */
const MINUTE_SETTLES_MS = 2_000;
const MINUTE_SPREAD_MS = 8_000;
/** Corrections of a building gather for this long after its last points. */
const CORRECTIONS_GATHER_MS = 20_000;
const CLOSE_WITHIN_MS = 5_000;
/** A successor replays at most so much, and what it takes over. */
const SNAPSHOT_EVERY_MS = 30_000;

export function createAggregatePartition(options: {
  logger: Logger;
  metrics: AggregateMetrics;
  owned: OwnedPartition;
  horizons: Horizons;
  expected: DevicesExpected;
  tree?: SpaceTree;
  averages: AveragesWriter;
  /** Left out, nothing is stored of single readings, and late ones correct nothing. */
  recent?: RecentStore;
  producer: StreamProducer;
  maximumPoints: number;
  writesAtOnce: number;
  /** What the partition goes on from; its position is not before where reading begins. */
  restored?: Snapshot;
  /** Stores a snapshot of that position. Left out, none is taken. */
  storeSnapshot?: (position: CheckpointEvent, body: Buffer) => Promise<void>;
  snapshotEveryMs?: number;
  /** Shared by a worker's partitions: one at a time holds a second copy of its state. */
  snapshotTurn?: { taken: boolean };
  /** Left out, no rule is looked at. */
  alerts?: AlertsShared;
  /** Tenants of whom nothing is counted, stored or kept any more. */
  isErased?: IsErased;
  now(): number;
}): AggregatePartition {
  const { logger, metrics, owned, horizons, expected, averages, producer, restored, now } = options;
  const { partition, incarnation } = owned;
  const { isErased = () => false } = options;
  /** Whose readings are, or were, counted here. */
  const owners = new Set(restored?.parts.flatMap(ownersOf));
  // Rules alone raise alerts, of devices that are silent.
  const noteOwner = ({ tenantId }: { tenantId: string }): void => void owners.add(tenantId);
  for (const rule of options.alerts?.rules.all() ?? []) noteOwner(rule);
  const endNoting = options.alerts?.rules.onRule(noteOwner);
  const record = createMinuteRecord({
    logger,
    metrics,
    averages,
    partition,
    maximumPoints: options.maximumPoints,
    writesAtOnce: options.writesAtOnce,
    onStored: (points) => corrections.stored(points, engine.second - horizons.finalAfter),
    now,
  });
  const corrections = createToldCorrections({ logger, producer, partition });
  const engine = createEngine({
    incarnation,
    partition,
    horizons,
    expected,
    now,
    ...(options.tree && { tree: options.tree }),
    onFinal: (building, points) => record.offer(building.buildingId, points),
    onLate: (...touched) => recent?.markLate(...touched),
    ...(restored && { restored: { ...restored.head, parts: restored.parts } }),
  });
  let enqueuedAt = 0;
  let firstEnqueuedAt: number | undefined;
  /** The owner before noted what the engine has counted, unless it was of a release that stored no readings. */
  const recordsFrom = (): number | undefined => {
    if (restored !== undefined && restored.head.recent === undefined) {
      return firstEnqueuedAt === undefined ? undefined : firstEnqueuedAt + FUTURE_ALLOWANCE_MS;
    }
    return engine.knownFrom === Infinity ? undefined : engine.knownFrom;
  };
  const recent =
    options.recent &&
    createRecent(options.recent, {
      logger,
      incarnation,
      partition,
      horizons,
      expected,
      engine: () => engine,
      enqueuedAt: () => enqueuedAt,
      recordsFrom,
      // Where all is stored a successor begins behind the last event, but behind a mark before it once another has come.
      neverAgain: (): number => marks.lastBefore(recent?.oldestUnstored() ?? noted + 1)?.sequenceNumber ?? -1,
      writesAtOnce: options.writesAtOnce,
      ...(restored?.head.recent && { restored: restored.head.recent }),
      offer: (buildingId, points) => record.offer(buildingId, points),
      now,
    });
  for (const point of restored?.head.points ?? []) record.offer(point.buildingId, [point]);
  const live = createLiveValues({ logger, metrics, producer, engine, incarnation, partition, now });
  const alerts =
    options.alerts &&
    createPartitionAlerts({
      logger,
      shared: options.alerts,
      producer,
      averages: engine,
      expected,
      incarnation,
      partition,
      ...(restored && { restored: restored.head }),
      now,
    });
  const marks = createReplayMarks(restored?.head.marks);
  const labels = { partition };
  const turn = options.snapshotTurn ?? { taken: false };

  /** The last event that was enqueued when the partition was taken, or was heard again: until then it replays. */
  let mustReach = owned.lastEnqueuedSequence;
  let reached = mustReach < 0 || engine.sequence >= mustReach;
  /** It was not heard for a while, and the hub has not been asked since what was enqueued meanwhile. */
  let outOfTouch = false;
  let lagging = false;
  let wasSilent = true;
  let heardAt = now();
  let appliedAt = now();
  let checkpointAt = now();
  let checkpointed = -1;
  let checkpointing = false;
  let closed = false;
  /** The last event whose readings were noted: behind the engine's, while what a snapshot did not hold is noted again. */
  let noted = restored?.head.from ?? engine.sequence;
  /** Of the last event applied, while this worker has applied one. */
  let position: CheckpointEvent | undefined;
  let snapshotAt = now() - spreadOf(String(partition));
  let storing: Promise<void> | undefined;
  const dueAt = new Map<BuildingState, number>();
  const offeredAt = new Map<BuildingState, number>();
  const reported: EngineCounts = { ...engine.counts };

  const silentBecause = (): string | undefined => {
    if (outOfTouch)
      return `partition ${partition} does not know yet what was enqueued while it was not heard`;
    if (!reached)
      return `partition ${partition} replays what was enqueued before it was taken or heard again`;
    if (lagging) return `partition ${partition} lags behind the stream`;
    if (now() - heardAt > HEARD_WITHIN_MS) return `partition ${partition} has heard nothing from the stream`;
    return undefined;
  };

  const advance = (second: number): void => {
    if (alerts === undefined) engine.advance(second);
    else alerts.advance(second, silentBecause() === undefined);
  };

  const applyEvent = (event: ReceivedEventData): void => {
    const { sequenceNumber, body, properties } = event;
    // After a reconnect the hub may deliver again what was applied.
    if (sequenceNumber <= noted) return;
    noted = sequenceNumber;
    enqueuedAt = event.enqueuedTimeUtc.getTime();
    firstEnqueuedAt ??= enqueuedAt;
    const isCounted = sequenceNumber <= engine.sequence;
    if (!isCounted) {
      // Until the partition is current the stream is the clock, so that a minute is computed while its readings are held.
      advance(Math.floor(Math.min(enqueuedAt, now()) / 1000));
      marks.note(event, enqueuedAt);
    }
    try {
      const frame = frameWithout(decodeFrame(body, properties), isErased);
      for (const { tenantId } of frame.buildings) owners.add(tenantId);
      if (isCounted) recent?.note(frame, 'counted', sequenceNumber, enqueuedAt);
      else {
        const rows = engine.apply(frame, sequenceNumber, enqueuedAt);
        const unsure = enqueuedAt + FUTURE_ALLOWANCE_MS < engine.knownFrom;
        recent?.note(frame, { rows, unsure }, sequenceNumber, enqueuedAt);
        alerts?.apply(frame, sequenceNumber, enqueuedAt, rows);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (!isCounted) {
        engine.skip(sequenceNumber, enqueuedAt);
        metrics.damagedFrames.inc();
        logger.warn({ partition, sequence: sequenceNumber, error: error.message }, 'no readable frame');
      }
    }
    if (!isCounted) position = { sequenceNumber, offset: event.offset };
    if (sequenceNumber >= mustReach) reached = true;
  };

  /** Whether everything that the engine has applied was noted for the recent readings, and from when on that is so. */
  const isNoted = (): boolean => noted >= engine.sequence && recent?.hasBegun() !== false;

  /**
   * Behind which event a successor begins that goes on from a snapshot of now: behind the last one, or before the first
   * whose readings are not all stored. What lies between stands in the snapshot as counted and is only noted again. So no
   * position ever passes a reading that is not stored, and a snapshot need not hold a minute of them.
   */
  const successorBegins = (): CheckpointEvent | undefined => {
    const unstored = recent?.oldestUnstored();
    return unstored === undefined ? position : marks.lastBefore(unstored);
  };

  /**
   * What a successor goes on from: the engine, and the points that were computed and may not be stored. Points that had
   * to be dropped are in neither: then none is taken, and the last one stands, from which they come again.
   */
  const takeSnapshot = (): void => {
    const points = record.pending();
    const at = successorBegins();
    if (options.storeSnapshot === undefined || at === undefined || points === undefined) return;
    if (storing !== undefined || position === undefined || !isNoted()) return;
    const found = alerts?.pack();
    if (alerts !== undefined && found === undefined) return;
    snapshotAt = now();
    const began = performance.now();
    const { second, sequence, knownFrom } = engine;
    const head = {
      ...{ sequence, second, knownFrom, incarnation, partition, points, marks: [...marks.all()] },
      from: at.sequenceNumber,
      ...(recent && { recent: recent.pack() }),
      ...(found && { alerts: found }),
    };
    const state = engine.pack();
    metrics.snapshotPacking.observe((performance.now() - began) / 1000);
    const store = async (): Promise<void> => {
      try {
        const body = await sealSnapshot(await packSnapshot(head, state));
        await options.storeSnapshot!(at, body);
        metrics.snapshotBytes.set(labels, body.length);
      } catch (error) {
        metrics.snapshotsFailed.inc();
        logger.warn({ partition, error: explain(error) }, 'snapshot not stored');
      } finally {
        storing = undefined;
        turn.taken = false;
      }
    };
    turn.taken = true;
    storing = store();
  };

  /**
   * A connection that is new has at first nothing to deliver, which does not say that nothing was enqueued: were the
   * clock to go on then, windows would be told without the backlog, and what is behind it would come too late to count.
   */
  const regainTouch = async (): Promise<void> => {
    try {
      const hub = await owned.now();
      if (hub.incarnation !== incarnation) return;
      mustReach = hub.lastEnqueuedSequence;
      reached = engine.sequence >= mustReach;
      appliedAt = now();
      outOfTouch = false;
    } catch (error) {
      logger.debug({ partition, error: explain(error) }, 'the hub cannot be asked after a silence');
    }
  };

  const reportCounts = (): void => {
    for (const [name, outcome] of OUTCOMES) {
      const delta = engine.counts[name] - reported[name];
      if (delta > 0) metrics.readings.inc({ outcome }, delta);
      reported[name] = engine.counts[name];
    }
  };

  /** Takes the points of every building whose minutes have settled, or all of them. */
  const takeDueMinutes = (all: boolean): void => {
    const at = now();
    for (const building of [...engine.dirtyBuildings()]) {
      let due = dueAt.get(building);
      if (due === undefined) {
        const gathered = (offeredAt.get(building) ?? 0) + CORRECTIONS_GATHER_MS;
        due = Math.max(at + MINUTE_SETTLES_MS + spreadOf(building.buildingId), gathered);
        dueAt.set(building, due);
      }
      if (!all && at < due) continue;
      dueAt.delete(building);
      offeredAt.set(building, at);
      record.offer(building.buildingId, engine.takeMinutes(building, at));
    }
    for (const [building, offered] of offeredAt) {
      if (at - offered > CORRECTIONS_GATHER_MS) offeredAt.delete(building);
    }
    for (const building of dueAt.keys()) if (building.dirty.size === 0) dueAt.delete(building);
  };

  /**
   * Moves the checkpoint to the last event from before which nothing can matter any more: the first minute that is not
   * yet final and stored (M) needs readings observed after M - 300 s, or the last one before an empty window, and those
   * stand in events enqueued later than that less the future allowance, as do those that a state at T follows from. A
   * successor that replays from there, and some minutes more to tell repeated messages, knows that minute whole. Nor does
   * it pass an event whose readings are not all stored, or whose late readings are not in the record.
   */
  const moveCheckpoint = async (): Promise<void> => {
    checkpointAt = now();
    if (checkpointing || engine.second === 0 || !isNoted()) return;
    const firstNeeded = Math.min(
      Math.floor((engine.second - horizons.finalAfter) / 60) + 1,
      engine.oldestDirtyMinute(),
      record.oldestMinute(),
    );
    const oldest = Math.min(
      firstNeeded * 60 - WINDOW_SECONDS - EMPTY_SECONDS,
      engine.second - STATE_REACH_SECONDS,
    );
    const event = marks.before(
      Math.min(
        oldest * 1000 - KNOWN_AFTER_MS,
        (recent?.neededSince() ?? Infinity) - REPEATED_WITHIN_MS,
        alerts?.neededSince() ?? Infinity,
      ),
    );
    if (event === undefined || event.sequenceNumber <= checkpointed) return;
    checkpointing = true;
    try {
      await owned.checkpoint(event);
      checkpointed = event.sequenceNumber;
    } catch (error) {
      logger.warn({ partition, error: explain(error) }, 'checkpoint not stored');
    } finally {
      checkpointing = false;
    }
  };

  /** Replay is faster than the store: it waits, unless the store is away, for which nothing waits. */
  const leaveRoom = async (): Promise<void> => {
    while (!closed && silentBecause() !== undefined && isFull()) {
      if (!record.healthy() || recent?.healthy() === false) return;
      await delay(20);
      record.pump();
      recent?.pump(false);
    }
  };

  const holdsErased = (): boolean => {
    for (const tenantId of owners) if (isErased(tenantId)) return true;
    return false;
  };

  const isFull = (): boolean =>
    record.size() > options.maximumPoints / 2 || (recent !== undefined && recent.fullness() > 0.5);

  return {
    partition,
    silentBecause,
    open: () => alerts?.open() ?? Promise.resolve(),
    regroup: engine.regroup,
    async snapshotStored() {
      await storing;
    },
    async process(events) {
      if (record.needsReplay() || recent?.needsReplay()) {
        throw new Error(
          `partition ${partition} is replayed: points or readings were given up while Cosmos was away`,
        );
      }
      if (holdsErased())
        throw new Error(`partition ${partition} is opened anew without a tenant that is erased`);
      const replayedBecause = alerts?.needsReplay();
      if (replayedBecause !== undefined) {
        throw new Error(`partition ${partition} is replayed: ${replayedBecause}`);
      }
      if (now() - heardAt > HEARD_WITHIN_MS) outOfTouch = true;
      if (outOfTouch) await regainTouch();
      heardAt = now();
      const last = events.at(-1);
      if (last === undefined) {
        lagging = false;
        if (!reached && heardAt - appliedAt > BACKLOG_GONE_MS) reached = true;
      } else {
        const age = heardAt - last.enqueuedTimeUtc.getTime();
        lagging = age > CURRENT_WITHIN_MS;
        metrics.lag.set(labels, Math.max(0, age / 1000));
        let sliceEnds = performance.now() + SLICE_MS;
        for (const event of events) {
          if (closed) return;
          applyEvent(event);
          if (isFull()) await leaveRoom();
          if (performance.now() < sliceEnds) continue;
          await setImmediate();
          heardAt = now();
          sliceEnds = performance.now() + SLICE_MS;
        }
        appliedAt = heardAt = now();
        alerts?.pump();
        reportCounts();
      }
      metrics.catchingUp.set(labels, silentBecause() === undefined ? 0 : 1);
      const isDue = now() - snapshotAt >= (options.snapshotEveryMs ?? SNAPSHOT_EVERY_MS);
      if (isDue && !turn.taken) takeSnapshot();
    },
    tick() {
      const began = performance.now();
      const isSilent = silentBecause() !== undefined;
      if (isSilent !== wasSilent) {
        wasSilent = isSilent;
        logger.info({ partition }, isSilent ? 'partition is silent' : 'partition tells values');
      }
      if (!isSilent) {
        advance(Math.floor(now() / 1000));
        live.emit();
      }
      alerts?.pump();
      takeDueMinutes(false);
      record.pump();
      recent?.pump(isNoted());
      corrections.pump();
      metrics.tick.observe((performance.now() - began) / 1000);
      metrics.buildings.set(labels, engine.buildings);
      if (now() - checkpointAt >= CHECKPOINT_EVERY_MS) void moveCheckpoint();
    },
    async close() {
      if (closed) return;
      closed = true;
      endNoting?.();
      takeDueMinutes(true);
      await Promise.all([
        record.drain(CLOSE_WITHIN_MS),
        recent?.drain(CLOSE_WITHIN_MS),
        live.idle(),
        corrections.idle(),
        storing,
        alerts?.close(CLOSE_WITHIN_MS),
      ]);
      // What an erased tenant has in it is not stored once more: the snapshot before stands, and is read without it.
      if (!holdsErased()) takeSnapshot();
      await storing;
      await moveCheckpoint();
      for (const gauge of [
        metrics.lag,
        metrics.catchingUp,
        metrics.backlog,
        metrics.buildings,
        metrics.snapshotBytes,
      ])
        gauge.remove(labels);
    },
  };
}

const OUTCOMES: readonly [keyof EngineCounts, string][] = [
  ['applied', 'applied'],
  ['duplicates', 'duplicate'],
  ['late', 'late'],
  ['tooLate', 'too_late'],
  ['notAveraged', 'not_averaged'],
  ['impossible', 'impossible'],
];

function ownersOf({ buildings, states }: PackedPart): string[] {
  return [...buildings, ...(states?.leaves ?? [])].map(({ tenantId }) => tenantId);
}

/** The same building always settles at the same point of the minute. */
function spreadOf(buildingId: string): number {
  let hash = 0;
  for (let i = 0; i < buildingId.length; i++) hash = (Math.imul(hash, 31) + buildingId.charCodeAt(i)) >>> 0;
  return hash % MINUTE_SPREAD_MS;
}
