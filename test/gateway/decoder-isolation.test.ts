import { createDecoderRegistry, PAYLOAD_DECODERS, type PayloadDecoder } from '../../src/gateway/decoders';
import { cayenneLpp } from '../../src/gateway/decoders/cayenne';
import { guarded } from '../../src/gateway/decoders/guard';
import { eventually } from '../support/eventually';
import { heldMemory } from '../support/held-memory';
import { decodeWith } from './decoding.support';
import { buildDevice } from './devices.support';
import { post, startPlatform } from './gateway.support';

const decoder = (contentType: string, decode: PayloadDecoder['decode']): PayloadDecoder => ({
  contentType,
  decode,
  excerpt: (record) => record,
});

/** Each is a mistake that a decoder can hold. */
const BROKEN: Record<string, PayloadDecoder['decode']> = {
  hangs: () => {
    for (;;);
  },
  'hangs and catches what ends it': () => {
    for (;;) {
      try {
        for (;;);
      } catch {
        // Goes on.
      }
    }
  },
  'hangs after it has said something': (_message, sink) => {
    sink.undated(0, 'temperature', 20, undefined, 0, {});
    for (;;);
  },
  'takes exponential time for a pattern': () => void /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  'allocates without bound': () => {
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Array(10_000).fill(hoard.length));
  },
  'fills buffers without bound': () => {
    const hoard: Buffer[] = [];
    for (;;) hoard.push(Buffer.alloc(1024 * 1024, 1));
  },
  'says something without end': (_message, sink) => {
    for (let index = 0; ; index++) sink.undated(index, 'temperature', 20, undefined, 0, {});
  },
  'calls itself without end': function itself(message, sink) {
    itself(message, sink);
  },
  throws: () => {
    throw new TypeError('a fault of ours');
  },
  'throws what is no error': () => {
    throw null;
  },
  'is asynchronous and rejects': (async () => {
    await Promise.resolve();
    throw new Error('too late');
  }) as unknown as PayloadDecoder['decode'],
};

test('a decoder that keeps its time says the same with its guard as without', () => {
  const channels = [{ channel: 'temperature', quantity: 'AIR_TEMPERATURE' as const }];
  for (const hex of ['01670110', '0167011002680a', '01', 'ffff']) {
    const body = Buffer.from(hex, 'hex');
    expect(decodeWith(guarded(cayenneLpp), body, { channels })).toEqual(
      decodeWith(cayenneLpp, body, { channels }),
    );
  }
});

test('every decoder that is not known to be linear has its guard', () => {
  const registry = createDecoderRegistry(PAYLOAD_DECODERS);
  const bare = PAYLOAD_DECODERS.filter((each) => registry.find(each.contentType) === each);
  expect(bare.map((each) => each.contentType)).toEqual([
    'application/json',
    'application/senml+json',
    'application/senml+cbor',
    'application/vnd.cayenne-lpp',
    'application/x-cayenne-lpp',
  ]);
});

test('a decoder whose excerpt hangs costs its message too', () => {
  const saying = decoder('x/broken', (_message, sink) => sink.undated(0, 'a', 1, undefined, 0, {}));
  const hanging = guarded({
    ...saying,
    excerpt: () => {
      for (;;);
    },
  });
  expect(() => decodeWith(hanging, 'body')).toThrow(/took more than 50 ms/);
});

describe('in a gateway, a decoder that is broken', () => {
  const device = buildDevice();
  const names = Object.keys(BROKEN);
  let platform: Awaited<ReturnType<typeof startPlatform>>;

  beforeAll(async () => {
    platform = await startPlatform({
      devices: [device],
      decoders: [
        ...PAYLOAD_DECODERS,
        ...names.map((name, index) => decoder(`x/broken-${index}`, BROKEN[name]!)),
      ],
    });
  });
  afterAll(() => platform.stop());

  const faults = async (index: number): Promise<string | undefined> =>
    new RegExp(`decoder_faults_total\\{[^}]*x/broken-${index}"[^}]*\\} (\\d+)`).exec(
      await platform.metrics.metrics(),
    )?.[1];

  test.each(names.map((name, index) => [name, index] as const))(
    'and %s costs its message',
    async (name, index) => {
      const raw = `payload ${index}`;
      const bad = post(platform, device, raw, { headers: { 'content-type': `x/broken-${index}` } });
      const good = post(platform, device, { temperature: index });
      expect((await bad).status).toBe(400);
      expect((await bad).body.error).toMatchObject({ code: 'PAYLOAD_INVALID' });
      expect((await good).status).toBe(204);
      await eventually(() => {
        expect(platform.stream.refused.filter((each) => each.raw === raw)).toMatchObject([
          { code: 'PAYLOAD_INVALID', deviceId: device.deviceId },
        ]);
        expect(platform.stream.readings.filter((each) => each.value === index)).toHaveLength(1);
      });
      expect(platform.stream.readings).toHaveLength(index + 1);
      // Saying too much is the payload's own fault as far as anybody can tell; all else is one of ours and is counted.
      if (name !== 'says something without end') expect(await faults(index)).toBe('1');
    },
  );

  test('and does all of this again and again holds no more than before', async () => {
    const once = async (): Promise<void> => {
      for (const index of [
        names.indexOf('allocates without bound'),
        names.indexOf('fills buffers without bound'),
      ]) {
        const headers = { 'content-type': `x/broken-${index}` };
        expect((await post(platform, device, 'again', { headers })).status).toBe(400);
      }
    };
    for (let round = 0; round < 2; round++) await once();
    const before = heldMemory();
    for (let round = 0; round < 6; round++) await once();
    // Buffers are freed behind a collection, by another thread.
    await eventually(() => expect(heldMemory() - before).toBeLessThan(60 * 1024 * 1024));
  });
});
