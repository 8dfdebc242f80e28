import { newId } from '../../src/domain/id';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { type Reading } from '../../src/domain/reading';
import { alertIdOf } from '../../src/store/alerts/alert-id';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { type DeviceDocument } from '../../src/store/documents';
import { type GrantedRole, type ReceivedGrantDocument } from '../../src/store/grants/documents';
import { createRaiser } from '../alerts/alerts.support';
import { average, freshKey, type Person, placeState } from '../api/api.support';
import { fileDeadLetters } from '../dead-letters/letters';
import { type Former, type Guest, type Place, type SpaceRank } from './space-rights';
import { known } from './tenants';
import { type World } from './world';

/** What tells the places apart: nothing else in the world has these numbers. */
const VALUES = { own: 21.125, neighbour: 22.625, building: 23.875 };

/** A building with two rooms, who has a right to one of them or to all, and ids of nothing there. */
export interface Places {
  owner: Person;
  people: Record<SpaceRank | Guest | Former | 'STRANGER' | 'OF_HUMIDITY', Person>;
  own: Place;
  neighbour: Place;
  unknown: Place;
}

/** Fills a world with everything that the table of rights to spaces asks for. */
export async function buildPlaces(world: World): Promise<Places> {
  const people = {} as Places['people'];
  const owner = await world.person('owner', world.north, 'OWNER');
  const made = await world.registry.createBuilding(
    owner.scope,
    {
      tenantId: world.north,
      name: 'Building 25',
      timeZone: 'Europe/Berlin',
      spaces: [
        { name: 'Level 1', kind: 'LEVEL', parent: null },
        { name: 'Room 101', kind: 'ROOM', parent: 0 },
        { name: 'Level 2', kind: 'LEVEL', parent: null },
        { name: 'Room 201', kind: 'ROOM', parent: 2 },
        { name: 'Room 202', kind: 'ROOM', parent: 2 },
      ],
    },
    freshKey(),
  );
  if (!made.ok) throw new Error(made.refusal.message);
  const { building, spaces } = made.value;
  const [level, room, , other, third] = spaces.map(({ id }) => id) as [
    string,
    string,
    string,
    string,
    string,
  ];
  // Of fewer spaces than three nobody with a part of the building is told its averages.
  await provision(building.id, third, ['Is one of three']);
  const own = await place(building.id, room, VALUES.own);
  const neighbour = await place(building.id, other, VALUES.neighbour);
  await fileDeadLetters(world.cosmos, world.north, building.id, own.device);
  await createRaiser(world.cosmos).raise({ tenantId: world.north, buildingId: building.id });
  const unknown: Place = {
    ...own,
    space: newId('spc'),
    device: newId('dev'),
    deviceToSuspend: newId('dev'),
    alert: alertIdOf({ id: newId('alt'), buildingId: building.id }),
  };
  const rooms = [{ buildingId: building.id, spaceIds: [room] }];
  const levels = [{ buildingId: building.id, spaceIds: [level, room] }];
  people.RESIDENT = await world.person('resident', world.north, 'VIEWER', rooms);
  people.ROOM_ANALYST = await world.person('room analyst', world.north, 'ANALYST', rooms);
  people.ROOM_TECHNICIAN = await world.person('room technician', world.north, 'TECHNICIAN', rooms);
  people.ROOM_MANAGER = await world.person('room manager', world.north, 'MANAGER', rooms);
  people.LEVEL_VIEWER = await world.person('level viewer', world.north, 'VIEWER', levels);
  people.LEVEL_ANALYST = await world.person('level analyst', world.north, 'ANALYST', levels);

  /** Shares the room, or with null all of the building. */
  const share = async (
    role: GrantedRole,
    spaceId: string | null,
    who: Person,
    { tenantId = null, ...more }: { tenantId?: string | null; until?: number; quantities?: QuantityName[] },
  ) => {
    const offered = await world.registry.offerGrant(
      owner.scope,
      {
        ...{ buildingId: building.id, spaceId, role, quantities: null, until: null, note: null },
        ...{ to: tenantId === null ? ('PERSON' as const) : ('TENANT' as const), expiresInMs: 3_600_000 },
        ...more,
      },
      freshKey(),
    );
    if (!offered.ok) throw new Error(offered.refusal.message);
    const { grant, code } = offered.value;
    const accepted = await world.registry.acceptGrant(who.scope, { code: code!, tenantId }, freshKey());
    if (!accepted.ok) throw new Error(accepted.refusal.message);
    return grant.id;
  };
  const stranger = async (name: string): Promise<Person> =>
    world.person(name, `${world.north}_elsewhere`, 'VIEWER');
  const [room1, house1, house2] = ['room', 'house', 'keepers'].map((name) => `${world.north}_${name}`);
  people.GUEST_ANALYST = await stranger('guest analyst');
  await share('ANALYST', room, people.GUEST_ANALYST, {});
  people.GUEST_TECHNICIAN = await world.person('guest technician', room1!, 'TECHNICIAN');
  await share('MANAGER', room, await world.person('room owner', room1!, 'OWNER'), { tenantId: room1! });
  people.ANALYST_AT_HOME = await world.person('analyst at home', house1!, 'ANALYST');
  await share('MANAGER', null, await world.person('house owner', house1!, 'OWNER'), { tenantId: house1! });
  people.OWNER_AT_HOME = await world.person('owner at home', house2!, 'OWNER');
  await share('TECHNICIAN', null, people.OWNER_AT_HOME, { tenantId: house2! });
  people.VIEWER_HERE = await stranger('viewer here');
  await share('VIEWER', null, people.VIEWER_HERE, {});
  people.OF_HUMIDITY = await stranger('of humidity');
  await share('ANALYST', null, people.OF_HUMIDITY, { quantities: ['RELATIVE_HUMIDITY'] });
  people.STRANGER = await stranger('stranger');
  people.EXPIRED = await stranger('expired');
  const expired = await share('MANAGER', null, people.EXPIRED, { until: Date.now() + 3_600_000 });
  const key = `person:${people.EXPIRED.scope.principal.id}`;
  const grant = await world.cosmos.read<ReceivedGrantDocument>('directory', key, expired);
  const over: ReceivedGrantDocument = { ...grant!, until: Date.now() - 1 };
  await world.cosmos.bulkUpsert('directory', [over]);
  people.REVOKED = await stranger('revoked');
  await world.registry.revokeGrant(owner.scope, await share('MANAGER', null, people.REVOKED, {}));
  people.LEFT = await stranger('left');
  await world.registry.revokeGrant(people.LEFT.scope, await share('MANAGER', room, people.LEFT, {}));

  const of = { id: building.id, tenantId: world.north };
  const minute = Math.floor(Date.now() / 60_000);
  await createAveragesWriter({ cosmos: world.cosmos }).write(building.id, [
    average(of, { windowEnd: minute * 60, mean: VALUES.building }),
  ]);
  await world.publishStates(placeState(of));
  await world.publish(average(of, { mean: VALUES.building }));
  await known(world, owner, building.id, 1);

  return { owner, people, own, neighbour, unknown };

  async function provision(buildingId: string, spaceId: string, names: string[]): Promise<DeviceDocument[]> {
    const devices = names.map((name) => ({
      ...{ name: `${name} in ${spaceId}`, model: 'thermometer', spaceId, serialNumber: null },
    }));
    const made = await world.registry.provisionDevices(owner.scope, { buildingId, devices }, freshKey());
    if (!made.ok) throw new Error(made.refusal.message);
    return made.value.map(({ device }) => device);
  }

  async function place(buildingId: string, spaceId: string, value: number): Promise<Place> {
    const [device, second] = await provision(buildingId, spaceId, ['Stays', 'Is suspended']);
    await world.hear(readingsOf(device!, value));
    const { alert } = await createRaiser(world.cosmos).raise({ tenantId: world.north, buildingId, spaceId });
    const of = { id: buildingId, tenantId: world.north };
    await world.publish({ ...average(of, { mean: value }), spaceId });
    await world.publishStates(placeState(of, { spaceId, active: value * 1_000 }));
    return {
      building: buildingId,
      space: spaceId,
      device: device!.id,
      deviceToSuspend: second!.id,
      alert: alertIdOf(alert),
      value,
    };
  }
}

/** A reading of each point of a device, a minute ago. */
function readingsOf(device: DeviceDocument, value: number): Reading[] {
  const now = Date.now();
  const { id: deviceId, tenantId, buildingId } = device;
  return device.assignments.map(({ quantity, spaceId, pointId, pointOrdinal, deviceOrdinal }) => ({
    ...{ tenantId, buildingId, spaceId, pointId, pointOrdinal, deviceId, deviceOrdinal },
    quantity: quantityNamed(quantity).code,
    observedAt: now - 60_000,
    receivedAt: now - 59_950,
    value,
  }));
}
