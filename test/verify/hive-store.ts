import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ContainerClient } from '@azure/storage-blob';
import { MANIFEST_SCHEMA } from '../../src/domain/curated';
import { generationFolder, partPath } from '../../src/store/curated-path';
import { createManifests } from '../../src/store/manifests';
import { type ColdStore } from '../analytics/cold-store';
import { filesOf } from '../analytics/random-arrivals';
import { DAY, hiveArrivals, type Place } from './hive-arrivals';

export const ERASED = 'ten_gone';
const EVENTS_A_FILE = 200;

/** What was asked for, and what it came to. */
export interface HiveStore {
  /** A week whose last two days have landed and are not curated, and some days of a month that ended long ago. */
  week: { from: number; to: number };
  before: { from: number; to: number };
  landingFiles: number;
  generations: number;
  replaced: number;
}

/**
 * Lands and curates by the worker's encoder and the curator: several tenants, periods in their second generation, of a day
 * and of a month; and what no reader may look at: generations that were replaced or never published, the readings of an
 * erased tenant, and a late writer's file beside the chain.
 */
export async function fillHiveStore(options: {
  store: ColdStore;
  places: readonly Place[];
  now: number;
}): Promise<HiveStore> {
  const { store, now } = options;
  const { container } = store;
  const places = [...options.places, { tenantId: ERASED, buildingId: 'bld_gone', spaceId: 'spc_gone' }];
  const today = Math.floor(now / DAY) * DAY;
  const week = { from: today - 7 * DAY, to: today };
  const before = { from: today - 75 * DAY, to: today - 71 * DAY };
  const manifests = createManifests(container);
  await manifests.publish(
    {
      ...{ schema: MANIFEST_SCHEMA, tenantId: ERASED, version: 1, publishedAt: now, erasedAt: now },
      ...{ periods: [], positions: [], retired: [] },
    },
    null,
  );
  const files = filesOf(
    hiveArrivals({ places, spans: [before, week], reborn: week.from + 3 * DAY, seed: 1 }),
    EVENTS_A_FILE,
  );
  const until = (at: number) => files.filter((file) => file[0]!.enqueuedAt < at);
  let landed = 0;
  for (const [at, curate] of [
    [week.from + 4 * DAY, true],
    [week.from + 5 * DAY, true],
    [Infinity, false],
  ] as const) {
    const due = until(at);
    for (const file of due.slice(landed)) await store.land(file);
    landed = due.length;
    if (curate) await store.curate({ months: true, fileRows: 3_000 });
  }
  await strayFiles(store, files, week.from + 5 * DAY);

  let generations = 0;
  let replaced = 0;
  for await (const tenantId of manifests.tenants()) {
    const manifest = (await manifests.read(tenantId))!.value;
    generations += manifest.periods.length;
    replaced += manifest.retired.length;
    const [period] = manifest.periods;
    if (period === undefined) continue;
    // As a curator leaves it that dies before it publishes.
    const folder = generationFolder({ tenantId, period: period.period, generation: 99, token: 'left' });
    await copy(container, period.files[0]!.name, partPath(folder, 0));
  }
  return { week, before, landingFiles: files.length, generations, replaced };
}

/** A file of a writer who did not know yet that the file before had been written, and wrote on. */
async function strayFiles(
  store: ColdStore,
  files: ReturnType<typeof filesOf>,
  curatedTo: number,
): Promise<void> {
  for (const partition of [0, 1]) {
    const own = files.filter((file) => file[0]!.partition === partition);
    const behind = own.findIndex((file) => file[0]!.enqueuedAt >= curatedTo);
    const last = own[behind - 1]?.at(-1);
    if (last === undefined || last.incarnation !== own[behind]![0]!.incarnation) continue;
    if (last === own[behind - 1]![0]) continue;
    await store.land([last, ...own[behind]!.slice(0, 3)]);
  }
}

async function copy(container: ContainerClient, from: string, to: string): Promise<void> {
  const content = await container.getBlobClient(from).downloadToBuffer();
  await container.getBlockBlobClient(to).upload(content, content.length);
}

/** Everything as files, under the names of the container. */
export async function downloadAll(container: ContainerClient, folder: string): Promise<number> {
  let count = 0;
  for await (const { name } of container.listBlobsFlat()) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await container.getBlobClient(name).downloadToFile(path);
    count++;
  }
  return count;
}
