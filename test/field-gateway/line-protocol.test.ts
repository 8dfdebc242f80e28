import fc from 'fast-check';
import {
  createLineScanner,
  formatLineFrame,
  LINE_FRAME_BYTES,
  type LineFrame,
  parseLineFrame,
} from '../../src/field-gateway/line-protocol';

const FRAME: LineFrame = {
  address: 'HALL-1',
  sequence: '3',
  quantity: 'AIR_TEMPERATURE',
  status: 'A',
  value: -4.5,
  age: 90,
};

const frameOf = (body: string): Buffer => {
  const sum = [...Buffer.from(body, 'latin1')].reduce((total, byte) => total + byte, 0) % 256;
  return Buffer.from(`\x02${body}${sum.toString(16).toUpperCase().padStart(2, '0')}\x03\r\n`, 'latin1');
};

/** Frames of a stream that is cut at random. */
const scan = (stream: Buffer, cuts: number[] = []) => {
  const scanner = createLineScanner();
  const frames: Buffer[] = [];
  let from = 0;
  for (const cut of [
    ...cuts.map((each) => each % (stream.length + 1)).sort((a, b) => a - b),
    stream.length,
  ]) {
    scanner.feed(stream.subarray(from, cut), (frame) => frames.push(frame));
    from = cut;
  }
  return { frames, noise: scanner.noise(), pending: scanner.pending() };
};

describe('the line protocol', () => {
  test('a frame has 32 bytes, and says what its bytes say', () => {
    const frame = frameOf('HALL-1  3TAA-000450' + '2' + '000090');
    expect(frame).toHaveLength(LINE_FRAME_BYTES);
    expect(parseLineFrame(frame)).toEqual(FRAME);
  });

  test('what is written is what is read', () => {
    const decimals = fc.integer({ min: 0, max: 6 });
    const frame = fc.record({
      address: fc.stringMatching(/^[A-Z0-9-]{1,8}$/),
      sequence: fc.constantFrom('', '0', '5', '9'),
      quantity: fc.constantFrom('AIR_TEMPERATURE' as const, 'CO2_LEVEL' as const, 'SMOKE' as const),
      status: fc.constantFrom('A' as const, 'F' as const, 'T' as const),
      age: fc.integer({ min: 0, max: 999_999 }),
    });
    fc.assert(
      fc.property(frame, decimals, fc.integer({ min: -999_999, max: 999_999 }), (parts, places, digits) => {
        const written = { ...parts, value: Number(`${digits}e-${places}`) };
        expect(parseLineFrame(formatLineFrame(written, places))).toEqual(written);
      }),
    );
  });

  test('a frame with any one byte changed is damaged or not wanted, never another reading', () => {
    const whole = formatLineFrame(FRAME, 1);
    fc.assert(
      fc.property(fc.nat(LINE_FRAME_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const frame = Buffer.from(whole);
        frame[at] = frame[at]! ^ change;
        expect(parseLineFrame(frame)).toHaveProperty('fault');
      }),
    );
  });

  test.each([
    ['an unknown quantity', frameOf('HALL-1  3XXA-0004502000090')],
    ['an unknown status', frameOf('HALL-1  3TAZ-0004502000090')],
    ['letters for digits', frameOf('HALL-1  3TAA-00A4502000090')],
    ['more decimals than digits', frameOf('HALL-1  3TAA-0004507000090')],
    ['a blank within its address', frameOf('HA LL-1 3TAA-0004502000090')],
  ])('%s is not wanted, and sending it again would not help', (_, frame) => {
    expect(parseLineFrame(frame)).toMatchObject({ damaged: false });
  });

  test('frames are found however the stream is cut, and whatever stands between them', () => {
    const whole = formatLineFrame(FRAME, 1);
    const noise = fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.map((byte) => byte | 0x80)));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (noises, cuts) => {
        const stream = Buffer.concat(noises.flatMap((bytes) => [bytes, whole]));
        const { frames, pending } = scan(stream, cuts);
        expect(frames).toEqual(noises.map(() => whole));
        expect(pending).toBe(0);
      }),
    );
  });

  test('half a frame is forgotten when another begins, and counts as noise', () => {
    const whole = formatLineFrame(FRAME, 1);
    const { frames, noise } = scan(Buffer.concat([whole.subarray(0, 20), whole]));
    expect(frames).toEqual([whole]);
    expect(noise).toBe(0);
    expect(scan(whole.subarray(0, 20))).toMatchObject({ pending: 20 });
    expect(scan(Buffer.concat([whole.subarray(0, 20), whole.subarray(0, 5)]))).toMatchObject({ noise: 20 });
  });
});
