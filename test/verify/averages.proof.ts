import { setTimeout as delay } from 'node:timers/promises';
import { type DuckDBConnection } from '@duckdb/node-api';
import { type FleetBuilding } from '../../simulator/fleet';
import { runLoad, type Source } from '../../simulator/load';
import { createSender } from '../../simulator/sender';
import { type Session } from '../../simulator/session';
import { createTotals, linesOfTotals, sumOf, unacknowledged } from '../../simulator/totals';
import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { type Platform } from '../support/platform';
import { collectLanding } from './collected-landing';
import { replayEngines } from './engine-replays';
import { createFlow } from './flow';
import { readHistory } from './history';
import { killTimes, runKills } from './kills';
import { compareAverages, countLeftTheWindow, prepareCounted } from './oracle/averages.oracle';
import { compareStates } from './oracle/states.oracle';
import { devicesByQuantity } from './quantities';
import { settledRecords } from './settled-record';
import { watchStates } from './state-watcher';
import { type ToldAverages, watchAverages } from './told-averages';
import { type Outcome, type Table } from './verification';

/** The lateness that the rolling record allows. */
const ALLOWED_LATENESS_MS = RECORD_LATENESS_MS;
const LEAD_MS = 1_000;
/** Repeated messages may take this long behind the schedule's end, kills included. */
const GRACE_MS = 90_000;
const LANDED_WITHIN_MS = 180_000;
const EXPECTED_WITHIN_MS = 90_000;

/** Readings that are sent to some buildings, judged by themselves. */
export interface ProvedStream {
  name: string;
  buildings: readonly FleetBuilding[];
  sourcesFrom(start: number): Source[];
}

/** What to prove it on, and how. */
export interface AveragesProof {
  platform: Platform;
  session: Session;
  streams: readonly ProvedStream[];
  kills: number;
  /** Whether it may be too short for readings to leave the window. */
  short: boolean;
  /** Whether the stored rows are to be replayed through mutants of the window too. */
  mutants: boolean;
  durationMs: number;
  runOnMs: number;
  progress: (line: string) => void;
}

/**
 * Sends, subscribes to every quantity of every building, and recomputes by SQL over the stored rows each live value, each
 * stored point and each correction that was told, at its own window and stream position.
 */
export async function proveAverages(options: AveragesProof): Promise<Outcome> {
  const { platform, session, streams, progress, durationMs } = options;
  const fleet = streams.flatMap(({ buildings }) => buildings);
  const buildingIds = fleet.map(({ buildingId }) => buildingId);
  const differences: string[] = [];
  const endpoints = platform.endpoints();
  const told = watchAverages({ platform, session, buildingIds });
  const states = watchStates(session.client, buildingIds);
  const totals = createTotals();
  const flow = createFlow(totals);
  const sender = createSender({ origin: endpoints.gateway, totals, connections: 64 });
  const start = Date.now() + LEAD_MS;
  const ticker = setInterval(() => {
    progress(
      `${Math.round((Date.now() - start) / 1000)} s: ${totals.acknowledged} readings acknowledged (${Math.round(flow.rate())}/s), ${told.delivered()} values told`,
    );
  }, 15_000);
  try {
    const [answered, killed] = await Promise.all([
      runLoad({
        sources: streams.flatMap(({ sourcesFrom }) => sourcesFrom(start)),
        sender,
        graceMs: GRACE_MS,
      }),
      runKills({
        platform,
        start,
        times: killTimes(options.kills, durationMs),
        whileFlowing: async () =>
          `${Math.round(await flow.atLeast(1, 30_000))} readings/s being acknowledged`,
        progress,
      }),
    ]);
    for (const line of linesOfTotals(totals)) progress(line);
    if (!answered || unacknowledged(totals) > 0) {
      differences.push(`${unacknowledged(totals)} readings were never acknowledged`);
    }
    progress(`listening on for ${options.runOnMs / 1000} s while readings leave the window`);
    await delay(options.runOnMs);
    clearInterval(ticker);
    const until = new Date();
    await states.stop();

    const landing = await collectLanding(endpoints, { withinMs: LANDED_WITHIN_MS });
    try {
      const { connection } = landing;
      await prepareCounted(connection, { allowedLatenessMs: ALLOWED_LATENESS_MS, buildingIds });
      const records = await settledRecords({
        connection,
        buildings: fleet,
        read: (query) => readHistory(session.client, query),
        from: new Date(start - ALLOWED_LATENESS_MS - 60_000),
        to: until,
        progress,
      });
      const rows: Table['rows'] = [];
      const compared = { values: 0, states: 0, points: 0, corrections: 0, left: 0 };
      for (const { name, buildings } of streams) {
        const wrong: string[] = [];
        const own = { values: 0, points: 0, corrections: 0 };
        for (const building of buildings) {
          const { buildingId } = building;
          const { points, differences: ofRecord } = records.get(buildingId)!;
          wrong.push(...ofRecord);
          // A worker that dies between storing a correction and telling it tells it no more: history does.
          if (options.kills === 0) wrong.push(...(await told.untoldOf(buildingId, points)));
          const values = told.values(buildingId);
          const corrections = told.corrections(buildingId);
          wrong.push(...told.differences(buildingId));
          wrong.push(...(await expectedDifferences(building, told, { all: !options.short })));
          wrong.push(...(await compareAverages(connection, [...values, ...corrections])));
          own.values += values.length;
          own.points += points.length;
          own.corrections += corrections.length;
          compared.left += await countLeftTheWindow(connection, values);
        }
        const ids = new Set(buildings.map(({ buildingId }) => buildingId));
        const seen = states.seen().filter(({ buildingId }) => ids.has(buildingId));
        wrong.push(...(await compareStates(connection, seen)));
        differences.push(...wrong.map((words) => `${name}: ${words}`));
        compared.values += own.values;
        compared.points += own.points;
        compared.corrections += own.corrections;
        compared.states += seen.length;
        rows.push([name, own.values, own.points, own.corrections, seen.length, wrong.length]);
        progress(`compared with SQL: ${rows.at(-1)!.join(', ')}`);
      }
      await told.stop();
      progress(
        `${told.delivered()} values and corrections delivered, ${told.resubscriptions()} subscriptions made again`,
      );
      const deadLetters = await countDeadLetters(connection, buildingIds);
      if (compared.left === 0 && !options.short)
        differences.push('no reading had left the window: the run was too short to show that they do');
      if (deadLetters !== sumOf(totals.refused)) {
        differences.push(
          `${sumOf(totals.refused)} readings were refused, ${deadLetters} dead letters are kept`,
        );
      }
      const replayed = options.mutants
        ? await replayEngines({ folder: landing.folder, buildingIds, progress })
        : undefined;
      differences.push(...(replayed?.differences ?? []));
      const columns = ['stream', 'live values', 'stored points', 'corrections', 'states', 'differences'];
      return {
        tables: [{ columns, rows }, ...(replayed ? [replayed.table] : [])],
        counts: {
          'readings sent': totals.readings,
          'readings acknowledged': totals.acknowledged,
          'readings refused and kept as dead letters': deadLetters,
          'kills done': killed.length,
          'live values compared': compared.values,
          'states compared': compared.states,
          'history points compared': compared.points,
          'corrections compared': compared.corrections,
          'readings that had left the window': compared.left,
          ...replayed?.counts,
        },
        differences,
      };
    } finally {
      landing.close();
    }
  } finally {
    clearInterval(ticker);
    flow.stop();
    await states.stop();
    await told.stop();
    await sender.stop();
  }
}

/** A message that was sent again leaves its dead letters again: they are told apart by what they refuse. */
async function countDeadLetters(
  connection: DuckDBConnection,
  buildingIds: readonly string[],
): Promise<number> {
  const buildings = buildingIds.map((id) => `'${id}'`).join(', ');
  const reader = await connection.runAndReadAll(`
    SELECT count(DISTINCT (device_id, channel, observed_at)) AS kept FROM dead_letters
    WHERE building_id IN (${buildings})`);
  return Number(reader.getRowObjectsJS()[0]!.kept);
}

/**
 * Whether the newest value of each quantity expects as many devices as were provisioned for it. A worker that was killed
 * may have told some before the registry answered; at the end of each minute every value is told again.
 *
 * @param options.all whether every quantity must have been told.
 */
async function expectedDifferences(
  building: FleetBuilding,
  told: ToldAverages,
  options: { all: boolean },
): Promise<string[]> {
  const deadline = Date.now() + EXPECTED_WITHIN_MS;
  for (;;) {
    const wrong = [...devicesByQuantity(building)].flatMap(([quantity, count]) => {
      const expected = told.devicesExpected(building.buildingId, quantity);
      if (expected === count || (expected === undefined && !options.all)) return [];
      return [
        `${quantity} of ${building.name} expects ${expected ?? 'no'} devices, ${count} are provisioned`,
      ];
    });
    if (wrong.length === 0 || Date.now() >= deadline) return wrong;
    await delay(200);
  }
}
