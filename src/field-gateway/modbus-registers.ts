import { type DeviceModelChannel, type ModbusRegister } from '../domain/device';

/** One request that reads registers of several channels at once. */
export interface ModbusRead {
  table: ModbusRegister['table'];
  address: number;
  /** Registers, or bits. */
  length: number;
  channels: { channel: DeviceModelChannel; register: ModbusRegister; at: number }[];
}

/** Modbus Application Protocol 1.1b3, section 6.3: what one answer can hold. Of bits it could be 2,000. */
const MAXIMUM_LENGTH = 125;

export function widthOf({ table, type }: ModbusRegister): number {
  if (isBit(table)) return 1;
  return type === 'int32' || type === 'uint32' || type === 'float32' ? 2 : 1;
}

export function isBit(table: ModbusRegister['table']): boolean {
  return table === 'coil' || table === 'discrete-input';
}

/**
 * The fewest requests that read a model's channels without reading anything else: many devices refuse a request that
 * touches an address they do not have, so that only neighbours share one.
 */
export function planReads(channels: readonly DeviceModelChannel[]): ModbusRead[] {
  const kept = channels
    .flatMap((channel) => (channel.modbus ? [{ channel, register: channel.modbus }] : []))
    .sort(
      (a, b) => a.register.table.localeCompare(b.register.table) || a.register.address - b.register.address,
    );
  const reads: ModbusRead[] = [];
  for (const { channel, register } of kept) {
    const last = reads.at(-1);
    const end = register.address + widthOf(register);
    if (
      last !== undefined &&
      last.table === register.table &&
      register.address <= last.address + last.length &&
      end - last.address <= MAXIMUM_LENGTH
    ) {
      last.channels.push({ channel, register, at: register.address - last.address });
      last.length = Math.max(last.length, end - last.address);
    } else {
      const { table, address } = register;
      reads.push({ table, address, length: end - address, channels: [{ channel, register, at: 0 }] });
    }
  }
  return reads;
}

/** @returns the value in the channel's unit; NaN where the register holds no number. */
export function decodeRegister(
  register: ModbusRegister,
  data: readonly (number | boolean)[],
  at: number,
): number {
  if (isBit(register.table)) return Number(data[at]);
  const words = Buffer.alloc(4);
  const low = register.wordOrder === 'low-first';
  words.writeUInt16BE(Number(data[at]), low ? 2 : 0);
  if (widthOf(register) === 2) words.writeUInt16BE(Number(data[at + 1]), low ? 0 : 2);
  return rawOf(register, words, low) / (register.divisor ?? 1);
}

function rawOf({ type = 'uint16' }: ModbusRegister, words: Buffer, low: boolean): number {
  switch (type) {
    case 'int16':
      return words.readInt16BE(low ? 2 : 0);
    case 'uint16':
      return words.readUInt16BE(low ? 2 : 0);
    case 'int32':
      return words.readInt32BE(0);
    case 'uint32':
      return words.readUInt32BE(0);
    case 'float32':
      // Seven digits are what a float has: 71.6 and not 71.59999847412109.
      return Number(words.readFloatBE(0).toPrecision(7));
  }
}
