import fc from 'fast-check';
import { type Reading, type RefusedReading } from '../../src/domain/reading';
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
const refused: fc.Arbitrary<RefusedReading> = fc.record({
  tenantId: fc.constant('ten_0'),
  buildingId: fc.constantFrom('', 'bld_0'),
  deviceId: fc.constant('dev_0_0'),
  channel: fc.string(),
  observedAt: fc.option(instant),
  receivedAt: instant,
  code: fc.constantFrom('VALUE_OUT_OF_RANGE' as const, 'PAYLOAD_INVALID' as const),
  message: fc.string(),
  raw: fc.string(),
});

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
