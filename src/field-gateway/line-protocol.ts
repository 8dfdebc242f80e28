import { type QuantityName } from '../domain/quantity';

/**
 * The fixed-width ASCII line protocol of units that speak nothing else. A frame has 32 bytes:
 *
 * | byte   | holds                                                                                          |
 * | ------ | ---------------------------------------------------------------------------------------------- |
 * | 0      | STX (0x02)                                                                                     |
 * | 1-8    | the unit's address: capital letters, digits, `-`, filled up with blanks at its end             |
 * | 9      | sequence `0` to `9`, one more for each new frame and the same when it is sent again; or blank  |
 * | 10-11  | what is measured: `TA` air temperature, `RH` humidity, `CO` carbon dioxide, `LX` light, `MO`   |
 * |        | motion, `BT` battery, `SM` smoke, `IN` intrusion, `OC` occupancy                               |
 * | 12     | status: `A` measured, `F` the sensor is at fault, `T` the unit is being tested                 |
 * | 13     | `+` or `-`                                                                                     |
 * | 14-19  | six digits                                                                                     |
 * | 20     | how many of them are decimals, `0` to `6`                                                      |
 * | 21-26  | age: seconds since it was measured, six digits                                                 |
 * | 27-28  | sum of the bytes 1 to 26, modulo 256, as two capital hex digits                                |
 * | 29     | ETX (0x03)                                                                                     |
 * | 30-31  | CR LF                                                                                          |
 *
 * The answer has two bytes: ACK (0x06) once it is kept on disk, NAK (0x15) for a frame that arrived damaged (send it
 * again), CAN (0x18) for one that is understood and not wanted (do not); then the frame's sequence, or a blank. A frame
 * with the sequence, quantity and value of the unit's last one is that one sent again, and not kept twice: a unit that
 * starts anew begins with a blank.
 */
export const LINE_FRAME_BYTES = 32;
export const STX = 0x02;
export const ETX = 0x03;
export const ACK = 0x06;
export const NAK = 0x15;
export const CAN = 0x18;

export type LineStatus = 'A' | 'F' | 'T';

export interface LineFrame {
  /** Without the blanks that fill it up. */
  address: string;
  /** '' for a unit that does not count. */
  sequence: string;
  quantity: QuantityName;
  status: LineStatus;
  /** In the unit that the device's model names. */
  value: number;
  /** Seconds. */
  age: number;
}

const QUANTITY_OF: Record<string, QuantityName> = {
  TA: 'AIR_TEMPERATURE',
  RH: 'RELATIVE_HUMIDITY',
  CO: 'CO2_LEVEL',
  LX: 'ILLUMINANCE',
  MO: 'MOTION_LEVEL',
  BT: 'BATTERY_LEVEL',
  SM: 'SMOKE',
  IN: 'INTRUSION',
  OC: 'OCCUPANCY',
};
const CODE_OF = Object.fromEntries(Object.entries(QUANTITY_OF).map(([code, name]) => [name, code]));

const BODY = /^([A-Z0-9-]{1,8} {0,7})([0-9 ])([A-Z]{2})([AFT])([+-])([0-9]{6})([0-6])([0-9]{6})$/;
export const LINE_ADDRESS = /^[A-Z0-9-]{1,8}$/;

/**
 * @param frame 32 bytes that begin with STX.
 * @returns a sentence that says what is wrong: `damaged` where sending it again may mend it.
 */
export function parseLineFrame(frame: Buffer): LineFrame | { fault: string; damaged: boolean } {
  const damaged = (fault: string) => ({ fault, damaged: true });
  if (frame.length !== LINE_FRAME_BYTES || frame[0] !== STX) return damaged('it does not begin with STX');
  if (frame[29] !== ETX || frame[30] !== 0x0d || frame[31] !== 0x0a) {
    return damaged('it does not end with ETX CR LF');
  }
  if (frame.toString('latin1', 27, 29) !== checksumOf(frame)) return damaged('its checksum is wrong');
  const parts = BODY.exec(frame.toString('latin1', 1, 27));
  if (parts === null) return { fault: 'a field holds what it cannot', damaged: false };
  const [, address, sequence, code, status, sign, digits, decimals, age] = parts as unknown as string[];
  const quantity = Object.hasOwn(QUANTITY_OF, code!) ? QUANTITY_OF[code!] : undefined;
  if (quantity === undefined) return { fault: `'${code}' is nothing that is measured`, damaged: false };
  return {
    address: address!.trimEnd(),
    sequence: sequence!.trim(),
    quantity,
    status: status as LineStatus,
    // Through the decimal text: 215 with one decimal is exactly 21.5. Minus nothing is nothing.
    value: Number(`${sign}${digits}e-${decimals}`) + 0,
    age: Number(age),
  };
}

/** @param frame its value is rounded to `decimals`, and must then fit into six digits. */
export function formatLineFrame(frame: LineFrame, decimals: number): Buffer {
  const digits = String(Math.round(Math.abs(frame.value) * 10 ** decimals)).padStart(6, '0');
  const body =
    frame.address.padEnd(8) +
    (frame.sequence || ' ') +
    CODE_OF[frame.quantity] +
    frame.status +
    (frame.value < 0 ? '-' : '+') +
    digits +
    String(decimals) +
    String(frame.age).padStart(6, '0');
  const bytes = Buffer.from(`\x02${body}00\x03\r\n`, 'latin1');
  bytes.write(checksumOf(bytes), 27, 'latin1');
  return bytes;
}

function checksumOf(frame: Buffer): string {
  let sum = 0;
  for (let at = 1; at < 27; at++) sum += frame[at]!;
  return (sum & 255).toString(16).toUpperCase().padStart(2, '0');
}

/** Cuts what arrives on a connection into frames. Holds one frame at most, whatever is sent. */
export interface LineScanner {
  /** @param onFrame 32 bytes that begin with STX and are nobody's to keep. */
  feed(chunk: Buffer, onFrame: (frame: Buffer) => void): void;
  /** Bytes since the last whole frame that belong to none. */
  noise(): number;
  /** Bytes of a frame that has begun. */
  pending(): number;
}

export function createLineScanner(): LineScanner {
  const held = Buffer.alloc(LINE_FRAME_BYTES);
  let length = 0;
  let noise = 0;
  return {
    feed(chunk, onFrame) {
      for (const byte of chunk) {
        // STX stands nowhere within a frame: what begins with one begins anew.
        if (byte === STX) {
          noise += length;
          length = 0;
        } else if (length === 0) {
          noise++;
          continue;
        }
        held[length++] = byte;
        if (length < LINE_FRAME_BYTES) continue;
        length = 0;
        noise = 0;
        onFrame(Buffer.from(held));
      }
    },
    noise: () => noise,
    pending: () => length,
  };
}
