import {
  DeviceLatestReadingsDocument,
  LatestReadingsDocument,
  ReadingsDocument,
} from '../../simulator/generated/graphql';
import { quantityNamed } from '../../src/domain/quantity';
import { type DeviceDocument } from '../../src/store/documents';
import { createRecentTail, type RecentTail } from '../../src/store/recent-tail';
import { createRecentWriter } from '../../src/store/recent-writer';
import { type ColdStores, startColdStores } from '../analytics/cold-store';
import { recentBatches } from '../analytics/recent-batches';
import { buildReading } from '../support/readings';
import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

const LIFE = '1700000000000-8';

describe('what was read last', () => {
  let stores: ColdStores;
  let api: TestApi;
  let owner: Person;
  let analyst: Person;
  let sequence = 0;
  beforeAll(async () => {
    stores = await startColdStores();
    const recent: RecentTail = {
      documents: (query) => createRecentTail(api).documents(query),
      buildings: (tenantId) => createRecentTail(api).buildings(tenantId),
    };
    const cold = await stores.next({ recent });
    api = await startApi({ questions: cold.questions });
    owner = await api.person('owner', NORTH, 'OWNER');
    analyst = await api.person('analyst', NORTH, 'ANALYST');
  });
  afterAll(async () => {
    await api.stop();
    await stores.stop();
  });

  /** Stores a value of each channel of a device, as the aggregate worker does. */
  async function hear(
    { id: deviceId, tenantId, buildingId, assignments }: DeviceDocument,
    at: number,
    value: number,
  ) {
    const readings = assignments.map(({ quantity, ...point }) =>
      buildReading({
        ...point,
        tenantId,
        buildingId,
        deviceId,
        quantity: quantityNamed(quantity).code,
        observedAt: at,
        value,
      }),
    );
    const arrival = { incarnation: LIFE, partition: 0, sequence: sequence++, enqueuedAt: at, readings };
    for (const batch of recentBatches([arrival])) await createRecentWriter(api).write(batch);
  }

  it('is told of each point of a building, page by page, and of a space of it', async () => {
    const { building, spaces, devices } = await buildBuilding(api, owner, NORTH, { devices: 5 });
    const at = Date.now() - 60_000;
    for (const [i, device] of devices.slice(0, 4).entries()) await hear(device, at + i, 20 + i);
    const page = async (variables: object) => {
      const { data, errors } = await api.ask(analyst, LatestReadingsDocument, {
        building: building.id,
        quantity: null,
        space: null,
        first: 50,
        after: null,
        ...variables,
      });
      expect(errors).toBeUndefined();
      return data!.building!.latestReadings!;
    };
    const ask = async (variables: { quantity?: 'AIR_TEMPERATURE'; space?: string; first: number }) => {
      const seen: { pointId: string; value: number; quantity: string; observedAt: string }[] = [];
      for (let after: string | null = null, more = true; more;) {
        const { nodes, pageInfo } = await page({ ...variables, after });
        seen.push(...nodes);
        more = pageInfo.hasNextPage;
        after = pageInfo.endCursor;
      }
      return seen;
    };
    const heard = devices.slice(0, 4).flatMap(({ assignments }) => assignments);
    const all = await ask({ first: 3 });
    expect(all.map(({ pointId }) => pointId).sort()).toEqual(heard.map(({ pointId }) => pointId).sort());
    const temperatures = await ask({ first: 50, quantity: 'AIR_TEMPERATURE', space: spaces[0]!.id });
    expect(temperatures.map(({ value, observedAt }) => [value, Date.parse(observedAt) - at]).sort()).toEqual([
      [20, 0],
      [21, 1],
      [22, 2],
      [23, 3],
    ]);
    expect(await ask({ first: 50, space: 'spc_elsewhere' })).toEqual([]);
  });

  it('asks the store once for all points of a query', async () => {
    const { building, devices } = await buildBuilding(api, owner, NORTH, { devices: 20 });
    for (const device of devices) await hear(device, Date.now() - 60_000, 21);
    api.storeCalls();
    const { data, errors } = await api.ask<
      { building: { devices: { nodes: { latestReadings: unknown[] }[] } } },
      object
    >(
      owner,
      `query ($id: ID!) { building(id: $id) { devices(first: 20) { nodes {
        latestReadings { value } assignments { point { latestReading { value } } } } } } }`,
      { id: building.id },
    );
    expect(errors).toBeUndefined();
    expect(data!.building.devices.nodes.every(({ latestReadings }) => latestReadings.length > 0)).toBe(true);
    expect(api.storeCalls().filter((call) => call === 'readMany recent')).toHaveLength(1);
  });

  it('is a device’s own where another has fed the point since, and the point’s whoever measured it', async () => {
    const { devices } = await buildBuilding(api, owner, NORTH, { devices: 2 });
    const [device, other] = devices as [DeviceDocument, DeviceDocument];
    const at = Date.now() - 60_000;
    await hear(device, at, 20);
    // A device that took its place in the meantime measured the first of its points.
    const [first] = device.assignments;
    const deviceOrdinal = other.assignments[0]!.deviceOrdinal;
    await hear({ ...device, assignments: [{ ...first!, deviceOrdinal }] }, at + 1, 25);
    const { data, errors } = await api.ask(owner, DeviceLatestReadingsDocument, { id: device.id });
    expect(errors).toBeUndefined();
    const { latestReadings, assignments } = data!.device!;
    expect(latestReadings!.map(({ pointId }) => pointId)).toEqual(
      device.assignments.slice(1).map(({ pointId }) => pointId),
    );
    expect(assignments[0]!.point.latestReading).toMatchObject({ value: 25 });
  });

  it('stands among the readings of a building though it has not landed', async () => {
    const { building, devices } = await buildBuilding(api, owner, NORTH, { devices: 1 });
    const at = Date.now() - 30_000;
    await hear(devices[0]!, at, 21.5);
    const { data, errors } = await api.ask(analyst, ReadingsDocument, {
      building: building.id,
      from: new Date(at - 60_000).toISOString(),
      to: new Date(at + 60_000).toISOString(),
      quantity: 'AIR_TEMPERATURE',
      space: devices[0]!.spaceId,
      device: devices[0]!.id,
      point: null,
      first: 50,
      after: null,
    });
    expect(errors).toBeUndefined();
    expect(data!.building!.readings!.nodes).toMatchObject([
      { value: 21.5, unit: 'Cel', observedAt: new Date(at).toISOString(), timeSource: 'DEVICE' },
    ]);
  });
});
