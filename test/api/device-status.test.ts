import { createActivityWriter } from '../../src/store/device-activity-writer';
import { codeOfProtocol } from '../../src/domain/device-protocol';
import { eventually } from '../support/eventually';
import { buildBuilding, freshKey, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const DOCUMENT = `subscription ($building: ID, $ids: [ID!]) {
  deviceStatus(building: $building, deviceIds: $ids) { deviceId state lastSeenAt lastProtocol } }`;

interface Status {
  deviceId: string;
  state: string;
  lastSeenAt: string | null;
  lastProtocol: string | null;
}

describe('the states of devices, live', () => {
  let api: TestApi;
  let owner: Person;
  let house: Awaited<ReturnType<typeof buildBuilding>>;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    house = await buildBuilding(api, owner, NORTH, { devices: 3 });
  });
  afterAll(() => api.stop());

  function collect(variables: { building?: string; ids?: string[] }, who = owner) {
    const values: Status[] = [];
    const outcome: { errors?: unknown; completed: boolean } = { completed: false };
    const end = api.subscriber(who).subscribe<{ deviceStatus: Status }>(
      { query: DOCUMENT, variables },
      {
        next: ({ data, errors }) => {
          if (data) values.push(data.deviceStatus);
          if (errors) outcome.errors = errors;
        },
        error: (error) => (outcome.errors = error),
        complete: () => (outcome.completed = true),
      },
    );
    const latest = (id: string) => values.findLast(({ deviceId }) => deviceId === id);
    return { values, outcome, end, latest };
  }
  /** As a gateway notes that it heard a device. */
  async function hear(ordinal: number, second: number): Promise<void> {
    const seconds = new Uint32Array(ordinal + 1);
    const protocols = new Uint8Array(ordinal + 1);
    seconds[ordinal] = second;
    protocols[ordinal] = codeOfProtocol('MQTT');
    await createActivityWriter({ cosmos: api.cosmos }).write([
      { buildingId: house.building.id, chunks: [{ index: 0, seconds, protocols }] },
    ]);
  }

  it('begin with what they are, then tell of changes of state and of when they were heard, to who may see them', async () => {
    const [first, second, third] = house.devices;
    const heardAt = Math.floor(Date.now() / 1_000) - 5;
    await hear(first!.assignments[0]!.deviceOrdinal, heardAt);
    const technician = await api.person('technician', NORTH, 'TECHNICIAN');
    const building = collect({ building: house.building.id });
    const stepped = collect({ building: house.building.id }, technician);
    const some = collect({ ids: [second!.id, third!.id, 'dev_unknown'] });
    await eventually(() =>
      expect([building, some, stepped].map(({ values }) => values.length)).toEqual([3, 2, 3]),
    );
    // What is stored of when it was heard may be told a moment after the state.
    await eventually(() =>
      expect(building.latest(first!.id)).toMatchObject({
        state: 'PROVISIONED',
        lastSeenAt: new Date(heardAt * 1_000).toISOString(),
        lastProtocol: 'MQTT',
      }),
    );
    const suspended = await api.registry.suspendDevice(owner.scope, second!.id, null);
    expect(suspended.ok).toBe(true);
    for (const each of [building, some, stepped])
      await eventually(() => expect(each.latest(second!.id)?.state).toBe('SUSPENDED'), { every: 10 });
    await hear(third!.assignments[0]!.deviceOrdinal, heardAt + 3);
    for (const each of [building, some]) {
      await eventually(() =>
        expect(each.latest(third!.id)).toMatchObject({
          lastSeenAt: new Date((heardAt + 3) * 1_000).toISOString(),
        }),
      );
    }
    // Each was told of once, and once for each change.
    expect([building.values.length, some.values.length]).toEqual([5, 4]);
    // Their sensors measure motion, too: somebody who may not know of that is told of changes of state alone.
    expect(stepped.values.map(({ deviceId }) => deviceId)).toEqual([
      ...stepped.values.slice(0, 3).map(({ deviceId }) => deviceId),
      second!.id,
    ]);
    for (const { lastSeenAt } of stepped.values) expect(new Date(lastSeenAt ?? 0).getTime() % 60_000).toBe(0);
    for (const each of [building, some, stepped]) each.end();
  });

  it('tell of a device that comes, and of one that leaves no more', async () => {
    const { values, latest, end } = collect({ building: house.building.id });
    await eventually(() => expect(values).toHaveLength(3));
    const made = await api.registry.provisionDevices(
      owner.scope,
      {
        buildingId: house.building.id,
        devices: [{ name: 'New', model: 'room-sensor', spaceId: house.spaceId, serialNumber: null }],
      },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
    await eventually(() => expect(latest(made.value[0]!.device.id)?.state).toBe('PROVISIONED'), {
      every: 10,
    });
    end();
  });

  it('are refused alike for an unknown and a foreign building, and without a word for devices', async () => {
    const stranger = await api.person('stranger', SOUTH, 'OWNER');
    const viewer = await api.person('viewer', NORTH, 'VIEWER');
    for (const [who, building] of [
      [stranger, house.building.id],
      [stranger, 'bld_unknown'],
      [viewer, house.building.id],
    ] as const) {
      const { outcome } = collect({ building }, who);
      await eventually(() => expect(outcome.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]));
    }
    for (const who of [stranger, viewer]) {
      const { outcome, values } = collect({ ids: [house.deviceId] }, who);
      await eventually(() => expect(outcome).toEqual({ completed: true }));
      expect(values).toEqual([]);
    }
    for (const variables of [
      {},
      { building: house.building.id, ids: [house.deviceId] },
      { ids: [] },
      { ids: Array.from({ length: 101 }, () => house.deviceId) },
    ]) {
      const { outcome } = collect(variables);
      await eventually(() =>
        expect(outcome.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]),
      );
    }
  });

  it('end when the right to them is lost', async () => {
    const leaving = await api.person('leaving', NORTH, 'TECHNICIAN');
    const { values, outcome } = collect({ building: house.building.id }, leaving);
    await eventually(() => expect(values.length).toBeGreaterThan(0));
    await api.person('leaving', NORTH, 'VIEWER');
    await eventually(() => expect(outcome).toEqual({ completed: true }), { every: 10 });
  });
});
