import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { inheritedVariables } from '../../src/config/environment';
import { OperatorError } from '../../src/observability/operator-error';

export const PYSPARK = '3.5.7';

/** A step of the plan of `analytics/spark/run.py`. */
export type SparkStep = { name: string; variables?: Record<string, string> } & (
  { script: string } | { sql: string }
);

export type SparkRow = Record<string, string | number>;

/**
 * A Python that has Spark: installed once, from PyPI, into `.cache/` of the working folder.
 * @throws OperatorError that says what could not be installed.
 */
export async function installSpark(progress: (line: string) => void): Promise<string> {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.status !== 0)
    throw new OperatorError('Spark needs Java 17 (or 8, 11) as java on the path: there is none');
  progress(`Java: ${java.stderr.split('\n')[0]}`);
  const folder = resolve('.cache', `pyspark-${PYSPARK}`);
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  progress(`installing pyspark ${PYSPARK} into ${folder}: 300 MB`);
  await installStep('python3', ['-m', 'venv', folder], 'a Python environment (python3 -m venv)');
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `pyspark==${PYSPARK}`];
  await installStep(python, install, `pyspark ${PYSPARK} (pip)`);
  await writeFile(complete, '');
  return python;
}

export async function installStep(command: string, args: string[], what: string): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  const code = await new Promise<number | null>((done) => {
    child.once('error', (error) => {
      said = error.message;
      done(null);
    });
    child.once('close', done);
  });
  if (code !== 0) throw new OperatorError(`could not install ${what}: ${said.trim().split('\n').at(-1)}`);
}

/** Does the steps in one session; the rows of each step by its name. */
export async function runSpark(options: {
  python: string;
  /** For the metastore and all that Spark writes. */
  folder: string;
  steps: readonly SparkStep[];
  progress: (line: string) => void;
}): Promise<Map<string, SparkRow[]>> {
  const { python, folder, steps, progress } = options;
  await mkdir(folder, { recursive: true });
  const plan = join(folder, 'plan.json');
  await writeFile(plan, JSON.stringify(steps));
  const child = spawn(
    python,
    [resolve('analytics/spark/run.py'), '--metastore', join(folder, 'metastore'), plan],
    {
      cwd: folder,
      env: {
        ...inheritedVariables(),
        PYSPARK_PYTHON: python,
        PYSPARK_SUBMIT_ARGS: '--driver-memory 1g pyspark-shell',
        SPARK_LOCAL_DIRS: join(folder, 'local'),
        // Another interface of the machine may answer to nobody.
        SPARK_LOCAL_IP: '127.0.0.1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  // Others work on this machine too.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-6_000)));
  const ended = new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  const rows = new Map<string, SparkRow[]>(steps.map(({ name }) => [name, []]));
  let current = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const { step, row } = JSON.parse(line) as { step: string; row: SparkRow };
    if (step !== current) progress(`Spark answers ${step}`);
    current = step;
    rows.get(step)!.push(row);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`Spark ended with ${code}:\n${said}`);
  return rows;
}
