import fc from 'fast-check';
import { type Letter, type Reading, type RefusedReading } from '../../src/domain/reading';
import { AVERAGES_SCHEMA, decodeAverages } from '../../src/stream/averages';
import {
  createFrameBuilder,
  decodeFrame,
  FRAME_SCHEMA,
  FrameError,
  SCHEMA_PROPERTY,
} from '../../src/stream/frame';

const properties = { [SCHEMA_PROPERTY]: FRAME_SCHEMA };

const instant = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });
const place = fc.record({
  building: fc.integer({ min: 0, max: 3 }),
  point: fc.integer({ min: 0, max: 9 }),
});
const reading: fc.Arbitrary<Reading> = fc
  .record({
    place,
    observedAt: instant,
    receivedAt: instant,
    value: fc.double({ noNaN: true }),
    undated: fc.option(
      fc.record({ messageId: fc.option(fc.string()), messageIndex: fc.integer({ min: 0, max: 500 }) }),
    ),
    original: fc.option(fc.record({ value: fc.double({ noNaN: true }), unit: fc.string() })),
  })
  .map(({ place: { building, point }, undated, original, ...rest }) => ({
    ...rest,
    receivedAt: 1_790_000_000_000 + (rest.receivedAt % 60_000),
    tenantId: `ten_${building % 2}`,
    buildingId: `bld_${building}`,
    spaceId: `spc_${point}`,
    pointId: `pnt_${building}_${point}`,
    pointOrdinal: point,
    deviceId: `dev_${building}_${point >> 1}`,
    deviceOrdinal: point >> 1,
    quantity: 1 + (point % 5),
    ...(undated === null ? {} : { undated }),
    ...(original === null ? {} : { original }),
  }));
const letter: fc.Arbitrary<Letter> = fc.record({
  protocol: fc.constantFrom('HTTP', 'MQTT'),
  relayedBy: fc.option(fc.constant('dev_gateway')),
  messageId: fc.option(fc.string()),
  index: fc.nat(),
  createdAt: fc.option(instant),
  contentType: fc.string(),
  contentEncoding: fc.option(fc.string()),
  payload: fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
});
const refused: fc.Arbitrary<RefusedReading> = fc
  .tuple(
    fc.record({
      tenantId: fc.constant('ten_0'),
      buildingId: fc.constantFrom('', 'bld_0'),
      deviceId: fc.constant('dev_0_0'),
      channel: fc.string(),
      observedAt: fc.option(instant),
      receivedAt: instant,
      code: fc.constantFrom('VALUE_OUT_OF_RANGE' as const, 'PAYLOAD_INVALID' as const),
      message: fc.string(),
      raw: fc.string(),
    }),
    fc.option(letter),
  )
  .map(([each, its]) => (its === null ? each : { ...each, letter: its }));

/** The readings of a decoded frame, row by row, as they were before packing. */
function readingsOf(body: Buffer): { readings: Reading[]; refused: RefusedReading[] } {
  const frame = decodeFrame(body, properties);
  const undated = new Map(frame.undated.map(({ row, ...rest }) => [row, rest]));
  const originals = new Map(frame.originals.map(({ row, ...rest }) => [row, rest]));
  const readings = frame.point.map((index, row): Reading => {
    const { building, ...point } = frame.points[index]!;
    return {
      ...frame.buildings[building]!,
      ...point,
      observedAt: frame.observedAt[row]!,
      receivedAt: frame.receivedAt[row]!,
      value: frame.value[row]!,
      ...(undated.has(row) ? { undated: undated.get(row)! } : {}),
      ...(originals.has(row) ? { original: originals.get(row)! } : {}),
    };
  });
  return { readings, refused: frame.refused };
}

describe('the telemetry frame', () => {
  it('keeps an excerpt that only looks like a letter’s head as the excerpt that it is', () => {
    for (const raw of ['\u001e', '\u001e{}', '\u001e[]\n{}', '\u001enull\n', '\u001e{"raw":\n']) {
      const builder = createFrameBuilder();
      builder.refuse({
        tenantId: 'ten_0',
        buildingId: '',
        deviceId: 'dev_0',
        channel: '',
        observedAt: null,
        receivedAt: 1,
        code: 'PAYLOAD_INVALID',
        message: 'no JSON',
        raw,
      });
      expect(readingsOf(builder.take()).refused).toMatchObject([{ raw }]);
    }
  });

  it('tells of readings received too far apart for one frame, which a message judged again brings', () => {
    const builder = createFrameBuilder();
    const first = fc.sample(reading, 1)[0]!;
    expect(builder.admits(first)).toBe(true);
    builder.add(first);
    const span = 2 ** 31 - 1;
    for (const [days, admitted] of [
      [-span, true],
      [span, true],
      [-span - 1, false],
      [span + 1, false],
    ] as const) {
      const later = { ...first, receivedAt: first.receivedAt + days };
      expect(builder.admits(later)).toBe(admitted);
      if (admitted) builder.add(later);
    }
    expect(readingsOf(builder.take()).readings).toHaveLength(3);
  });

  it('gives back every reading and every refused one, in order, as they were put in', () => {
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 60 }),
        fc.array(refused, { maxLength: 5 }),
        (readings, refusals) => {
          const builder = createFrameBuilder();
          readings.forEach((each) => builder.add(each));
          refusals.forEach((each) => builder.refuse(each));
          expect(builder.size()).toBe(readings.length + refusals.length);
          const decoded = readingsOf(builder.take());
          expect(decoded.readings).toEqual(readings);
          expect(decoded.refused).toEqual(refusals);
          expect(builder.size()).toBe(0);
        },
      ),
    );
  });

  it('never encodes to more bytes than the builder said', () => {
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 60 }),
        fc.array(refused, { maxLength: 5 }),
        (readings, refusals) => {
          const builder = createFrameBuilder();
          readings.forEach((each) => builder.add(each));
          refusals.forEach((each) => builder.refuse(each));
          const promised = builder.bytes();
          expect(builder.take().length).toBeLessThanOrEqual(promised);
        },
      ),
    );
  });

  it('answers any damaged body with a FrameError and nothing else', () => {
    const builder = createFrameBuilder();
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (readings, where, byte, cut) => {
          readings.forEach((each) => builder.add(each));
          const body = Buffer.from(builder.take());
          const at = where % body.length;
          const damaged = cut ? body.subarray(0, at) : body;
          if (!cut) damaged[at] = byte;
          try {
            decodeFrame(damaged, properties);
          } catch (error) {
            expect(error).toBeInstanceOf(FrameError);
          }
        },
      ),
    );
  });

  it('refuses an array that says it is longer than the body before making any of it', () => {
    const twoBillion = [0x80, 0x80, 0x80, 0x80, 0x10];
    const inItsFirstColumn = Buffer.from([...twoBillion, 0, 0, 0]);
    expect(() => decodeFrame(inItsFirstColumn, properties)).toThrow(
      /an array of 2147483648 items in 3 bytes/,
    );
    // No buildings, no points, both bases 0, and then the column of points: as a block with its size, too.
    const negative = [0xff, 0xff, 0xff, 0xff, 0x0f];
    const inAColumn = Buffer.from([0, 0, 0, 0, ...negative, 2, 0]);
    expect(() => decodeFrame(inAColumn, properties)).toThrow(/an array of 2147483648 items/);
    expect(() =>
      decodeAverages(Buffer.from([0, 0, 0, 0, 0, ...twoBillion]), { [SCHEMA_PROPERTY]: AVERAGES_SCHEMA }),
    ).toThrow(FrameError);
  });

  it('refuses a schema it does not know, and a body that is not binary', () => {
    const body = createFrameBuilder().take();
    expect(() => decodeFrame(body, { [SCHEMA_PROPERTY]: 'telemetry-frame/99' })).toThrow(FrameError);
    expect(() => decodeFrame(body, undefined)).toThrow(FrameError);
    expect(() => decodeFrame('text', properties)).toThrow(FrameError);
    expect(decodeFrame(body, properties).count).toBe(0);
  });
});
