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

/** Short runs: one that takes a rule away and is not noticed is a difference. */
async function tryMutants(progress: VerificationContext['progress']): Promise<Outcome> {
  const differences: string[] = [];
  let caught = 0;
  for (const { name } of MUTANTS) {
    const child = spawn(
      process.execPath,
      [
        join(__dirname, 'main.js'),
        ...[
          'privacy',
          '--mutant',
          name,
          '--rounds',
          '1',
          '--seed',
          '3',
          '--questions',
          '60',
          '--stretches',
          '2',
        ],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    let told = '';
    child.stdout.on('data', (part: Buffer) => (told += part.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    const found = Number(/^(\d+) differences$/m.exec(told)?.[1] ?? 0);
    progress(`without ${name}: ${found} differences`);
    if (code === 1 && found > 0) caught++;
    else differences.push(`nothing was missed without ${name}`);
  }
  return { counts: { mutants: MUTANTS.length, caught }, differences };
}
