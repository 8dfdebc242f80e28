import { createHash, randomUUID } from 'node:crypto';
import { deviceModelNamed } from '../src/domain/device';
import { OperatorError } from '../src/observability/operator-error';
import { type BuildingRecord, type CredentialStore } from './credentials';
import { type PlatformApi } from './platform-api';

export interface PlannedDevice {
  name: string;
  model: string;
  room: string;
}

/** A building as the simulator wants it: what is missing of it is made. */
export interface PlannedBuilding {
  name: string;
  /** IANA. */
  timeZone: string;
  rooms: readonly string[];
  devices: readonly PlannedDevice[];
}

export interface FleetDevice extends PlannedDevice {
  deviceId: string;
  connectionString: string;
}

export interface FleetBuilding {
  buildingId: string;
  name: string;
  /** IANA. */
  timeZone: string;
  /** In the order of the plan. */
  devices: FleetDevice[];
}

/** The most devices that one `provisionDevices` call takes. */
export const MAXIMUM_DEVICES_A_CALL = 10_000;

/**
 * Finds or creates a building, its rooms and its devices. Doing it again changes nothing: idempotency keys follow from
 * the input, and connection strings are kept as soon as they are shown. Where an earlier run died between the two, the
 * devices whose secrets are lost are retired and others take their places.
 */
export async function ensureBuilding(options: {
  api: PlatformApi;
  credentials: CredentialStore;
  tenantId: string;
  plan: PlannedBuilding;
  /** Told how many devices were provisioned just now. */
  onProvisioned?: (devices: number) => void;
}): Promise<FleetBuilding> {
  const { api, credentials, tenantId, plan } = options;
  let record = credentials.load(tenantId, plan.name);
  if (record !== null && !(await api.buildingExists(record.buildingId))) record = null;
  if (record === null) {
    record = await findOrCreate(api, tenantId, plan);
    credentials.save(record);
  }
  const missing = plan.devices.filter(({ name }) => record.devices[name] === undefined);
  for (let at = 0; at < missing.length; at += MAXIMUM_DEVICES_A_CALL) {
    const devices = missing.slice(at, at + MAXIMUM_DEVICES_A_CALL);
    await provision(api, record, devices);
    credentials.save(record);
    options.onProvisioned?.(devices.length);
  }
  const { buildingId, devices } = record;
  return {
    buildingId,
    name: plan.name,
    timeZone: plan.timeZone,
    devices: plan.devices.map((planned) => {
      const { deviceId, connectionString, model } = devices[planned.name]!;
      if (model !== planned.model) {
        throw new OperatorError(
          `${planned.name} of ${plan.name} is a ${model}, not a ${planned.model}: choose another building's name`,
        );
      }
      return { ...planned, deviceId, connectionString };
    }),
  };
}

async function findOrCreate(
  api: PlatformApi,
  tenantId: string,
  plan: PlannedBuilding,
): Promise<BuildingRecord> {
  const known = await api.buildingNamed(tenantId, plan.name);
  if (known !== null) {
    // Made by somebody whose credentials are not here. Our own devices of it cannot send any more.
    const names = new Set(plan.devices.map(({ name }) => name));
    for (const device of known.devices) if (names.has(device.name)) await api.retireDevice(device.id);
    return { tenantId, name: plan.name, buildingId: known.id, spaces: known.spaces, devices: {} };
  }
  const spaces = plan.rooms.map((name) => ({ name, kind: 'ROOM' as const }));
  const input = { tenantId, name: plan.name, timeZone: plan.timeZone, spaces };
  const created = await api.createBuilding(input, keyOf('building', input));
  return { tenantId, name: plan.name, buildingId: created.id, spaces: created.spaces, devices: {} };
}

async function provision(
  api: PlatformApi,
  record: BuildingRecord,
  planned: readonly PlannedDevice[],
): Promise<void> {
  const devices = planned.map(({ name, model, room }) => {
    const spaceId = record.spaces[room];
    if (spaceId === undefined) {
      throw new OperatorError(
        `${record.name} has no room ${room}: choose another building's name, and it is made with its rooms`,
      );
    }
    if (deviceModelNamed(model) === undefined) throw new OperatorError(`there is no device model ${model}`);
    return { name, model, spaceId };
  });
  const input = { buildingId: record.buildingId, devices };
  let provisioned = await api.provisionDevices(input, keyOf('devices', input));
  const lost = provisioned.filter(({ connectionString }) => connectionString === null);
  if (lost.length > 0) {
    for (const { deviceId } of lost) await api.retireDevice(deviceId);
    provisioned = await api.provisionDevices(input, `simulator-devices-${randomUUID()}`);
  }
  planned.forEach(({ name, model, room }, index) => {
    const { deviceId, connectionString } = provisioned[index]!;
    record.devices[name] = { deviceId, connectionString: connectionString!, model, room };
  });
}

function keyOf(what: string, input: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 32);
  return `simulator-${what}-${hash}`;
}
