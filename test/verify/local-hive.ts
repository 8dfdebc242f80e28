import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { inheritedVariables } from '../../src/config/environment';
import { installStep, type SparkRow } from './spark';

export const HIVE = '4.0.1';

const NEEDED = [
  ['org.apache.hive', 'hive-cli', HIVE],
  ['org.apache.hive', 'hive-exec', HIVE],
  ['org.apache.hive', 'hive-standalone-metastore-server', HIVE],
  ['org.apache.tez', 'tez-dag', '0.10.4'],
  ['org.apache.hadoop', 'hadoop-client', '3.3.6'],
  ['org.apache.hadoop', 'hadoop-hdfs', '3.3.6'],
] as const;

/** A second logger, and an older Hadoop whole in one jar, that come along and stand in the way. */
const IN_THE_WAY = /^(slf4j-reload4j|reload4j|hadoop-client-api)-/;

/** Hive is made for Java 8 and looks into what later ones keep closed. */
const OPENED = [
  ...[
    'lang',
    'lang.reflect',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
    'util.regex',
    'net',
    'nio',
    'io',
  ],
  ...['time', 'time.zone', 'text'],
].map((name) => `java.base/java.${name}=ALL-UNNAMED`);

/** One question: a script and what its variables are. */
export interface HiveStep {
  name: string;
  script: string;
  variables: Record<string, string>;
}

/**
 * The jars of Hive and Hadoop: installed once, by Maven, into `.cache/` of the working folder.
 * @returns the folder that holds them.
 * @throws OperatorError that says what could not be installed.
 */
export async function installHive(progress: (line: string) => void): Promise<string> {
  const folder = resolve('.cache', `hive-${HIVE}`);
  const jars = join(folder, 'lib');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return jars;
  await rm(folder, { recursive: true, force: true });
  await mkdir(jars, { recursive: true });
  progress(`installing Hive ${HIVE} into ${folder}: 400 MB`);
  const dependencies = NEEDED.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  const pom = join(folder, 'pom.xml');
  await writeFile(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>local</groupId>
<artifactId>hive</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>`,
  );
  const copy = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
  await installStep('mvn', copy, `Hive ${HIVE} (mvn)`);
  for (const jar of await readdir(jars)) if (IN_THE_WAY.test(jar)) await rm(join(jars, jar));
  await writeFile(complete, '');
  return jars;
}

/** Makes the tables and asks the questions, in one process with a metastore of its own; the rows of each by its name. */
export async function runHive(options: {
  jars: string;
  /** For the metastore and all that Hive writes. */
  folder: string;
  tables: string;
  steps: readonly HiveStep[];
}): Promise<Map<string, SparkRow[]>> {
  const { jars, folder, tables, steps } = options;
  const configuration = join(folder, 'conf');
  await mkdir(configuration, { recursive: true });
  await writeFile(join(configuration, 'hive-site.xml'), siteOf(folder));
  const script = join(folder, 'all.hql');
  const parts = await Promise.all(
    steps.map(async ({ name, script: path, variables }) => [
      ...Object.entries(variables).map(([variable, value]) => `SET hivevar:${variable}=${value};`),
      `SELECT '${MARK}${name}';`,
      await readFile(path, 'utf8'),
    ]),
  );
  await writeFile(script, [await readFile(tables, 'utf8'), ...parts.flat()].join('\n'));
  const child = spawn(
    'java',
    [
      ...['-Xmx1g', '-Duser.timezone=UTC', ...OPENED.flatMap((each) => ['--add-opens', each])],
      ...['-cp', `${configuration}:${jars}/*`, 'org.apache.hadoop.hive.cli.CliDriver'],
      ...['--hiveconf', 'hive.root.logger=ERROR,console', '-f', script],
    ],
    { cwd: folder, env: inheritedVariables(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // Others work on this machine too.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let output = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-6_000)));
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  if (code !== 0) throw new Error(`Hive ended with ${code}:\n${said}`);
  return rowsOf(output);
}

const MARK = '=== ';

/** Tables with their headers, each behind a table of one cell that names it. */
function rowsOf(output: string): Map<string, SparkRow[]> {
  const answers = new Map<string, SparkRow[]>();
  let rows: SparkRow[] | undefined;
  let header: string[] | undefined;
  for (const line of output.split('\n')) {
    if (line.startsWith(MARK)) {
      rows = [];
      header = undefined;
      answers.set(line.slice(MARK.length), rows);
    } else if (line === '' || line === '_c0' || rows === undefined) {
      continue;
    } else if (header === undefined) {
      header = line.split('\t');
    } else {
      const cells = line.split('\t');
      rows.push(Object.fromEntries(header.map((name, i) => [name, valueOf(name, cells[i]!)])));
    }
  }
  return answers;
}

function valueOf(name: string, cell: string): string | number {
  if (name.endsWith('_at')) return `${cell.replace(' ', 'T')}Z`;
  return /^-?\d+(\.\d+)?(E-?\d+)?$/.test(cell) ? Number(cell) : cell;
}

function siteOf(folder: string): string {
  const settings: Record<string, string> = {
    'javax.jdo.option.ConnectionURL': `jdbc:derby:;databaseName=${folder}/metastore;create=true`,
    'datanucleus.schema.autoCreateAll': 'true',
    'hive.metastore.schema.verification': 'false',
    'hive.metastore.event.db.notification.api.auth': 'false',
    'hive.notification.event.poll.interval': '0s',
    'hive.metastore.warehouse.dir': `file://${folder}/warehouse`,
    'hive.metastore.warehouse.external.dir': `file://${folder}/external`,
    'hive.exec.scratchdir': `${folder}/scratch`,
    'hive.exec.local.scratchdir': `${folder}/local`,
    'hadoop.tmp.dir': `${folder}/hadoop`,
    'fs.defaultFS': 'file:///',
    'hive.execution.engine': 'mr',
    'mapreduce.framework.name': 'local',
    'hive.exec.mode.local.auto': 'true',
    'hive.exec.submit.local.task.via.child': 'false',
    'hive.auto.convert.join': 'false',
    'hive.support.concurrency': 'false',
    'hive.txn.manager': 'org.apache.hadoop.hive.ql.lockmgr.DummyTxnManager',
    'hive.stats.autogather': 'false',
    'hive.cli.print.header': 'true',
  };
  const properties = Object.entries(settings).map(
    ([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`,
  );
  return `<configuration>\n${properties.join('\n')}\n</configuration>\n`;
}
