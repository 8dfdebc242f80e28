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

/** Where the device stands now; undefined where it stands nowhere. */
export function openAssignment(assignments: readonly Assignment[]): Assignment | undefined {
  for (let i = assignments.length - 1; i >= 0; i--) if (assignments[i]!.to === null) return assignments[i];
  return undefined;
}

export interface DeviceModelChannel {
  name: string;
  quantity: QuantityName;
  /** UCUM; what the model sends where a payload names no unit. */
  unit: string;
  /** Where the model keeps it, for models that are polled by Modbus. */
  modbus?: ModbusRegister;
}

/** Modbus Application Protocol 1.1b3, sections 4.3 and 6.1 to 6.4: the four tables a device may keep values in. */
export interface ModbusRegister {
  table: 'coil' | 'discrete-input' | 'holding-register' | 'input-register';
  /** As it stands in the request, from 0; makers' manuals often count from 1, 30001 or 40001. */
  address: number;
  /** Left out for a coil or a discrete input, which are bits. */
  type?: 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32';
  /** Which of two registers holds the high word; the standard leaves it open. Default `high-first`. */
  wordOrder?: 'high-first' | 'low-first';
  /** The value in the channel's unit is what was read, divided by this. Default 1. */
  divisor?: number;
}

/** How often a device is expected to send where nothing else is said. */
export const DEFAULT_INTERVAL_SECONDS = 60;

export interface DeviceModel {
  name: string;
  manufacturer: string;
  channels: readonly DeviceModelChannel[];
  /** How often it sends where its device says nothing else. Left out: `DEFAULT_INTERVAL_SECONDS`. */
  intervalSeconds?: number;
}

const channel = (name: string, quantity: QuantityName, unit: string): DeviceModelChannel => ({
  name,
  quantity,
  unit,
});
const kept = (of: DeviceModelChannel, modbus: ModbusRegister): DeviceModelChannel => ({ ...of, modbus });
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
  {
    name: 'lorawan-room-sensor',
    manufacturer: 'Atrium',
    channels: [temperature, humidity, co2, light, channel('occupancy', 'OCCUPANCY', '1'), battery],
  },
  {
    name: 'lorawan-probe-pair',
    manufacturer: 'Atrium',
    channels: [
      channel('temperature-1', 'AIR_TEMPERATURE', 'Cel'),
      channel('temperature-2', 'AIR_TEMPERATURE', 'Cel'),
      battery,
    ],
  },
  {
    name: 'modbus-climate-transmitter',
    manufacturer: 'Atrium',
    channels: [
      kept(temperature, { table: 'input-register', address: 0, type: 'int16', divisor: 10 }),
      kept(humidity, { table: 'input-register', address: 1, type: 'uint16', divisor: 10 }),
      kept(co2, { table: 'input-register', address: 2, type: 'uint16' }),
    ],
  },
  {
    name: 'modbus-room-station',
    manufacturer: 'Atrium',
    channels: [
      kept(channel('temperature', 'AIR_TEMPERATURE', '[degF]'), {
        table: 'holding-register',
        address: 100,
        type: 'float32',
        wordOrder: 'low-first',
      }),
      kept(light, { table: 'holding-register', address: 102, type: 'uint32', divisor: 100 }),
      kept(channel('occupancy', 'OCCUPANCY', '1'), { table: 'discrete-input', address: 0 }),
    ],
  },
  {
    name: 'line-alarm-panel',
    manufacturer: 'Atrium',
    channels: [temperature, channel('smoke', 'SMOKE', '1'), channel('intrusion', 'INTRUSION', '1')],
  },
];

export function deviceModelNamed(name: string): DeviceModel | undefined {
  return DEVICE_MODELS.find((model) => model.name === name);
}
