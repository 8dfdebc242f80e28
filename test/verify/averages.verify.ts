import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type DuckDBConnection } from '@duckdb/node-api';
import { count, duration, positive } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { type FleetBuilding } from '../../simulator/fleet';
import { runLoad } from '../../simulator/load';
import { columnMap, readRecording } from '../../simulator/recording';
import { createReplay, planOfRecording, REPLAY_MODEL } from '../../simulator/replay';
import { createSender } from '../../simulator/sender';
import { openSession, type Session } from '../../simulator/session';
import { createSteady, planSteady } from '../../simulator/steady';
import { createTotals, linesOfTotals, sumOf, unacknowledged } from '../../simulator/totals';
import { deviceModelNamed } from '../../src/domain/device';
import { type QuantityName } from '../../src/domain/quantity';
import { OperatorError } from '../../src/observability/operator-error';
import { WINDOW_SECONDS } from '../../src/domain/window';
import { attachPlatform, type Platform, startPlatform } from '../support/platform';
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
import { type Outcome, type Verification, type VerificationContext } from './verification';

/** The lateness that the rolling record allows. */
const ALLOWED_LATENESS_MS = WINDOW_SECONDS * 1000;
const STEADY_DEVICES = 200;
const STEADY_RATE = 40;
const LEAD_MS = 1_000;
/** Repeated messages may take this long behind the schedule's end, kills included. */
const GRACE_MS = 90_000;
const LANDED_WITHIN_MS = 180_000;
/** Corrections of the stored record gather for twenty seconds and then have to be written. */
const RECORD_SETTLES_MS = 45_000;
const USER = 'owner@north.example';

export const verification: Verification = {
  name: 'averages',
  summary:
    'replays a recording, subscribes, and recomputes every live value and every stored point from the cold store by SQL',
  options: [
    '--file FILE          the recording (csv or csv.gz)',
    '--building NAME      the building to replay into',
    '--speed N            recorded seconds that pass in one (60)',
    '--duration DURATION  how long to replay (8m)',
    '--run-on DURATION    how long to go on listening while readings leave the window (2m)',
    '--map COL=CHANNEL,.. what the columns stand for, where their names do not say (pir=motion)',
    '--kills N            kill -9 processes while readings flow (0)',
    '--attach FILE        endpoints.json of a running platform instead of one of its own',
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string' },
      building: { type: 'string', default: 'Sutardja Dai Hall' },
      speed: { type: 'string', default: '60' },
      duration: { type: 'string', default: '8m' },
      'run-on': { type: 'string', default: '2m' },
      map: { type: 'string' },
      kills: { type: 'string', default: '0' },
      attach: { type: 'string' },
    },
  });
  if (values.file === undefined) throw new OperatorError('--file FILE is missing: the recording to replay');
  const speed = positive(values.speed, 'speed');
  const durationMs = duration(values.duration, 'duration');
  const kills = values.kills === '0' ? 0 : count(values.kills, 'kills', 1000);
  const recording = await readRecording({
    file: values.file,
    map: columnMap(values.map),
    channels: deviceModelNamed(REPLAY_MODEL)!.channels.map(({ name }) => name),
    span: durationMs * speed,
  });

  const platform =
    values.attach === undefined
      ? await startPlatform({ env: { INGEST_FLUSH_SECONDS: '10' } })
      : attachPlatform(values.attach);
  try {
    progress(
      `platform ${values.attach === undefined ? `ready after ${(platform.startMilliseconds / 1000).toFixed(1)} s` : 'attached'}`,
    );
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
    try {
      const fleet = await ensureFleet(session, [
        planOfRecording(values.building, recording),
        ...planSteady({ name: `${values.building}, steady`, buildings: 1, devices: STEADY_DEVICES }),
      ]);
      return await prove({
        platform,
        session,
        fleet,
        progress,
        kills,
        durationMs,
        runOnMs: duration(values['run-on'], 'run-on'),
        sourcesFrom: (start) => [
          createReplay({ recording, building: fleet[0]!, start, speed, originalTime: false }),
          createSteady({
            buildings: [fleet[1]!],
            start,
            durationMs,
            intervalMs: (STEADY_DEVICES / STEADY_RATE) * 1000,
          }),
        ],
      });
    } finally {
      await session.close();
    }
  } finally {
    await platform.stop();
  }
}

async function prove(options: {
  platform: Platform;
  session: Session;
  fleet: readonly FleetBuilding[];
  kills: number;
  durationMs: number;
  runOnMs: number;
  sourcesFrom: (start: number) => Parameters<typeof runLoad>[0]['sources'];
  progress: (line: string) => void;
}): Promise<Outcome> {
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
    progress(`${delivered} values delivered, ${subscriber.resubscriptions()} subscriptions made again`);

    await delay(RECORD_SETTLES_MS);
    const quantities = quantitiesOf(fleet);
    const history: SeenAverage[] = [];
    for (const { buildingId } of fleet) {
      for (const quantity of quantities) {
        const from = new Date(start - 60_000);
        history.push(...(await readHistory(session.client, { buildingId, quantity, from, to: until })));
      }
    }

    const landing = await collectLanding(endpoints, { withinMs: LANDED_WITHIN_MS });
    try {
      const { connection } = landing;
      const buildingIds = fleet.map(({ buildingId }) => buildingId);
      await prepareCounted(connection, { allowedLatenessMs: ALLOWED_LATENESS_MS, buildingIds });
      const values = [...live.values()];
      const began = Date.now();
      differences.push(...(await compareAverages(connection, values)));
      differences.push(...(await compareAverages(connection, history)));
      const settled = history.filter((point) => point.windowEnd * 1000 <= until.getTime());
      differences.push(
        ...(await compareAverages(connection, atTheEndOfTheStream(settled))).map(
          (words) => `not corrected to the end: ${words}`,
        ),
      );
      const lastMinute = Math.floor(until.getTime() / 60_000) - 1;
      differences.push(...(await missingPoints(connection, history, lastMinute)));
      differences.push(...expectedDifferences(fleet, lastExpected));
      const left = await countLeftTheWindow(connection, values);
      progress(`recomputed by SQL in ${((Date.now() - began) / 1000).toFixed(1)} s`);
      const deadLetters = await countDeadLetters(connection, buildingIds);
      if (left === 0)
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
          'history points compared': history.length,
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
    await subscriber.stop();
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

/** Whether the last value of each building and quantity expected as many devices as were provisioned for it. */
function expectedDifferences(
  fleet: readonly FleetBuilding[],
  lastExpected: ReadonlyMap<string, number>,
): string[] {
  return fleet.flatMap(({ buildingId, name, devices }) => {
    const provisioned = new Map<QuantityName, number>();
    for (const { model } of devices) {
      for (const { quantity } of deviceModelNamed(model)!.channels) {
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

function quantitiesOf(fleet: readonly FleetBuilding[]): QuantityName[] {
  const models = new Set(fleet.flatMap(({ devices }) => devices.map(({ model }) => model)));
  return [
    ...new Set(
      [...models].flatMap((model) => deviceModelNamed(model)!.channels.map(({ quantity }) => quantity)),
    ),
  ];
}
