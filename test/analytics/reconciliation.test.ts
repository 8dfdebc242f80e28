import { type ContainerClient } from '@azure/storage-blob';
import { createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { createCurator } from '../../src/analytics/curation/curator';
import { createLandingKeeper } from '../../src/analytics/curation/landing-keeper';
import { createReconciliation } from '../../src/analytics/reconciliation';
import { type PartitionEnd } from '../../src/analytics/reconciliation/partition';
import { type Entitlement, tenantScope } from '../../src/auth/scope';
import { hourOfInstant, HOUR_MS } from '../../src/domain/ingestion';
import { partitionOf } from '../../src/domain/partition';
import { createAcceptedCounts } from '../../src/gateway/accepted-counts';
import { createIngestWorker } from '../../src/ingest/worker';
import { createMetrics } from '../../src/observability/metrics';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';
import { createAcceptedWriter } from '../../src/store/ingestion/accepted-writer';
import { ledgerKey } from '../../src/store/ingestion/documents';
import { createIngestionReports, type IngestionHour } from '../../src/store/ingestion/report';
import { createManifests } from '../../src/store/manifests';
import { readStreamEnds } from '../../src/stream/stream-ends';
import { type House, startHouse } from '../dead-letters/house';
import { HUB } from '../gateway/gateway.support';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import { logger, principal, tapped } from '../store/store.support';
import { type Arrival, type ColdStore, type ColdStores, startColdStores } from './cold-store';

/** Hours and graces are over by then. */
const later = (): number => Date.now() + 2 * HOUR_MS;

const build = (options: {
  cosmos: Cosmos;
  container: ContainerClient;
  streamEnds: () => Promise<readonly PartitionEnd[]>;
  now?: () => number;
}) => {
  const metrics = createMetrics({ process: 'jobs' });
  const reconciliation = createReconciliation({ logger, metrics, everyMs: 60_000, now: later, ...options });
  const value = async (name: string, labels: object): Promise<number | undefined> => {
    const found = (await metrics.getMetricsAsJSON()).find((each) => each.name === name);
    return found?.values.find((each) =>
      Object.entries(labels).every(([label, is]) => (each.labels as Record<string, unknown>)[label] === is),
    )?.value;
  };
  return { ...reconciliation, value };
};

/** The hours added up: a test may run across the end of one. */
const total = (hours: readonly IngestionHour[]) => {
  const sum = { accepted: 0, refused: 0, landed: 0, tooLate: 0, curated: 0, repeated: 0, dead: 0 };
  const balance = { inFlight: 0, notYetCurated: 0, untold: 0, unexplained: 0 };
  for (const { counts, balance: each } of hours) {
    const { dead, unanswered: _, dropped: _d, ...numbers } = counts;
    for (const [name, count] of Object.entries(numbers)) sum[name as keyof typeof sum] += count;
    for (const count of Object.values(dead)) sum.dead += count;
    balance.inFlight += each.inFlight;
    balance.notYetCurated += each.notYetCurated;
    balance.untold += each.untold;
    balance.unexplained += each.lost + each.lettersLost + each.uncurated;
  }
  return { ...sum, ...balance };
};

describe('what became of every reading, from the device to the curated store', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house.stop());

  const curate = (container: ContainerClient) =>
    createCurator({ logger, container }).curate(AbortSignal.timeout(60_000));

  it('tells of readings, repeats, late ones and dead letters where they are, at each stage', async () => {
    const scope = await house.member('owner', 'ten_whole');
    const { device } = await house.provision(scope);
    const container = house.blobs.getContainerClient('whole');
    const reconciliation = build({
      cosmos: house.store.cosmos,
      container,
      streamEnds: () => readStreamEnds(house.namespace, HUB),
    });
    const report = async () => {
      await reconciliation.reconcile();
      const range = { from: Date.now() - 24 * HOUR_MS, to: later() };
      return house.store.registry.ingestionReport(scope, 'ten_whole', range);
    };
    const at = Date.now() - 600_000;
    const send = async (observedAt: number, temperature: number, url?: string): Promise<void> => {
      const status = await house.post(
        device,
        { temperature, observedAt: new Date(observedAt).toISOString() },
        {},
        url,
      );
      expect(status).toBeLessThan(500);
    };
    for (let i = 0; i < 10; i++) await send(at + i * 1000, 20 + i);
    for (let i = 0; i < 4; i++) await send(at + i * 1000, 20 + i);
    for (let i = 0; i < 3; i++) await send(at - 3 * 86_400_000 - i * 1000, 19);
    for (let i = 0; i < 2; i++) await send(at + i, 4_000);
    await house.post(device, 'no JSON at all');

    // No ingest worker runs yet.
    await eventually(async () =>
      expect(total(await report())).toMatchObject({ accepted: 17, refused: 3, landed: 0, inFlight: 17 }),
    );
    expect(total(await report())).toMatchObject({ unexplained: 0 });

    const worker = createIngestWorker({
      ...{ logger, metrics: createMetrics({ process: 'ingest' }), namespace: house.namespace },
      ...{ blobs: house.blobs, container: 'whole', identifier: 'ingest-0', flush: { milliseconds: 100 } },
    });
    await worker.start();
    try {
      await eventually(async () =>
        expect(total(await report())).toEqual({
          ...{ accepted: 17, refused: 3, landed: 17, tooLate: 3, dead: 3, curated: 0, repeated: 0 },
          ...{ inFlight: 0, notYetCurated: 17, untold: 0, unexplained: 0 },
        }),
      );
      await curate(container);
      const hours = await report();
      expect(total(hours)).toEqual({
        ...{ accepted: 17, refused: 3, landed: 17, tooLate: 3, dead: 3, curated: 13, repeated: 4 },
        ...{ inFlight: 0, notYetCurated: 0, untold: 0, unexplained: 0 },
      });
      expect(hours.every(({ settled }) => settled)).toBe(true);
      const codes = Object.assign({}, ...hours.map(({ counts }) => counts.dead)) as object;
      expect(codes).toEqual({ VALUE_OUT_OF_RANGE: 2, PAYLOAD_INVALID: 1 });
      expect(await reconciliation.value('atrium_platform_alert', { kind: 'readings_unexplained' })).toBe(0);

      // A channel that has no place yet, and has one when the letter is replayed.
      const { buildingId, id } = device.device;
      const jobs = await house.startJobs();
      await house.post(device, { humidity: 41, observedAt: new Date(at).toISOString() });
      await eventually(async () => expect(await house.letters(scope, buildingId)).toHaveLength(4));
      await house.change(buildingId, id, (each) => ({
        ...each,
        assignments: [
          ...each.assignments,
          { ...each.assignments[0]!, channel: 'humidity', pointId: 'pnt_humidity', pointOrdinal: 9 },
        ],
      }));
      const { job } = await house.replay(scope, buildingId, { code: 'UNKNOWN_CHANNEL' });
      expect(job.failed).toBe(0);
      await jobs.stop();
      await eventually(async () =>
        expect(total(await report())).toMatchObject({ accepted: 18, refused: 4, landed: 18, dead: 4 }),
      );
      expect(total(await report())).toMatchObject({ untold: 0, unexplained: 0 });

      // A gateway that is killed before it tells: what it acknowledged is there, and no loss.
      const killed = await house.startGateway({ write: () => Promise.reject(new Error('killed')) });
      for (let i = 20; i < 25; i++) await send(at + i * 1000, 21, killed.url);
      await eventually(async () => expect(total(await report()).landed).toBe(23));
      expect(total(await report())).toMatchObject({ accepted: 18, untold: 5, unexplained: 0, inFlight: 0 });
    } finally {
      await worker.stop();
    }
  });

  it('says what was expected of devices by the time they had a place and their intervals', async () => {
    const scope = await house.member('planner', 'ten_expected');
    const { buildingId, devices } = await house.provision(scope, 'thermometer', 3);
    const hour = hourOfInstant(Date.now()) - 2;
    const active = { state: 'ACTIVE' as const };
    // One all the time, one each ten seconds from the middle of the hour on, and one that never sent.
    const ids = devices.map(({ device }) => device.id);
    const since = hour * HOUR_MS;
    await house.change(buildingId, ids[0]!, (each) => ({ ...each, ...active, activatedAt: since - 1 }));
    await house.change(buildingId, ids[1]!, (each) => ({
      ...{ ...each, ...active, activatedAt: since + HOUR_MS / 2, intervalSeconds: 10 },
    }));
    const counts = createAcceptedCounts({
      logger,
      writer: createAcceptedWriter({ cosmos: house.store.cosmos }),
      partitionCount: () => 2,
    });
    const reading = buildReading({ tenantId: 'ten_expected', buildingId, receivedAt: since + 1 });
    counts.accepted([reading], []);
    await counts.stop();
    const progress = { id: 'progress', key: 'progress', rootVersion: 0, expectedHour: hour - 1 };
    const ledgers = [0, 1].map((partition) => ({ id: 'ledger', key: ledgerKey(partition) }));
    const fresh = { lives: {}, open: [], lookedAt: since };
    await house.store.cosmos.bulkUpsert('ingestion', [
      progress,
      ...ledgers.map((each) => ({ ...each, ...fresh })),
    ]);
    await build({
      cosmos: house.store.cosmos,
      container: house.blobs.getContainerClient('expected'),
      streamEnds: () => Promise.resolve([0, 1].map((partition) => ({ ...LIFE, partition, lastSequence: 0 }))),
    }).reconcile();
    const range = { from: since, to: since + HOUR_MS };
    const [found] = await house.store.registry.ingestionReport(scope, 'ten_expected', range);
    expect(found).toMatchObject({ from: since, expected: 60 + 180 });
    expect(found!.partitions.map(({ partition }) => partition)).toEqual([partitionOf(buildingId, 2)]);
  });
});

const LIFE = { incarnation: '1790000000000-1' };
const TENANTS = ['ten_a', 'ten_b'];
/** The last half minute of an hour three days ago. */
const EDGE = (hourOfInstant(Date.now()) - 72) * HOUR_MS - 30_000;

describe('the sums of each hour', () => {
  let stores: ColdStores;
  const emulator = createCosmosEmulator({ logger, sync: false });
  let account: { endpoint: string; key: string };
  const clients: Cosmos[] = [];
  beforeAll(async () => {
    stores = await startColdStores();
    account = await emulator.start();
  });
  afterAll(async () => {
    for (const each of clients) each.stop();
    await stores.stop();
    await emulator.stop();
  });

  /** A cold store, and a gateway's counts beside it; `send` counts and keeps what `land` lands. */
  const begin = async (now?: () => number) => {
    const cold: ColdStore = await stores.next();
    const cosmos = createCosmos(account, `reports-${clients.length}`);
    clients.push(cosmos);
    await cosmos.ensureContainers();
    const reports = createIngestionReports({ cosmos });
    const counts = createAcceptedCounts({
      logger,
      writer: createAcceptedWriter({ cosmos }),
      partitionCount: () => 1,
    });
    let sequence = 0;
    let arrivals: Arrival[] = [];
    const streamEnds = () => Promise.resolve([{ ...LIFE, partition: 0, lastSequence: sequence - 1 }]);
    return {
      ...{ cold: { ...cold, manifests: createManifests(cold.container) }, cosmos, streamEnds },
      reconciliation: build({ cosmos, container: cold.container, streamEnds, ...(now && { now }) }),
      /** A reading of each tenant, received then. */
      send(receivedAt: number, observedAt = receivedAt - 50) {
        const readings = TENANTS.map((tenantId, i) =>
          buildReading({
            ...{ tenantId, buildingId: `bld_${tenantId}`, pointId: `pnt_${tenantId}`, pointOrdinal: i },
            ...{ receivedAt, observedAt },
          }),
        );
        counts.accepted(readings, []);
        arrivals.push({ ...LIFE, partition: 0, sequence, enqueuedAt: receivedAt + 5, readings });
        sequence++;
      },
      async land() {
        // A landing file holds one hour of enqueued time.
        for (const hour of new Set(arrivals.map(({ enqueuedAt }) => hourOfInstant(enqueuedAt)))) {
          await cold.land(arrivals.filter(({ enqueuedAt }) => hourOfInstant(enqueuedAt) === hour));
        }
        arrivals = [];
        await counts.stop();
      },
      report: (tenantId = 'ten_a', as: Partial<Entitlement> = {}) =>
        reports.ingestionReport(
          tenantScope(principal('somebody'), [
            { tenantId, buildingId: null, quantities: null, role: 'OWNER', until: null, ...as },
          ]),
          tenantId,
          { from: EDGE - HOUR_MS, to: later() },
        ),
    };
  };

  it('stand on the side of the hour in which a gateway received the reading, each tenant’s apart', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    send(EDGE);
    send(EDGE + 29_999);
    send(EDGE + 30_000);
    send(EDGE + 31_000, EDGE - 50);
    await land();
    await cold.curate();
    await reconciliation.reconcile();
    for (const tenantId of TENANTS) {
      const hours = await report(tenantId);
      expect(hours.map(({ from, counts }) => [from, counts.accepted, counts.landed, counts.curated])).toEqual(
        [
          [EDGE + 30_000 - HOUR_MS, 2, 2, 2],
          [EDGE + 30_000, 2, 2, 1],
        ],
      );
      expect(hours[1]!.counts.repeated).toBe(1);
      expect(total(hours).unexplained).toBe(0);
    }
  });

  it('raise an alert while a landing file is missing, and end it when it is back', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    for (let i = 0; i < 3; i++) {
      send(EDGE + i * 1000);
      send(EDGE + i * 1000 + 500);
      await land();
    }
    const [, second] = await namesOf(cold.container);
    const { content, metadata } = await taken(cold.container, second!);
    await reconciliation.reconcile();
    expect(total(await report())).toMatchObject({ accepted: 6, landed: 4, unexplained: 2 });
    const platform = () => reconciliation.value('atrium_platform_alert', { kind: 'readings_unexplained' });
    const missing = () => reconciliation.value('atrium_ingestion_unexplained_readings', { stage: 'landing' });
    expect([await missing(), await platform()]).toEqual([4, 1]);

    await cold.container.getBlockBlobClient(second!).upload(content, content.length, { metadata });
    await reconciliation.reconcile();
    expect(total(await report())).toMatchObject({ accepted: 6, landed: 6, unexplained: 0 });
    expect([await missing(), await platform()]).toEqual([0, 0]);
  });

  it('raise an alert where what was counted as landed was not curated', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    for (let i = 0; i < 3; i++) {
      send(EDGE + i * 1000);
      await land();
    }
    await reconciliation.reconcile();
    await taken(cold.container, (await namesOf(cold.container))[1]!);
    await cold.curate();
    await reconciliation.reconcile();
    expect(total(await report())).toMatchObject({ accepted: 3, landed: 3, curated: 2, unexplained: 1 });
    expect(await reconciliation.value('atrium_ingestion_unexplained_readings', { stage: 'curation' })).toBe(
      2,
    );
  });

  it('call nothing lost before the hour and its grace are over', async () => {
    const { send, land, reconciliation, report } = await begin(() => EDGE + 10_000);
    send(EDGE);
    await land();
    send(EDGE + 1000);
    await reconciliation.reconcile();
    expect(total(await report()).unexplained).toBe(0);
  });

  it('count once, whichever call to the store a run breaks off at', async () => {
    const { send, land, cold, cosmos: whole, streamEnds, reconciliation, report } = await begin();
    await reconciliation.reconcile();
    let sent = 0;
    let calls = Number.POSITIVE_INFINITY;
    for (let at = 1; at <= calls; at++) {
      send(EDGE + at * 1000);
      // Every third is a repeat.
      if (at % 3 === 0) send(EDGE + at * 1000 + 10, EDGE + at * 1000 - 50);
      sent += at % 3 === 0 ? 2 : 1;
      await land();
      if (at % 2 === 0) await cold.curate();
      let broken = false;
      const breaking = (call: number): void => {
        if (call >= at) broken = true;
        if (call >= at) throw new Error('killed');
      };
      const cosmos = tapped(whole, at % 4 < 2 ? { before: breaking } : { after: breaking });
      await build({ cosmos, container: cold.container, streamEnds })
        .reconcile()
        .catch(() => undefined);
      if (!broken) calls = at;
    }
    await cold.curate();
    await reconciliation.reconcile();
    const repeats = Math.floor(calls / 3);
    expect(total(await report())).toMatchObject({
      ...{ accepted: sent, landed: sent, curated: sent - repeats, repeated: repeats },
      ...{ unexplained: 0, notYetCurated: 0, untold: 0 },
    });
    expect(calls).toBeGreaterThan(8);
  });

  it('hold no landing file back once it is counted, and outlast it', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    for (let i = 0; i < 3; i++) {
      send(EDGE + i * 1000);
      await land();
    }
    await cold.curate();
    const keeper = createLandingKeeper({
      ...{ logger, container: cold.container, keepMs: 0 },
      countedThrough: reconciliation.countedThrough,
    });
    const keep = async () => (await keeper.keep(AbortSignal.timeout(60_000))).removed;
    expect([await keep(), await keep()]).toEqual([0, 0]);
    await reconciliation.reconcile();
    expect((await keep()) + (await keep())).toBe(3);
    await reconciliation.reconcile();
    send(EDGE + 10_000);
    await land();
    await cold.curate();
    await reconciliation.reconcile();
    expect(total(await report())).toMatchObject({ accepted: 4, landed: 4, curated: 4, unexplained: 0 });
  });

  it('judge nothing that a release without tallies curated, and everything behind it', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    const before = async (tenantId: string): Promise<void> => {
      // As that release writes it, which leaves alone what it does not know.
      const { value, etag } = (await cold.manifests.read(tenantId))!;
      const { tallies: _, ...rest } = value;
      await cold.manifests.publish({ ...rest, version: rest.version + 1 }, etag);
    };
    send(EDGE);
    await land();
    await cold.curate();
    for (const tenantId of TENANTS) await before(tenantId);
    await reconciliation.reconcile();
    expect(total(await report())).toMatchObject({ landed: 1, curated: 0, notYetCurated: 0, unexplained: 0 });
    send(EDGE + HOUR_MS);
    await land();
    await cold.curate();
    await reconciliation.reconcile();
    const hours = await report();
    expect(hours.map(({ counts }) => [counts.landed, counts.curated])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(total(hours).unexplained).toBe(0);
  });

  it('miss nothing of a tenant that was erased', async () => {
    const { send, land, cold, reconciliation, report } = await begin();
    send(EDGE);
    await land();
    await cold.curate();
    await reconciliation.reconcile();
    const { value, etag } = (await cold.manifests.read('ten_a'))!;
    await cold.manifests.publish({ ...value, version: value.version + 1, erasedAt: Date.now() }, etag);
    send(EDGE + 1000);
    await land();
    await taken(cold.container, (await namesOf(cold.container))[1]!);
    send(EDGE + 2000);
    await land();
    await reconciliation.reconcile();
    expect([total(await report('ten_a')).unexplained, total(await report('ten_b')).unexplained]).toEqual([
      0, 1,
    ]);
    expect(await reconciliation.value('atrium_ingestion_unexplained_readings', { stage: 'landing' })).toBe(1);
  });

  it('are nobody’s but an owner’s or manager’s of the whole tenant', async () => {
    const { send, land, reconciliation, report } = await begin();
    send(EDGE);
    await land();
    await reconciliation.reconcile();
    expect(await report('ten_a', { role: 'MANAGER' })).toHaveLength(1);
    expect(await report('ten_a', { buildingId: 'bld_ten_a' })).toEqual([]);
    expect(await report('ten_a', { quantities: ['AIR_TEMPERATURE'] })).toEqual([]);
    expect(await report('ten_a', { role: 'TECHNICIAN' })).toEqual([]);
    expect(await report('ten_a', { role: 'OPERATOR' })).toEqual([]);
    expect(await report('ten_a', { tenantId: 'ten_b' })).toEqual([]);
  });
});

async function namesOf(container: ContainerClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat({ prefix: 'landing/' })) names.push(name);
  return names.sort();
}

/** Removes a blob as somebody would by hand. */
async function taken(
  container: ContainerClient,
  name: string,
): Promise<{ content: Buffer; metadata: Record<string, string> }> {
  const blob = container.getBlobClient(name);
  const content = await blob.downloadToBuffer();
  const { metadata = {} } = await blob.getProperties();
  await blob.delete();
  return { content, metadata };
}
