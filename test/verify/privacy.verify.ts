import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { count } from '../../simulator/arguments';
import { applyMutant, MUTANTS } from './privacy/mutants';
import { type Outcome, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'privacy',
  summary:
    'two platforms that differ only in readings that tell of presence tell whoever may not see those the same, in every answer, cost, alert, export and subscription',
  options: [
    '--rounds N      pairs of platforms, each with other readings (5)',
    '--seed S        the first round’s (1); round N is S + N - 1',
    '--questions N   that each caller is asked, at least one of each operation (400)',
    '--stretches N   that subscriptions are open for (6)',
    '--mutants       instead: take each rule away in turn, in a process of its own, and see that it is missed',
    '--mutant NAME   without one of the rules, which must be missed',
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      questions: { type: 'string', default: '400' },
      stretches: { type: 'string', default: '6' },
      mutants: { type: 'boolean', default: false },
      mutant: { type: 'string' },
    },
  });
  if (values.mutants) return tryMutants(progress);
  if (values.mutant !== undefined) applyMutant(values.mutant);
  // Only now: a mutant takes the place of what is loaded.
  const { prove } = await import('./privacy/proof.js');
  const seed = count(values.seed, 'seed');
  const counts: Record<string, number> = {};
  const differences: string[] = [];
  for (let round = 0; round < count(values.rounds, 'rounds'); round++) {
    const outcome = await prove({
      seed: seed + round,
      questions: count(values.questions, 'questions'),
      rounds: count(values.stretches, 'stretches'),
      progress,
    });
    for (const [what, found] of Object.entries(outcome.counts))
      counts[what] = what === 'callers' ? found : (counts[what] ?? 0) + found;
    differences.push(...outcome.differences);
  }
  return { counts, differences };
}

/** A rule may not come into play in one run: so many are tried, each with other readings. */
const MUTANT_SEEDS = [3, 4, 5, 6, 7];

/** Short runs: a rule that is taken away and not missed by any of them is a difference. */
async function tryMutants(progress: VerificationContext['progress']): Promise<Outcome> {
  const differences: string[] = [];
  let caught = 0;
  for (const { name } of MUTANTS) {
    let found = 0;
    for (const seed of MUTANT_SEEDS) {
      found = await differencesWithout(name, seed);
      progress(`without ${name}, seed ${seed}: ${found} differences`);
      if (found > 0) break;
    }
    if (found > 0) caught++;
    else differences.push(`nothing was missed without ${name}`);
  }
  return { counts: { mutants: MUTANTS.length, caught }, differences };
}

/** In a process of its own. @throws where it ends without having compared anything. */
async function differencesWithout(name: string, seed: number): Promise<number> {
  const args = [
    '--mutant',
    name,
    '--rounds',
    '1',
    '--seed',
    String(seed),
    '--questions',
    '60',
    '--stretches',
    '6',
  ];
  const child = spawn(process.execPath, [join(__dirname, 'main.js'), 'privacy', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (part: Buffer) => (told += part.toString()));
  await once(child, 'close');
  const found = /^(\d+) differences$/m.exec(told)?.[1];
  if (found === undefined) throw new Error(`nothing was compared without ${name}`);
  return Number(found);
}
