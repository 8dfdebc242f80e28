import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Platform } from '../support/platform';

/** What a worker that comes back logs on its way, in order. */
const STEPS: readonly [message: string, step: string][] = [
  ['started', 'process loaded'],
  ['partition taken', 'partitions taken'],
  ['partition restored from its snapshot', 'restored'],
  ['partition tells values', 'told'],
];

/** When the first and the last partition came to each step, milliseconds after an instant, from the worker's own log. */
export function recoveryTimeline(platform: Platform, since: number): string {
  let text: string;
  try {
    text = readFileSync(join(platform.dataDir, 'logs', 'aggregate.log'), 'utf8');
  } catch {
    return 'no log';
  }
  const times = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    let entry: { time?: number | string; msg?: string };
    try {
      entry = JSON.parse(line) as typeof entry;
    } catch {
      continue;
    }
    const step = STEPS.find(([message]) => message === entry.msg)?.[1];
    const after = new Date(entry.time ?? 0).getTime() - since;
    if (step === undefined || !(after > 0)) continue;
    times.set(step, [...(times.get(step) ?? []), after]);
  }
  return [...times].map(([step, at]) => `${step} ${Math.min(...at)} to ${Math.max(...at)} ms`).join(', ');
}
