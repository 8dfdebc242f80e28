import { PLATFORM_TENANT } from '../../src/auth/platform';
import { type TenantScope } from '../../src/auth/scope';
import { documentIdOf } from '../../src/domain/document-id';
import { newId, personId } from '../../src/domain/id';
import { createRegistry, type Registry } from '../../src/store/registry';
import { newClaimCode } from '../../src/store/registry/claim-code';
import { inStock, provisioned } from './saga.support';
import {
  createBuilding,
  freshKey,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

let store: Store;
let stranger: TenantScope;
let operator: TenantScope;
let foreign: {
  tenantId: string;
  buildingId: string;
  spaceId: string;
  deviceId: string;
  pointId: string;
  /** In another tenant's stock. */
  stockId: string;
  serialNumber: string;
  /** An offer that was made to another tenant. */
  transferId: string;
  /** One that was accepted by a third tenant, and the code of one that was not. */
  grantId: string;
  grantCode: string;
  /** Of a member and an open invitation. */
  personId: string;
  invitationId: string;
  apiKeyId: string;
};
/** Of the true shape, and nobody's. */
const unknown: typeof foreign = {
  tenantId: newId('ten'),
  buildingId: newId('bld'),
  spaceId: newId('spc'),
  deviceId: newId('dev'),
  pointId: newId('pnt'),
  stockId: newId('dev'),
  serialNumber: `SN ${freshKey()}`,
  transferId: newId('trf'),
  grantId: newId('gra'),
  grantCode: newClaimCode(),
  personId: personId('https://identity.test', 'nobody'),
  invitationId: newId('inv'),
  apiKeyId: newId('key'),
};
const INVITATION = { role: 'VIEWER', spaces: null, note: null, expiresInMs: 3_600_000 } as const;
const API_KEY = { name: 'n', permissions: ['READ_BUILDINGS' as const], documents: null, expiresInDays: 1 };
const DOCUMENT = { documentId: documentIdOf('{ viewer { id } }'), text: '{ viewer { id } }' };
const GRANT = {
  quantities: null,
  role: 'VIEWER',
  until: null,
  to: 'TENANT',
  note: null,
  expiresInMs: 3_600_000,
} as const;
/** The stranger's own. */
let own: { buildingId: string; spaceId: string; deviceId: string };

beforeAll(async () => {
  store = await startStore();
  const owner = await store.member('owner', 'ten_a', 'OWNER');
  stranger = await store.member('stranger', 'ten_b', 'OWNER');
  operator = await store.member('operator', PLATFORM_TENANT, 'OPERATOR');
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  const input = { buildingId, devices: newDevices(1, spaceIds) };
  const [made] = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  const { id: deviceId, assignments } = made!.device;
  const { deviceId: stockId, serialNumber } = await inStock(store, owner);
  const offer = { deviceId, toTenantId: 'ten_c', expiresInMs: 3_600_000 };
  const { transfer } = valueOf(await store.registry.offerDeviceTransfer(owner, offer));
  const wanted = { ...GRANT, buildingId, spaceId: null };
  const given = valueOf(await store.registry.offerGrant(owner, wanted, freshKey()));
  const third = await store.member('third', 'ten_d', 'OWNER');
  valueOf(await store.registry.acceptGrant(third, { code: given.code!, tenantId: 'ten_d' }, freshKey()));
  const open = valueOf(await store.registry.offerGrant(owner, wanted, freshKey()));
  const invitation = { ...INVITATION, tenantId: 'ten_a' };
  const invited = valueOf(await store.registry.inviteMember(owner, invitation, freshKey()));
  const program = { ...API_KEY, tenantId: 'ten_a', buildingIds: null };
  const { record } = valueOf(await store.registry.createApiKey(owner, program, freshKey()));
  const trusted = { tenantId: 'ten_a', client: 'app', documents: [DOCUMENT] };
  valueOf(await store.registry.registerDocuments(owner, trusted, freshKey()));
  foreign = {
    tenantId: 'ten_a',
    buildingId,
    spaceId: spaceIds[0]!,
    deviceId,
    pointId: assignments[0]!.pointId,
    stockId,
    serialNumber,
    transferId: transfer!.id,
    grantId: given.grant.id,
    grantCode: open.code!,
    personId: owner.principal.id,
    invitationId: invited.invitation.id,
    apiKeyId: record.id,
  };
  const letter = {
    deviceId,
    channel: 'temperature',
    observedAt: 1,
    receivedAt: 1,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'm',
    raw: 'r',
    bytes: 1,
    protocol: 'MQTT',
    contentType: 'application/json',
  };
  const letters = {
    id: LETTER.slice(0, -2),
    scopeKey: buildingId,
    tenantId: 'ten_a',
    buildingId,
    sortKey: '000000000000001',
    codes: [letter.code],
    deviceIds: [deviceId],
    letters: [letter],
    payloads: ['QQ=='],
    ttl: 86_400,
  };
  await store.cosmos.bulkUpsert('deadletters', [letters]);
  const place = { tenantId: 'ten_a', buildingId };
  const page = await store.registry.deadLetters(owner, place, { first: 10, after: null });
  // There is something to be found.
  expect(page.items.map(({ id }) => id)).toEqual([LETTER]);

  const mine = await createBuilding(store.registry, stranger, 'Mine');
  const { id } = await provisioned(store, stranger, mine);
  own = { buildingId: mine.buildingId, spaceId: mine.spaceIds[0]!, deviceId: id };
});
afterAll(() => store.stop());

type Ids = typeof foreign;
const NEW_KEYS = {
  kind: 'SYMMETRIC_KEY',
  primaryThumbprint: null,
  secondaryThumbprint: null,
  authority: null,
} as const;
/** Of the one dead letter in the foreign building. */
const LETTER = 'dl_m9kxq0-0-1-0-0';

const HOUR = Date.UTC(2026, 2, 2, 10);

const operations: Record<string, (registry: Registry, ids: Ids) => Promise<unknown>> = {
  tenant: (registry, ids) => registry.tenant(stranger, ids.tenantId),
  buildings: (registry, ids) =>
    registry.buildings(stranger, { tenantId: ids.tenantId, first: 10, after: null }),
  buildingsById: (registry, ids) => registry.buildingsById(stranger, [ids.buildingId]),
  spaces: (registry, ids) => registry.spaces(stranger, ids.buildingId),
  spacesById: (registry, ids) =>
    registry.spacesById(stranger, [{ buildingId: ids.buildingId, id: ids.spaceId }]),
  points: (registry, ids) =>
    registry.points(stranger, ids.buildingId, { first: 10, after: null, quantities: ['AIR_TEMPERATURE'] }),
  pointsById: (registry, ids) =>
    registry.pointsById(stranger, [{ buildingId: ids.buildingId, id: ids.pointId }]),
  devices: (registry, ids) => registry.devices(stranger, ids.buildingId, { first: 10, after: null }),
  devicesById: (registry, ids) => registry.devicesById(stranger, [ids.deviceId]),
  lastSeen: (registry, { tenantId, buildingId }) =>
    registry.lastSeen(stranger, [{ tenantId, buildingId, ordinal: 0, since: 0 }]),
  auditLog: async (registry, { tenantId, buildingId }) => [
    await registry.auditLog(stranger, { buildingId }, { first: 10, after: null }),
    await registry.auditLog(stranger, { tenantId }, { first: 10, after: null }),
  ],
  createBuilding: (registry, ids) =>
    registry.createBuilding(
      stranger,
      { tenantId: ids.tenantId, name: 'n', timeZone: 'UTC', spaces: [] },
      freshKey(),
    ),
  provisionDevices: (registry, ids) =>
    registry.provisionDevices(
      stranger,
      { buildingId: ids.buildingId, devices: newDevices(1, [ids.spaceId]) },
      freshKey(),
    ),
  retireDevice: (registry, ids) => registry.retireDevice(stranger, ids.deviceId),
  suspendDevice: (registry, ids) => registry.suspendDevice(stranger, ids.deviceId, null),
  resumeDevice: (registry, ids) => registry.resumeDevice(stranger, ids.deviceId),
  issueDeviceCredential: (registry, { deviceId }) =>
    registry.issueDeviceCredential(stranger, { deviceId, credential: NEW_KEYS }, freshKey()),
  rotateDeviceCredential: (registry, { deviceId }) =>
    registry.rotateDeviceCredential(stranger, { deviceId, thumbprint: null, revokeOther: true }, freshKey()),
  setDeviceConfiguration: (registry, { deviceId }) =>
    registry.setDeviceConfiguration(stranger, { deviceId, desired: { a: 1 }, expectedVersion: null }),
  setDeviceInterval: (registry, { deviceId }) => registry.setDeviceInterval(stranger, deviceId, 60),
  twinsById: (registry, { buildingId, deviceId }) => registry.twinsById(stranger, [{ buildingId, deviceId }]),
  setDeviceParent: (registry, ids) => registry.setDeviceParent(stranger, ids.deviceId, own.deviceId),
  'setDeviceParent to a device': (registry, ids) =>
    registry.setDeviceParent(stranger, own.deviceId, ids.deviceId),
  deadLetters: async (registry, { tenantId, buildingId }) => [
    await registry.deadLetters(stranger, { tenantId, buildingId }, { first: 10, after: null }),
    await registry.deadLetters(stranger, { tenantId, buildingId: null }, { first: 10, after: null }),
  ],
  deadLetterPayloads: (registry, { buildingId }) =>
    registry.deadLetterPayloads(stranger, [{ scopeKey: buildingId, id: LETTER }]),
  replayableLetters: async (registry, { tenantId, buildingId }) => [
    await registry.replayableLetters(stranger, { tenantId, buildingId }, { limit: 10 }),
    await registry.replayableLetters(stranger, { tenantId, buildingId }, { ids: [LETTER], limit: 10 }),
  ],
  omittedDeadLetters: (registry, { tenantId, buildingId }) =>
    registry.omittedDeadLetters(stranger, { tenantId, buildingId }, { from: 0, to: Date.now(), limit: 10 }),
  ingestionReport: (registry, { tenantId }) =>
    registry.ingestionReport(stranger, tenantId, { from: HOUR, to: HOUR + 3_600_000 }),
  registerDevices: (registry, ids) =>
    registry.registerDevices(stranger, ids.tenantId, {
      jobId: 'job_x',
      rows: [{ index: 0, serialNumber: 'SN', model: 'thermometer', enrollmentGroupId: null }],
    }),
  registeredDevices: (registry, ids) =>
    registry.registeredDevices(stranger, ids.tenantId, { first: 10, after: null }),
  reissueClaimCode: (registry, ids) => registry.reissueClaimCode(stranger, ids.stockId, freshKey()),
  retireStock: (registry, ids) => registry.retireStock(stranger, ids.stockId),
  createEnrollmentGroup: (registry, ids) =>
    registry.createEnrollmentGroup(stranger, { tenantId: ids.tenantId, name: 'n' }, freshKey()),
  claimDevice: (registry, ids) =>
    registry.claimDevice(
      stranger,
      { serialNumber: 'SN', claimCode: 'X', buildingId: ids.buildingId, spaceId: ids.spaceId, name: 'n' },
      freshKey(),
    ),
  'claimDevice into one’s own space': (registry, ids) =>
    registry.claimDevice(
      stranger,
      { ...own, serialNumber: ids.serialNumber, claimCode: newClaimCode(), name: 'n' },
      freshKey(),
    ),
  'claimDevice into a space': (registry, ids) =>
    registry.claimDevice(
      stranger,
      { ...own, spaceId: ids.spaceId, serialNumber: 'SN', claimCode: 'X', name: 'n' },
      freshKey(),
    ),
  moveDevice: (registry, ids) =>
    registry.moveDevice(stranger, {
      deviceId: ids.deviceId,
      buildingId: own.buildingId,
      spaceId: own.spaceId,
    }),
  'moveDevice to a building': (registry, ids) =>
    registry.moveDevice(stranger, {
      deviceId: own.deviceId,
      buildingId: ids.buildingId,
      spaceId: ids.spaceId,
    }),
  'moveDevice to a space': (registry, ids) =>
    registry.moveDevice(stranger, { deviceId: own.deviceId, buildingId: null, spaceId: ids.spaceId }),
  replaceDevice: (registry, ids) =>
    registry.replaceDevice(
      stranger,
      {
        deviceId: ids.deviceId,
        replacement: { from: 'new', model: 'thermometer', serialNumber: null },
        name: null,
      },
      freshKey(),
    ),
  'replaceDevice from stock': (registry, ids) =>
    registry.replaceDevice(
      stranger,
      {
        deviceId: own.deviceId,
        replacement: { from: 'stock', serialNumber: ids.serialNumber, claimCode: newClaimCode() },
        name: null,
      },
      freshKey(),
    ),
  offerDeviceTransfer: (registry, ids) =>
    registry.offerDeviceTransfer(stranger, {
      deviceId: ids.deviceId,
      toTenantId: 'ten_c',
      expiresInMs: 3_600_000,
    }),
  withdrawDeviceTransfer: (registry, ids) => registry.withdrawDeviceTransfer(stranger, ids.deviceId),
  acceptDeviceTransfer: (registry, ids) =>
    registry.acceptDeviceTransfer(stranger, { ...own, transferId: ids.transferId, name: null }, freshKey()),
  deviceTransfers: (registry, ids) =>
    registry.deviceTransfers(stranger, ids.tenantId, { first: 10, after: null }),
  offerGrant: (registry, ids) =>
    registry.offerGrant(stranger, { ...GRANT, buildingId: ids.buildingId, spaceId: null }, freshKey()),
  'offerGrant of a space, in one’s own building': (registry, ids) =>
    registry.offerGrant(stranger, { ...GRANT, buildingId: own.buildingId, spaceId: ids.spaceId }, freshKey()),
  acceptGrant: (registry, ids) =>
    registry.acceptGrant(stranger, { code: ids.grantCode, tenantId: ids.tenantId }, freshKey()),
  revokeGrant: (registry, ids) => registry.revokeGrant(stranger, ids.grantId),
  grants: async (registry, ids) => [
    await registry.grants(stranger, ids.tenantId, { direction: 'GIVEN', first: 10, after: null }),
    await registry.grants(stranger, ids.tenantId, { direction: 'RECEIVED', first: 10, after: null }),
  ],
  grantsToMe: (registry) => registry.grantsToMe(stranger),
  accessTo: (registry, ids) => registry.accessTo(stranger, ids, { first: 10, after: null }),
  setPresenceRevealing: (registry, { buildingId }) =>
    registry.setPresenceRevealing(stranger, { buildingId, quantities: ['CO2_LEVEL'] }),
  toldDevices: (registry, { buildingId }) => registry.toldDevices(stranger, buildingId),
  measuredSpaces: (registry, { buildingId }) => registry.measuredSpaces(stranger, buildingId),
  createApiKey: (registry, { tenantId }) =>
    registry.createApiKey(stranger, { ...API_KEY, tenantId, buildingIds: null }, freshKey()),
  'createApiKey for a building, in one’s own tenant': (registry, { buildingId }) =>
    registry.createApiKey(stranger, { ...API_KEY, tenantId: 'ten_b', buildingIds: [buildingId] }, freshKey()),
  revokeApiKey: (registry, ids) => registry.revokeApiKey(stranger, ids.apiKeyId),
  apiKey: (registry, ids) => registry.apiKey(stranger, ids.apiKeyId),
  apiKeys: (registry, { tenantId }) => registry.apiKeys(stranger, tenantId, { first: 10, after: null }),
  registerDocuments: (registry, { tenantId }) =>
    registry.registerDocuments(stranger, { tenantId, client: 'app', documents: [DOCUMENT] }, freshKey()),
  documentsProblem: async (registry, { tenantId }) =>
    registry.documentsProblem(stranger, { tenantId, client: 'app', documents: [DOCUMENT] }),
  retireDocuments: (registry, { tenantId }) =>
    registry.retireDocuments(stranger, { tenantId, client: 'app', documentIds: [DOCUMENT.documentId] }),
  trustedDocuments: (registry, { tenantId }) =>
    registry.trustedDocuments(stranger, tenantId, { first: 10, after: null, client: null }),
  createTenant: (registry) =>
    registry.createTenant(stranger, { name: 'n', note: null, expiresInMs: 3_600_000 }, freshKey()),
  inviteMember: (registry, { tenantId }) =>
    registry.inviteMember(stranger, { ...INVITATION, tenantId }, freshKey()),
  'inviteMember by an operator': (registry, { tenantId }) =>
    registry.inviteMember(operator, { ...INVITATION, role: 'OWNER', tenantId }, freshKey()),
  'inviteMember to a building, of one’s own tenant': (registry, { buildingId, spaceId }) => {
    const spaces = [{ buildingId, spaceIds: [spaceId] }];
    return registry.inviteMember(stranger, { ...INVITATION, tenantId: 'ten_b', spaces }, freshKey());
  },
  revokeInvitation: (registry, ids) => registry.revokeInvitation(stranger, ids.invitationId),
  // Whoever has a code may come: there is nothing to ask for but a code.
  acceptInvitation: (registry) => registry.acceptInvitation(stranger, newClaimCode(), freshKey()),
  changeMemberRole: (registry, { tenantId, personId: id }) =>
    registry.changeMemberRole(stranger, { tenantId, personId: id, role: 'VIEWER', spaces: null }),
  'changeMemberRole of somebody, in one’s own tenant': (registry, { personId: id }) =>
    registry.changeMemberRole(stranger, { tenantId: 'ten_b', personId: id, role: 'VIEWER', spaces: null }),
  removeMember: async (registry, { tenantId, personId: id }) => [
    await registry.removeMember(stranger, { tenantId, personId: id }),
    await registry.removeMember(stranger, { tenantId, personId: stranger.principal.id }),
    await registry.removeMember(stranger, { tenantId: 'ten_b', personId: id }),
  ],
  members: (registry, { tenantId }) => registry.members(stranger, tenantId, { first: 10, after: null }),
  invitations: (registry, { tenantId }) =>
    registry.invitations(stranger, tenantId, { first: 10, after: null }),
};

async function answerAndCalls(operation: string, ids: Ids): Promise<{ answer: string; calls: string[] }> {
  const calls: string[] = [];
  const cosmos = tapped(store.cosmos, { before: (_call, name) => void calls.push(name) });
  const registry = createRegistry({ cosmos, keyring: store.keyring });
  let answer = JSON.stringify(await operations[operation]!(registry, ids));
  // Whole ids alone: a short one may be how another, random one begins.
  for (const [name, id] of Object.entries(ids)) {
    answer = answer.replaceAll(new RegExp(`(?<![\\w-])${id}(?![\\w-])`, 'g'), name);
  }
  return { answer, calls };
}

test.each(Object.keys(operations))(
  '%s answers the same for what is another tenant’s and what does not exist, after the same calls',
  async (operation) => {
    const theirs = await answerAndCalls(operation, foreign);
    expect(theirs).toEqual(await answerAndCalls(operation, unknown));
    expect(theirs.answer).not.toContain('Building 25');
    expect(theirs.answer).not.toContain('Device 0');
  },
);

test('every method of the registry that takes a scope is tried', () => {
  const unscoped = [
    'memberships',
    'seedTenants',
    'resumeSagas',
    'settleMemberships',
    'setOperator',
    'trustedTexts',
  ];
  const tried = new Set(Object.keys(operations).map((each) => each.split(' ')[0]));
  expect([...tried, ...unscoped].sort()).toEqual(Object.keys(store.registry).sort());
});

test('an offer to a tenant that does not exist is answered as one to a tenant that does', async () => {
  const offers = ['ten_a', 'ten_nobody'].map(async (toTenantId) => {
    const calls: string[] = [];
    const cosmos = tapped(store.cosmos, { before: (_call, name) => void calls.push(name) });
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const { id } = await provisioned(store, stranger, {
      buildingId: own.buildingId,
      spaceIds: [own.spaceId],
    });
    const input = { deviceId: id, toTenantId, expiresInMs: 3_600_000 };
    const { transfer } = valueOf(await registry.offerDeviceTransfer(stranger, input));
    return { calls, fields: Object.keys(transfer!) };
  });
  const [existing, missing] = await Promise.all(offers);
  expect(existing).toEqual(missing);
});

test('a device cannot be provisioned into another tenant’s space of one’s own building’s id', async () => {
  const { buildingId } = await createBuilding(store.registry, stranger);
  const input = { buildingId, devices: newDevices(1, [foreign.spaceId]) };
  const outcome = await store.registry.provisionDevices(stranger, input, freshKey());
  expect(outcome).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND', path: 'devices.0.spaceId' } });
});
