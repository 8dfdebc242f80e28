import { setTimeout as delay } from 'node:timers/promises';
import { type FleetBuilding } from '../../simulator/fleet';
import { runLoad } from '../../simulator/load';
import { createSender } from '../../simulator/sender';
import { type Session } from '../../simulator/session';
import { createTotals, linesOfTotals, unacknowledged } from '../../simulator/totals';
import { deviceModelNamed } from '../../src/domain/device';
import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { quantityNamed } from '../../src/domain/quantity';
import { type Platform } from '../support/platform';
import { collectLanding } from './collected-landing';
import { readHistory, seenAverage } from './history';
import { createLiveSubscriber } from './live-subscriber';
import {
  atTheEndOfTheStream,
  compareAverages,
  missingPoints,
  prepareCounted,
  type SeenAverage,
} from './oracle/averages.oracle';
import { createRandomStream, createStreamCounts } from './random-stream';

const ALLOWED_LATENESS_MS = RECORD_LATENESS_MS;
const LANDED_WITHIN_MS = 180_000;
/** From an event's arrival to its minutes' points: ten seconds for points, twenty more for corrections, and some. */
const POINTS_STORED_AFTER_MS = 45_000;
const RECORD_SETTLES_MS = 90_000;
const GRACE_MS = 90_000;

/** A random load, everything told of it and stored about it, and SQL over what the stream held. */
export interface WarmRecord {
  /**
   * Milliseconds from the instant until every building was told a window that ended after it; undefined, and a
   * difference, when that does not happen in time.
   */
  toldSince(instant: number, withinMs: number): Promise<number | undefined>;
  /** Compares what was told since the last time, and all that is stored, while the load goes on. */
  compare(what: string): Promise<void>;
  /** Ends the load and compares all, to the last correction unless it is to be short. */
  finish(options: { short: boolean }): Promise<{ counts: Record<string, number>; differences: string[] }>;
  stop(): Promise<void>;
}

export function startWarmRecord(options: {
  platform: Platform;
  session: Session;
  fleet: readonly FleetBuilding[];
  /** Messages a second. */
  rate: number;
  seed: number;
  progress: (line: string) => void;
}): WarmRecord {
  const { platform, session, fleet, progress } = options;
  const endpoints = platform.endpoints();
  const buildingIds = fleet.map(({ buildingId }) => buildingId);
  const quantities = [
    ...new Set(
      fleet.flatMap(({ devices }) =>
        devices.flatMap(({ model }) => deviceModelNamed(model)!.channels.map(({ quantity }) => quantity)),
      ),
    ),
  ].filter((quantity) => quantityNamed(quantity).kind === 'continuous');
  const differences: string[] = [];
  const counts = { 'live values compared': 0, 'stored points compared': 0, 'values told twice or more': 0 };
  const told = new Map<string, string>();
  let fresh: SeenAverage[] = [];
  /** By building: when a window that ended then was first told. */
  const firstTold = new Map<string, { windowEnd: number; receivedAt: number }[]>(
    buildingIds.map((id) => [id, []]),
  );
  const waiting: (() => void)[] = [];

  const subscriber = createLiveSubscriber({
    url: endpoints.subscriptions,
    token: () => session.client.token(),
    onValue(buildingId, value, receivedAt) {
      const seen = seenAverage('live', buildingId, value);
      const key = `${buildingId} ${seen.quantity} ${seen.windowEnd} ${seen.sequence}`;
      const text = JSON.stringify(seen);
      const before = told.get(key);
      if (before === undefined) {
        told.set(key, text);
        fresh.push(seen);
      } else {
        counts['values told twice or more']++;
        if (before !== text) differences.push(`two values for one window and position: ${before} ${text}`);
      }
      const windows = firstTold.get(buildingId)!;
      if (seen.windowEnd > (windows.at(-1)?.windowEnd ?? 0))
        windows.push({ windowEnd: seen.windowEnd, receivedAt });
      for (const wake of waiting.splice(0)) wake();
    },
    onRefused: (buildingId, reason) =>
      differences.push(`the subscription to ${buildingId} was refused: ${reason}`),
  });
  for (const buildingId of buildingIds) subscriber.follow(buildingId);

  const totals = createTotals();
  const made = createStreamCounts();
  const sender = createSender({ origin: endpoints.gateway, totals, connections: 32 });
  const start = Date.now();
  const ending = new AbortController();
  const stream = createRandomStream({
    buildings: fleet,
    start,
    durationMs: Infinity,
    rate: options.rate,
    seed: options.seed,
    counts: made,
  });
  const load = runLoad({ sources: [stream], sender, graceMs: GRACE_MS, signal: ending.signal });

  const readRecord = async (): Promise<SeenAverage[]> => {
    const points: SeenAverage[] = [];
    const from = new Date(start - ALLOWED_LATENESS_MS - 60_000);
    for (const buildingId of buildingIds) {
      for (const quantity of quantities) {
        points.push(...(await readHistory(session.client, { buildingId, quantity, from, to: new Date() })));
      }
    }
    return points;
  };

  /**
   * What was told and what is stored by now, against SQL over all that the stream holds by then. With `settled` nothing
   * more comes, and every stored point must have been corrected to the end.
   */
  const compareAll = async (what: string, how: { settled: boolean; missing: boolean }): Promise<void> => {
    const values = fresh;
    fresh = [];
    const before = differences.length;
    const landing = await collectLanding(endpoints, { withinMs: LANDED_WITHIN_MS });
    try {
      const { connection, end } = landing;
      const differ = (words: readonly string[]): void => {
        differences.push(...words.map((each) => `${what}: ${each}`));
      };
      await prepareCounted(connection, { allowedLatenessMs: ALLOWED_LATENESS_MS, buildingIds });
      differ(await compareAverages(connection, values));
      counts['live values compared'] += values.length;
      const landedBy = Date.now() - POINTS_STORED_AFTER_MS;
      const deadline = Date.now() + RECORD_SETTLES_MS;
      for (;;) {
        const points = await readRecord();
        // What was enqueued since the landing was collected is compared the next time.
        const known = points.filter(
          ({ partition, sequence, incarnation }) =>
            incarnation === end.incarnation && sequence <= end.partitions[partition]!.last,
        );
        const wrong = await compareAverages(connection, known);
        const open =
          wrong.length > 0 || !how.missing
            ? []
            : [
                ...(await missingSince(connection, points, how.settled ? undefined : landedBy)),
                ...(how.settled
                  ? (await compareAverages(connection, atTheEndOfTheStream(points))).map(
                      (words) => `not corrected to the end: ${words}`,
                    )
                  : []),
              ];
        if (wrong.length > 0 || open.length === 0 || Date.now() > deadline) {
          differ([...wrong, ...open]);
          counts['stored points compared'] += known.length;
          break;
        }
        await delay(2_000);
      }
    } finally {
      landing.close();
    }
    progress(`${what}: ${values.length} live values compared, ${differences.length - before} differences`);
  };

  return {
    async toldSince(instant, withinMs) {
      const deadline = Date.now() + withinMs;
      const firstSince = (buildingId: string): number | undefined =>
        firstTold.get(buildingId)!.find(({ windowEnd }) => windowEnd * 1000 > instant)?.receivedAt;
      for (;;) {
        const open = buildingIds.filter((id) => firstSince(id) === undefined);
        if (open.length === 0) {
          const receivedAt = Math.max(...buildingIds.map((id) => firstSince(id)!));
          // Nothing earlier is asked for any more.
          for (const windows of firstTold.values()) windows.splice(0, windows.length - 1);
          return receivedAt - instant;
        }
        if (Date.now() > deadline) {
          differences.push(
            `nothing was told of ${open.length} buildings for ${withinMs} ms: ${open.join(', ')}`,
          );
          return undefined;
        }
        await Promise.race([new Promise<void>((wake) => waiting.push(wake)), delay(250)]);
      }
    },
    compare: (what) => compareAll(what, { settled: false, missing: true }),
    async finish({ short }) {
      ending.abort();
      if (!(await load) || unacknowledged(totals) > 0) {
        differences.push(`${unacknowledged(totals)} readings were never acknowledged`);
      }
      for (const line of linesOfTotals(totals)) progress(line);
      await subscriber.stop();
      await compareAll('at the end', { settled: !short, missing: !short });
      return {
        counts: {
          'readings sent': totals.readings,
          'readings acknowledged': totals.acknowledged,
          ...Object.fromEntries(Object.entries(made).map(([kind, n]) => [`messages ${kind}`, n])),
          ...counts,
        },
        differences,
      };
    },
    async stop() {
      ending.abort();
      await subscriber.stop();
      await sender.stop();
    },
  };
}

/** Minutes without a point although readings of their window were enqueued by that instant (ms), or at all. */
async function missingSince(
  connection: Parameters<typeof missingPoints>[0],
  points: readonly SeenAverage[],
  enqueuedBy: number | undefined,
): Promise<string[]> {
  const untilMinute = Math.floor((enqueuedBy ?? Date.now() - POINTS_STORED_AFTER_MS) / 60_000);
  if (enqueuedBy === undefined) return missingPoints(connection, points, untilMinute);
  await connection.run(`
    CREATE OR REPLACE TABLE all_counted AS SELECT * FROM counted;
    CREATE OR REPLACE TABLE counted AS SELECT all_counted.* FROM all_counted JOIN (
      SELECT incarnation, "partition", max(sequence) AS until FROM landing
      WHERE epoch_ms(enqueued_at) <= ${enqueuedBy} GROUP BY ALL
    ) USING (incarnation, "partition") WHERE sequence <= until`);
  try {
    return await missingPoints(connection, points, untilMinute);
  } finally {
    await connection.run('CREATE OR REPLACE TABLE counted AS SELECT * FROM all_counted');
  }
}
