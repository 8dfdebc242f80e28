import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { count, duration, positive } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { type FleetBuilding } from '../../simulator/fleet';
import { columnMap, readRecording } from '../../simulator/recording';
import { createReplay, planOfRecording, REPLAY_MODEL } from '../../simulator/replay';
import { openSession, type Session } from '../../simulator/session';
import { createSteady, planSteady } from '../../simulator/steady';
import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { deviceModelNamed } from '../../src/domain/device';
import { OperatorError } from '../../src/observability/operator-error';
import { attachPlatform, type Platform, startPlatform } from '../support/platform';
import { proveAverages, type ProvedStream } from './averages.proof';
import { proveRandomStreams } from './averages-random';
import { type Outcome, type Verification, type VerificationContext } from './verification';

const STEADY_DEVICES = 200;
const STEADY_RATE = 40;
const USER = 'owner@north.example';

const RECORDING = '../shared/data/sutardja-dai-hall-12-rooms.csv.gz';
/** Readings that come later than that are in no average. */
const MOST_LATE_MS = RECORD_LATENESS_MS;

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
    '--short              do not ask that readings have left the window, which takes five minutes',
    '--random             random streams (for 5m), in buildings of their own, beside the recording, whose first two days are',
    '                     sent late; then the stored rows through three mutants of the window, each of which must be caught',
    '--seeds N            of the random streams, all at once (5)',
    '--seed N             the first of them (1)',
    '--late DURATION      with --random: how much of the recording is sent late (2d)',
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
      duration: { type: 'string' },
      'run-on': { type: 'string', default: '2m' },
      map: { type: 'string' },
      kills: { type: 'string', default: '0' },
      short: { type: 'boolean', default: false },
      random: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      late: { type: 'string', default: '2d' },
      attach: { type: 'string' },
    },
  });
  const kills = values.kills === '0' ? 0 : count(values.kills, 'kills', 1000);
  const runOnMs = duration(values['run-on'], 'run-on');
  const speed = positive(values.speed, 'speed');
  const durationMs = duration(values.duration ?? (values.random ? '5m' : '8m'), 'duration');
  const shared = { progress, kills, runOnMs, short: values.short, mutants: values.random, durationMs };
  const lateMs = values.random ? duration(values.late, 'late') : 0;
  if (lateMs > MOST_LATE_MS)
    throw new OperatorError('--late is at most 2d: later readings are in no average');
  const file = values.file ?? (values.random ? RECORDING : undefined);
  if (file === undefined || !existsSync(file)) {
    throw new OperatorError(
      `--file FILE is missing: the recording to replay${file ? `; there is no ${file}` : ''}`,
    );
  }
  const recording = await readRecording({
    file,
    map: columnMap(values.map),
    channels: deviceModelNamed(REPLAY_MODEL)!.channels.map(({ name }) => name),
    span: lateMs + durationMs * speed,
  });
  if (values.random) {
    const seeds = count(values.seeds, 'seeds', 50);
    const firstSeed = count(values.seed, 'seed');
    const recorded = { name: values.building, recording, lateMs, speed };
    return withPlatform(values.attach, progress, (platform, session) =>
      proveRandomStreams({ ...shared, platform, session, seeds, firstSeed, recorded }),
    );
  }

  return withPlatform(values.attach, progress, async (platform, session) => {
    const fleet = await ensureFleet(session, [
      planOfRecording(values.building, recording),
      ...planSteady({ name: `${values.building}, steady`, buildings: 1, devices: STEADY_DEVICES }),
    ]);
    const [recorded, steady] = fleet as [FleetBuilding, FleetBuilding];
    const intervalMs = (STEADY_DEVICES / STEADY_RATE) * 1000;
    const streams: ProvedStream[] = [
      {
        name: 'the recording',
        buildings: [recorded],
        sourcesFrom: (start) => [
          createReplay({ recording, building: recorded, start, speed, originalTime: false }),
        ],
      },
      {
        name: 'steady',
        buildings: [steady],
        sourcesFrom: (start) => [createSteady({ buildings: [steady], start, durationMs, intervalMs })],
      },
    ];
    return proveAverages({ ...shared, platform, session, streams });
  });
}

/** A platform of its own, or the one whose endpoints are named. */
async function withPlatform(
  attach: string | undefined,
  progress: (line: string) => void,
  prove: (platform: Platform, session: Session) => Promise<Outcome>,
): Promise<Outcome> {
  const platform =
    attach === undefined
      ? await startPlatform({ env: { INGEST_FLUSH_SECONDS: '10' } })
      : attachPlatform(attach);
  try {
    progress(
      `platform ${attach === undefined ? `ready after ${(platform.startMilliseconds / 1000).toFixed(1)} s` : 'attached'}`,
    );
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
    try {
      return await prove(platform, session);
    } finally {
      await session.close();
    }
  } finally {
    await platform.stop();
  }
}
