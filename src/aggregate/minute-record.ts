import { type BuildingAverage } from '../domain/window';
import { explain, type Logger } from '../observability/logger';
import { type AveragesWriter, type StoredAverage } from '../store/averages';
import { type AggregateMetrics } from './metrics';

/**
 * What of one partition's minute points waits to be stored. Points of the same building, quantity and minute coalesce to
 * the newest, and a building is one write whatever waits for it, so a slow store makes writes larger, not more.
 */
export interface MinuteRecord {
  /** Never waits and never fails. */
  offer(buildingId: string, points: readonly BuildingAverage[]): void;
  /** Starts as many writes as may run. Called at every tick, so that a pause after a failure ends. */
  pump(): void;
  /** The oldest minute that is not stored, in minutes since 1970; Infinity when all are. */
  oldestMinute(): number;
  /** Points waiting, those in flight included. */
  size(): number;
  /** The points waiting, those in flight included; undefined once points had to be dropped. */
  pending(): BuildingAverage[] | undefined;
  /** Whether the store takes what it is given; false from a failure to the next success. */
  healthy(): boolean;
  /**
   * True once points had to be dropped because the store was away too long, and it answers again: only a replay from the
   * checkpoint, which has not moved past them, brings them back.
   */
  needsReplay(): boolean;
  /** Resolves when everything is stored or the time is over. */
  drain(milliseconds: number): Promise<void>;
}

interface Waiting {
  points: Map<number, BuildingAverage>;
  writing: readonly BuildingAverage[];
}

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

export function createMinuteRecord(options: {
  logger: Logger;
  metrics: AggregateMetrics;
  averages: AveragesWriter;
  partition: number;
  /** Points that may wait while the store is away. */
  maximumPoints: number;
  writesAtOnce: number;
  /** Takes what a write changed. */
  onStored?(points: readonly StoredAverage[]): void;
  now(): number;
}): MinuteRecord {
  const { logger, metrics, averages, partition, maximumPoints, writesAtOnce, now } = options;
  const buildings = new Map<string, Waiting>();
  let size = 0;
  let running = 0;
  let failures = 0;
  let pausedUntil = 0;
  /** The oldest minute that was dropped: the checkpoint stays before it. */
  let droppedMinute = Infinity;
  let answeredSinceDrop = false;
  let settled: (() => void)[] = [];

  const keyOf = (point: BuildingAverage): number => point.windowEnd * 64 + point.quantity;

  const drop = (): void => {
    for (const [buildingId, waiting] of buildings) {
      if (size <= maximumPoints) return;
      for (const { windowEnd } of waiting.points.values()) {
        droppedMinute = Math.min(droppedMinute, windowEnd / 60);
        answeredSinceDrop = false;
      }
      size -= waiting.points.size;
      metrics.pointsDropped.inc(waiting.points.size);
      waiting.points.clear();
      if (waiting.writing.length === 0) buildings.delete(buildingId);
    }
  };

  const write = async (buildingId: string, waiting: Waiting): Promise<void> => {
    waiting.writing = [...waiting.points.values()];
    waiting.points = new Map();
    running++;
    try {
      const changed = await averages.write(buildingId, waiting.writing);
      options.onStored?.(changed);
      failures = 0;
      answeredSinceDrop = true;
      metrics.pointsWritten.inc(waiting.writing.length);
      size -= waiting.writing.length;
    } catch (error) {
      failures++;
      const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10));
      pausedUntil = now() + pause;
      metrics.writesFailed.inc();
      logger.warn({ partition, buildingId, pause, error: explain(error) }, 'minute points not stored');
      for (const point of waiting.writing) {
        // What was computed since stands: it counts more events.
        if (waiting.points.has(keyOf(point))) size--;
        else waiting.points.set(keyOf(point), point);
      }
    } finally {
      running--;
      waiting.writing = [];
      if (waiting.points.size === 0) buildings.delete(buildingId);
      else {
        // To the end of the line.
        buildings.delete(buildingId);
        buildings.set(buildingId, waiting);
      }
      metrics.backlog.set({ partition }, size);
      pump();
      if (buildings.size === 0) for (const resolve of settled.splice(0)) resolve();
    }
  };

  const pump = (): void => {
    if (now() < pausedUntil) return;
    for (const [buildingId, waiting] of buildings) {
      if (running >= writesAtOnce) return;
      if (waiting.writing.length === 0 && waiting.points.size > 0) void write(buildingId, waiting);
    }
  };

  return {
    offer(buildingId, points) {
      if (points.length === 0) return;
      let waiting = buildings.get(buildingId);
      if (waiting === undefined) {
        waiting = { points: new Map(), writing: [] };
        buildings.set(buildingId, waiting);
      }
      for (const point of points) {
        if (!waiting.points.has(keyOf(point))) size++;
        waiting.points.set(keyOf(point), point);
      }
      // A store that answers works its way through whatever a minute brings; only one that is away is not waited for.
      if (size > maximumPoints && failures > 0) drop();
      metrics.backlog.set({ partition }, size);
      pump();
    },
    pump,
    oldestMinute() {
      let oldest = droppedMinute;
      for (const { points, writing } of buildings.values()) {
        for (const point of points.values()) oldest = Math.min(oldest, point.windowEnd / 60);
        for (const point of writing) oldest = Math.min(oldest, point.windowEnd / 60);
      }
      return oldest;
    },
    size: () => size,
    pending() {
      if (droppedMinute !== Infinity) return undefined;
      // Those in flight may be among those waiting too, computed anew: the writer keeps the later.
      return [...buildings.values()].flatMap(({ points, writing }) => [...writing, ...points.values()]);
    },
    healthy: () => failures === 0,
    needsReplay: () => droppedMinute !== Infinity && answeredSinceDrop,
    async drain(milliseconds) {
      if (buildings.size === 0) return;
      pump();
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
