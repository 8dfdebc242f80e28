import { ensureFleet } from '../../simulator/ensure-fleet';
import { type Session } from '../../simulator/session';
import { type Platform } from '../support/platform';
import { proveAverages } from './averages.proof';
import { createRandomStream, createStreamCounts, planRandom } from './random-stream';
import { type Outcome } from './verification';

const DEVICES = 12;
const RATE = 12;
/** The last building of each seed falls silent early, so that its windows are seen to empty. */
const BUILDINGS = 3;
const SILENT_AFTER_MS = 40_000;

/** One random stream a seed, each over buildings of its own, all at once through one platform. */
export async function proveRandomStreams(options: {
  platform: Platform;
  session: Session;
  progress: (line: string) => void;
  seeds: number;
  firstSeed: number;
  kills: number;
  short: boolean;
  durationMs: number;
  runOnMs: number;
}): Promise<Outcome> {
  const { platform, session, progress, seeds, firstSeed, durationMs } = options;
  const fleet = await ensureFleet(
    session,
    Array.from({ length: seeds }, (_, i) => planRandom(`Random ${firstSeed + i}`, BUILDINGS, DEVICES)).flat(),
  );
  const counts = createStreamCounts();
  progress(`seeds ${firstSeed} to ${firstSeed + seeds - 1}`);
  const { counts: proved, differences } = await proveAverages({
    platform,
    session,
    fleet,
    progress,
    kills: options.kills,
    short: options.short,
    durationMs,
    runOnMs: options.runOnMs,
    sourcesFrom: (start) =>
      Array.from({ length: seeds }, (_, i) => {
        const buildings = fleet.slice(i * BUILDINGS, (i + 1) * BUILDINGS);
        return createRandomStream({
          buildings,
          start,
          durationMs,
          rate: RATE,
          seed: firstSeed + i,
          counts,
          silentAfterMs: new Map([[buildings.at(-1)!.buildingId, SILENT_AFTER_MS]]),
        });
      }),
  });
  const messages = Object.entries(counts).map(([kind, count]) => [`messages ${kind}`, count]);
  return { counts: { ...(Object.fromEntries(messages) as Record<string, number>), ...proved }, differences };
}
