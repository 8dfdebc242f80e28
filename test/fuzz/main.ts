import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzzGateway } from './gateway.fuzz';
import { fuzzProperties } from './properties.fuzz';

const USAGE = `Usage: npm run fuzz -- gateway|properties [--minutes 2] [--seed N]

gateway     throws mutated MQTT packets, HTTP requests and payloads at a gateway of its own
properties  runs every test with random data again and again, each time with other data

Exits 1 on a finding; the same seed does the same again.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  const [target] = positionals;
  const known = target === 'gateway' || target === 'properties';
  if (values.help || !known || !(minutes > 0) || !Number.isInteger(seed)) {
    process.stdout.write(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
    appendFileSync(`fuzz-${target}.log`, `${new Date().toISOString()} ${line}\n`);
  };
  progress(`seed ${seed}, ${minutes} minutes`);
  const { counts, findings } =
    target === 'gateway'
      ? await fuzzGateway({ seconds: minutes * 60, seed, progress })
      : await fuzzProperties({ minutes, seed, progress });
  for (const [what, count] of Object.entries(counts)) process.stdout.write(`${what}: ${count}\n`);
  process.stdout.write(`seed ${seed}: ${findings.length} findings\n`);
  for (const finding of findings) process.stdout.write(`FOUND ${finding}\n`);
  if (findings.length > 0) process.exitCode = 1;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
    process.exit(1);
  },
);
