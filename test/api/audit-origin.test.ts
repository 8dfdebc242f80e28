import { apiSettings } from '../../src/config/environment';
import { ask } from '../isolation/judging';
import { buildBuilding, freshKey, NORTH, type Person, startApi, type TestApi } from './api.support';

interface Event {
  action: string;
  actor: string;
  from: { address: string; transport: string } | null;
}

describe('whence a change was asked for', () => {
  let api: TestApi;
  let owner: Person;
  let manager: Person;
  let deviceId: string;
  let buildingId: string;
  beforeAll(async () => {
    // The second of two addresses of this machine is a proxy's.
    api = await startApi({ trustedProxies: ['127.0.0.0/8'] });
    owner = await api.person('owner', NORTH, 'OWNER');
    manager = await api.person('manager', NORTH, 'MANAGER');
    const { building, devices } = await buildBuilding(api, owner, NORTH, { devices: 1 });
    buildingId = building.id;
    deviceId = devices[0]!.id;
  });
  afterAll(() => api?.stop());

  const SUSPEND = 'mutation ($input: SuspendDeviceInput!) { suspendDevice(input: $input) { __typename } }';
  const OFFER = `mutation ($input: OfferGrantInput!) { offerGrant(input: $input) {
    ... on OfferGrantSuccess { grant { id } } ... on UserError { code } } }`;

  async function latest(): Promise<Event> {
    const { data } = await api.ask<{ building: { auditLog: { nodes: Event[] } } }, object>(
      owner,
      `query ($id: ID!) { building(id: $id) {
        auditLog(first: 1) { nodes { action actor from { address transport } } } } }`,
      { id: buildingId },
    );
    return data!.building.auditLog.nodes[0]!;
  }

  it.each([
    ['HTTP', 'HTTP'],
    ['WebSocket', 'WEBSOCKET'],
    ['SSE', 'SSE'],
  ] as const)('is in the audit log for a change of a device over %s', async (transport, named) => {
    const input = { deviceId, reason: `over ${transport}` };
    await ask(api, manager, SUSPEND, { input }, transport);
    expect(await latest()).toEqual({
      action: 'device.suspend',
      actor: manager.scope.principal.id,
      from: { address: '127.0.0.1', transport: named },
    });
    await ask(
      api,
      owner,
      'mutation ($input: ResumeDeviceInput!) { resumeDevice(input: $input) { __typename } }',
      { input: { deviceId } },
      'HTTP',
    );
  });

  it('is in it for a change of access, and null for what no caller asked for', async () => {
    const input = { buildingId, role: 'VIEWER', to: 'PERSON', idempotencyKey: freshKey() };
    const { data } = await ask(api, owner, OFFER, { input }, 'HTTP');
    const { id } = (data!['offerGrant'] as { grant: { id: string } }).grant;
    const log = await api.ask<{ tenant: { auditLog: { nodes: Event[] } } }, object>(
      owner,
      `query ($id: ID!, $subject: ID!) { tenant(id: $id) {
        auditLog(subject: $subject) { nodes { action actor from { address transport } } } } }`,
      { id: NORTH, subject: id },
    );
    expect(log.data!.tenant.auditLog.nodes).toEqual([
      {
        action: 'grant.offer',
        actor: owner.scope.principal.id,
        from: { address: '127.0.0.1', transport: 'HTTP' },
      },
    ]);
    // The store itself made the building.
    const made = await api.ask<{ building: { auditLog: { nodes: Event[] } } }, object>(
      owner,
      `query ($id: ID!) { building(id: $id) {
        auditLog(action: "building.create") { nodes { action actor from { address } } } } }`,
      { id: buildingId },
    );
    expect(made.data!.building.auditLog.nodes.map(({ from }) => from)).toEqual([null]);
  });

  it('is what a trusted proxy says, and what nobody else does', async () => {
    const claimed = async (reached: TestApi, token: string, id: string) => {
      await fetch(`${reached.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${token}`,
          'x-forwarded-for': '203.0.113.7',
        },
        body: JSON.stringify({ query: SUSPEND, variables: { input: { deviceId: id, reason: 'claimed' } } }),
      });
    };
    await claimed(api, manager.token, deviceId);
    expect((await latest()).from).toEqual({ address: '203.0.113.7', transport: 'HTTP' });
    const plain = await startApi();
    try {
      const north = await plain.person('owner', NORTH, 'OWNER');
      const built = await buildBuilding(plain, north, NORTH, { devices: 1 });
      await claimed(plain, north.token, built.deviceId);
      const { data } = await plain.ask<{ building: { auditLog: { nodes: Event[] } } }, object>(
        north,
        `query ($id: ID!) { building(id: $id) { auditLog(first: 1) { nodes { from { address } } } } }`,
        { id: built.building.id },
      );
      expect(data!.building.auditLog.nodes[0]!.from).toEqual({ address: '127.0.0.1' });
    } finally {
      await plain.stop();
    }
  });

  it('is believed of addresses and ranges alone', () => {
    const mistakes = (proxies: string): boolean => {
      try {
        apiSettings({ API_TRUSTED_PROXIES: proxies });
        return false;
      } catch (error) {
        return (error as Error).message.includes('API_TRUSTED_PROXIES');
      }
    };
    expect(['10.0.0.0/8', '::1', '10.0.0.1,fd00::/8'].map(mistakes)).toEqual([false, false, false]);
    expect(['anywhere', '10.0.0.0/33', '10.0.0.0/8/8'].map(mistakes)).toEqual([true, true, true]);
  });
});
