import { setTimeout as delay } from 'node:timers/promises';
import { type DuckDBConnection } from '@duckdb/node-api';
import { type FleetBuilding } from '../../simulator/fleet';
import { runLoad } from '../../simulator/load';
import { createSender } from '../../simulator/sender';
import { type Session } from '../../simulator/session';
import { createTotals, linesOfTotals, sumOf, unacknowledged } from '../../simulator/totals';
import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { deviceModelNamed } from '../../src/domain/device';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { type Platform } from '../support/platform';
import { collectLanding } from './collected-landing';
import { createFlow } from './flow';
import { readHistory, seenAverage } from './history';
import { killTimes, runKills } from './kills';
import { createLiveSubscriber } from './live-subscriber';
import {
  atTheEndOfTheStream,
  compareAverages,
  countLeftTheWindow,
  missingPoints,
  prepareCounted,
  type SeenAverage,
} from './oracle/averages.oracle';
import { compareStates } from './oracle/states.oracle';
import { watchStates } from './state-watcher';
import { type Outcome } from './verification';

/** The lateness that the rolling record allows. */
const ALLOWED_LATENESS_MS = RECORD_LATENESS_MS;
const LEAD_MS = 1_000;
/** Repeated messages may take this long behind the schedule's end, kills included. */
const GRACE_MS = 90_000;
const LANDED_WITHIN_MS = 180_000;
/**
 * Points are written up to ten seconds after their minute, and corrections gather for twenty more. What is late waits until
 * its minutes are no more computed from what is held, six and a half minutes after them.
 */
const RECORD_SETTLES_MS = 480_000;

/** What to prove it on, and how. */
export interface AveragesProof {
  platform: Platform;
  session: Session;
  fleet: readonly FleetBuilding[];
  kills: number;
  /** Whether it may be too short for readings to leave the window. */
  short: boolean;
  durationMs: number;
  runOnMs: number;
  sourcesFrom: (start: number) => Parameters<typeof runLoad>[0]['sources'];
  progress: (line: string) => void;
}

/**
 * Sends, subscribes to every quantity of every building, and recomputes by SQL over the stored rows each live value and
 * each stored point, at its own window and stream position.
 */
export async function proveAverages(options: AveragesProof): Promise<Outcome> {
  const { platform, session, fleet, progress, durationMs } = options;
  const differences: string[] = [];
  const endpoints = platform.endpoints();

  const live = new Map<string, SeenAverage>();
  const lastExpected = new Map<string, number>();
  let delivered = 0;
  const subscriber = createLiveSubscriber({
    url: endpoints.subscriptions,
    token: () => session.client.token(),
    onValue(buildingId, value) {
      delivered++;
      lastExpected.set(`${buildingId} ${value.quantity}`, value.devicesExpected);
      const seen = seenAverage('live', buildingId, value);
      const key = `${buildingId} ${seen.quantity} ${seen.windowEnd} ${seen.sequence}`;
      const before = live.get(key);
      // A value is repeated to whoever subscribes again; it must not have changed.
      if (before === undefined) live.set(key, seen);
      else if (JSON.stringify(before) !== JSON.stringify(seen)) {
        differences.push(`two values for one window and position: ${JSON.stringify([before, seen])}`);
      }
    },
    onRefused: (buildingId, reason) =>
      differences.push(`the subscription to ${buildingId} was refused: ${reason}`),
  });
  for (const { buildingId } of fleet) subscriber.follow(buildingId);

  const states = watchStates(
    session.client,
    fleet.map(({ buildingId }) => buildingId),
  );
  const totals = createTotals();
  const flow = createFlow(totals);
  const sender = createSender({ origin: endpoints.gateway, totals, connections: 64 });
  const start = Date.now() + LEAD_MS;
  const ticker = setInterval(() => {
    progress(
      `${Math.round((Date.now() - start) / 1000)} s: ${totals.acknowledged} readings acknowledged (${Math.round(flow.rate())}/s), ${live.size} live values`,
    );
  }, 15_000);
  try {
    const [answered, killed] = await Promise.all([
      runLoad({ sources: options.sourcesFrom(start), sender, graceMs: GRACE_MS }),
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
    const until = new Date();
    await subscriber.stop();
    await states.stop();
    progress(`${delivered} values delivered, ${subscriber.resubscriptions()} subscriptions made again`);

    const landing = await collectLanding(endpoints, { withinMs: LANDED_WITHIN_MS });
    try {
      const { connection } = landing;
      const buildingIds = fleet.map(({ buildingId }) => buildingId);
      await prepareCounted(connection, { allowedLatenessMs: ALLOWED_LATENESS_MS, buildingIds });
      const values = [...live.values()];
      const began = Date.now();
      differences.push(...(await compareAverages(connection, values)));
      differences.push(...(await compareStates(connection, states.seen())));
      const record = await settledRecord({
        connection,
        fleet,
        read: (query) => readHistory(session.client, query),
        from: new Date(start - ALLOWED_LATENESS_MS - 60_000),
        to: until,
      });
      differences.push(...record.differences);
      differences.push(...expectedDifferences(fleet, lastExpected));
      const left = await countLeftTheWindow(connection, values);
      progress(`recomputed by SQL in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      const deadLetters = await countDeadLetters(connection, buildingIds);
      if (left === 0 && !options.short)
        differences.push('no reading had left the window: the run was too short to show that they do');
      if (deadLetters !== sumOf(totals.refused)) {
        differences.push(
          `${sumOf(totals.refused)} readings were refused, ${deadLetters} dead letters are kept`,
        );
      }
      return {
        counts: {
          'readings sent': totals.readings,
          'readings acknowledged': totals.acknowledged,
          'readings refused and kept as dead letters': deadLetters,
          'kills done': killed.length,
          'live values compared': values.length,
          'states compared': states.seen().length,
          'history points compared': record.points,
          'readings that had left the window': left,
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
    await subscriber.stop();
    await sender.stop();
  }
}

/**
 * Reads the stored points until every minute that holds readings has one and each counts all that was sent, as
 * corrections come with a delay; what is read on the way must be right at its own position all the same.
 */
async function settledRecord(options: {
  connection: DuckDBConnection;
  fleet: readonly FleetBuilding[];
  read: (query: {
    buildingId: string;
    quantity: QuantityName;
    from: Date;
    to: Date;
  }) => Promise<SeenAverage[]>;
  from: Date;
  to: Date;
}): Promise<{ points: number; differences: string[] }> {
  const { connection, fleet, read, from, to } = options;
  const lastMinute = Math.floor(to.getTime() / 60_000);
  const deadline = Date.now() + RECORD_SETTLES_MS;
  for (;;) {
    const points: SeenAverage[] = [];
    for (const { buildingId } of fleet) {
      for (const quantity of quantitiesOf(fleet)) {
        points.push(...(await read({ buildingId, quantity, from, to })));
      }
    }
    const wrong = await compareAverages(connection, points);
    if (wrong.length > 0) return { points: points.length, differences: wrong };
    const unsettled = [
      ...(await missingPoints(connection, points, lastMinute)),
      ...(await compareAverages(connection, atTheEndOfTheStream(points))).map(
        (words) => `not corrected to the end: ${words}`,
      ),
    ];
    if (unsettled.length === 0 || Date.now() >= deadline) {
      return { points: points.length, differences: unsettled };
    }
    await delay(2_000);
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

/** Whether the last value of each building and quantity expected as many devices as were provisioned for it. */
function expectedDifferences(
  fleet: readonly FleetBuilding[],
  lastExpected: ReadonlyMap<string, number>,
): string[] {
  return fleet.flatMap(({ buildingId, name, devices }) => {
    const provisioned = new Map<QuantityName, number>();
    for (const { model } of devices) {
      for (const { quantity } of deviceModelNamed(model)!.channels) {
        if (!isContinuous(quantity)) continue;
        provisioned.set(quantity, (provisioned.get(quantity) ?? 0) + 1);
      }
    }
    return [...provisioned].flatMap(([quantity, count]) => {
      const expected = lastExpected.get(`${buildingId} ${quantity}`);
      return expected === count
        ? []
        : [`${quantity} of ${name} expects ${expected ?? 'no'} devices, ${count} are provisioned`];
    });
  });
}

function isContinuous(quantity: QuantityName): boolean {
  return quantityNamed(quantity).kind === 'continuous';
}

function quantitiesOf(fleet: readonly FleetBuilding[]): QuantityName[] {
  const models = new Set(fleet.flatMap(({ devices }) => devices.map(({ model }) => model)));
  return [
    ...new Set(
      [...models]
        .flatMap((model) => deviceModelNamed(model)!.channels.map(({ quantity }) => quantity))
        .filter(isContinuous),
    ),
  ];
}
