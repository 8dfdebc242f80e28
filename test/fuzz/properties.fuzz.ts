import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Ours, in the working directory: the fuzzer runs built, the tests from their sources. */
const TESTS = 'test';

/** The test files whose data is random, by their paths. */
async function propertyTests(): Promise<string[]> {
  const names = await readdir(TESTS, { recursive: true });
  const tests = names.filter((name) => name.endsWith('.test.ts')).map((name) => join(TESTS, name));
  const texts = await Promise.all(tests.map((path) => readFile(path, 'utf8')));
  return tests.filter((_, index) => /\bfast-check\b/.test(texts[index]!)).sort();
}

/**
 * Runs every property test again and again with other data, until the time is up; a round that began is finished.
 *
 * @param seed of the first round; each round after has the next.
 * @returns one line for each round that failed, with what shows it again.
 */
export async function fuzzProperties(options: {
  minutes: number;
  seed: number;
  progress: (line: string) => void;
}): Promise<{ counts: Record<string, number>; findings: string[] }> {
  const tests = await propertyTests();
  const until = Date.now() + options.minutes * 60_000;
  const findings: string[] = [];
  let rounds = 0;
  do {
    const seed = options.seed + rounds++;
    const passed = await jest(tests, seed);
    options.progress(`seed ${seed}: ${passed ? 'passed' : 'FAILED'}`);
    if (!passed) findings.push(`seed ${seed}: TEST_SEED=${seed} npm test shows it again`);
  } while (Date.now() < until);
  return { counts: { 'test files': tests.length, rounds }, findings };
}

function jest(tests: readonly string[], seed: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--experimental-vm-modules', join('node_modules', 'jest', 'bin', 'jest.js'), ...tests],
      { env: { ...process.env, TEST_SEED: String(seed) }, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0));
  });
}
