import { type QuantityName } from './quantity';

export const DEVICE_STATES = ['REGISTERED', 'PROVISIONED', 'ACTIVE', 'SUSPENDED', 'RETIRED'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/** States in which a device may send. */
export function maySend(state: DeviceState): boolean {
  return state === 'PROVISIONED' || state === 'ACTIVE';
}

/**
 * `(device, channel) -> point` from an instant to an instant. A reading belongs to the assignment in force when it was
 * observed, however late it arrives: hence the tenant, building and space of that time stand here.
 */
export interface Assignment {
  channel: string;
  pointId: string;
  /** Dense within the building. */
  pointOrdinal: number;
  deviceOrdinal: number;
  quantity: QuantityName;
  /** What the device sends where its payload names no unit (UCUM). */
  unit: string;
  tenantId: string;
  buildingId: string;
  spaceId: string;
  /** Milliseconds since 1970, inclusive. */
  from: number;
  /** Exclusive; null while in force. */
  to: number | null;
}

export function assignmentAt(
  assignments: readonly Assignment[],
  channel: string,
  observedAt: number,
): Assignment | undefined {
  return assignments.find(
    (each) =>
      each.channel === channel && each.from <= observedAt && (each.to === null || observedAt < each.to),
  );
}

export interface DeviceModelChannel {
  name: string;
  quantity: QuantityName;
  /** UCUM; what the model sends where a payload names no unit. */
  unit: string;
}

export interface DeviceModel {
  name: string;
  manufacturer: string;
  channels: readonly DeviceModelChannel[];
}

const channel = (name: string, quantity: QuantityName, unit: string): DeviceModelChannel => ({
  name,
  quantity,
  unit,
});
const temperature = channel('temperature', 'AIR_TEMPERATURE', 'Cel');
const humidity = channel('humidity', 'RELATIVE_HUMIDITY', '%');
const co2 = channel('co2', 'CO2_LEVEL', '[ppm]');
const light = channel('light', 'ILLUMINANCE', 'lx');
const motion = channel('motion', 'MOTION_LEVEL', '1');
const battery = channel('battery', 'BATTERY_LEVEL', '%');

/** The models that can be provisioned. A further model is an entry here. */
export const DEVICE_MODELS: readonly DeviceModel[] = [
  { name: 'thermometer', manufacturer: 'Atrium', channels: [temperature] },
  { name: 'hygrometer', manufacturer: 'Atrium', channels: [humidity] },
  { name: 'co2-meter', manufacturer: 'Atrium', channels: [co2] },
  { name: 'light-meter', manufacturer: 'Atrium', channels: [light] },
  { name: 'motion-meter', manufacturer: 'Atrium', channels: [motion] },
  { name: 'climate-sensor', manufacturer: 'Atrium', channels: [temperature, humidity, battery] },
  { name: 'room-sensor', manufacturer: 'Atrium', channels: [temperature, humidity, co2, light, motion] },
  {
    name: 'fahrenheit-thermometer',
    manufacturer: 'Atrium',
    channels: [channel('temperature', 'AIR_TEMPERATURE', '[degF]')],
  },
  { name: 'smoke-detector', manufacturer: 'Atrium', channels: [channel('smoke', 'SMOKE', '1'), battery] },
  {
    name: 'intruder-alarm',
    manufacturer: 'Atrium',
    channels: [channel('intrusion', 'INTRUSION', '1'), battery],
  },
  {
    name: 'occupancy-sensor',
    manufacturer: 'Atrium',
    channels: [channel('occupancy', 'OCCUPANCY', '1'), battery],
  },
];

export function deviceModelNamed(name: string): DeviceModel | undefined {
  return DEVICE_MODELS.find((model) => model.name === name);
}
