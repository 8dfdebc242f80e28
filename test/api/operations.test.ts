import {
  BuildingHistoryDocument,
  BuildingNowDocument,
  BuildingsDocument,
  CreateBuildingDocument,
  DeviceDetailDocument,
  ProvisionDevicesDocument,
  RetireDeviceDocument,
  ViewerDocument,
} from '../../simulator/generated/graphql';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { eventually } from '../support/eventually';
import {
  average,
  buildBuilding,
  freshKey,
  NORTH,
  type Person,
  SOUTH,
  startApi,
  type TestApi,
} from './api.support';

describe('the documented operations', () => {
  let api: TestApi;
  let owner: Person;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    await api.person('southerner', SOUTH, 'OWNER');
  });
  afterAll(() => api.stop());

  it('tells the viewer who they are and what they belong to', async () => {
    const { data, errors } = await api.ask(owner, ViewerDocument);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      viewer: {
        id: owner.scope.principal.id,
        email: 'owner@example.org',
        tenants: [{ role: 'OWNER', tenant: { id: NORTH, name: `Tenant ${NORTH}` } }],
      },
    });
  });

  it('takes a building from its creation over provisioning to the retirement of a device', async () => {
    const created = await api.ask(owner, CreateBuildingDocument, {
      input: {
        tenantId: NORTH,
        name: 'Hall',
        timeZone: 'America/Los_Angeles',
        spaces: [
          { name: 'Level 4', kind: 'LEVEL' },
          { name: 'Room 413', kind: 'ROOM', parent: 0 },
        ],
        idempotencyKey: freshKey(),
      },
    });
    expect(created.errors).toBeUndefined();
    if (created.data?.createBuilding.__typename !== 'CreateBuildingSuccess') throw new Error('refused');
    const { building, spaces } = created.data.createBuilding;
    expect(spaces.map(({ name, kind }) => [name, kind])).toEqual([
      ['Level 4', 'LEVEL'],
      ['Room 413', 'ROOM'],
    ]);

    const input = {
      buildingId: building.id,
      devices: [{ name: 'Thermometer', model: 'thermometer', spaceId: spaces[1]!.id, serialNumber: 'T-1' }],
      idempotencyKey: freshKey(),
    };
    const provisioned = await api.ask(owner, ProvisionDevicesDocument, { input });
    if (provisioned.data?.provisionDevices.__typename !== 'ProvisionDevicesSuccess')
      throw new Error('refused');
    const [shown] = provisioned.data.provisionDevices.devices;
    expect(shown!.connectionString).toMatch(
      new RegExp(
        `^HostName=gateway.example:8443;DeviceId=${shown!.device.id};SharedAccessKey=[A-Za-z0-9+/]{43}=$`,
      ),
    );
    expect(shown!.secretsAlreadyShown).toBe(false);

    const again = await api.ask(owner, ProvisionDevicesDocument, { input });
    expect(again.data?.provisionDevices).toMatchObject({
      devices: [{ device: { id: shown!.device.id }, connectionString: null, secretsAlreadyShown: true }],
    });

    const detail = await api.ask(owner, DeviceDetailDocument, { id: shown!.device.id });
    expect(detail.errors).toBeUndefined();
    expect(detail.data?.device).toMatchObject({
      name: 'Thermometer',
      model: 'thermometer',
      serialNumber: 'T-1',
      retiredAt: null,
      building: { id: building.id, timeZone: 'America/Los_Angeles' },
      space: { name: 'Room 413', kind: 'ROOM' },
      assignments: [
        {
          channel: 'temperature',
          quantity: 'AIR_TEMPERATURE',
          unit: 'Cel',
          to: null,
          point: { unit: 'Cel' },
        },
      ],
    });

    const retired = await api.ask(owner, RetireDeviceDocument, { input: { deviceId: shown!.device.id } });
    expect(retired.data?.retireDevice).toMatchObject({
      __typename: 'RetireDeviceSuccess',
      device: { state: 'RETIRED', retiredAt: expect.any(String) },
    });
  });

  it('names the offending part of a refused input', async () => {
    const { building } = await buildBuilding(api, owner, NORTH);
    const { data, errors } = await api.ask(owner, ProvisionDevicesDocument, {
      input: {
        buildingId: building.id,
        devices: [{ name: 'Lost', model: 'thermometer', spaceId: 'spc_unknown' }],
        idempotencyKey: freshKey(),
      },
    });
    expect(errors).toBeUndefined();
    expect(data?.provisionDevices).toMatchObject({ path: ['input', 'devices', '0', 'spaceId'] });
  });

  it('pages through buildings and devices without missing or repeating one', async () => {
    const paged = await api.person('pager', 'ten_pages', 'OWNER');
    const names = ['A', 'B', 'C', 'D', 'E'];
    for (const name of names) await buildBuilding(api, paged, 'ten_pages', { name, devices: 0 });
    const seen = await everyPage(async (after) => {
      const { data } = await api.ask(paged, BuildingsDocument, { first: 2, after });
      return data!.buildings;
    });
    expect(seen.map(({ name }) => name)).toEqual(names);

    const { building } = await buildBuilding(api, paged, 'ten_pages', { name: 'F', devices: 7 });
    const pageOfDevices = `query ($id: ID!, $after: String) {
      building(id: $id) { devices(first: 3, after: $after) {
        edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage }
      } } }`;
    const first = await api.ask<DevicePage, object>(paged, pageOfDevices, { id: building.id });
    // From the middle of a page: every edge's cursor is good, not only the last one's.
    const middle = first.data!.building.devices.edges[1]!.cursor;
    const second = await api.ask<DevicePage, object>(paged, pageOfDevices, {
      id: building.id,
      after: middle,
    });
    expect(second.data!.building.devices.edges.map(({ node }) => node.name)).toEqual([
      'Sensor 002',
      'Sensor 003',
      'Sensor 004',
    ]);
    expect(second.data!.building.devices.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: true });
  });

  it('tells the averages now from what is live, and otherwise from the record', async () => {
    const { building } = await buildBuilding(api, owner, NORTH);
    const minute = Math.floor(Date.now() / 60_000);
    const writer = createAveragesWriter({ cosmos: api.cosmos });
    await writer.write(building.id, [
      average(building, { windowEnd: minute * 60, mean: 20 }),
      // Whose window has passed: nothing of it is still true but when the last reading was.
      average(building, {
        quantityName: 'CO2_LEVEL',
        windowEnd: (minute - 6) * 60,
        mean: 600,
        lastReadingAt: (minute - 6) * 60_000 - 5_000,
      }),
    ]);
    const recorded = await api.ask(owner, BuildingNowDocument, { id: building.id });
    expect(recorded.errors).toBeUndefined();
    expect(recorded.data!.building!.averages).toMatchObject([
      {
        quantity: 'AIR_TEMPERATURE',
        unit: 'Cel',
        mean: 20,
        readings: 10,
        windowEnd: new Date(minute * 60_000).toISOString(),
      },
      {
        quantity: 'CO2_LEVEL',
        mean: null,
        minimum: null,
        maximum: null,
        readings: 0,
        devicesReporting: 0,
        lastReadingAt: new Date((minute - 6) * 60_000 - 5_000).toISOString(),
      },
    ]);

    const now = average(building, { mean: 22.25 });
    await api.publish(now);
    await eventually(async () => {
      const { data } = await api.ask(owner, BuildingNowDocument, { id: building.id });
      expect(data!.building!.averages[0]).toMatchObject({
        mean: 22.25,
        windowStart: new Date((now.windowEnd - 300) * 1000).toISOString(),
        windowEnd: new Date(now.windowEnd * 1000).toISOString(),
        position: now.position,
        revision: 1,
      });
    });
  });

  it('pages through the rolling record minute by minute', async () => {
    const { building } = await buildBuilding(api, owner, NORTH);
    const last = Math.floor(Date.now() / 60_000);
    const minutes = Array.from({ length: 25 }, (_, index) => last - 24 + index);
    const writer = createAveragesWriter({ cosmos: api.cosmos });
    await writer.write(
      building.id,
      minutes.map((minute, index) =>
        average(building, {
          windowEnd: minute * 60,
          mean: index,
          position: { incarnation: 'test-2', partition: 0, sequence: index },
        }),
      ),
    );
    const seen = await everyPage(async (after) => {
      const { data, errors } = await api.ask(owner, BuildingHistoryDocument, {
        id: building.id,
        quantity: 'AIR_TEMPERATURE',
        // Not at second 0: the first and last minutes inside are meant.
        from: new Date(minutes[1]! * 60_000 - 1).toISOString(),
        to: new Date(minutes[23]! * 60_000 + 1).toISOString(),
        first: 10,
        after,
      });
      expect(errors).toBeUndefined();
      return data!.building!.averageHistory!;
    });
    expect(seen.map(({ mean }) => mean)).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
  });
});

/** Follows the cursors to the end. */
async function everyPage<T>(
  page: (after: string | null) => Promise<{
    nodes: T[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  }>,
): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await page(after);
    found.push(...nodes);
    if (!pageInfo.hasNextPage) return found;
    after = pageInfo.endCursor;
  }
}

interface DevicePage {
  building: {
    devices: {
      edges: { cursor: string; node: { name: string } }[];
      pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean };
    };
  };
}
