import {
  AuditLogDocument,
  DevicesDocument,
  type DevicesQueryVariables,
  TenantAuditLogDocument,
} from '../../simulator/generated/graphql';
import { codeOfProtocol } from '../../src/domain/device-protocol';
import { createDeviceActivation } from '../../src/store/device-activation';
import { seenKeyOf } from '../../src/store/device-activity-documents';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { type AuditDocument, auditKeyOf, type DeviceDocument, stockOf } from '../../src/store/documents';
import { buildBuilding, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const at = Date.parse('2026-03-01T12:00:00.000Z');
const minutes = (count: number): string => new Date(at + count * 60_000).toISOString();

describe('last seen, silence and the audit log', () => {
  let api: TestApi;
  let owner: Person;
  let building: { id: string };
  let devices: DeviceDocument[];

  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    ({ building, devices } = await buildBuilding(api, owner, NORTH, { devices: 9 }));
    // Device i was heard at minute i; the last three never.
    const seconds = new Uint32Array(9);
    for (const [i, device] of devices.slice(0, 6).entries()) {
      seconds[seenKeyOf(device)!.ordinal] = at / 1000 + 60 * i;
    }
    const protocols = new Uint8Array(9).fill(codeOfProtocol('MQTT'));
    await createActivityWriter({ cosmos: api.cosmos }).write([
      { buildingId: building.id, chunks: [{ index: 0, seconds, protocols }] },
    ]);
    await createDeviceActivation({ cosmos: api.cosmos }).activate(
      building.id,
      devices.slice(0, 6).map(({ id }, i) => ({ deviceId: id, at: at + 60_000 * i })),
    );
  });
  afterAll(() => api.stop());

  const listed = async (variables: Omit<DevicesQueryVariables, 'building'>) => {
    const answer = await api.ask(owner, DevicesDocument, { building: building.id, ...variables });
    expect(answer.errors).toBeUndefined();
    return answer.data!.building!.devices!;
  };
  const page = { first: 50, after: null, state: null, space: null, model: null, silentSince: null };

  it('tells of a page of devices when and how each was last heard, by one read of the store', async () => {
    api.storeCalls();
    const { nodes } = await listed(page);
    expect(api.storeCalls().filter((call) => call.endsWith(' warm'))).toEqual(['readMany warm']);
    expect(nodes.map(({ lastSeenAt, lastProtocol }) => [lastSeenAt, lastProtocol])).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((i) => [minutes(i), 'MQTT']),
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect(nodes.map(({ state }) => state)).toEqual([
      ...Array<string>(6).fill('ACTIVE'),
      ...Array<string>(3).fill('PROVISIONED'),
    ]);
  });

  it('finds the devices that have been silent, a page at a time', async () => {
    const found: string[] = [];
    let after: string | null = null;
    do {
      const { nodes, pageInfo }: Awaited<ReturnType<typeof listed>> = await listed({
        ...page,
        first: 2,
        after,
        silentSince: minutes(2),
      });
      found.push(...nodes.map(({ id }) => id));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect(found).toEqual([0, 1, 6, 7, 8].map((i) => devices[i]!.id));
  });

  it('filters by model, state and space together', async () => {
    expect((await listed({ ...page, model: 'room-sensor', state: 'ACTIVE' })).nodes).toHaveLength(6);
    expect((await listed({ ...page, model: 'thermometer' })).nodes).toEqual([]);
    const { spaceId } = devices[0]!;
    const silent = await listed({ ...page, space: spaceId, state: 'ACTIVE', silentSince: minutes(3) });
    expect(silent.nodes).toHaveLength(3);
  });

  it('takes a cursor only with the filters it was given for', async () => {
    const { pageInfo } = await listed({ ...page, first: 1, silentSince: minutes(2) });
    const answer = await api.ask(owner, DevicesDocument, {
      building: building.id,
      ...page,
      after: pageInfo.endCursor,
      silentSince: minutes(3),
    });
    expect(answer.errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
  });

  it('shows an owner who did what, and what of it concerns one device', async () => {
    await api.registry.retireDevice(owner.scope, devices[8]!.id);
    const variables = {
      building: building.id,
      first: 50,
      after: null,
      from: null,
      to: null,
      subject: null,
      action: null,
    };
    const log = await api.ask(owner, AuditLogDocument, variables);
    expect(log.errors).toBeUndefined();
    const events = log.data!.building!.auditLog!.nodes;
    expect(events[0]).toMatchObject({
      actor: owner.scope.principal.id,
      action: 'device.retire',
      subject: devices[8]!.id,
      before: { state: 'PROVISIONED' },
      after: { state: 'RETIRED' },
    });
    const actions = events.map(({ action }) => action);
    expect([actions[0], actions[1], actions.at(-1)]).toEqual([
      'device.retire',
      'devices.activate',
      'building.create',
    ]);
    // Of one instant, and so in no order.
    expect(actions.slice(2, -1).sort()).toEqual(['devices.provision', 'devices.reserve']);
    const one = await api.ask(owner, AuditLogDocument, { ...variables, subject: devices[3]!.id });
    expect(one.data!.building!.auditLog!.nodes).toMatchObject([
      { action: 'devices.activate', actor: 'gateway', after: { state: 'ACTIVE' } },
      { action: 'devices.provision', actor: owner.scope.principal.id },
    ]);

    const paged: string[] = [];
    let after: string | null = null;
    do {
      const next: typeof log = await api.ask(owner, AuditLogDocument, { ...variables, first: 2, after });
      const { nodes, pageInfo } = next.data!.building!.auditLog!;
      paged.push(...nodes.map(({ id }) => id));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect(paged).toEqual(events.map(({ id }) => id));

    const before = { ...variables, to: events.at(-1)!.at };
    const oldest = await api.ask(owner, AuditLogDocument, before);
    expect(oldest.data!.building!.auditLog!.nodes.map(({ action }) => action)).toContain('building.create');
  });

  it('shows a tenant’s own stock, and to nobody but an owner', async () => {
    const manager = await api.person('manager', NORTH, 'MANAGER');
    const stock = (tenantId: string, id: string): AuditDocument => ({
      id,
      type: 'audit',
      buildingId: stockOf(tenantId),
      tenantId,
      at,
      actor: owner.scope.principal.id,
      action: 'devices.register',
      subject: tenantId,
      auditKey: auditKeyOf(at, id),
      before: null,
      after: { devices: [] },
    });
    await api.cosmos.bulkUpsert('registry', [stock(NORTH, 'aud_north'), stock(SOUTH, 'aud_south')]);
    const variables = {
      tenant: NORTH,
      first: 50,
      after: null,
      from: null,
      to: null,
      subject: null,
      action: null,
    };
    const { data } = await api.ask(owner, TenantAuditLogDocument, variables);
    expect(data!.tenant!.auditLog!.nodes.map(({ id }) => id)).toEqual(['aud_north']);
    const refused = await api.ask(manager, TenantAuditLogDocument, variables);
    expect(refused.data!.tenant!.auditLog).toBeNull();
    expect(refused.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    const foreign = await api.ask(owner, TenantAuditLogDocument, { ...variables, tenant: SOUTH });
    expect(foreign.data!.tenant).toBeNull();
  });
});
