import { BlobServiceClient } from '@azure/storage-blob';
import { createSweeper } from '../../src/analytics/curation/sweeper';
import { createTenantCuration } from '../../src/analytics/curation/tenant';
import { createLandingKeeper } from '../../src/analytics/curation/landing-keeper';
import { createCuratedFiles } from '../../src/store/curated-files';
import { type ErasureDocument, type ErasureStep } from '../../src/store/erasure/documents';
import { createErasures } from '../../src/store/erasure/erasures';
import { createManifests } from '../../src/store/manifests';
import { startBlobProxy } from '../support/blob-proxy';
import { logger, tapped } from '../store/store.support';
import { type Account, DAY, type House, type Household, startAccount, startHouse } from './erasure.support';

const HOUR = 3_600_000;
/** It begins with the id of the tenant that is erased. */
const OTHER = 'ten_gone_not';

describe('erasing a tenant', () => {
  let account: Account;
  let house: House;
  beforeAll(async () => {
    account = await startAccount();
  });
  afterAll(() => account.stop());
  beforeEach(async () => {
    house = await startHouse(account);
  });
  afterEach(() => house.stop());

  /** As the tests look for them, without what the platform knows. */
  const namesOf = ({ tenantId, buildingId, spaceIds, devices }: Household): (string | RegExp)[] => [
    new RegExp(`${tenantId}(?!_not)`),
    buildingId,
    ...spaceIds,
    ...devices.flatMap(({ device }) => [device.id, device.assignments[0]!.pointId]),
  ];
  const request = (tenantId: string) => createErasures({ cosmos: house.store.cosmos }).request(tenantId);
  const tombstone = async (tenantId: string): Promise<ErasureDocument> =>
    (await house.store.cosmos.read<ErasureDocument>('registry', 'erasures', tenantId))!;
  /** Two tenants in the same files, of which some are curated. */
  const furnish = async (): Promise<{ gone: Household; stays: Household }> => {
    const gone = await house.settle('ten_gone');
    const stays = await house.settle(OTHER);
    await house.land([gone, stays], DAY);
    await house.curate();
    await house.land([gone, stays], DAY + HOUR);
    return { gone, stays };
  };
  /** But for the curated files, which are made anew as the curator comes by. */
  const keptOf = async (tenantId: string): Promise<string[]> =>
    (await house.rowsOf(tenantId)).filter((row) => !row.startsWith('curated'));
  const curatedValues = async (tenantId: string): Promise<number> =>
    (await createManifests(house.cold).read(tenantId))?.value.periods.reduce(
      (sum, { rows }) => sum + rows,
      0,
    ) ?? 0;

  it('leaves nothing of it anywhere, and everything of the other tenant as it was', async () => {
    const { gone, stays } = await furnish();
    expect((await house.traces(namesOf(gone))).length).toBeGreaterThan(60);
    const before = await keptOf(OTHER);

    await request('ten_gone');
    await house.erase('ten_gone');

    expect(await house.traces(namesOf(gone))).toEqual([]);
    expect(await keptOf(OTHER)).toEqual(before);
    expect(await curatedValues(OTHER)).toBe(2 * 3 * stays.devices.length);
    const { state, scan } = await tombstone('ten_gone');
    expect({ state, findings: scan!.findings }).toEqual({ state: 'ERASED', findings: 0 });
    expect(Object.keys(scan!.looked)).toEqual(
      expect.arrayContaining(['registry', 'directory', 'warm', 'recent', 'alerts', 'deadletters']),
    );
    expect(scan!.looked[`blob ${house.cold.containerName}`]!.rows).toBeGreaterThan(0);
  });

  it('keeps the chain of the landing and its counts, so that files are removed in their time', async () => {
    const { gone, stays } = await furnish();
    const container = house.cold;
    const filesOf = async () => {
      const files = [];
      for await (const { name, metadata } of container.listBlobsFlat({
        prefix: 'landing/',
        includeMetadata: true,
      })) {
        files.push({ name, first: metadata!.firstSequence, last: metadata!.lastSequence });
      }
      return files;
    };
    const before = await filesOf();
    await request('ten_gone');
    await house.erase('ten_gone');
    expect(await filesOf()).toEqual(before);
    await house.land([gone, stays], DAY + 2 * HOUR);
    await house.curate();
    expect(await house.traces(namesOf(gone))).toEqual([]);
    const keeper = createLandingKeeper({ logger, container, keepMs: -1 });
    const report = await keeper.keep(new AbortController().signal);
    expect(report).toMatchObject({ disagreements: [], removed: 3 });
  });

  it('lets nothing land that arrives after the tombstone', async () => {
    const { gone, stays } = await furnish();
    await request('ten_gone');
    await house.erase('ten_gone');
    await house.land([gone, stays], DAY + 2 * HOUR);
    await house.land([gone], DAY + 3 * HOUR);
    expect(await house.traces(namesOf(gone))).toEqual([]);
    await house.curate();
    expect(await house.traces(namesOf(gone))).toEqual([]);
    expect(await curatedValues(OTHER)).toBe(3 * 3 * stays.devices.length);
  });

  it('finds by its scan what any step has left, wherever it is', async () => {
    await furnish();
    await request('ten_gone');
    const all: ErasureStep[] = [
      'exports',
      'curated',
      'landing',
      'warm',
      'registry',
      'directory',
      'mentions',
      'snapshots',
    ];
    await house.buildEraser({ leaveOut: all }).run();
    const { state, scan } = await tombstone('ten_gone');
    expect(state).toBe('ERASING');
    const clean = Object.entries(scan!.looked).filter(([, { found }]) => found === 0);
    expect(clean).toEqual([]);
    // One step left out is enough for it not to end.
    await house.buildEraser({ leaveOut: ['landing'] }).run();
    const later = await tombstone('ten_gone');
    expect(later.state).toBe('ERASING');
    const places = later.scan!.examples.map(({ place }) => place.split('/')[0]);
    expect([...new Set(places)].sort()).toEqual(['dead-letters', 'landing']);
  });

  it('ends the same wherever it is killed', async () => {
    const { gone } = await furnish();
    const before = await keptOf(OTHER);
    await request('ten_gone');
    const proxy = await startBlobProxy(house.connectionString);
    const blobs = BlobServiceClient.fromConnectionString(proxy.connectionString, {
      retryOptions: { maxTries: 1 },
    });
    let died = 0;
    // Each life goes on from what the one before has done, and gets a little further in calls to Cosmos and to Blob.
    for (let life = 1; (await tombstone('ten_gone')).state !== 'ERASED'; life++) {
      let left = 2 * life;
      const call = (): boolean => --left < 0;
      const cosmos = tapped(house.store.cosmos, {
        before() {
          if (call()) throw new Error('killed');
        },
      });
      proxy.decide(() => (call() ? 'fail' : 'pass'));
      await house
        .buildEraser({ cosmos, blobs })
        .run()
        .catch(() => undefined);
      died += Number(left < 0);
    }
    await proxy.stop();
    expect(died).toBeGreaterThan(8);
    expect(await house.traces(namesOf(gone))).toEqual([]);
    expect(await keptOf(OTHER)).toEqual(before);
  });

  it('is not undone by curators that are at work meanwhile, nor ends them', async () => {
    const { gone, stays } = await furnish();
    const container = house.cold;
    let over = false;
    const curating = (async () => {
      while (!over) await house.curate();
    })();
    await house.land([gone, stays], DAY + 2 * HOUR);
    await request('ten_gone');
    await house.erase('ten_gone');
    over = true;
    await curating;
    await house.curate();
    expect(await house.traces(namesOf(gone))).toEqual([]);
    expect(await curatedValues(OTHER)).toBe(3 * 3 * stays.devices.length);
    const manifests = createManifests(container);
    const tenants = createTenantCuration({
      ...{ manifests, files: createCuratedFiles(container), graceMs: 0, now: Date.now },
    });
    const sweeper = createSweeper({ logger, container, tenants, graceMs: 0 });
    await sweeper.sweep(new AbortController().signal);
    expect(await manifests.standing('ten_gone')).toMatchObject({ erased: true, manifest: null });
  });

  it('takes its ids out of what is another’s: a device that was handed over keeps its data, and not where it was', async () => {
    const { gone, stays } = await furnish();
    const { cosmos } = house.store;
    const device = { ...stays.devices[0]!.device };
    const [assignment] = device.assignments;
    const former = {
      ...assignment!,
      tenantId: 'ten_gone',
      buildingId: gone.buildingId,
      pointId: 'pnt_x',
      to: 1,
    };
    await cosmos.bulkUpsert('registry', [
      {
        ...device,
        assignments: [former, assignment!],
        manufacturerId: 'ten_gone',
        transfer: { id: 'trf_1', to: 'ten_gone', at: 1, expiresAt: 2 },
      },
      {
        ...{ id: 'aud_x', type: 'audit', buildingId: stays.buildingId, tenantId: OTHER },
        after: { from: 'ten_gone', others: [OTHER] },
      },
    ] as never);
    await request('ten_gone');
    await house.erase('ten_gone');
    const read = <T extends object>(id: string) => cosmos.read<T>('registry', stays.buildingId, id);
    expect(await read(device.id)).toMatchObject({
      assignments: [assignment],
      manufacturerId: null,
      transfer: null,
    });
    expect(await read('aud_x')).toMatchObject({ after: { from: 'erased', others: [OTHER] } });
    expect(await house.traces(namesOf(gone))).toEqual([]);
  });
});
