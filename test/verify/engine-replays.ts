import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { WINDOW_MUTANTS } from '../aggregate/window-mutants';
import { type Table } from './verification';

export interface ReplayOrder {
  /** That `downloadLanding` filled. */
  folder: string;
  buildingIds: readonly string[];
  /** By its name; null for the engine as it is. */
  mutant: string | null;
}

export interface ReplayAnswer {
  values: number;
  points: number;
  differences: number;
  /** The first of them, in words. */
  examples: string[];
}

const SCRIPT = 'test/verify/engine-replay.process.js';
const LONGEST_MS = 600_000;

/**
 * The stored rows of the streams once more, through the engine as it is, in which nothing may differ from SQL, and through
 * each mutant of the window, in which something must: else the comparison would not see the mistake either.
 */
export async function replayEngines(of: {
  folder: string;
  buildingIds: readonly string[];
  progress: (line: string) => void;
}): Promise<{ table: Table; counts: Record<string, number>; differences: string[] }> {
  const differences: string[] = [];
  const rows: Table['rows'] = [];
  const counts = { 'values and points of replays compared': 0, 'mutants caught': 0 };
  for (const mutant of [null, ...WINDOW_MUTANTS.map(({ name }) => name)]) {
    const answer = await replay({ folder: of.folder, buildingIds: of.buildingIds, mutant });
    const { values, points, examples } = answer;
    const isCaught = answer.differences > 0;
    if (mutant === null) {
      counts['values and points of replays compared'] = values + points;
      differences.push(...examples.map((words) => `replayed: ${words}`));
      if (values === 0) differences.push('the replay told no value: there was nothing to compare');
    } else if (isCaught) counts['mutants caught']++;
    else differences.push(`a window that ${mutant} was not caught`);
    const verdict = mutant === null ? (isCaught ? 'WRONG' : 'equal') : isCaught ? 'caught' : 'NOT caught';
    rows.push([mutant ?? 'the window as it is', values, points, answer.differences, verdict]);
    of.progress(`replayed: ${rows.at(-1)!.join(', ')}`);
  }
  const columns = ['a window, over the same rows', 'values', 'points', 'differences', ''];
  return { table: { columns, rows }, counts, differences };
}

async function replay(order: ReplayOrder): Promise<ReplayAnswer> {
  const { stdout } = await promisify(execFile)(process.execPath, [script(), JSON.stringify(order)], {
    timeout: LONGEST_MS,
  });
  return JSON.parse(stdout) as ReplayAnswer;
}

/** The compiled one, from a compiled file as well as from a source that jest runs. */
function script(): string {
  const beside = resolve(__dirname, '../..', SCRIPT);
  return existsSync(beside) ? beside : resolve(__dirname, '../../dist', SCRIPT);
}
