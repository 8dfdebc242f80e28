import { quantityOfCode } from '../../domain/quantity';
import { type BuildingAverage, WINDOW_SECONDS } from '../../domain/window';
import { explain, type Logger } from '../../observability/logger';
import { type RecentSource } from '../../store/recent';
import { type DevicesExpected } from '../engine';
import { EMPTY_SECONDS, type Horizons } from '../horizons';
import { type LateMinutes, type Taken } from './late-minutes';
import { type RecentMetrics } from './metrics';
import { createRecompute, slotted } from './recompute';
import { type RecentRecord } from './recent-record';

/** Recomputes the minutes that late readings touched, a building at a time. */
export interface Corrections {
  /** Called at every tick while the partition has noted all that the engine has applied. */
  pump(): void;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

/** A minute that ended is given up by the engine within so long of being final. */
const GIVEN_UP_SECONDS = 60;
/** Minutes of a span that is read at once: of a backlog of days it bounds what is held. */
const MINUTES_AT_ONCE = 30;
const AT_ONCE = 2;

export function createCorrections(options: {
  logger: Logger;
  metrics: RecentMetrics;
  late: LateMinutes;
  record: RecentRecord;
  source: RecentSource;
  horizons: Horizons;
  expected: DevicesExpected;
  /** Where the engine stands. */
  engine: { readonly second: number; readonly sequence: number };
  incarnation: string;
  partition: number;
  /** Takes the points, which count everything up to their position. */
  offer(buildingId: string, points: BuildingAverage[]): void;
  now(): number;
}): Corrections {
  const { logger, metrics, late, record, source, engine, incarnation, partition, now } = options;
  const recompute = createRecompute();
  const running = new Set<Promise<void>>();

  /**
   * A point of position S counts every reading of the events up to S: what was noted of the building up to S is stored
   * first, the owners before stored theirs before their position passed it, and what was stored of events behind S, by
   * whomever, is left out.
   */
  const correct = async (taken: Taken): Promise<void> => {
    const { tenantId, buildingId, minutes } = taken;
    const through = { incarnation, partition, sequence: engine.sequence };
    const heldFrom = await record.flush({ tenantId, buildingId });
    for (const group of groupsOf([...minutes.keys()])) {
      const [first] = group as [number];
      const fromMinute = Math.floor((first * 60 - WINDOW_SECONDS - EMPTY_SECONDS) / 60);
      const rows = await source.rows(
        { tenantId, buildingId },
        { fromMinute, toMinute: group.at(-1)! },
        through,
      );
      const byQuantity = slotted(rows);
      const asOf = now();
      const points: BuildingAverage[] = [];
      for (const minute of group) {
        const windowEnd = minute * 60;
        if ((windowEnd - WINDOW_SECONDS) * 1000 < heldFrom) {
          metrics.notHeld.inc();
          continue;
        }
        for (const code of minutes.get(minute)!) {
          const name = quantityOfCode(code)?.name;
          const own = byQuantity.get(code);
          const computed = own && recompute(own, windowEnd);
          if (computed === undefined || name === undefined) continue;
          points.push({
            tenantId,
            buildingId,
            spaceId: null,
            quantity: code,
            windowEnd,
            asOf,
            ...computed,
            devicesExpected: options.expected(buildingId, name) ?? computed.devicesReporting,
            position: through,
          });
        }
        metrics.corrected.inc();
      }
      options.offer(buildingId, points);
    }
  };

  const run = async (taken: Taken): Promise<void> => {
    try {
      await correct(taken);
      late.done(taken);
    } catch (error) {
      late.failed(taken, now());
      metrics.correctionsFailed.inc();
      const { buildingId } = taken;
      logger.warn({ partition, buildingId, error: explain(error) }, 'late readings not counted yet');
    }
    metrics.lateMinutes.set({ partition }, late.size());
  };

  return {
    pump() {
      metrics.lateMinutes.set({ partition }, late.size());
      const given = options.horizons.finalAfter + GIVEN_UP_SECONDS;
      const through = Math.floor((engine.second - given) / 60);
      while (running.size < AT_ONCE) {
        const taken = late.take(now(), through);
        if (taken === undefined) return;
        const one = run(taken).finally(() => running.delete(one));
        running.add(one);
      }
    },
    async idle() {
      await Promise.all(running);
    },
  };
}

/** Ascending minutes in groups of neighbours, each of a bounded span. */
function groupsOf(minutes: readonly number[]): number[][] {
  const groups: number[][] = [];
  for (const minute of minutes) {
    const group = groups.at(-1);
    if (group === undefined || minute - group[0]! >= MINUTES_AT_ONCE) groups.push([minute]);
    else group.push(minute);
  }
  return groups;
}
