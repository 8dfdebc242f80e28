import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { createEngine } from '../../src/aggregate/engine';
import { WINDOW_MUTANTS } from '../aggregate/window-mutants';
import { openLanding } from '../support/landing';
import { replayThrough, storedEvents } from './engine-replay';
import { loadMutant } from './mutant-engine';
import { compareAverages, prepareCounted } from './oracle/averages.oracle';
import { type ReplayAnswer, type ReplayOrder } from './engine-replays';

const MUTANT_VALUES = 5_000;

/**
 * Replays downloaded landing files through an engine and compares what it says with SQL over the same rows: a process of
 * its own, as a changed module must be known to nobody else. The order is its argument, the answer its output, in JSON.
 */
async function main(): Promise<void> {
  const { folder, buildingIds, mutant: name } = JSON.parse(process.argv[2]!) as ReplayOrder;
  const mutant = WINDOW_MUTANTS.find((each) => each.name === name);
  const create = mutant === undefined ? createEngine : loadMutant(mutant);
  const { connection, close } = await openLanding(folder);
  try {
    const all = replayThrough(create, await storedEvents(connection, buildingIds));
    // Of a mutant some show enough.
    const every = mutant === undefined ? 1 : Math.ceil(all.length / MUTANT_VALUES);
    const seen = all.filter((_, index) => index % every === 0);
    await prepareCounted(connection, { allowedLatenessMs: RECORD_LATENESS_MS, buildingIds });
    const differences = await compareAverages(connection, seen);
    const values = seen.filter(({ source }) => source === 'live').length;
    const answer: ReplayAnswer = {
      values,
      points: seen.length - values,
      differences: differences.length,
      examples: differences.slice(0, 3),
    };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  } finally {
    close();
  }
}

void main();
