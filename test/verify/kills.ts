import { setTimeout as delay } from 'node:timers/promises';
import { type Kill, type Platform } from '../support/platform';

/** Who dies, in turn: the way of a reading from its acceptance to the store, and the stream under it all. */
export const VICTIMS = ['aggregate', 'gateway', 'ingest', 'event-hubs'] as const;

/** Evenly spread instants inside a run, none in its first and last tenth. Milliseconds from its start. */
export function killTimes(count: number, durationMs: number): number[] {
  return Array.from({ length: count }, (_, i) => durationMs * (0.1 + (0.8 * (i + 0.5)) / count));
}

/**
 * Kills -9 processes in turn at the times given, from `start` on. `whileFlowing` is asked before each: what dies dies
 * under load.
 */
export async function runKills(options: {
  platform: Platform;
  start: number;
  times: readonly number[];
  whileFlowing: () => Promise<string>;
  progress: (line: string) => void;
}): Promise<Kill[]> {
  const kills: Kill[] = [];
  for (const [i, at] of options.times.entries()) {
    await delay(Math.max(0, options.start + at - Date.now()));
    const flow = await options.whileFlowing();
    const kill = await options.platform.kill(VICTIMS[i % VICTIMS.length]!);
    kills.push(kill);
    options.progress(
      `kill ${i + 1} of ${options.times.length}: ${kill.name} (pid ${kill.pid}) at ${kill.at.toISOString()}, ${flow}`,
    );
  }
  return kills;
}
