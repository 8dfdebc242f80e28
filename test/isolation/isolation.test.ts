import { ruleOf, schemaFields } from '../../src/api/rules';
import { type Role } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { hourOfInstant, noCounts } from '../../src/domain/ingestion';
import { type JobKind } from '../../src/domain/job';
import { partitionOf } from '../../src/domain/partition';
import { quantityNamed } from '../../src/domain/quantity';
import { createSchema } from '../../src/resolvers/schema';
import { alertIdOf } from '../../src/store/alerts/alert-id';
import { createAlerting } from '../../src/store/alerts/alerting';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { createColdAccess } from '../../src/store/cold-access/cold-access';
import { createExports } from '../../src/store/exports/exports';
import { type DeviceDocument } from '../../src/store/documents';
import { type HourDocument, hourId, tenantKey } from '../../src/store/ingestion/documents';
import { createJobs } from '../../src/store/jobs/jobs';
import { createRecentWriter } from '../../src/store/recent-writer';
import { type ColdStore, type ColdStores, startColdStores } from '../analytics/cold-store';
import { recentBatches } from '../analytics/recent-batches';
import {
  average,
  buildBuilding,
  freshKey,
  NORTH,
  type Person,
  placeState,
  SOUTH,
  startApi,
  type TestApi,
} from '../api/api.support';
import { deliveriesOf, type DeliveryDocument, deliverySortKey } from '../../src/store/webhooks/documents';
import { createWebhooks } from '../../src/store/webhooks/webhooks';
import { createRaiser, HOT } from '../alerts/alerts.support';
import { fileDeadLetters } from '../dead-letters/letters';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import { type Case, CASES, DOCUMENT, type Rank, ROLES, type Things, type Verdict, WITHOUT_TARGET } from './rights';

/** Everything of an answer that a caller can see or measure, but what differs from call to call anyway. */
interface Observed {
  status: number;
  headers: string[];
  body: string;
  storeCalls: string[];
}

describe('isolation of tenants', () => {
  let api: TestApi;
  let coldStores: ColdStores;
  let cold: ColdStore;
  let north: Things;
  let south: Things;
  let unknown: Things;
  const people = {} as Record<Rank, Person>;
  beforeAll(async () => {
    coldStores = await startColdStores();
    cold = await coldStores.next();
    api = await startApi({ questions: cold.questions });
    const southOwner = await api.person('south', SOUTH, 'OWNER');
    for (const rank of ROLES) {
      people[rank] =
        rank === 'STRANGER'
          ? { subject: 'stranger', token: await api.token('stranger'), scope: undefined! }
          : await api.person(rank.toLowerCase(), NORTH, rank satisfies Role);
    }
    north = await buildThings(people.OWNER, NORTH);
    south = await buildThings(southOwner, SOUTH);
    unknown = {
      tenant: 'ten_nowhere'.slice(0, SOUTH.length).padEnd(SOUTH.length, 'x'),
      building: newId('bld'),
      space: newId('spc'),
      devices: Object.fromEntries(ROLES.map((rank) => [rank, newId('dev')])) as Things['devices'],
      stockDevice: newId('dev'),
      claims: north.claims,
      spares: Object.fromEntries(ROLES.map((rank) => [rank, newId('dev')])) as Things['spares'],
      transfer: newId('trf'),
      job: newId('job'),
      provisioningJob: newId('job'),
      export: newId('exp'),
      alert: alertIdOf({ id: newId('alt'), buildingId: newId('bld') }),
      presenceAlert: alertIdOf({ id: newId('alt'), buildingId: newId('bld') }),
      alertRule: newId('alr'),
      spareAlertRule: newId('alr'),
      webhook: newId('whk'),
      spareWebhook: newId('whk'),
      delivery: newId('whd'),
      grant: newId('gra'),
      receivedGrant: newId('gra'),
      grantCode: '00000-00000-00000-00000-00000-0',
      approved: 'per_'.padEnd(north.approved.length, 'x'),
    };
  });
  afterAll(async () => {
    await api.stop();
    await coldStores.stop();
  });

  /** A building with a device for each role, averages live and recorded. */
  async function buildThings(owner: Person, tenant: string): Promise<Things> {
    const { building, spaces, devices, spaceId } = await buildBuilding(api, owner, tenant, {
      devices: 2 * ROLES.length,
    });
    const minute = Math.floor(Date.now() / 60_000);
    await createAveragesWriter({ cosmos: api.cosmos }).write(building.id, [
      average(building, { windowEnd: minute * 60 }),
    ]);
    await api.publish(...spaces.map(({ id }) => ({ ...average(building), spaceId: id })), average(building));
    await api.publishStates(
      ...(['SMOKE', 'OCCUPANCY'] as const).flatMap((quantityName) =>
        [null, ...spaces.map(({ id }) => id)].map((spaceId) =>
          placeState(building, { quantityName, spaceId }),
        ),
      ),
    );
    await fileDeadLetters(api.cosmos, tenant, building.id, devices[0]!.id);
    await reckon(tenant);
    await land(tenant, building.id, spaceId, devices[ROLES.length]!.id);
    await hear(tenant, building.id, devices);
    await buildDocuments(owner, tenant);
    await eventually(async () => {
      const { data } = await api.ask<{ building: { averages: unknown[]; states: unknown[] } }, object>(
        owner,
        'query ($id: ID!) { building(id: $id) { averages { mean } states { active } } }',
        { id: building.id },
      );
      expect(data!.building.averages).toHaveLength(1);
      expect(data!.building.states).toHaveLength(2);
    });
    return {
      ...(await buildStock(owner, tenant)),
      transfer: await buildOffer(tenant),
      spares: Object.fromEntries(
        ROLES.map((rank, index) => [rank, devices[ROLES.length + index]!.id]),
      ) as Things['spares'],
      tenant,
      building: building.id,
      space: spaceId,
      devices: Object.fromEntries(
        ROLES.map((rank, index) => [rank, devices[index]!.id]),
      ) as Things['devices'],
      job: await buildJob(owner, 'REGISTER_DEVICES', tenant, null),
      provisioningJob: await buildJob(owner, 'PROVISION_DEVICES', tenant, building.id),
      export: await buildExport(owner, tenant, building.id),
      ...(await buildAlerts(owner, tenant, building.id)),
      ...(await buildWebhooks(owner, tenant, building.id)),
      ...(await buildGrants(owner, tenant, building.id)),
      approved: await buildApprovals(owner, tenant),
    };
  }

  /** Two readings of the last minutes that are too high. */
  async function land(tenantId: string, buildingId: string, spaceId: string, deviceId: string) {
    const incarnation = '1700000000000-8';
    const now = Date.now();
    const readings = [300_000, 240_000].map((ago) =>
      buildReading({ tenantId, buildingId, spaceId, deviceId, observedAt: now - ago, value: 30 }),
    );
    const arrival = { incarnation, partition: partitionOf(buildingId, 8), sequence: 0, enqueuedAt: now };
    await cold.land([{ ...arrival, sequence: tenantId === NORTH ? 0 : 1, readings }]);
  }

  /** A reading of each point, stored as the aggregate worker does. */
  async function hear(tenantId: string, buildingId: string, devices: readonly DeviceDocument[]) {
    const readings = devices.flatMap(({ id: deviceId, assignments }) =>
      assignments.map(({ quantity, ...point }) =>
        buildReading({
          ...point,
          tenantId,
          buildingId,
          deviceId,
          quantity: quantityNamed(quantity).code,
          observedAt: Date.now() - 60_000,
        }),
      ),
    );
    const arrival = { incarnation: '1700000000000-8', partition: 0, sequence: 7, enqueuedAt: Date.now() };
    const writer = createRecentWriter({ cosmos: api.cosmos });
    for (const batch of recentBatches([{ ...arrival, readings }])) await writer.write(batch);
  }

  /** A device for each role to claim, one to retire, and one that stays. */
  async function buildStock(owner: Person, tenant: string): Promise<Pick<Things, 'stockDevice' | 'claims'>> {
    const rows = ['retired', 'left', ...ROLES].map((name, index) => ({
      index,
      serialNumber: `${tenant} ${name}`,
      model: 'thermometer',
      enrollmentGroupId: null,
    }));
    const made = await api.registry.registerDevices(owner.scope, tenant, { jobId: 'stock', rows });
    if (!made.ok) throw new Error(made.refusal.message);
    const registered = made.value.map((row) => {
      if (row.outcome !== 'registered') throw new Error(row.outcome);
      return row;
    });
    const claims = ROLES.map((rank, index) => {
      const { serialNumber, claimCode } = registered[index + 2]!;
      return [rank, { serialNumber, claimCode }] as const;
    });
    return { stockDevice: registered[0]!.deviceId, claims: Object.fromEntries(claims) as Things['claims'] };
  }

  /** What became of a tenant's readings of the hour before. */
  async function reckon(tenantId: string): Promise<void> {
    const hour = hourOfInstant(Date.now()) - 1;
    const document: HourDocument = {
      ...{ id: hourId(hour, 0), key: tenantKey(tenantId), hour, partition: 0 },
      counts: { ...noCounts(), accepted: 3, landed: 3, curated: 3 },
      settled: { landed: true, curated: true },
    };
    await api.cosmos.bulkUpsert('ingestion', [document]);
  }

  /** Two devices of somebody else's that are offered to the tenant: one to accept, and one that stays offered. */
  async function buildOffer(tenant: string): Promise<string> {
    const east = await api.person(`east of ${tenant}`, 'ten_east', 'OWNER');
    const { devices } = await buildBuilding(api, east, 'ten_east', { devices: 2 });
    const offers = [];
    for (const { id } of devices) {
      const input = { deviceId: id, toTenantId: tenant, expiresInMs: 3_600_000 };
      const offered = await api.registry.offerDeviceTransfer(east.scope, input);
      if (!offered.ok) throw new Error(offered.refusal.message);
      offers.push(offered.value.transfer!.id);
    }
    return offers[0]!;
  }

  async function buildAlerts(owner: Person, tenantId: string, buildingId: string) {
    const raiser = createRaiser(api.cosmos);
    const condition = { kind: 'STATE', value: 1, forMs: 0 } as const;
    const hot = await raiser.raise({ tenantId, buildingId });
    const somebody = await raiser.raise({ tenantId, buildingId, quantity: 'OCCUPANCY', condition });
    const alerting = createAlerting({ cosmos: api.cosmos, keepSeconds: 86_400 });
    const rule = async (name: string): Promise<string> => {
      const made = await alerting.createAlertRule(
        owner.scope,
        {
          tenantId,
          name,
          severity: 'MAJOR',
          quantity: 'AIR_TEMPERATURE',
          scope: { buildingId: null, spaceId: null, deviceId: null },
          condition: HOT,
          enabled: true,
        },
        freshKey(),
      );
      if (!made.ok) throw new Error(made.refusal.message);
      return made.value.id;
    };
    return {
      alert: alertIdOf(hot.alert),
      presenceAlert: alertIdOf(somebody.alert),
      alertRule: await rule('Stays'),
      spareAlertRule: await rule('Goes'),
    };
  }

  async function buildWebhooks(owner: Person, tenantId: string, buildingId: string) {
    const webhooks = createWebhooks({ ...api, allowPrivate: false });
    const make = async (name: string): Promise<string> => {
      const made = await webhooks.createWebhook(
        owner.scope,
        {
          tenantId,
          name,
          url: 'https://hook.example.com/',
          minimumSeverity: 'WARNING',
          buildingIds: [buildingId],
        },
        freshKey(),
      );
      if (!made.ok) throw new Error(made.refusal.message);
      return made.value.webhook.id;
    };
    const webhook = await make('Stays');
    const id = newId('whd');
    const now = Date.now();
    const delivery: DeliveryDocument = {
      id,
      key: deliveriesOf(webhook),
      kind: 'webhookDelivery',
      tenantId,
      webhookId: webhook,
      buildingId,
      number: 1,
      type: 'alert.raised',
      body: '{}',
      state: 'DEAD',
      createdAt: now,
      tries: 1,
      attempts: [],
      nextAttemptAt: null,
      sortKey: deliverySortKey(now, id),
      ttl: 3_600,
    };
    await api.cosmos.bulkCreate('directory', [delivery]);
    return { webhook, spareWebhook: await make('Goes'), delivery: id };
  }

  /** What is shared with somebody else, what somebody else shares, and what they offer. */
  async function buildGrants(owner: Person, tenantId: string, buildingId: string) {
    const other = await api.person(`west of ${tenantId}`, `${tenantId}_west`, 'OWNER');
    const theirs = await buildBuilding(api, other, `${tenantId}_west`, { devices: 0 });
    const offer = async (from: Person, id: string) => {
      const wanted = {
        ...({ buildingId: id, spaceId: null, quantities: null, role: 'VIEWER', until: null } as const),
        ...({ to: 'TENANT', note: null, expiresInMs: 3_600_000 } as const),
      };
      const made = await api.registry.offerGrant(from.scope, wanted, freshKey());
      if (!made.ok) throw new Error(made.refusal.message);
      return made.value;
    };
    const accept = async (by: Person, to: string, code: string) => {
      const accepted = await api.registry.acceptGrant(by.scope, { code, tenantId: to }, freshKey());
      if (!accepted.ok) throw new Error(accepted.refusal.message);
      return accepted.value.id;
    };
    const given = await offer(owner, buildingId);
    const received = await offer(other, theirs.building.id);
    const left = await offer(other, theirs.building.id);
    return {
      grant: await accept(other, `${tenantId}_west`, given.code!),
      receivedGrant: await accept(owner, tenantId, received.code!),
      grantCode: left.code!,
    };
  }

  /** Somebody of the tenant, and whoever else of it may be, can have credentials to its cold store. */
  async function buildApprovals(owner: Person, tenantId: string): Promise<string> {
    const coldAccess = createColdAccess({
      cosmos: api.cosmos,
      signer: { containerUrl: '', confined: true, sign: async () => '' },
      manifests: { read: async () => null },
    });
    const analyst = await api.person(`approved-${tenantId}`, tenantId, 'ANALYST');
    const others = tenantId === NORTH ? [people.OWNER, people.MANAGER, people.ANALYST] : [];
    for (const { scope } of [analyst, ...others]) {
      const personId = scope.principal.id;
      const until = Date.now() + 3_600_000;
      const made = await coldAccess.approve(owner.scope, { tenantId, personId, until });
      if (!made.ok) throw new Error(made.refusal.message);
    }
    return analyst.scope.principal.id;
  }

  async function buildDocuments(owner: Person, tenantId: string) {
    const documents = [{ documentId: DOCUMENT.id, text: DOCUMENT.text }];
    const made = await api.registry.registerDocuments(
      owner.scope,
      { tenantId, client: 'app', documents },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
  }

  /** A job that stays in the queue: nobody works it off here. */
  async function buildJob(owner: Person, kind: JobKind, tenantId: string, buildingId: string | null) {
    const job = { kind, tenantId, buildingId, parameters: {}, rows: [{}] };
    const made = await createJobs(api).create(owner.scope, job, freshKey());
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.jobId;
  }

  /** In the queue, too. */
  async function buildExport(owner: Person, tenantId: string, buildingId: string): Promise<string> {
    const files = { open: async () => null };
    const exports = createExports({ ...api, jobs: createJobs(api), files, keepMs: 86_400_000 });
    const wanted = { tenantId, buildingId, spaceIds: null, deviceIds: null, from: 0, to: 86_400_000 };
    const made = await exports.request(
      owner.scope,
      { ...wanted, format: 'CSV', quantities: ['AIR_TEMPERATURE'] },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.id;
  }

  async function observe(
    each: Case,
    rank: Rank,
    things: Things,
  ): Promise<{ verdict: Verdict; observed: Observed }> {
    const variables = each.variables(things, north, rank, freshKey());
    api.storeCalls();
    const { status, headers, ...body } = each.document.startsWith('subscription')
      ? await firstOf(rank, each.document, variables)
      : await api.ask<Record<string, unknown>, object>(people[rank], each.document, variables);
    const storeCalls = api.storeCalls();
    return {
      verdict: verdictOf(each, body),
      observed: {
        status,
        headers: [...headers]
          .filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name))
          .map(([name, value]) => `${name}: ${value}`),
        body: masked(JSON.stringify(body), things),
        storeCalls,
      },
    };
  }

  /** The first answer of a subscription, in the shape of an answer over HTTP. */
  async function firstOf(rank: Rank, query: string, variables: object) {
    const client = api.subscriber(people[rank]);
    try {
      const results = client.iterate<Record<string, unknown>>({
        query,
        variables: variables as Record<string, unknown>,
      });
      const { value } = await results.next();
      await results.return?.();
      return { status: 0, headers: new Headers(), data: value.data ?? null, errors: value.errors };
    } catch (errors) {
      return { status: 0, headers: new Headers(), data: null, errors: errors as never };
    } finally {
      await client.dispose();
    }
  }

  describe.each(CASES)('$name', (each) => {
    it.each(ROLES)('for %s', async (rank) => {
      const own = await observe(each, rank, north);
      const foreign = await observe(each, rank, south);
      const absent = await observe(each, rank, unknown);
      const mayNotAsk = each.refused?.includes(rank) ?? false;

      expect(own.verdict).toBe(each.seen.includes(rank) ? 'seen' : mayNotAsk ? 'FORBIDDEN' : each.otherwise);
      expect(foreign.verdict).toBe(each.throughOwnBuilding && mayNotAsk ? 'FORBIDDEN' : each.otherwise);
      expect(foreign.observed).toEqual(absent.observed);
    });
  });

  it('has a case for every operation and every field that needs a permission', () => {
    const covered = new Set([...CASES.flatMap(({ covers }) => covers), ...WITHOUT_TARGET]);
    const needing = schemaFields(createSchema())
      .filter(
        ({ name, field }) =>
          /^(Query|Mutation|Subscription)\./.test(name) || typeof ruleOf(field) === 'object',
      )
      .map(({ name }) => name);
    expect(needing.filter((name) => !covered.has(name))).toEqual([]);
    expect([...covered].filter((name) => !needing.includes(name))).toEqual([]);
  });

  it('lists to nobody what is not theirs', async () => {
    for (const rank of ROLES) {
      const { data } = await api.ask<{ buildings: { nodes: { tenant: { id: string } }[] } }, object>(
        people[rank],
        '{ buildings(first: 200) { nodes { tenant { id } } } }',
      );
      const owners = new Set(data!.buildings.nodes.map(({ tenant }) => tenant.id));
      // Beside their own what is shared with their tenant.
      const seen = ['OPERATOR', 'STRANGER'].includes(rank) ? [] : [NORTH, `${NORTH}_west`];
      expect([rank, [...owners].sort()]).toEqual([rank, seen]);
    }
  });
});

function verdictOf(
  each: Case,
  body: { data?: unknown; errors?: { extensions: Record<string, unknown> }[] },
): Verdict {
  const code = body.errors?.[0]?.extensions['code'];
  if (code !== undefined) return code as Verdict;
  let value: unknown = body.data;
  for (const name of each.at.split('.')) value = (value as Record<string, unknown> | null)?.[name] ?? null;
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'nothing';
  return ((value as { code?: Verdict }).code ?? 'seen') as Verdict;
}

function masked(text: string, things: Things): string {
  let result = text.replace(/"requestId":"[^"]*"/g, '"requestId":"*"');
  // What a client has left fills again between two answers.
  result = result.replace(/"currentlyAvailable":\d+/g, '"currentlyAvailable":"*"');
  for (const [name, id] of [
    // Where an alert is stands in its id.
    ['alert', things.alert],
    ['alert', things.presenceAlert],
    ['rule', things.alertRule],
    ['webhook', things.webhook],
    ['webhook', things.spareWebhook],
    ['delivery', things.delivery],
    ['approved', things.approved],
    ['rule', things.spareAlertRule],
    ['grant', things.grant],
    ['grant', things.receivedGrant],
    ['tenant', things.tenant],
    ['building', things.building],
    ['space', things.space],
    ['job', things.job],
    ['job', things.provisioningJob],
    ['export', things.export],
    ['stock', things.stockDevice],
    ['transfer', things.transfer],
    ...Object.values(things.devices).map((device) => ['device', device] as const),
    ...Object.values(things.spares).map((device) => ['spare', device] as const),
  ] as const) {
    result = result.replaceAll(id, name);
  }
  return result;
}
