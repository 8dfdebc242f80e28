import { parseArgs } from 'node:util';
import { count, duration, positive } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { columnMap, readRecording } from '../../simulator/recording';
import { createReplay, planOfRecording, REPLAY_MODEL } from '../../simulator/replay';
import { openSession, type Session } from '../../simulator/session';
import { createSteady, planSteady } from '../../simulator/steady';
import { deviceModelNamed } from '../../src/domain/device';
import { OperatorError } from '../../src/observability/operator-error';
import { attachPlatform, type Platform, startPlatform } from '../support/platform';
import { proveAverages } from './averages.proof';
import { proveRandomStreams } from './averages-random';
import { type Outcome, type Verification, type VerificationContext } from './verification';

const STEADY_DEVICES = 200;
const STEADY_RATE = 40;
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
    '--short              do not ask that readings have left the window, which takes five minutes',
    '--random             random streams in place of a recording (for 6m), in buildings of their own',
    '--seeds N            of the random streams, all at once (5)',
    '--seed N             the first of them (1)',
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
      attach: { type: 'string' },
    },
  });
  const kills = values.kills === '0' ? 0 : count(values.kills, 'kills', 1000);
  const runOnMs = duration(values['run-on'], 'run-on');
  if (values.random) {
    const random = {
      progress,
      kills,
      runOnMs,
      short: values.short,
      durationMs: duration(values.duration ?? '6m', 'duration'),
      seeds: count(values.seeds, 'seeds', 50),
      firstSeed: count(values.seed, 'seed'),
    };
    return withPlatform(values.attach, progress, (platform, session) =>
      proveRandomStreams({ ...random, platform, session }),
    );
  }
  if (values.file === undefined) throw new OperatorError('--file FILE is missing: the recording to replay');
  const speed = positive(values.speed, 'speed');
  const durationMs = duration(values.duration ?? '8m', 'duration');
  const recording = await readRecording({
    file: values.file,
    map: columnMap(values.map),
    channels: deviceModelNamed(REPLAY_MODEL)!.channels.map(({ name }) => name),
    span: durationMs * speed,
  });

  return withPlatform(values.attach, progress, async (platform, session) => {
    const fleet = await ensureFleet(session, [
      planOfRecording(values.building, recording),
      ...planSteady({ name: `${values.building}, steady`, buildings: 1, devices: STEADY_DEVICES }),
    ]);
    return proveAverages({
      platform,
      session,
      fleet,
      progress,
      kills,
      short: values.short,
      durationMs,
      runOnMs,
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
