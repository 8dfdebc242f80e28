import { appendFileSync } from 'node:fs';
import { OperatorError } from '../../src/observability/operator-error';
import { type Table, type Verification } from './verification';

/** Every proof there is; each file is loaded only when it is run. */
const verifications: Record<string, () => Promise<{ verification: Verification }>> = {
  crash: () => import('./crash.verify.js'),
  averages: () => import('./averages.verify.js'),
  cold: () => import('./cold.verify.js'),
  'cold-crash': () => import('./cold-crash.verify.js'),
  hive: () => import('./hive.verify.js'),
  attribution: () => import('./attribution.verify.js'),
  storm: () => import('./storm.verify.js'),
  hostile: () => import('./hostile.verify.js'),
  isolation: () => import('./isolation.verify.js'),
  documents: () => import('./documents.verify.js'),
  'isolation-of-consumers': () => import('./isolation-of-consumers.verify.js'),
  'aggregate-crash': () => import('./aggregate-crash.verify.js'),
  privacy: () => import('./privacy.verify.js'),
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
  const { tables = [], counts, differences } = await verification.run({ args, progress });
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) progress(`DIFFERENCE ${difference}`);
  if (differences.length > SHOWN_DIFFERENCES)
    progress(`... and ${differences.length - SHOWN_DIFFERENCES} more`);
  for (const table of tables) process.stdout.write(`${linesOf(table).join('\n')}\n\n`);
  for (const [what, count] of Object.entries(counts)) process.stdout.write(`${what}: ${count}\n`);
  process.stdout.write(`${differences.length} differences\n`);
  if (differences.length > 0) process.exitCode = 1;
}

/** Columns as wide as they must be, numbers to the right. */
function linesOf({ columns, rows }: Table): string[] {
  const text = (cell: string | number): string =>
    typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
  const widths = columns.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => text(row[column]!).length)),
  );
  const line = (cells: readonly (string | number)[], of: readonly (string | number)[]): string =>
    cells
      .map((cell, column) =>
        typeof of[column] === 'number'
          ? text(cell).padStart(widths[column]!)
          : text(cell).padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const [first = columns] = rows;
  return [
    line(columns, first),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row) => line(row, row)),
  ];
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
