import { parseArgs } from 'node:util';
import { count } from '../../simulator/arguments';
import { prove } from './privacy/proof';
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
    },
  });
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
