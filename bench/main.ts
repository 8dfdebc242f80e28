import { appendFileSync } from 'node:fs';
import { OperatorError } from '../src/observability/operator-error';
import { type Bench, tableOf, targetsOf } from './bench';

/** Every benchmark there is; each file is loaded only when it is run. */
const benches: Record<string, () => Promise<{ bench: Bench }>> = {
  'event-hubs': () => import('./event-hubs.bench.js'),
  cosmos: () => import('./cosmos.bench.js'),
  pipeline: () => import('./pipeline.bench.js'),
  gateway: () => import('./gateway.bench.js'),
  alerts: () => import('./alerts.bench.js'),
  aggregate: () => import('./aggregate.bench.js'),
  cold: () => import('./cold.bench.js'),
  questions: () => import('./questions.bench.js'),
  query: () => import('./query.bench.js'),
  fanout: () => import('./fanout.bench.js'),
  'warm-store': () => import('./warm-store.bench.js'),
};

async function main(): Promise<void> {
  const [name, ...rest] = process.argv.slice(2);
  const load = name === undefined ? undefined : benches[name];
  if (name === undefined || load === undefined) {
    const asked = name === undefined || name === '--help' ? '' : `There is no bench '${name}'.\n`;
    process.stdout.write(`${asked}Usage: npm run bench -- NAME [--check] [options]\n\n`);
    for (const each of Object.keys(benches)) process.stdout.write(`  ${each}\n`);
    process.stdout.write(
      '\n--check exits 1 when a target is missed; NAME --help lists the options of one bench.\n',
    );
    process.exit(name === undefined || name === '--help' ? 0 : 1);
  }
  const { bench } = await load();
  if (rest.includes('--help')) {
    process.stdout.write(`${bench.name}: ${bench.summary}\n`);
    for (const option of bench.options ?? []) process.stdout.write(`  ${option}\n`);
    return;
  }
  const log = `bench-${bench.name}.log`;
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
    appendFileSync(log, `${new Date().toISOString()} ${line}\n`);
  };
  const report = await bench.run({ args: rest.filter((each) => each !== '--check'), progress });
  const targets = targetsOf(report);
  const figures = Object.fromEntries(report.figures.map((each) => [each.name, each.value]));
  process.stdout.write(`${tableOf(report)}\n${JSON.stringify({ bench: bench.name, figures, targets })}\n`);
  if (rest.includes('--check') && targets.some((target) => !target.met)) process.exitCode = 1;
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
