import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeHiveScripts } from '../../src/analytics/hive';
import { startColdStores } from '../analytics/cold-store';
import { buildBuilding, NORTH, SOUTH, startApi } from '../api/api.support';
import { createHiveAnswers } from './hive-answers';
import { type Place } from './hive-arrivals';
import { QUANTITY, questionsOf } from './hive-questions';
import { downloadAll, ERASED, fillHiveStore } from './hive-store';
import { HIVE, installHive, runHive } from './local-hive';
import { type AnswerRow, openHiveOracle } from './oracle/hive.oracle';
import { installSpark, PYSPARK, runSpark, type SparkRow, type SparkStep } from './spark';
import { type Outcome, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'hive',
  summary: `runs the scripts for Hive and Spark in Spark ${PYSPARK} with Hive support, and compares their rows with DuckDB's and the API's`,
  options: [
    '(installs pyspark into .cache/ the first time: 300 MB from PyPI; needs python3 and Java 17)',
    `--hive  asks the questions of the week of Hive ${HIVE} in local mode too (400 MB by Maven; minutes)`,
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({ args, options: { hive: { type: 'boolean', default: false } } });
  const python = await installSpark(progress);
  const hiveJars = values.hive ? await installHive(progress) : null;
  const folder = await mkdtemp(join(tmpdir(), 'atrium-hive-'));
  const ending: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const stores = await startColdStores();
    ending.push(stores.stop);
    const store = await stores.next({ timeoutMs: 120_000 });
    const api = await startApi({ questions: store.questions });
    ending.push(api.stop);
    return await prove({ python, hiveJars, folder, store, api, progress, ending });
  } finally {
    for (const end of ending.reverse()) await end();
  }
}

async function prove(options: {
  python: string;
  hiveJars: string | null;
  folder: string;
  store: Awaited<ReturnType<Awaited<ReturnType<typeof startColdStores>>['next']>>;
  api: Awaited<ReturnType<typeof startApi>>;
  progress: (line: string) => void;
  ending: (() => unknown)[];
}): Promise<Outcome> {
  const { python, hiveJars, folder, store, api, progress, ending } = options;
  const places: Place[] = [{ tenantId: 'ten_third', buildingId: 'bld_third', spaceId: 'spc_third' }];
  for (const [tenantId, name] of [
    [NORTH, 'Building 25'],
    [NORTH, 'Building 26'],
    [SOUTH, 'Building 1'],
  ] as const) {
    const owner = await api.person(`owner of ${tenantId}`, tenantId, 'OWNER');
    const { building, spaceId } = await buildBuilding(api, owner, tenantId, { name, devices: 0 });
    places.push({ tenantId, buildingId: building.id, spaceId });
  }
  const filled = await fillHiveStore({ store, places, now: Date.now() });
  progress(
    `${filled.landingFiles} landing files, ${filled.generations} generations, ${filled.replaced} replaced`,
  );

  const container = join(folder, 'container');
  await downloadAll(store.container, container);
  const scripts = join(folder, 'scripts');
  const everything = { root: `file://${container}`, tenantId: null, landing: true, now: Date.now() };
  const ofSpark = { ...everything, folder: scripts, engine: 'spark' as const };
  const report = await writeHiveScripts(store.container, ofSpark);
  const buildings = places.filter(({ tenantId }) => tenantId === NORTH).map(({ buildingId }) => buildingId);
  const questions = questionsOf(filled, buildings);
  const spark = await runSpark({
    ...{ python, folder: join(folder, 'spark'), progress },
    steps: [
      { name: 'tables', script: join(scripts, 'tables.hql') },
      { name: 'every reading', sql: 'SELECT * FROM atrium.readings' },
      ...questions.map(({ name, script, variables }): SparkStep => {
        return { name, script: join(scripts, script), variables };
      }),
    ],
  });

  const hive = new Map<string, SparkRow[]>();
  if (hiveJars !== null) {
    const tables = join(folder, 'hive4');
    await writeHiveScripts(store.container, { ...everything, folder: tables, engine: 'hive4' });
    const steps = questions
      .filter(({ label }) => label === 'a week')
      .map(({ name, script, variables }) => ({ name, variables, script: join(tables, script) }));
    const asked = { jars: hiveJars, folder: join(folder, 'hive'), tables: join(tables, 'tables.hql'), steps };
    for (const [name, rows] of await runHive(asked)) hive.set(name, rows);
    for (const { name } of steps) if (!hive.has(name)) throw new Error(`Hive did not answer ${name}`);
    progress(`Hive answers ${steps.length} questions`);
  }

  const oracle = await openHiveOracle(container, ERASED);
  ending.push(oracle.stop);
  const analyst = await api.person('analyst', NORTH, 'ANALYST');
  const answers = createHiveAnswers(api, analyst);
  const differences: string[] = [];
  const table: string[][] = [['question', 'Spark', 'Hive', 'DuckDB', 'API', 'differences']];
  const compare = (name: string, ofDuckDb: AnswerRow[], ofApi: AnswerRow[] | null): void => {
    const ofSpark = spark.get(name)!.map(asAnswer);
    const ofHive = hive.get(name)?.map(asAnswer);
    const found = [
      ...differencesOf(name, 'Spark', ofSpark, 'DuckDB', ofDuckDb),
      ...(ofHive === undefined ? [] : differencesOf(name, 'Hive', ofHive, 'DuckDB', ofDuckDb)),
      ...(ofApi === null ? [] : differencesOf(name, 'Spark', ofSpark, 'the API', ofApi)),
    ];
    if (ofSpark.length === 0) found.push(`${name}: no rows at all prove nothing`);
    differences.push(...found);
    const counts = [
      ofSpark.length,
      ofHive?.length ?? '-',
      ofDuckDb.length,
      ofApi?.length ?? '-',
      found.length,
    ];
    table.push([name, ...counts.map(String)]);
  };
  const curatedAndLanded = spark.get('every reading')!;
  compare('every reading', await oracle.readings(), null);
  for (const { name, asked } of questions) {
    if (asked.kind === 'events by device') {
      compare(name, await oracle.eventsByDevice(asked), await answers.eventsByDevice(buildings, asked));
    } else if (asked.kind === 'hourly averages') {
      compare(
        name,
        await oracle.hourlyAverages(asked),
        await answers.hourlyAverages(buildings, QUANTITY, asked),
      );
    } else {
      compare(name, await oracle.excursions(asked), await answers.excursions(asked));
    }
  }
  for (const line of aligned(table)) progress(line);
  return {
    counts: {
      'landing files': filled.landingFiles,
      'generations published': report.generations,
      'generations replaced, not to be read': filled.replaced,
      'hours of the landing': report.landingHours,
      'readings of all tenants': curatedAndLanded.length,
      'questions asked of Spark, DuckDB and the API': questions.length,
      'questions asked of Hive too': hive.size,
      'rows compared': [...spark.values()].reduce((sum, rows) => sum + rows.length, 0),
    },
    differences,
  };
}

/** Instants as milliseconds; the columns that only sort the store into partitions are left out. */
function asAnswer({ month: _month, period: _period, ...row }: SparkRow): AnswerRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' && name.endsWith('_at') ? Date.parse(value) : value,
    ]),
  );
}

/** Rows that stand in one answer more often than in the other. */
function differencesOf(
  name: string,
  one: string,
  rows: AnswerRow[],
  other: string,
  others: AnswerRow[],
): string[] {
  const balance = new Map<string, number>();
  for (const row of rows) balance.set(canonical(row), (balance.get(canonical(row)) ?? 0) + 1);
  for (const row of others) balance.set(canonical(row), (balance.get(canonical(row)) ?? 0) - 1);
  return [...balance].flatMap(([row, count]) =>
    count === 0 ? [] : [`${name}: only ${count > 0 ? one : other} has ${row}`],
  );
}

function canonical(row: AnswerRow): string {
  const columns = Object.entries(row).filter(([, value]) => value !== null);
  return JSON.stringify(columns.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function aligned(table: readonly string[][]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}
