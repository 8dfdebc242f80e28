import { deviceModelNamed, type ModbusRegister } from '../../src/domain/device';
import { decodeRegister, planReads } from '../../src/field-gateway/modbus-registers';

const input = (parts: Partial<ModbusRegister>): ModbusRegister => ({
  table: 'input-register',
  address: 0,
  ...parts,
});
const float = Buffer.alloc(4);
float.writeFloatBE(71.6);
const [high, low] = [float.readUInt16BE(0), float.readUInt16BE(2)];

describe('Modbus registers', () => {
  test.each([
    ['an int16', input({ type: 'int16' }), [0xffd7], -41],
    ['a uint16 with a divisor', input({ type: 'uint16', divisor: 10 }), [405], 40.5],
    ['a uint32, high word first', input({ type: 'uint32' }), [1, 2], 65_538],
    ['a uint32, low word first', input({ type: 'uint32', wordOrder: 'low-first' }), [2, 1], 65_538],
    ['an int32', input({ type: 'int32' }), [0xffff, 0xfffe], -2],
    ['a uint16, whatever the word order', input({ type: 'uint16', wordOrder: 'low-first' }), [7], 7],
    ['an int16, whatever the word order', input({ type: 'int16', wordOrder: 'low-first' }), [0xffff], -1],
    ['a float, high word first', input({ type: 'float32' }), [high, low], 71.6],
    ['a float, low word first', input({ type: 'float32', wordOrder: 'low-first' }), [low, high], 71.6],
    ['a float that is none', input({ type: 'float32' }), [0x7fc0, 0], NaN],
    ['a bit', { table: 'coil' as const, address: 0 }, [true, false], 1],
  ])('%s is read', (_, register, data, value) => {
    expect(decodeRegister(register, data, 0)).toBe(value);
  });

  test('neighbours share a request, and nothing is read that the model does not have', () => {
    expect(planReads(deviceModelNamed('modbus-climate-transmitter')!.channels)).toMatchObject([
      { table: 'input-register', address: 0, length: 3, channels: [{ at: 0 }, { at: 1 }, { at: 2 }] },
    ]);
    expect(planReads(deviceModelNamed('modbus-room-station')!.channels)).toMatchObject([
      { table: 'discrete-input', address: 0, length: 1 },
      { table: 'holding-register', address: 100, length: 4, channels: [{ at: 0 }, { at: 2 }] },
    ]);
  });

  test('a gap, or more than an answer can hold, makes another request', () => {
    const at = (address: number) => ({
      name: `c${address}`,
      quantity: 'CO2_LEVEL' as const,
      unit: '[ppm]',
      modbus: input({ address }),
    });
    expect(planReads([at(0), at(2)])).toHaveLength(2);
    expect(planReads(Array.from({ length: 126 }, (_, index) => at(index)))).toMatchObject([
      { address: 0, length: 125 },
      { address: 125, length: 1 },
    ]);
  });
});
