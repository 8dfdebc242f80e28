import fc from 'fast-check';
import { partitionOf } from '../../src/domain/partition';
import { type Reading, type RefusedReading } from '../../src/domain/reading';
import { createPacker, NotAcceptedError } from '../../src/gateway/packer';
import {
  decodeFrame,
  FRAME_SCHEMA,
  holdsNoRefused,
  MAXIMUM_FRAME_BYTES,
  REFUSED_PROPERTY,
  SCHEMA_PROPERTY,
} from '../../src/stream/frame';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';

interface Send {
  partition: number;
  bodies: readonly Buffer[];
  properties: readonly Record<string, number | Buffer>[] | undefined;
  accept(): void;
  fail(): void;
}

/** A packer whose sends the test ends by hand. */
function buildPacker(options: { partitions?: number; linger?: number; within?: number } = {}) {
  const sends: Send[] = [];
  const packer = createPacker({
    producer: {
      partitionCount: options.partitions ?? 1,
      send: (partition, schema, bodies, properties) =>
        new Promise((resolve, reject) => {
          expect(schema).toBe(FRAME_SCHEMA);
          sends.push({
            partition,
            bodies,
            properties,
            accept: resolve,
            fail: () => reject(new Error('lost')),
          });
        }),
    },
    lingerMilliseconds: options.linger ?? 5,
    acceptedWithinMilliseconds: options.within ?? 10_000,
  });
  const sent = (count: number) =>
    eventually(() => expect(sends.length).toBeGreaterThanOrEqual(count), { every: 2 });
  return { packer, sends, sent };
}

const decode = (body: Buffer) => decodeFrame(body, { [SCHEMA_PROPERTY]: FRAME_SCHEMA });
const valuesOf = (send: Send | undefined): number[] => send!.bodies.flatMap((body) => decode(body).value);

/** `count` readings whose values count from `first`. */
function buildReadings(count: number, first = 0, parts: Partial<Reading> = {}): Reading[] {
  return Array.from({ length: count }, (_, i) =>
    buildReading({ pointOrdinal: i % 5, value: first + i, observedAt: 1_790_000_000_000 + i, ...parts }),
  );
}

/** Two buildings of different partitions. */
function buildingsApart(partitions: number): [string, string] {
  const all = Array.from({ length: 100 }, (_, i) => `bld_${i}`);
  const another = all.find((each) => partitionOf(each, partitions) !== partitionOf(all[0]!, partitions));
  return [all[0]!, another!];
}

function buildRefused(parts: Partial<RefusedReading> = {}): RefusedReading {
  return {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    deviceId: 'dev_a',
    channel: 'temperature',
    observedAt: null,
    receivedAt: 1_790_000_000_000,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'too hot',
    raw: '{}',
    ...parts,
  };
}

describe('packing readings into frames', () => {
  test('every frame says how many refused readings it holds, so that others need not be decoded for them', async () => {
    const { packer, sends, sent } = buildPacker();
    void packer.submit(buildReadings(1), []).catch(() => undefined);
    await sent(1);
    sends[0]!.accept();
    void packer.submit(buildReadings(1), [buildRefused(), buildRefused()]).catch(() => undefined);
    await sent(2);
    sends[1]!.accept();
    expect(sends.map(({ properties }) => properties)).toEqual([
      [{ [REFUSED_PROPERTY]: 0 }],
      [{ [REFUSED_PROPERTY]: 2 }],
    ]);
    const skipped = sends.map(({ properties }) =>
      holdsNoRefused({ ...properties![0], [SCHEMA_PROPERTY]: FRAME_SCHEMA }),
    );
    expect(skipped).toEqual([true, false]);
    // A gateway of the first release does not say.
    expect(holdsNoRefused({ [SCHEMA_PROPERTY]: FRAME_SCHEMA })).toBe(false);
    await packer.drain();
  });

  test('a refused message larger than a frame has one of its own, which Event Hubs still takes', async () => {
    const { packer, sends, sent } = buildPacker();
    const payload = Buffer.alloc(256 * 1024, 1);
    const letter = {
      protocol: 'MQTT',
      relayedBy: null,
      messageId: null,
      index: 0,
      createdAt: null,
      contentType: 'application/json',
      contentEncoding: null,
      payload,
    };
    const large = buildRefused({ code: 'PAYLOAD_INVALID', letter });
    void packer.submit(buildReadings(3), [large, buildRefused()]).catch(() => undefined);
    await sent(1);
    for (let i = 0; i < 3; i++) {
      sends[i]?.accept();
      await new Promise(setImmediate);
    }
    await packer.drain();
    const frames = sends.flatMap(({ bodies }) => bodies.map((body) => ({ body, frame: decode(body) })));
    expect(frames.map(({ frame }) => [frame.count, frame.refused.length])).toEqual([
      [3, 0],
      [0, 1],
      [0, 1],
    ]);
    expect(frames[1]!.body.length).toBeLessThan(512 * 1024);
    expect(frames[1]!.frame.refused[0]!.letter!.payload!.equals(payload)).toBe(true);
  });

  test('an idle partition sends at once, and a request resolves when its frame was accepted', async () => {
    const { packer, sends, sent } = buildPacker({ linger: 60_000 });
    let accepted = false;
    const request = packer.submit(buildReadings(2), [buildRefused()]).then(() => (accepted = true));
    await sent(1);
    expect(valuesOf(sends[0])).toEqual([0, 1]);
    expect(decode(sends[0]!.bodies[0]!).refused).toHaveLength(1);
    expect(accepted).toBe(false);
    expect(packer.bytesInFlight()).toBeGreaterThan(0);
    sends[0]!.accept();
    await request;
    expect(packer.bytesInFlight()).toBe(0);
  });

  test('requests of one turn share a frame', async () => {
    const { packer, sends, sent } = buildPacker();
    const requests = [0, 10, 20].map((first) => packer.submit(buildReadings(2, first), []));
    await sent(1);
    expect(sends).toHaveLength(1);
    expect(sends[0]!.bodies).toHaveLength(1);
    expect(valuesOf(sends[0])).toEqual([0, 1, 10, 11, 20, 21]);
    sends[0]!.accept();
    await Promise.all(requests);
  });

  test('while a send is under way the partition gathers, and at most two are under way', async () => {
    const { packer, sends, sent } = buildPacker({ linger: 5 });
    const requests = [packer.submit(buildReadings(1, 0), [])];
    await sent(1);
    requests.push(packer.submit(buildReadings(1, 1), []));
    await sent(2);
    requests.push(packer.submit(buildReadings(1, 2), []), packer.submit(buildReadings(1, 3), []));
    sends[0]!.accept();
    await sent(3);
    expect(sends.map(valuesOf)).toEqual([[0], [1], [2, 3]]);
    requests.push(packer.submit(buildReadings(1, 4), []));
    sends[2]!.accept();
    await sent(4);
    expect(sends).toHaveLength(4);
    sends[1]!.accept();
    sends[3]!.accept();
    await Promise.all(requests);
  });

  test('a request whose readings fit into one frame is not split', async () => {
    const { packer, sends, sent } = buildPacker();
    const sizes = [1_000, 1_000, 1_000, 1_000];
    const requests = sizes.map((size, i) => packer.submit(buildReadings(size, i * 10_000), []));
    await sent(1);
    const frames = sends[0]!.bodies.map((body) => [
      ...new Set(decode(body).value.map((v) => Math.floor(v / 10_000))),
    ]);
    expect(frames).toEqual([
      [0, 1],
      [2, 3],
    ]);
    sends[0]!.accept();
    await Promise.all(requests);
  });

  test('several frames of one partition travel in one send', async () => {
    const { packer, sends, sent } = buildPacker();
    const request = packer.submit(buildReadings(10_000), []);
    await sent(1);
    expect(sends[0]!.bodies.length).toBeGreaterThan(1);
    expect(valuesOf(sends[0])).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    sends[0]!.accept();
    await request;
  });

  test('a failed send rejects the requests in its frames and no others', async () => {
    const { packer, sends, sent } = buildPacker();
    const lost = packer.submit(buildReadings(1, 0), []);
    const rejected = expect(lost).rejects.toBeInstanceOf(NotAcceptedError);
    await sent(1);
    const kept = packer.submit(buildReadings(1, 1), []);
    await sent(2);
    sends[0]!.fail();
    sends[1]!.accept();
    await rejected;
    await kept;
    expect(packer.bytesInFlight()).toBe(0);
  });

  test('a request over two buildings resolves when both partitions have accepted', async () => {
    const { packer, sends, sent } = buildPacker({ partitions: 8 });
    let accepted = false;
    const [one, another] = buildingsApart(8);
    const readings = [buildReading({ buildingId: one }), buildReading({ buildingId: another })];
    const request = packer.submit(readings, []).then(() => (accepted = true));
    await sent(2);
    expect(new Set(sends.map((each) => each.partition)).size).toBe(2);
    sends[0]!.accept();
    await new Promise(setImmediate);
    expect(accepted).toBe(false);
    sends[1]!.accept();
    await request;
  });

  test('what Event Hubs does not answer in time is rejected, also what only waits behind it', async () => {
    const { packer, sends, sent } = buildPacker({ linger: 1, within: 50 });
    const results = Promise.allSettled([packer.submit(buildReadings(1, 0), [])]);
    await sent(1);
    const second = Promise.allSettled([packer.submit(buildReadings(1, 1), [])]);
    await sent(2);
    const third = Promise.allSettled([packer.submit(buildReadings(1, 2), [])]);
    const all = [...(await results), ...(await second), ...(await third)];
    expect(all.map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(sends).toHaveLength(2);
    // The lost sends end at last, and the partition goes on.
    sends[0]!.fail();
    sends[1]!.accept();
    const later = packer.submit(buildReadings(1, 3), []);
    await sent(3);
    expect(valuesOf(sends[2])).toEqual([3]);
    sends[2]!.accept();
    await later;
    expect(packer.bytesInFlight()).toBe(0);
  });

  test('draining sends what is open at once and waits for what is under way', async () => {
    const { packer, sends, sent } = buildPacker({ linger: 60_000 });
    const first = packer.submit(buildReadings(1, 0), []);
    await sent(1);
    const second = packer.submit(buildReadings(1, 1), []);
    let drained = false;
    const drain = packer.drain().then(() => (drained = true));
    await sent(2);
    expect(drained).toBe(false);
    sends[0]!.accept();
    sends[1]!.accept();
    await Promise.all([first, second, drain]);
  });

  test('something that cannot be written costs its frame, and the partition goes on', async () => {
    const { packer, sends, sent } = buildPacker();
    const broken = buildReading({ pointOrdinal: 'none' as unknown as number });
    await expect(packer.submit([broken], [])).rejects.toBeInstanceOf(NotAcceptedError);
    const good = packer.submit(buildReadings(1), []);
    await sent(1);
    sends[0]!.accept();
    await good;
  });

  test('a hub that was made again with more partitions is used in full', async () => {
    const sends: number[] = [];
    const producer = {
      partitionCount: 1,
      send: (partition: number) => Promise.resolve(void sends.push(partition)),
    };
    const packer = createPacker({ producer, lingerMilliseconds: 1, acceptedWithinMilliseconds: 1000 });
    const readings = Array.from({ length: 50 }, (_, i) => buildReading({ buildingId: `bld_${i}` }));
    await packer.submit(readings, []);
    expect(new Set(sends)).toEqual(new Set([0]));
    producer.partitionCount = 8;
    await packer.submit(readings, []);
    expect(new Set(sends).size).toBe(8);
  });

  test('whatever is submitted, each accepted request stands whole and in order in frames within their limit', async () => {
    const request = fc.record({
      readings: fc.nat(1_500),
      refused: fc.nat(40),
      building: fc.nat(3),
      raw: fc.string({ unit: 'grapheme', maxLength: 1_024 }),
      messageId: fc.option(fc.string({ unit: 'grapheme', maxLength: 64 })),
      pause: fc.boolean(),
    });
    const plan = fc.array(request, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async (requests, fates) => {
          const accepted: { partition: number; values: number[]; refused: RefusedReading[] }[] = [];
          const underWay = new Map<number, number>();
          let sends = 0;
          const packer = createPacker({
            producer: {
              partitionCount: 3,
              send: async (partition, _schema, bodies) => {
                const count = (underWay.get(partition) ?? 0) + 1;
                expect(count).toBeLessThanOrEqual(2);
                underWay.set(partition, count);
                const fails = fates[sends++ % fates.length]!;
                await new Promise(setImmediate);
                underWay.set(partition, underWay.get(partition)! - 1);
                if (fails) throw new Error('lost');
                for (const body of bodies) {
                  expect(body.length).toBeLessThanOrEqual(MAXIMUM_FRAME_BYTES);
                  const frame = decode(body);
                  accepted.push({ partition, values: frame.value, refused: frame.refused });
                }
              },
            },
            lingerMilliseconds: 1,
            acceptedWithinMilliseconds: 10_000,
          });
          const outcomes: Promise<boolean>[] = [];
          for (const [index, each] of requests.entries()) {
            const undated = { messageId: each.messageId, messageIndex: 0 };
            const readings = buildReadings(each.readings, index * 10_000, {
              buildingId: `bld_${each.building}`,
              undated,
            });
            const refused = Array.from({ length: each.refused }, () =>
              buildRefused({ buildingId: `bld_${each.building}`, channel: `r${index}`, raw: each.raw }),
            );
            outcomes.push(
              packer.submit(readings, refused).then(
                () => true,
                () => false,
              ),
            );
            if (each.pause) await new Promise(setImmediate);
          }
          const results = await Promise.all(outcomes);
          await packer.drain();
          expect(packer.bytesInFlight()).toBe(0);
          for (const [index, each] of requests.entries()) {
            if (!results[index]) continue;
            const mine = accepted.flatMap((frame) =>
              frame.values.filter((v) => Math.floor(v / 10_000) === index),
            );
            expect(mine).toEqual(Array.from({ length: each.readings }, (_, i) => index * 10_000 + i));
            const kept = accepted.flatMap((frame) =>
              frame.refused.filter((one) => one.channel === `r${index}`),
            );
            expect(kept).toHaveLength(each.refused);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
