import { type QuantityName } from '../../../src/domain/quantity';
import { type GrantedRole } from '../../../src/store/grants/documents';
import { createActivityWriter } from '../../../src/store/device-activity-writer';
import { createThrottle } from '../../../src/api/throttle';
import { codeOfProtocol } from '../../../src/domain/device-protocol';
import { type DeviceDocument } from '../../../src/store/documents';
import { eachDocument } from '../../../src/store/erasure/removal';
import { type Cosmos } from '../../../src/store/cosmos';
import { freshKey, type Person } from '../../api/api.support';
import { type OwnWorld, startWorld } from '../../isolation/in-process';

export const CALLERS = [
  'TECHNICIAN',
  'VIEWER',
  'RESIDENT',
  'ROOM_TECHNICIAN',
  'ROOM_VIEWER',
  'QUANTITIES_ANALYST',
  'KEY_WITHOUT_PRESENCE',
  'MANAGER',
] as const;
export type Caller = (typeof CALLERS)[number];
/** They may see it: what they are told must differ, or the runs did not. */
export const CONTROL: Caller = 'MANAGER';

/** One building in two platforms that are alike to every id, and whoever asks about it. */
export interface Houses {
  worlds: readonly [OwnWorld, OwnWorld];
  tenantId: string;
  buildingId: string;
  level: string;
  rooms: string[];
  devices: DeviceDocument[];
  people: Record<Caller, { token: string }>;
  /** The analyst who may see some quantities alone. */
  analyst: Person;
  /** What of CO2 and light the owner says tells of presence. */
  chosen: QuantityName[];
  stop(): Promise<void>;
}

/** As many as an average over single spaces must be of to be told to residents. */
const ROOMS = 3;
/** Of each room. The last measures what tells of presence beside what does not. */
const MODELS = [
  'climate-sensor',
  'motion-meter',
  'occupancy-sensor',
  'co2-meter',
  'light-meter',
  'smoke-detector',
  'intruder-alarm',
  'room-sensor',
];

export async function buildHouses({ chosen }: { chosen: QuantityName[] }): Promise<Houses> {
  const one = await startWorld({ throttle: plenty() });
  // Whoever is somebody to the one is the same to the other.
  const other = await startWorld({ throttle: plenty(), issuers: [one.issuer] });
  const worlds = [one, other] as const;
  const stop = async (): Promise<void> => {
    for (const each of worlds) await each.stop();
  };
  try {
    const tenantId = one.north;
    const owner = await one.person('owner', tenantId, 'OWNER');
    const made = valueOf(
      await one.registry.createBuilding(
        owner.scope,
        {
          ...{ tenantId, name: 'House', timeZone: 'Europe/Berlin' },
          spaces: [
            { name: 'Level', kind: 'LEVEL', parent: null },
            ...Array.from({ length: ROOMS }, (_, i) => ({
              ...{ name: `Room ${i}`, kind: 'ROOM' as const, parent: 0 },
            })),
          ],
        },
        freshKey(),
      ),
    );
    const buildingId = made.building.id;
    const [level, ...rooms] = made.spaces.map(({ id }) => id);
    const provisioned = valueOf(
      await one.registry.provisionDevices(
        owner.scope,
        {
          buildingId,
          devices: rooms.flatMap((spaceId, room) =>
            MODELS.map((model) => ({ name: `${model} ${room}`, model, spaceId, serialNumber: null })),
          ),
        },
        freshKey(),
      ),
    );
    const devices = provisioned.map(({ device }) => device);
    valueOf(await one.registry.setPresenceRevealing(owner.scope, { buildingId, quantities: chosen }));

    const stranger = (name: string): Promise<Person> => one.person(name, 'ten_elsewhere', 'VIEWER');
    const share = async (
      who: Person,
      role: GrantedRole,
      spaceId: string | null,
      quantities: QuantityName[] | null = null,
    ): Promise<Person> => {
      const offered = valueOf(
        await one.registry.offerGrant(
          owner.scope,
          {
            ...{ buildingId, spaceId, role, quantities, until: null, note: null },
            ...{ to: 'PERSON', expiresInMs: 3_600_000 },
          },
          freshKey(),
        ),
      );
      valueOf(await one.registry.acceptGrant(who.scope, { code: offered.code!, tenantId: null }, freshKey()));
      return who;
    };
    const analyst = await share(await stranger('analyst'), 'ANALYST', null, [
      'AIR_TEMPERATURE',
      'RELATIVE_HUMIDITY',
      'SMOKE',
    ]);
    const key = await one.ask<
      { createApiKey: { secret: string; message?: string } },
      { input: Record<string, unknown> }
    >(owner, CREATE_KEY, {
      input: {
        ...{ tenantId, name: 'Dashboard', idempotencyKey: freshKey() },
        permissions: [
          'READ_AVERAGES',
          'READ_STATES',
          'READ_READINGS',
          'READ_DEVICES',
          'READ_ALERTS',
          'READ_DEAD_LETTERS',
        ],
      },
    });
    const token = key.data?.createApiKey.secret;
    if (token === undefined) throw new Error(JSON.stringify(key.errors ?? key.data));
    const people: Record<Caller, { token: string }> = {
      TECHNICIAN: await one.person('technician', tenantId, 'TECHNICIAN'),
      VIEWER: await one.person('viewer', tenantId, 'VIEWER'),
      RESIDENT: await one.person('resident', tenantId, 'VIEWER', [{ buildingId, spaceIds: [rooms[0]!] }]),
      ROOM_TECHNICIAN: await share(await stranger('room technician'), 'TECHNICIAN', rooms[1]!),
      ROOM_VIEWER: await share(await stranger('room viewer'), 'VIEWER', rooms[2]!),
      QUANTITIES_ANALYST: analyst,
      KEY_WITHOUT_PRESENCE: { token },
      MANAGER: await one.person('manager', tenantId, 'MANAGER'),
    };
    for (const container of ['registry', 'directory'] as const) {
      await copy(one.cosmos, other.cosmos, container);
    }
    return {
      ...{ worlds, tenantId, buildingId, level: level!, rooms, devices, people, chosen },
      ...{ analyst, stop },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** So many questions are no client's. */
function plenty() {
  const budget = { capacity: 1e12, restorePerSecond: 1e9 };
  return createThrottle({ client: budget, tenant: budget });
}

const CREATE_KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  ... on CreateApiKeySuccess { secret } ... on UserError { message } } }`;

/** As gateways note when they heard each device: seconds since 1970, by id. */
export async function hear(
  { cosmos }: Pick<OwnWorld, 'cosmos'>,
  devices: readonly DeviceDocument[],
  heard: ReadonlyMap<string, number>,
): Promise<void> {
  const ordinals = devices.map(({ assignments }) => assignments[0]!.deviceOrdinal);
  const seconds = new Uint32Array(Math.max(...ordinals) + 1);
  const protocols = new Uint8Array(seconds.length).fill(codeOfProtocol('MQTT'));
  devices.forEach(({ id }, i) => {
    seconds[ordinals[i]!] = heard.get(id)!;
  });
  const { buildingId } = devices[0]!;
  await createActivityWriter({ cosmos }).write([{ buildingId, chunks: [{ index: 0, seconds, protocols }] }]);
}

async function copy(from: Cosmos, to: Cosmos, container: 'registry' | 'directory'): Promise<void> {
  await eachDocument(from, container, async (documents) => {
    const plain = documents.map((document) =>
      Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_'))),
    );
    await to.bulkUpsert(container, plain as never);
  });
}

export function valueOf<T>(outcome: { ok: true; value: T } | { ok: false; refusal: { message: string } }): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}
