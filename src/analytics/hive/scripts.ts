import { type ContainerClient } from '@azure/storage-blob';
import { GRACE_MS } from '../curation/curator';
import { DIALECTS, type EngineName } from './dialect';
import { publishedNow } from './published';
import { curatedView, emptyTables, landedViews, publishedView, throughView } from './tables';

export interface ScriptOptions {
  engine: EngineName;
  /** Where an engine finds the cold store's container, e.g. `abfss://telemetry@example.dfs.core.windows.net`. */
  root: string;
  /** Only this tenant's readings; null: everyone's. */
  tenantId: string | null;
  /** Whether what is not curated yet is read too. The landing holds all tenants: who may not read it says false. */
  landing: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** What stood in the script, and in how many partitions. */
export interface ScriptReport {
  tenants: number;
  generations: number;
  landingHours: number;
}

/** Partitions of one statement: metastores take many at once, and no statement grows with what is stored. */
const PARTITIONS_A_STATEMENT = 200;

/**
 * The script that makes the tables and views over what is published now, piece by piece; memory does not grow with the
 * number of tenants but by those whose curation is ahead of the others'. Its value at the end is the report.
 *
 * @throws RangeError on a root that cannot stand in a script, and what Blob answers.
 */
export async function* tablesScript(
  container: ContainerClient,
  { engine, root, tenantId, landing, now }: ScriptOptions,
): AsyncGenerator<string, ScriptReport> {
  const base = checkedRoot(root);
  const dialect = DIALECTS[engine];
  const report: ScriptReport = { tenants: 0, generations: 0, landingHours: 0 };
  const published = await publishedNow({ container, tenantId });
  yield `-- For ${dialect.title}.\n-- Written by npm run atrium -- hive-scripts over what is published now. Write it anew after each curation.\n\n`;
  yield emptyTables({ dialect, root: base, landing });
  // A generation that is replaced the moment it was read here is kept so long.
  yield publishedView({ writtenAt: now, goodUntil: now + GRACE_MS });

  const location = (folder: string): string =>
    `LOCATION '${base}/${checkedFolder(folder).replace(/\/$/, '')}'`;
  const curated = partitionsOf('curated');
  for await (const { tenantId: tenant, periods } of published.periods()) {
    report.tenants++;
    for (const { period, folder } of periods) {
      report.generations++;
      const values = `tenant = '${tenant}', month = '${period.slice(0, 7)}', period = '${period}'`;
      yield* curated.add(`PARTITION (${values}) ${location(folder)}`);
    }
  }
  yield* curated.end();
  if (!landing) {
    yield curatedView(dialect);
    return report;
  }

  const hours = partitionsOf('landing');
  for await (const { incarnation, partition, date, hour, folder } of published.landing()) {
    report.landingHours++;
    const values = `incarnation = '${incarnation}', stream_partition = ${partition}, dt = '${date}', hr = '${hour}'`;
    yield* hours.add(`PARTITION (${values}) ${location(folder)}`);
  }
  yield* hours.end();
  yield throughView(published.through());
  const erased = published.erased();
  const only = [
    ...(tenantId === null ? [] : [`l.tenant_id = '${tenantId}'`]),
    ...(erased.length === 0 ? [] : [`l.tenant_id NOT IN (${erased.map((each) => `'${each}'`).join(', ')})`]),
  ].join(' AND ');
  yield landedViews({ dialect, only });
  return report;
}

/** Statements that add partitions, so many at a time. Twice the same one is an error to every engine, as it should be. */
function partitionsOf(table: string) {
  let count = 0;
  return {
    *add(partition: string): Generator<string> {
      yield count % PARTITIONS_A_STATEMENT === 0
        ? `${count === 0 ? '' : ';\n'}\nALTER TABLE ${table} ADD\n  ${partition}`
        : `\n  ${partition}`;
      count++;
    },
    *end(): Generator<string> {
      if (count > 0) yield ';\n';
    },
  };
}

function checkedRoot(root: string): string {
  if (!/^[a-z]+:\/\/[A-Za-z0-9@._/:+-]*$/.test(root)) {
    throw new RangeError(
      `the root ${root} is no place like abfss://CONTAINER@ACCOUNT.dfs.core.windows.net or file:///FOLDER`,
    );
  }
  return root.replace(/\/+$/, '');
}

/** Names of the store stand between quotes. */
function checkedFolder(folder: string): string {
  if (!/^[A-Za-z0-9=_./-]+$/.test(folder))
    throw new Error(`the folder ${folder} has no name of the cold store's`);
  return folder;
}
