import { ensureFleet } from '../../simulator/ensure-fleet';
import { type Recording } from '../../simulator/recording';
import { createReplay, planOfRecording } from '../../simulator/replay';
import { type Session } from '../../simulator/session';
import { type AveragesProof, proveAverages, type ProvedStream } from './averages.proof';
import { createBacklog, splitRecording } from './backlog';
import { createRandomStream, createStreamCounts, planRandom, type StreamCounts } from './random-stream';
import { type Outcome } from './verification';

const DEVICES = 12;
const RATE = 12;
/** The last building of each seed falls silent early, so that its windows are seen to empty. */
const BUILDINGS = 3;
const SILENT_AFTER_MS = 40_000;
/** Of the time it takes, the part in which a backlog comes. */
const BACKLOG_TAKES = 0.6;

/** What of a recording is sent: so much of its beginning late, the rest as it goes on. */
export interface LateRecording {
  name: string;
  recording: Recording;
  /** Recorded milliseconds that are sent late, at their own distances. */
  lateMs: number;
  /** How many recorded seconds pass in one, of what is sent in time. */
  speed: number;
}

/** One random stream a seed and a recording, each over buildings of its own, all at once through one platform. */
export async function proveRandomStreams(
  options: Omit<AveragesProof, 'streams'> & {
    seeds: number;
    firstSeed: number;
    recorded: LateRecording;
  },
): Promise<Outcome> {
  const { session, progress, seeds, firstSeed, durationMs } = options;
  const counts = createStreamCounts();
  const streams: ProvedStream[] = [];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    streams.push(await randomStream({ session, seed, durationMs, counts }));
  }
  streams.push(await recordedStream(session, options.recorded, durationMs));
  progress(`seeds ${firstSeed} to ${firstSeed + seeds - 1} and ${options.recorded.name}`);
  const proved = await proveAverages({ ...options, streams });
  const messages = Object.entries(counts).map(([kind, count]) => [`messages ${kind}`, count]);
  return {
    ...proved,
    counts: { ...(Object.fromEntries(messages) as Record<string, number>), ...proved.counts },
  };
}

async function randomStream(options: {
  session: Session;
  seed: number;
  durationMs: number;
  counts: StreamCounts;
}): Promise<ProvedStream> {
  const { seed, durationMs, counts } = options;
  const buildings = await ensureFleet(options.session, planRandom(`Random ${seed}`, BUILDINGS, DEVICES));
  return {
    name: `random, seed ${seed}`,
    buildings,
    sourcesFrom: (start) => [
      createRandomStream({
        ...{ buildings, start, durationMs, rate: RATE, seed, counts },
        silentAfterMs: new Map([[buildings.at(-1)!.buildingId, SILENT_AFTER_MS]]),
      }),
    ],
  };
}

/** A building that was cut off: what it recorded meanwhile comes while it goes on. */
async function recordedStream(
  session: Session,
  { name, recording, lateMs, speed }: LateRecording,
  durationMs: number,
): Promise<ProvedStream> {
  const [building] = await ensureFleet(session, [planOfRecording(name, recording)]);
  const { before, after } = splitRecording(recording, lateMs);
  const takesMs = durationMs * BACKLOG_TAKES;
  return {
    name: `the recording, ${Math.round(lateMs / 360_000) / 10} h of it late`,
    buildings: [building!],
    sourcesFrom: (start) => [
      createBacklog({ recording: before, span: lateMs, building: building!, start, takesMs }),
      createReplay({ recording: after, building: building!, start, speed, originalTime: false }),
    ],
  };
}
