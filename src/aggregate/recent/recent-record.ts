import { explain, type Logger } from '../../observability/logger';
import { isTooLate } from '../../domain/window';
import { type RecentWriter } from '../../store/recent';
import { type Frame } from '../../stream/frame';
import { DUPLICATE, IMPOSSIBLE, TOO_LATE } from '../engine';
import { append, batchOf, createRecentBuffer, pointIndex, type RecentBuffer } from './buffer';
import { type RecentMetrics } from './metrics';

/**
 * What of one partition's readings waits to be stored. Each building is written once a minute, at a second of its own, so
 * that writes are spread and readings share them; while the store is away what waits grows, and in the end is given up.
 */
export interface RecentRecord {
  /**
   * Takes an event's readings, in stream order. What is there twice readers tell by its identity, but for messages without
   * a time: whether those repeat another only the engine knows.
   */
  note(frame: Frame, verdicts: Verdicts, sequence: number, enqueuedAt: number): void;
  /** Starts as many writes as may run. Called at every tick. */
  pump(): void;
  /**
   * Resolves when everything noted of a building is stored, to the instant from which its readings are held; rejects when
   * that is put off. Until then a correction would lack readings.
   */
  flush(owner: Owner): Promise<number>;
  /**
   * The first event of which something is not stored, those that had to be dropped included; undefined when all is.
   * Neither a checkpoint nor a snapshot's position may pass it: a successor that begins behind that event would never
   * store it, and a later correction would take its readings out of the record.
   */
  oldest(): { sequence: number; enqueuedAt: number } | undefined;
  /** What a successor that notes an event again must be told. */
  repeats(): Repeats;
  /** Whether it is stored from when on the partition is recorded: before that no checkpoint may move. */
  hasBegun(): boolean;
  /** Readings waiting, those in flight included. */
  size(): number;
  /** Whether the store takes what it is given. */
  healthy(): boolean;
  /** True once readings had to be dropped and the store answers again: only a replay brings them back. */
  needsReplay(): boolean;
  /** Resolves when everything is stored or the time is over. */
  drain(milliseconds: number): Promise<void>;
}

/**
 * The engine's; or `counted` for an event that it counted before its snapshot was taken. `unsure`: it cannot know yet
 * which messages repeat one from before it began; the owner before has stored what they hold.
 */
export type Verdicts = { rows: Uint8Array; unsure: boolean } | 'counted';

/**
 * Rows that were left out for what only the engine that counted them knew: they repeat a message without a time or may do
 * so, or can not be. Of all events that a successor may note again, those included that are stored.
 */
export type Repeats = [sequence: number, row: number][];

export interface Owner {
  tenantId: string;
  buildingId: string;
}

interface Building extends Owner {
  /** Oldest first; only the last grows, and not while it is written. */
  buffers: RecentBuffer[];
  writing: boolean;
  /** What was noted up to this event is to be written as soon as may be. */
  due: number;
  waiting: { through: number; resolve: (heldFrom: number) => void; reject: (error: Error) => void }[];
  heldFrom: number | undefined;
  slot: number;
}

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const BEAT_SECONDS = 60;
/** A building that has as many is written at once. */
const READINGS_A_WRITE = 5_000;
const REPEATS_BETWEEN_LOOKS = 10_000;

export function createRecentRecord(options: {
  logger: Logger;
  metrics: RecentMetrics;
  store: RecentWriter;
  incarnation: string;
  partition: number;
  /** From when on the partition's readings are noted; undefined before the first event. */
  recordsFrom(): number | undefined;
  recordLatenessMs: number;
  /** Of events that the engine counted before it was restored. */
  repeats: Repeats;
  /** No successor notes this event again, nor one before it. Never falls. */
  neverAgain(): number;
  /** Readings that may wait while the store is away. */
  maximumReadings: number;
  writesAtOnce: number;
  now(): number;
}): RecentRecord {
  const { logger, metrics, store, incarnation, partition, now } = options;
  const buildings = new Map<string, Building>();
  /** Buildings of which something is due. */
  const ready = new Set<Building>();
  let size = 0;
  let running = 0;
  let failures = 0;
  let pausedUntil = 0;
  let lastSecond = Math.floor(now() / 1000);
  let dropped: { sequence: number; enqueuedAt: number } | undefined;
  let answeredSinceDrop = false;
  let recordedSince: number | undefined;
  let settled: (() => void)[] = [];
  const repeated = new Set(options.repeats.map(([sequence, row]) => `${sequence} ${row}`));
  let repeats = [...options.repeats];

  const oldest = (): { sequence: number; enqueuedAt: number } | undefined => {
    let found = dropped;
    for (const { buffers } of buildings.values()) {
      const first = buffers[0];
      if (first === undefined || (found !== undefined && found.sequence <= first.sequence[0]!)) continue;
      found = { sequence: first.sequence[0]!, enqueuedAt: first.enqueuedAt };
    }
    return found;
  };

  const buildingOf = ({ tenantId, buildingId }: Owner): Building => {
    const key = `${tenantId}/${buildingId}`;
    let building = buildings.get(key);
    if (building === undefined) {
      building = {
        tenantId,
        buildingId,
        buffers: [],
        writing: false,
        due: -1,
        waiting: [],
        heldFrom: undefined,
        slot: hashOf(buildingId) % BEAT_SECONDS,
      };
      buildings.set(key, building);
    }
    return building;
  };

  /** The buffer that takes the next reading of a building. */
  const growing = (building: Building, enqueuedAt: number): RecentBuffer => {
    const { buffers, writing } = building;
    const last = buffers.at(-1);
    const isTaken = last === undefined || (writing && buffers.length === 1) || last.count >= READINGS_A_WRITE;
    if (!isTaken) return last;
    const made = createRecentBuffer(enqueuedAt);
    buffers.push(made);
    return made;
  };

  const makeDue = (building: Building): void => {
    const last = building.buffers.at(-1);
    if (last === undefined) return;
    building.due = last.sequence[last.count - 1]!;
    ready.add(building);
  };

  const drop = (): void => {
    for (const [key, building] of buildings) {
      if (size <= options.maximumReadings) return;
      const kept = building.writing ? building.buffers.slice(0, 1) : [];
      const given = building.buffers.slice(kept.length);
      if (given.length === 0) continue;
      const [first] = given as [RecentBuffer];
      if (dropped === undefined || first.sequence[0]! < dropped.sequence) {
        dropped = { sequence: first.sequence[0]!, enqueuedAt: first.enqueuedAt };
      }
      answeredSinceDrop = false;
      const count = given.reduce((sum, buffer) => sum + buffer.count, 0);
      size -= count;
      metrics.dropped.inc(count);
      building.buffers = kept;
      for (const { reject } of building.waiting.splice(0)) reject(new Error('readings were given up'));
      if (kept.length > 0) continue;
      ready.delete(building);
      buildings.delete(key);
    }
  };

  const write = async (building: Building): Promise<void> => {
    const [buffer] = building.buffers as [RecentBuffer];
    building.writing = true;
    running++;
    try {
      const { tenantId, buildingId } = building;
      const recordedFrom = (recordedSince ??= await begin());
      const of = { tenantId, buildingId, incarnation, partition, recordedFrom };
      building.heldFrom = await store.write(batchOf(buffer, of));
      failures = 0;
      answeredSinceDrop = true;
      size -= buffer.count;
      metrics.stored.inc(buffer.count);
      building.buffers.shift();
      const next = building.buffers[0]?.sequence[0] ?? Infinity;
      const done = building.waiting.filter(({ through }) => through < next);
      building.waiting = building.waiting.filter(({ through }) => through >= next);
      for (const { resolve } of done) resolve(building.heldFrom);
    } catch (error) {
      failures++;
      const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10));
      pausedUntil = now() + pause;
      metrics.writesFailed.inc();
      const { buildingId } = building;
      logger.warn({ partition, buildingId, pause, error: explain(error) }, 'recent readings not stored');
      for (const { reject } of building.waiting.splice(0)) reject(error as Error);
    } finally {
      running--;
      building.writing = false;
      // To the end of the line.
      ready.delete(building);
      if ((building.buffers[0]?.sequence[0] ?? Infinity) <= building.due) ready.add(building);
      metrics.waiting.set({ partition }, size);
      start();
      if (size === 0) for (const resolve of settled.splice(0)) resolve();
    }
  };

  const begin = (): Promise<number> =>
    store.begin({ incarnation, partition }, options.recordsFrom() ?? Infinity);

  /** Also where no reading comes: the checkpoint waits for it. */
  const beginAlone = async (): Promise<void> => {
    running++;
    try {
      recordedSince ??= await begin();
    } catch (error) {
      pausedUntil = now() + LONGEST_PAUSE_MS;
      logger.warn({ partition, error: explain(error) }, 'recent readings cannot be stored yet');
    } finally {
      running--;
    }
  };

  const start = (): void => {
    if (now() < pausedUntil) return;
    for (const building of ready) {
      if (running >= options.writesAtOnce) return;
      if (building.writing) continue;
      if (building.buffers.length === 0) ready.delete(building);
      else void write(building);
    }
  };

  return {
    note(frame, verdicts, sequence, enqueuedAt) {
      const owners = frame.buildings.map(() => undefined as Building | undefined);
      const into = frame.buildings.map(() => undefined as RecentBuffer | undefined);
      const indexes = new Int32Array(frame.points.length).fill(-1);
      const undated = frame.undated;
      let nextUndated = 0;
      const { point, observedAt, receivedAt, value } = frame;
      for (let row = 0; row < frame.count; row++) {
        const place = frame.rowOf?.[row] ?? row;
        const stamped = undated[nextUndated]?.row === row ? undated[nextUndated++]! : undefined;
        if (verdicts !== 'counted') {
          const verdict = verdicts.rows[row];
          if (verdict === TOO_LATE) continue;
          const isNamed = stamped !== undefined && stamped.messageId !== null;
          if (verdict === IMPOSSIBLE || (isNamed && (verdict === DUPLICATE || verdicts.unsure))) {
            repeats.push([sequence, place]);
            continue;
          }
          if (verdict === DUPLICATE) continue;
        } else {
          if (isTooLate(observedAt[row]!, enqueuedAt, options.recordLatenessMs)) continue;
          if (repeated.has(`${sequence} ${place}`)) continue;
        }
        if (!Number.isFinite(value[row])) continue;
        const of = frame.points[point[row]!]!;
        let buffer = into[of.building];
        if (buffer === undefined) {
          const building = buildingOf(frame.buildings[of.building]!);
          owners[of.building] = building;
          into[of.building] = buffer = growing(building, enqueuedAt);
        }
        let index = indexes[point[row]!]!;
        if (index < 0) indexes[point[row]!] = index = pointIndex(buffer, of);
        append(buffer, index, observedAt[row]!, receivedAt[row]!, value[row]!, sequence);
        size++;
        if (stamped !== undefined) {
          const { messageId, messageIndex } = stamped;
          buffer.undated.push({ row: buffer.count - 1, messageId, messageIndex, frameRow: place });
        }
      }
      for (const building of owners) {
        if (building !== undefined && building.buffers.at(-1)!.count >= READINGS_A_WRITE) makeDue(building);
      }
      if (size > options.maximumReadings && failures > 0) drop();
    },
    pump() {
      const second = Math.floor(now() / 1000);
      const passed = Math.min(BEAT_SECONDS, second - lastSecond);
      if (passed > 0) {
        const first = (second - passed + 1) % BEAT_SECONDS;
        for (const building of buildings.values()) {
          if ((building.slot - first + BEAT_SECONDS) % BEAT_SECONDS >= passed) continue;
          if (building.buffers.length > 0) makeDue(building);
          else if (!building.writing && building.waiting.length === 0) {
            buildings.delete(`${building.tenantId}/${building.buildingId}`);
          }
        }
        lastSecond = second;
      }
      if (recordedSince === undefined && running === 0 && size === 0 && options.recordsFrom() !== undefined) {
        if (now() >= pausedUntil) void beginAlone();
      }
      if (repeats.length > REPEATS_BETWEEN_LOOKS) this.repeats();
      // A replay is faster than the beat.
      if (size > options.maximumReadings / 2) for (const building of buildings.values()) makeDue(building);
      metrics.waiting.set({ partition }, size);
      start();
    },
    flush(owner) {
      const building = buildingOf(owner);
      const last = building.buffers.at(-1);
      if (last === undefined && building.heldFrom !== undefined) return Promise.resolve(building.heldFrom);
      if (last === undefined) {
        // Nothing waits and nothing was written by us: the store alone knows.
        const { tenantId, buildingId } = owner;
        return (async () => {
          const recordedFrom = (recordedSince ??= await begin());
          const of = { tenantId, buildingId, incarnation, partition, recordedFrom };
          return store.write(batchOf(createRecentBuffer(0), of));
        })();
      }
      makeDue(building);
      const stored = new Promise<number>((resolve, reject) => {
        building.waiting.push({ through: building.due, resolve, reject });
      });
      start();
      return stored;
    },
    oldest,
    repeats() {
      const before = options.neverAgain();
      repeats = repeats.filter(([sequence]) => sequence > before);
      return [...repeats];
    },
    hasBegun: () => recordedSince !== undefined,
    size: () => size,
    healthy: () => failures === 0,
    needsReplay: () => dropped !== undefined && answeredSinceDrop,
    async drain(milliseconds) {
      if (size === 0) return;
      for (const building of buildings.values()) makeDue(building);
      start();
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => settled.push(resolve)),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        }),
      ]);
      clearTimeout(timer);
      settled = [];
    },
  };
}

/** The same building is always written at the same second of the minute. */
function hashOf(buildingId: string): number {
  let hash = 0;
  for (let i = 0; i < buildingId.length; i++) hash = (Math.imul(hash, 31) + buildingId.charCodeAt(i)) >>> 0;
  return hash;
}
