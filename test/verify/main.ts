import { appendFileSync } from 'node:fs';
import { OperatorError } from '../../src/observability/operator-error';
import { type Verification } from './verification';

/** Every proof there is; each file is loaded only when it is run. */
const verifications: Record<string, () => Promise<{ verification: Verification }>> = {
  crash: () => import('./crash.verify.js'),
  averages: () => import('./averages.verify.js'),
  cold: () => import('./cold.verify.js'),
  'cold-crash': () => import('./cold-crash.verify.js'),
  hive: () => import('./hive.verify.js'),
  attribution: () => import('./attribution.verify.js'),
  storm: () => import('./storm.verify.js'),
  'isolation-of-consumers': () => import('./isolation-of-consumers.verify.js'),
  'aggregate-crash': () => import('./aggregate-crash.verify.js'),
};

const SHOWN_DIFFERENCES = 20;

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const load = name === undefined ? undefined : verifications[name];
  if (name === undefined || load === undefined) {
    const asked = name === undefined || name === '--help' ? '' : `There is no verification '${name}'.\n`;
    process.stdout.write(`${asked}Usage: npm run verify -- NAME [options]\n\n`);
    for (const each of Object.keys(verifications)) process.stdout.write(`  ${each}\n`);
    process.stdout.write(
      '\nNAME --help lists the options of one. Exit code 1 means a difference was found.\n',
    );
    process.exit(name === undefined || name === '--help' ? 0 : 1);
  }
  const { verification } = await load();
  if (args.includes('--help')) {
    process.stdout.write(`${verification.name}: ${verification.summary}\n`);
    for (const option of verification.options ?? []) process.stdout.write(`  ${option}\n`);
    return;
  }
  const log = `verify-${verification.name}.log`;
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
    appendFileSync(log, `${new Date().toISOString()} ${line}\n`);
  };
  const { counts, differences } = await verification.run({ args, progress });
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) progress(`DIFFERENCE ${difference}`);
  if (differences.length > SHOWN_DIFFERENCES)
    progress(`... and ${differences.length - SHOWN_DIFFERENCES} more`);
  for (const [what, count] of Object.entries(counts)) process.stdout.write(`${what}: ${count}\n`);
  process.stdout.write(`${differences.length} differences\n`);
  if (differences.length > 0) process.exitCode = 1;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    // What the person can mend is said in its one sentence.
    const text = error instanceof OperatorError ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`${text}\n`);
    process.exit(1);
  },
);
