import { createRandom } from '../verify/unsynced';

/** Everything by chance that a fuzzer decides, repeatable by its seed. */
export interface Chance {
  /** In [0, below). */
  integer(below: number): number;
  of<T>(choices: readonly T[]): T;
  /** True in one of so many cases. */
  oneIn(cases: number): boolean;
  bytes(most: number): Buffer;
}

export function createChance(seed: number): Chance {
  const random = createRandom(seed);
  const integer = (below: number): number => Math.floor(random() * below);
  return {
    integer,
    of: <T>(choices: readonly T[]): T => choices[integer(choices.length)]!,
    oneIn: (cases) => integer(cases) === 0,
    bytes: (most) => Buffer.from(Array.from({ length: integer(most + 1) }, () => integer(256))),
  };
}

/** What breaks parsers in texts and numbers: put in whole. */
const SPLINTERS = [
  ...[
    '"',
    '[',
    '{',
    '}',
    ']',
    ',',
    ':',
    '1e999',
    '-0',
    '-',
    'null',
    '\u0000',
    '__proto__',
    '\\ud800',
    '\ud800',
  ],
  ...[
    'constructor',
    '%',
    '%00',
    '%zz',
    '$.ct',
    '&',
    '=',
    '/',
    '#',
    '+',
    '\r\n',
    '\r\n\r\n',
    ' ',
    'NaN',
    '9007199254740993',
  ],
  ...['[[[[[[[[[[[[[[[[', '{"a":{"a":{"a":', 'observedAt', '"bn":', '"v":1e308', 'content-length: 5\r\n'],
].map((text) => Buffer.from(text));
const BORDERS = [0, 1, 0x1b, 0x5f, 0x7f, 0x80, 0x9f, 0xbf, 0xfe, 0xff];

/** A few changes: bits, bytes, cuts, splices with another input, doubled parts, lengths that lie. */
export function mutated(original: Buffer, chance: Chance, others: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(original);
  for (let changes = 1 + chance.integer(4); changes > 0; changes--) {
    const at = chance.integer(bytes.length + 1);
    const until = Math.min(bytes.length, at + chance.integer(24));
    switch (chance.integer(8)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << chance.integer(8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = chance.of(BORDERS);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), chance.of(SPLINTERS), bytes.subarray(at)]);
        break;
      case 5: {
        const other = chance.of(others);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(chance.integer(other.length + 1))]);
        break;
      }
      case 6: {
        const part = bytes.subarray(at, until);
        const times = 1 + chance.integer(chance.oneIn(10) ? 500 : 4);
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          ...Array<Buffer>(times).fill(part),
          bytes.subarray(at),
        ]);
        break;
      }
      default:
        // Near the beginning stand the lengths.
        if (bytes.length > 1) bytes[1 + chance.integer(Math.min(12, bytes.length - 1))] = chance.of(BORDERS);
    }
  }
  return bytes.subarray(0, MOST_BYTES);
}

/** More than the gateway takes in one packet or body. */
const MOST_BYTES = 300 * 1024;
