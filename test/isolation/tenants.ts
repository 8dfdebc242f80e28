import { type Role } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { hourOfInstant, noCounts } from '../../src/domain/ingestion';
import { type JobKind } from '../../src/domain/job';
import { quantityNamed } from '../../src/domain/quantity';
import { type Reading } from '../../src/domain/reading';
import { alertIdOf } from '../../src/store/alerts/alert-id';
import { createAlerting } from '../../src/store/alerts/alerting';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { createColdAccess } from '../../src/store/cold-access/cold-access';
import { type DeviceDocument } from '../../src/store/documents';
import { createExports } from '../../src/store/exports/exports';
import { type HourDocument, hourId, tenantKey } from '../../src/store/ingestion/documents';
import { createJobs } from '../../src/store/jobs/jobs';
import { deliveriesOf, type DeliveryDocument, deliverySortKey } from '../../src/store/webhooks/documents';
import { createWebhooks } from '../../src/store/webhooks/webhooks';
import { createRaiser, HOT } from '../alerts/alerts.support';
import { average, buildBuilding, freshKey, type Person, placeState } from '../api/api.support';
import { fileDeadLetters } from '../dead-letters/letters';
import { eventually } from '../support/eventually';
import { DOCUMENT, type Rank, ROLES, type Things } from './rights';
import { type World } from './world';

/** Two tenants that are alike, whoever is of the first in each role, and ids of nothing. */
export interface Tenants {
  north: Things;
  south: Things;
  unknown: Things;
  people: Record<Rank, Person>;
  /** Another owner of the first, and the second's. */
  deputy: Person;
  southOwner: Person;
}

/** Fills a world with everything that the table of rights asks for. What the API cannot give goes through the stores. */
export async function buildTenants(world: World): Promise<Tenants> {
  const people = {} as Record<Rank, Person>;
  const southOwner = await world.person('south', world.south, 'OWNER');
  for (const rank of ROLES) {
    people[rank] =
      rank === 'STRANGER'
        ? { subject: 'stranger', token: await world.token('stranger'), scope: undefined! }
        : await world.person(rank.toLowerCase(), world.north, rank satisfies Role);
  }
  const deputy = await world.person('deputy', world.north, 'OWNER');
  const north = await buildThings(people.OWNER, world.north);
  const south = await buildThings(southOwner, world.south);
  return { north, south, unknown: unknownThings(north), people, deputy, southOwner };

  /** A building with a device for each role, averages live and recorded. */
  async function buildThings(owner: Person, tenant: string): Promise<Things> {
    const { building, spaces, devices, spaceId } = await buildBuilding(world, owner, tenant, {
      devices: 2 * ROLES.length,
    });
    const minute = Math.floor(Date.now() / 60_000);
    await createAveragesWriter({ cosmos: world.cosmos }).write(building.id, [
      average(building, { windowEnd: minute * 60 }),
    ]);
    await world.publish(
      ...spaces.map(({ id }) => ({ ...average(building), spaceId: id })),
      average(building),
    );
    await world.publishStates(
      ...(['SMOKE', 'OCCUPANCY'] as const).flatMap((quantityName) =>
        [null, ...spaces.map(({ id }) => id)].map((spaceId) =>
          placeState(building, { quantityName, spaceId }),
        ),
      ),
    );
    // Of what a technician may know of: other sensors' tell whether somebody is there.
    const thermometer = await world.registry.provisionDevices(
      owner.scope,
      {
        buildingId: building.id,
        devices: [{ name: 'Thermometer', model: 'thermometer', spaceId, serialNumber: null }],
      },
      freshKey(),
    );
    if (!thermometer.ok) throw new Error(thermometer.refusal.message);
    await fileDeadLetters(world.cosmos, tenant, building.id, thermometer.value[0]!.device.id);
    await reckon(tenant);
    await world.hear(tooHigh(devices));
    await buildDocuments(owner, tenant);
    await known(world, owner, building.id, 2);
    return {
      ...(await world.exported(owner, tenant, building.id)),
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
      apiKey: await buildApiKey(owner, tenant, 'Stays'),
      spareApiKey: await buildApiKey(owner, tenant, 'Goes'),
      approved: await buildApprovals(owner, tenant),
      ...(await buildPeople(owner, tenant)),
    };
  }

  /** A device for each role to claim, one to retire, and one that stays. */
  async function buildStock(
    owner: Person,
    tenant: string,
  ): Promise<Pick<Things, 'stockDevice' | 'otherStockDevice' | 'claims'>> {
    const rows = ['retired', 'left', ...ROLES].map((name, index) => ({
      index,
      serialNumber: `${tenant} ${name}`,
      model: 'thermometer',
      enrollmentGroupId: null,
    }));
    const made = await world.registry.registerDevices(owner.scope, tenant, { jobId: 'stock', rows });
    if (!made.ok) throw new Error(made.refusal.message);
    const registered = made.value.map((row) => {
      if (row.outcome !== 'registered') throw new Error(row.outcome);
      return row;
    });
    const claims = ROLES.map((rank, index) => {
      const { serialNumber, claimCode } = registered[index + 2]!;
      return [rank, { serialNumber, claimCode }] as const;
    });
    const [{ deviceId: stockDevice }, { deviceId: otherStockDevice }] = [registered[0]!, registered[1]!];
    return { stockDevice, otherStockDevice, claims: Object.fromEntries(claims) as Things['claims'] };
  }

  /** What became of a tenant's readings of the hour before. */
  async function reckon(tenantId: string): Promise<void> {
    const hour = hourOfInstant(Date.now()) - 1;
    const document: HourDocument = {
      ...{ id: hourId(hour, 0), key: tenantKey(tenantId), hour, partition: 0 },
      counts: { ...noCounts(), accepted: 3, landed: 3, curated: 3 },
      settled: { landed: true, curated: true },
    };
    await world.cosmos.bulkUpsert('ingestion', [document]);
  }

  /** Two devices of somebody else's that are offered to the tenant: one to accept, and one that stays offered. */
  async function buildOffer(tenant: string): Promise<string> {
    const east = await world.person(`east of ${tenant}`, 'ten_east', 'OWNER');
    const { devices } = await buildBuilding(world, east, 'ten_east', { devices: 2 });
    const offers = [];
    for (const { id } of devices) {
      const input = { deviceId: id, toTenantId: tenant, expiresInMs: 3_600_000 };
      const offered = await world.registry.offerDeviceTransfer(east.scope, input);
      if (!offered.ok) throw new Error(offered.refusal.message);
      offers.push(offered.value.transfer!.id);
    }
    return offers[0]!;
  }

  async function buildAlerts(owner: Person, tenantId: string, buildingId: string) {
    const raiser = createRaiser(world.cosmos);
    const condition = { kind: 'STATE', value: 1, forMs: 0 } as const;
    const hot = await raiser.raise({ tenantId, buildingId });
    const somebody = await raiser.raise({ tenantId, buildingId, quantity: 'OCCUPANCY', condition });
    const alerting = createAlerting({ cosmos: world.cosmos, keepSeconds: 86_400 });
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
    const webhooks = createWebhooks({ ...world, allowPrivate: false });
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
    await world.cosmos.bulkCreate('directory', [delivery]);
    return { webhook, spareWebhook: await make('Goes'), delivery: id };
  }

  async function buildApiKey(owner: Person, tenantId: string, name: string): Promise<string> {
    const made = await world.registry.createApiKey(
      owner.scope,
      {
        ...{ tenantId, name, buildingIds: null, documents: null, expiresInDays: 1 },
        permissions: ['READ_AVERAGES'],
      },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.record.id;
  }

  /** What is shared with somebody else, what somebody else shares, and what they offer. */
  async function buildGrants(owner: Person, tenantId: string, buildingId: string) {
    const other = await world.person(`west of ${tenantId}`, `${tenantId}_west`, 'OWNER');
    const theirs = await buildBuilding(world, other, `${tenantId}_west`, { devices: 0 });
    const offer = async (from: Person, id: string) => {
      const wanted = {
        ...({ buildingId: id, spaceId: null, quantities: null, role: 'VIEWER', until: null } as const),
        ...({ to: 'TENANT', note: null, expiresInMs: 3_600_000 } as const),
      };
      const made = await world.registry.offerGrant(from.scope, wanted, freshKey());
      if (!made.ok) throw new Error(made.refusal.message);
      return made.value;
    };
    const accept = async (by: Person, to: string, code: string) => {
      const accepted = await world.registry.acceptGrant(by.scope, { code, tenantId: to }, freshKey());
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
      cosmos: world.cosmos,
      signer: { containerUrl: '', confined: true, sign: async () => '' },
      manifests: { read: async () => null },
    });
    const analyst = await world.person(`approved-${tenantId}`, tenantId, 'ANALYST');
    const others = tenantId === world.north ? [people.OWNER, people.MANAGER, people.ANALYST] : [];
    for (const { scope } of [analyst, ...others]) {
      const personId = scope.principal.id;
      const until = Date.now() + 3_600_000;
      const made = await coldAccess.approve(owner.scope, { tenantId, personId, until });
      if (!made.ok) throw new Error(made.refusal.message);
    }
    return analyst.scope.principal.id;
  }

  async function buildDocuments(owner: Person, tenantId: string): Promise<void> {
    const documents = [{ documentId: DOCUMENT.id, text: DOCUMENT.text }];
    const made = await world.registry.registerDocuments(
      owner.scope,
      { tenantId, client: 'app', documents },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
  }

  /** Members to be changed and removed, and somebody who has not come yet. */
  async function buildPeople(owner: Person, tenantId: string) {
    const idOf = async (name: string): Promise<string> =>
      (await world.person(`${name} of ${tenantId}`, tenantId, 'VIEWER')).scope.principal.id;
    const wanted = { tenantId, role: 'VIEWER' as const, spaces: null, note: null, expiresInMs: 3_600_000 };
    const invited = await world.registry.inviteMember(owner.scope, wanted, freshKey());
    if (!invited.ok) throw new Error(invited.refusal.message);
    const spare: [string, string][] = [];
    for (const rank of ROLES) spare.push([rank, await idOf(`spare ${rank}`)]);
    return {
      member: await idOf('member'),
      spareMembers: Object.fromEntries(spare) as Things['spareMembers'],
      invitation: invited.value.invitation.id,
      invitationCode: invited.value.code!,
    };
  }

  /** A job that stays in the queue: nobody works it off here. */
  async function buildJob(owner: Person, kind: JobKind, tenantId: string, buildingId: string | null) {
    const job = { kind, tenantId, buildingId, parameters: {}, rows: [{}] };
    const made = await createJobs(world).create(owner.scope, job, freshKey());
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.jobId;
  }

  /** In the queue, too. */
  async function buildExport(owner: Person, tenantId: string, buildingId: string): Promise<string> {
    const files = { open: async () => null };
    const exports = createExports({ ...world, jobs: createJobs(world), files, keepMs: 86_400_000 });
    const wanted = { tenantId, buildingId, spaceIds: null, deviceIds: null, from: 0, to: 86_400_000 };
    const made = await exports.request(
      owner.scope,
      { ...wanted, format: 'CSV', quantities: ['AIR_TEMPERATURE'] },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.id;
  }
}

/** Two of the last minutes of each point, of its device; those of temperature are too high. */
function tooHigh(devices: readonly DeviceDocument[]): Reading[] {
  const now = Date.now();
  return [240_000, 60_000].flatMap((ago) =>
    devices.flatMap(({ id: deviceId, tenantId, buildingId, assignments }) =>
      assignments.map(({ quantity, spaceId, pointId, pointOrdinal, deviceOrdinal }) => ({
        ...{ tenantId, buildingId, spaceId, pointId, pointOrdinal, deviceId, deviceOrdinal },
        quantity: quantityNamed(quantity).code,
        observedAt: now - ago,
        receivedAt: now - ago + 50,
        value: 30,
      })),
    ),
  );
}

/** Waits until a building's averages, states and readings are told. */
export async function known(world: World, owner: Person, id: string, quantities: number): Promise<void> {
  await eventually(async () => {
    const { data } = await world.ask<
      { building: { averages: []; states: []; latestReadings: { nodes: [] }; spaces: { averages: [] }[] } },
      object
    >(
      owner,
      `query ($id: ID!) { building(id: $id) { averages { mean } states { active }
        latestReadings(first: 1) { nodes { value } } spaces { averages { mean } } } }`,
      { id },
    );
    const { averages, states, latestReadings, spaces } = data!.building;
    const ready = averages.length > 0 && states.length >= quantities && latestReadings.nodes.length > 0;
    if (!ready || spaces.every(({ averages }) => averages.length === 0))
      throw new Error(`of ${id} not everything is known yet`);
  });
}

/** Ids as long as those of a tenant's things, of nothing. */
function unknownThings(like: Things): Things {
  const forAll = (prefix: 'dev') =>
    Object.fromEntries(ROLES.map((rank) => [rank, newId(prefix)])) as Record<Rank, string>;
  return {
    tenant: 'ten_nowhere'.slice(0, like.tenant.length).padEnd(like.tenant.length, 'x'),
    building: newId('bld'),
    space: newId('spc'),
    devices: forAll('dev'),
    stockDevice: newId('dev'),
    otherStockDevice: newId('dev'),
    claims: like.claims,
    spares: forAll('dev'),
    transfer: newId('trf'),
    job: newId('job'),
    provisioningJob: newId('job'),
    export: newId('exp'),
    readyExport: newId('exp'),
    readyPart: like.readyPart,
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
    apiKey: newId('key'),
    spareApiKey: newId('key'),
    approved: 'per_'.padEnd(like.approved.length, 'x'),
    member: 'per_'.padEnd(like.member.length, 'y'),
    spareMembers: Object.fromEntries(
      ROLES.map((rank, index) => [rank, 'per_'.padEnd(like.member.length, String(index))]),
    ) as Things['spareMembers'],
    invitation: newId('inv'),
    invitationCode: '00000-00000-00000-00000-00000-0',
  };
}
