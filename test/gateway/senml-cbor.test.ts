import { Encoder, Tag } from 'cbor-x';
import fc from 'fast-check';
import { readCbor } from '../../src/gateway/decoders/cbor';
import { senmlCbor } from '../../src/gateway/decoders/senml-cbor';
import { senmlJson } from '../../src/gateway/decoders/senml-json';
import { decodeWith, NOW } from './decoding.support';

/** RFC 8428, table 4. */
const LABEL: Record<string, number> = {
  bs: -6, bv: -5, bu: -4, bt: -3, bn: -2, bver: -1, n: 0, u: 1, v: 2, vs: 3, vb: 4, s: 5, t: 6, ut: 7, vd: 8,
}; // prettier-ignore

// Maps as RFC 8949 has them, without the tag for JavaScript's own.
const peer = new Encoder({ useRecords: false, useTag259ForMaps: false } as object);
const encode = (value: unknown): Buffer => peer.encode(value);

/** A pack in CBOR as an encoder that is not ours writes it. */
function cborOf(pack: readonly unknown[]): Buffer {
  return encode(
    pack.map((record) =>
      typeof record === 'object' && record !== null && !Array.isArray(record)
        ? new Map(Object.entries(record).map(([name, value]) => [LABEL[name] ?? name, value]))
        : record,
    ),
  );
}

const decode = (hex: string) => decodeWith(senmlCbor, Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const read = (hex: string): unknown => readCbor(Buffer.from(hex.replace(/\s/g, ''), 'hex'), String);

describe('SenML CBOR, by RFC 8428 section 6', () => {
  test('integer labels mean what their texts mean in JSON', () => {
    // [{-2: "dev_x/", -3: 1772366400, 0: "temperature", 1: "Cel", 2: 21.5}, {0: "smoke", 6: -60, 4: true}]
    const body = `82 A5 21 66 6465765F782F 22 1A 69A42A40 00 6B 74656D7065726174757265 01 63 43656C 02 F9 4D60
                     A3 00 65 736D6F6B65 06 38 3B 04 F5`;
    expect(decode(body)).toEqual({
      readings: [
        { index: 0, channel: 'temperature', value: 21.5, unit: 'Cel', at: NOW },
        { index: 1, channel: 'smoke', value: true, unit: undefined, at: NOW - 60_000 },
      ],
      refused: [],
    });
  });

  test('a pack of indefinite length is read, since devices that stream write it', () => {
    expect(decode('9F BF 00 61 61 02 01 FF FF').readings).toMatchObject([{ channel: 'a', value: 1 }]);
  });

  test('a decimal fraction is exactly the number that JSON has', () => {
    expect(decode('81 A2 00 61 61 02 C4 82 20 18 D7').readings).toMatchObject([{ value: 21.5 }]);
    expect(decode('81 A2 00 61 61 02 C4 82 21 38 63').readings).toMatchObject([{ value: -1 }]);
  });

  test('data is refused and kept as base64url', () => {
    const { refused } = decode('81 A2 00 61 61 08 42 0102');
    expect(refused).toMatchObject([{ channel: 'a', code: 'VALUE_NOT_A_NUMBER' }]);
    expect(senmlCbor.excerpt({ n: 'a', vd: Buffer.from([1, 2]) }, 'a')).toEqual({ n: 'a', vd: 'AQI' });
  });

  test.each([
    ['nothing', ''],
    ['half a pack', '82 A2 00 61 61'],
    ['a text cut short', '81 A1 00 6A 61'],
    ['an array that promises 2**32 records', '9A FFFFFFFF'],
    ['a map that promises 2**62 entries', '81 BB 4000000000000000'],
    ['more than the pack', '81 A2 00 61 61 02 01 00'],
    ['a date', '81 A2 00 61 61 06 C1 1A 69A42A40'],
    ['a big integer', '81 A2 00 61 61 02 C2 49 010000000000000000'],
    ['a key that comes twice', '81 A3 00 61 61 00 61 62 02 01'],
    ['a key twice, once as a text', '81 A3 00 61 61 61 6E 61 62 02 01'],
    ['a key that is a map', '81 A1 A0 01'],
    ['a break where none can be', '81 FF'],
    ['a text that is not UTF-8', '81 A2 00 61 FF 02 01'],
    ['a text in chunks', '81 A2 00 7F 61 61 FF 02 01'],
    ['nesting without end', '81'.repeat(5_000)],
    ['undefined', '81 A2 00 61 61 02 F7'],
    ['a decimal fraction without bounds', '81 A2 00 61 61 02 C4 82 1A 7FFFFFFF 01'],
    ['records that are no maps', '81 80'],
    ['a text in place of a pack', '61 61'],
  ])('%s refuses the pack', (_, body) => {
    const { fault, readings, refused } = decode(body);
    expect(fault).toBeDefined();
    expect([...readings, ...refused]).toEqual([]);
  });

  test('a label called __proto__ is a label like another', () => {
    expect(decode('81 A3 69 5F5F70726F746F5F5F A0 00 61 61 02 01').fault?.message).toContain('__proto__');
  });

  test('a random pack gives the same readings and refusals in JSON and in CBOR', () => {
    const text = fc.oneof(fc.constantFrom('temperature', 'dev_x/', 'dev_y:co2', '', '/x', 'ü'), fc.string());
    const number = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(2 ** 28, 1276020076.305, -5, 0.1, 21.5, 2 ** 53),
    );
    const any = fc.oneof(text, number, fc.boolean(), fc.constant(null));
    const field = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: good }, any);
    const record = fc.record(
      {
        bn: field(text),
        bt: field(number),
        bu: field(text),
        bv: field(number),
        bs: number,
        bver: field(fc.constantFrom(10, 10, 10, 5, 11)),
        n: field(text),
        u: field(text),
        v: field(number),
        vs: text,
        vb: field(fc.boolean()),
        s: number,
        t: field(number),
        ut: number,
        colour: any,
        calibration_: number,
      },
      { requiredKeys: [] },
    );
    // Most records as devices mean them, so that whole packs are compared and not only what refuses them.
    const usual = fc.record(
      { bn: text, bt: number, n: text, u: text, v: number, t: number },
      { requiredKeys: ['n', 'v'] },
    );
    const pack = fc.array(fc.oneof({ weight: 8, arbitrary: usual }, record, any), { maxLength: 12 });
    let whole = 0;
    fc.assert(
      fc.property(pack, (records) => {
        // What JSON itself does to a pack (-0, for one) is not under test.
        const plain = JSON.parse(JSON.stringify(records)) as unknown[];
        const json = decodeWith(senmlJson, plain);
        const cbor = decodeWith(senmlCbor, cborOf(plain));
        whole += Number(json.fault === undefined);
        expect(cbor.readings).toEqual(json.readings);
        expect(cbor.refused).toEqual(json.refused);
        expect(cbor.fault?.message).toBe(json.fault?.message);
      }),
      { numRuns: 500 },
    );
    expect(whole).toBeGreaterThan(50);
  });

  test('whatever the bytes, they are decoded or refused, and nothing else happens', () => {
    const valid = cborOf([{ bn: 'dev_x/', bt: 1772366400, n: 'temperature', v: 21.5 }]);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([place, byte]) => {
        const copy = Buffer.from(valid);
        copy[place] = byte;
        return copy;
      }),
    );
    fc.assert(fc.property(bytes, (body) => void decodeWith(senmlCbor, Buffer.from(body))));
  });
});

test('numbers of every width are read as another encoder wrote them', () => {
  const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.float());
  fc.assert(
    fc.property(number, (value) => {
      // The peer writes -0 as 0.
      expect(readCbor(encode(value), String)).toEqual(value === 0 ? 0 : value);
    }),
  );
  expect(read('F9 0001')).toBe(2 ** -24);
  expect(read('F9 C400')).toBe(-4);
  expect(read('F9 FC00')).toBe(-Infinity);
  expect(read('D9 D9F7 01')).toBe(1);
  expect(() => readCbor(encode(new Tag('x', 0)), String)).toThrow('tag 0');
});
