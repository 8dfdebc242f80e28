import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { questionScripts, questionsFolder, TABLES_SCRIPT, writeHiveScripts } from '../../src/analytics/hive';
import { ENGINES } from '../../src/analytics/hive/dialect';
import { type ScriptOptions, tablesScript } from '../../src/analytics/hive/scripts';
import { MANIFEST_SCHEMA } from '../../src/domain/curated';
import { type Reading } from '../../src/domain/reading';
import { generationFolder, partPath } from '../../src/store/curated-path';
import { createManifests } from '../../src/store/manifests';
import { buildReading } from '../support/readings';
import { type ColdStore, type ColdStores, startColdStores } from './cold-store';

const ROOT = 'abfss://CONTAINER@ACCOUNT.dfs.core.windows.net';
const LIFE = '1794000000000-2';
const HOUR = 3_600_000;
const START = Date.parse('2026-10-30T00:00:00Z');
const TENANTS = ['ten_a', 'ten_b'] as const;

async function scriptOf(store: ColdStore, options: Partial<ScriptOptions> = {}): Promise<string> {
  const all: ScriptOptions = {
    engine: 'spark',
    root: ROOT,
    tenantId: null,
    landing: true,
    now: START,
    ...options,
  };
  let text = '';
  for await (const piece of tablesScript(store.container, all)) text += piece;
  return text;
}

/** The folders that a table's partitions are in, in the container. */
function locations(script: string, table: string): string[] {
  const statements = script.match(new RegExp(`ALTER TABLE ${table} ADD[^;]*;`, 'g')) ?? [];
  return statements.flatMap((statement) =>
    [...statement.matchAll(new RegExp(`LOCATION '${ROOT}/([^']+)'`, 'g'))].map(([, folder]) => `${folder}/`),
  );
}

describe('scripts for Hive and Spark', () => {
  let stores: ColdStores;
  let store: ColdStore;
  let folder: string;
  let sequence = 0;
  /** Lands a file of the readings that each tenant has of these instants, enqueued an hour after the last. */
  const land = async (...instants: number[]): Promise<void> => {
    const readings: Reading[] = TENANTS.flatMap((tenantId, i) =>
      instants.map((observedAt) =>
        buildReading({ tenantId, buildingId: `bld_${i}`, pointId: `pnt_${i}`, observedAt }),
      ),
    );
    const enqueuedAt = Math.max(...instants) + HOUR;
    await store.land([{ incarnation: LIFE, partition: 0, sequence: sequence++, enqueuedAt, readings }]);
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-scripts-'));
    stores = await startColdStores();
    store = await stores.next();
    await land(START, START + 25 * HOUR);
    await store.curate();
    await land(START + HOUR);
    await store.curate();
    await land(START + 26 * HOUR);
  });
  afterAll(async () => {
    await stores.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const published = async (tenants: readonly string[]): Promise<string[]> => {
    const manifests = createManifests(store.container);
    const all = await Promise.all(tenants.map(async (each) => (await manifests.read(each))!.value));
    expect(all.every(({ retired }) => retired.length > 0)).toBe(true);
    return all.flatMap(({ periods }) => periods.map((period) => period.folder)).sort();
  };

  it('name each generation that is published once, and none that was replaced or never published', async () => {
    const [abandoned] = await published(['ten_a']);
    const left = generationFolder({ tenantId: 'ten_a', period: '2026-10-30', generation: 9, token: 'left' });
    const file = await store.container.getBlobClient(partPath(abandoned!, 0)).downloadToBuffer();
    await store.container.getBlockBlobClient(partPath(left, 0)).upload(file, file.length);
    const live = await published(TENANTS);
    expect(live).toHaveLength(4);
    expect(locations(await scriptOf(store), 'curated').sort()).toEqual(live);
  });

  it('name of the landing the hours that hold what is not curated, once', async () => {
    expect(locations(await scriptOf(store), 'landing')).toEqual([
      `landing/${LIFE}/p=00/dt=2026-10-31/hr=03/`,
    ]);
    expect(await scriptOf(store)).toContain(
      `named_struct('tenant', '*', 'life', '${LIFE}', 'part', 0, 'through', 1L)`,
    );
  });

  it('of one tenant name no other, and without the landing nothing of it', async () => {
    const own = await scriptOf(store, { tenantId: 'ten_b' });
    expect(locations(own, 'curated').sort()).toEqual(await published(['ten_b']));
    expect(own).not.toMatch(/\bten_a\b/);
    expect(own).toContain(`l.tenant_id = 'ten_b'`);
    const curated = await scriptOf(store, { tenantId: 'ten_b', landing: false });
    expect(locations(curated, 'curated').sort()).toEqual(await published(['ten_b']));
    expect(curated).not.toMatch(/(ADD|EXTERNAL|FROM|JOIN) landing/);
  });

  it('say of a tenant whose curation is ahead how far it is, and leave the readings of an erased one out', async () => {
    const other = await stores.next();
    const manifests = createManifests(other.container);
    const manifest = { schema: MANIFEST_SCHEMA, version: 1, publishedAt: START, periods: [], retired: [] };
    const position = { incarnation: LIFE, partition: 1, sequence: 7, landed: 0, curated: 0, duplicates: 0 };
    const positions = [{ ...position, dropped: 0 }];
    await manifests.publish({ ...manifest, tenantId: 'ten_ahead', positions }, null);
    await manifests.publish({ ...manifest, tenantId: 'ten_gone', positions: [], erasedAt: START }, null);
    const script = await scriptOf(other);
    expect(script).toContain(
      `named_struct('tenant', 'ten_ahead', 'life', '${LIFE}', 'part', 1, 'through', 7L)`,
    );
    expect(script).toContain(`l.tenant_id NOT IN ('ten_gone')`);
  });

  it('are written beside the questions, and a script that was there stays where one cannot be written', async () => {
    const options = {
      folder,
      engine: 'spark' as const,
      root: ROOT,
      tenantId: null,
      landing: true,
      now: START,
    };
    const report = await writeHiveScripts(store.container, options);
    expect(report).toEqual({ tenants: 2, generations: 4, landingHours: 1 });
    const written = (await readdir(folder)).sort();
    expect(written).toEqual([...(await questionScripts()), TABLES_SCRIPT].sort());
    const before = await readFile(join(folder, TABLES_SCRIPT), 'utf8');
    expect(before).toBe(await scriptOf(store));
    await expect(writeHiveScripts(store.container, { ...options, root: `file:///a'b` })).rejects.toThrow(
      RangeError,
    );
    expect(await readFile(join(folder, TABLES_SCRIPT), 'utf8')).toBe(before);
    expect((await readdir(folder)).sort()).toEqual(written);
  });

  it.each(ENGINES)('of an empty store for %s are the template that is shipped', async (engine) => {
    const path = join(questionsFolder(), 'templates', `tables.${engine}.hql`);
    const script = await scriptOf(await stores.next(), { engine });
    // Written anew by UPDATE_TEMPLATES=1.
    if (process.env.UPDATE_TEMPLATES === '1') await writeFile(path, script);
    expect(await readFile(path, 'utf8')).toBe(script);
  });

  it('of questions explain each variable that they use', async () => {
    const questions = await questionScripts();
    expect(questions).toEqual(['events-by-device.hql', 'excursions.hql', 'hourly-averages.hql']);
    for (const question of questions) {
      const text = await readFile(join(questionsFolder(), question), 'utf8');
      const comments = text.split('\n').filter((line) => line.startsWith('--'));
      // Some shells end a statement at a semicolon, or begin a text at a quote, also in a comment.
      expect(comments.join('\n')).not.toMatch(/[;'"]/);
      for (const [, name] of text.matchAll(/\$\{hivevar:(\w+)\}/g)) {
        expect(comments.some((line) => new RegExp(`^-- (\\w+, )*${name}\\b`).test(line))).toBe(true);
      }
    }
  });
});
