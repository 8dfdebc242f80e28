import fc from 'fast-check';
import { codeOfProtocol, DEVICE_PROTOCOLS, type DeviceProtocol } from '../../src/domain/device-protocol';
import { type ActivityReader, type SeenChunk, type SeenKey } from '../../src/store/device-activity';
import { mergedSeen, seenAt } from '../../src/store/device-activity-documents';
import { createActivityReader } from '../../src/store/device-activity-reader';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { type SeenDocument } from '../../src/store/documents';
import { type Store, startStore, tapped } from './store.support';

type Seen = [ordinal: number, second: number, protocol: DeviceProtocol];

function chunkOf(index: number, seen: readonly Seen[]): SeenChunk {
  const size = Math.max(0, ...seen.map(([ordinal]) => (ordinal % 1000) + 1));
  const chunk = { index, seconds: new Uint32Array(size), protocols: new Uint8Array(size) };
  for (const [ordinal, second, protocol] of seen) {
    chunk.seconds[ordinal % 1000] = second;
    chunk.protocols[ordinal % 1000] = codeOfProtocol(protocol);
  }
  return chunk;
}

describe('a document of last seen', () => {
  const anySeen = fc.uniqueArray(
    fc.tuple(
      fc.integer({ min: 0, max: 999 }),
      // Few, so that several name the same device and instants meet.
      fc.integer({ min: 1, max: 0xffffffff }),
      fc.constantFrom(...DEVICE_PROTOCOLS),
    ),
    { selector: ([ordinal]) => ordinal, maxLength: 30 },
  );

  it('holds of each device the latest instant of all that was merged into it, in whatever order and however often', () => {
    fc.assert(
      fc.property(fc.array(anySeen, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (parts, random) => {
        const latest = new Map<number, number>();
        for (const [ordinal, second] of parts.flat()) {
          latest.set(ordinal, Math.max(second, latest.get(ordinal) ?? 0));
        }
        const repeated = [...parts, ...parts].sort(() => (random.next().value! % 2 ? 1 : -1));
        let document: SeenDocument | null = null;
        for (const part of repeated) {
          document = mergedSeen(document, 'bld_a', chunkOf(0, part)) ?? document;
        }
        for (const [ordinal, second] of latest) expect(seenAt(document!, ordinal).second).toBe(second);
        for (let ordinal = 0; document && ordinal < 1000; ordinal += 37) {
          if (!latest.has(ordinal)) expect(seenAt(document, ordinal).second).toBe(0);
        }
      }),
    );
  });

  it('is not written again for what it holds already', () => {
    const chunk = chunkOf(2, [[2_007, 1_700_000_000, 'MQTT']]);
    const document = mergedSeen(null, 'bld_a', chunk)!;
    expect(document).toMatchObject({ id: 'seen:000002', chunk: 2, buildingId: 'bld_a' });
    expect(mergedSeen(document, 'bld_a', chunk)).toBeUndefined();
    expect(mergedSeen(document, 'bld_a', chunkOf(2, [[2_007, 1_600_000_000, 'HTTP']]))).toBeUndefined();
    expect(seenAt(document, 2_007)).toEqual({ second: 1_700_000_000, protocol: codeOfProtocol('MQTT') });
  });

  it('keeps what only a later release understands, and takes damage for nothing seen', () => {
    const later = { ...mergedSeen(null, 'bld_a', chunkOf(0, [[0, 5, 'AMQP']]))!, further: 'kept' };
    expect(mergedSeen(later, 'bld_a', chunkOf(0, [[1, 6, 'HTTP']]))).toMatchObject({ further: 'kept' });
    const damaged = { ...later, seconds: later.seconds.slice(0, 3), protocols: '' };
    expect(seenAt(damaged, 0)).toEqual({ second: 0, protocol: 0 });
  });

  it('takes seven kilobytes for a thousand devices', () => {
    const all = Array.from({ length: 1000 }, (_, i): Seen => [i, 1_790_000_000 + i, 'MQTT']);
    const document = mergedSeen(null, 'bld_a', chunkOf(0, all));
    expect(JSON.stringify(document).length).toBeLessThan(7_000);
  });
});

describe('last seen in the store', () => {
  let store: Store;
  let reader: ActivityReader;
  beforeAll(async () => {
    store = await startStore();
    reader = createActivityReader({ cosmos: store.cosmos });
  });
  afterAll(() => store.stop());

  const key = (buildingId: string, ordinal: number, parts: Partial<SeenKey> = {}): SeenKey => ({
    tenantId: 'ten_a',
    buildingId,
    ordinal,
    since: 0,
    ...parts,
  });

  it('is found again by building and ordinal, across documents and buildings', async () => {
    const scope = await store.member('owner', 'ten_a', 'OWNER');
    await createActivityWriter({ cosmos: store.cosmos }).write([
      {
        buildingId: 'bld_1',
        chunks: [chunkOf(0, [[3, 100, 'HTTP']]), chunkOf(7, [[7_999, 200, 'MQTT']])],
      },
      { buildingId: 'bld_2', chunks: [chunkOf(0, [[3, 300, 'AMQP']])] },
    ]);
    const keys = [key('bld_2', 3), key('bld_1', 7_999), key('bld_1', 3), key('bld_1', 4), key('bld_9', 3)];
    expect(await reader.lastSeen(scope, keys)).toEqual([
      { at: 300_000, protocol: 'AMQP' },
      { at: 200_000, protocol: 'MQTT' },
      { at: 100_000, protocol: 'HTTP' },
      null,
      null,
    ]);
  });

  it('is told to nobody who may not see the device, at no cost to the store', async () => {
    const viewer = await store.member('viewer', 'ten_a', 'VIEWER');
    const stranger = await store.member('stranger', 'ten_other', 'OWNER');
    let calls = 0;
    const counted = createActivityReader({ cosmos: tapped(store.cosmos, { before: () => calls++ }) });
    expect(await counted.lastSeen(viewer, [key('bld_1', 3)])).toEqual([null]);
    expect(await counted.lastSeen(stranger, [key('bld_1', 3)])).toEqual([null]);
    expect(calls).toBe(0);
  });

  it('does not show a new owner what was seen before', async () => {
    const scope = await store.member('owner', 'ten_a', 'OWNER');
    const [before, after] = await reader.lastSeen(scope, [
      key('bld_1', 3, { since: 150_000 }),
      key('bld_1', 3, { since: 90_000 }),
    ]);
    expect([before, after]).toEqual([null, { at: 100_000, protocol: 'HTTP' }]);
  });

  it('keeps the latest of what several gateways write at the same time', async () => {
    const scope = await store.member('owner', 'ten_a', 'OWNER');
    const writers = Array.from({ length: 4 }, () => createActivityWriter({ cosmos: store.anotherCosmos() }));
    await Promise.all(
      writers.flatMap((writer, replica) =>
        Array.from({ length: 5 }, (_, round) =>
          writer.write(
            Array.from({ length: 6 }, (_, building) => ({
              buildingId: `bld_race_${building}`,
              chunks: [
                chunkOf(0, [
                  [replica, 1_000 + round, 'HTTP'],
                  [10, 2_000 + 10 * round + replica, 'MQTT'],
                ]),
              ],
            })),
          ),
        ),
      ),
    );
    for (let building = 0; building < 6; building++) {
      const keys = [0, 1, 2, 3, 10].map((ordinal) => key(`bld_race_${building}`, ordinal));
      const seen = await reader.lastSeen(scope, keys);
      expect(seen.map((each) => each?.at)).toEqual([1_004_000, 1_004_000, 1_004_000, 1_004_000, 2_043_000]);
    }
  });

  it('costs one read and one write a building, and no write where nothing is new', async () => {
    const calls: string[] = [];
    const cosmos = tapped(store.cosmos, { before: (_, name) => calls.push(name) });
    const writer = createActivityWriter({ cosmos });
    const buildings = Array.from({ length: 40 }, (_, i) => ({
      buildingId: `bld_cost_${i}`,
      chunks: [chunkOf(0, [[0, 100, 'HTTP']]), chunkOf(1, [[1_000, 100, 'HTTP']])],
    }));
    await writer.write(buildings);
    expect(calls.filter((name) => name === 'readMany')).toHaveLength(1);
    expect(calls.filter((name) => name === 'batch')).toHaveLength(40);
    calls.length = 0;
    await writer.write(buildings);
    expect(calls).toEqual(['readMany']);
  });
});
