import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReceivedEventData } from '@azure/event-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { type BlobEmulator, createBlobEmulator } from '../../emulators/blob';
import { createLandingChain, type KnownHoles, type LandingChain } from '../../src/ingest/landing-chain';
import { createInTurn } from '../../src/ingest/in-turn';
import { createLandingStore } from '../../src/ingest/landing-store';
import { createIngestMetrics } from '../../src/ingest/metrics';
import { type FlushLimits } from '../../src/ingest/worker';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { createHeads } from '../../src/store/heads';
import { deadLetterPath, landingPath } from '../../src/store/landing-path';
import { createFrameBuilder, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { chainDifferences, downloadLanding, type LandedFile, openLanding } from '../support/landing';
import { buildReading } from '../support/readings';

const EPOCH = Date.UTC(2026, 8, 21, 10, 30);
const MINUTE = 60_000;
const unlimited: FlushLimits = { rows: 1e9, bytes: 1e9, milliseconds: 1e9 };

/** The event of a sequence: readings, some refused, some without any, every seventh no frame at all. */
function buildEvent(sequence: number, enqueuedAt = EPOCH + sequence * 7 * MINUTE): ReceivedEventData {
  const builder = createFrameBuilder();
  for (let i = 0; i < readingsOf(sequence); i++) {
    builder.add(buildReading({ pointOrdinal: sequence * 10 + i, observedAt: enqueuedAt - i }));
  }
  if (sequence % 5 === 1) {
    builder.refuse({
      tenantId: 'ten_a',
      buildingId: 'bld_a',
      deviceId: 'dev_a',
      channel: 'x',
      observedAt: enqueuedAt,
      receivedAt: enqueuedAt,
      code: 'UNKNOWN_CHANNEL',
      message: 'no such channel',
      raw: '1',
    });
  }
  const unreadable = sequence % 7 === 6;
  return {
    body: unreadable ? Buffer.from(`body ${sequence}`) : builder.take(),
    properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
    sequenceNumber: sequence,
    offset: String(sequence * 100),
    enqueuedTimeUtc: new Date(enqueuedAt),
  } as unknown as ReceivedEventData;
}

const readingsOf = (sequence: number): number => (sequence % 7 === 6 ? 0 : sequence % 4);
const deadLettersOf = (sequence: number): number => (sequence % 7 === 6 || sequence % 5 === 1 ? 1 : 0);
const total = (to: number, of: (sequence: number) => number): number =>
  Array.from({ length: to }, (_, sequence) => of(sequence)).reduce((sum, each) => sum + each, 0);

describe('a landing chain', () => {
  let folder: string;
  let emulator: BlobEmulator;
  let blobs: BlobServiceClient;
  let lives = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-chain-'));
    emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
    blobs = BlobServiceClient.fromConnectionString((await emulator.start()).connectionString);
  });
  afterAll(async () => {
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** One partition's stream with its checkpoint, over a container of its own, and owners that come and go. */
  async function buildStream() {
    const life = ++lives;
    const container = blobs.getContainerClient(`cold-${life}`);
    await container.create();
    const incarnation = `${life}-1`;
    const holes: KnownHoles = new Map();
    const stream = {
      container,
      incarnation,
      checkpoint: -1,
      /** Every checkpoint there ever was. */
      checkpoints: [-1],
      /** What Event Hubs answers. */
      firstSequence: 0,
      hub: { incarnation, hubCreatedAt: 0 },
      gaps: 0,
      adopted: 0,
      /** Takes the partition: reading begins behind the checkpoint. */
      own({
        flush = {},
        checkpointFails = false,
      }: { flush?: Partial<FlushLimits>; checkpointFails?: boolean } = {}) {
        const ended = new AbortController();
        const metrics = createIngestMetrics(createMetrics({ process: 'ingest' }), () => []);
        const chain: LandingChain = createLandingChain({
          logger: createLogger({ name: 'ingest', level: 'silent' }),
          metrics,
          store: createLandingStore(container),
          flush: { ...unlimited, ...flush },
          ownedPartitions: () => 1,
          holes,
          encoding: createInTurn(),
          owned: {
            partition: 3,
            incarnation,
            lastEnqueuedSequence: 0,
            checkpointedSequence: stream.checkpoint,
            ended: ended.signal,
            async checkpoint({ sequenceNumber }) {
              if (checkpointFails) throw new Error('the checkpoint store is away');
              stream.checkpoint = sequenceNumber;
              stream.checkpoints.push(sequenceNumber);
            },
            now: async () => ({
              ...stream.hub,
              firstSequence: stream.firstSequence,
              lastEnqueuedSequence: 0,
            }),
          },
        });
        let position = Math.max(stream.checkpoint + 1, stream.firstSequence);
        const count = async (): Promise<void> => {
          stream.gaps += (await metrics.gaps.get()).values[0]?.value ?? 0;
          stream.adopted += (await metrics.adopted.get()).values[0]?.value ?? 0;
        };
        return {
          /** Delivers the next events, up to and without one of the stream's. */
          async read(events: number, end = Infinity) {
            const to = Math.min(position + events, end);
            const batch = [];
            for (; position < to; position++) batch.push(buildEvent(position));
            await chain.process(batch);
          },
          process: (events: ReceivedEventData[]) => chain.process(events),
          /** Gives the partition up in an orderly way. */
          async close() {
            ended.abort();
            await chain.close();
            await count();
          },
          /** The process is gone; what it held is gone with it. */
          async crash() {
            ended.abort();
            await count();
          },
        };
      },
      /** Moves the guarded head, and then removes what lies behind it. */
      async removeThrough(sequence: number) {
        await createHeads(container).write({ incarnation, partition: 3 }, { sequence, curated: [] }, null);
        for (const { path, lastSequence } of await stream.landed()) {
          if (lastSequence <= sequence) await container.getBlobClient(path).delete();
        }
        await rm(join(folder, `landed-${life}`), { recursive: true, force: true });
      },
      async landed(): Promise<LandedFile[]> {
        return downloadLanding(blobs, join(folder, `landed-${life}`), container.containerName);
      },
      /** Checks that the files are a whole chain up to an event and hold each of its rows once. */
      async expectWhole(events: number, from = 0) {
        const files = await stream.landed();
        const ends = { incarnation, partition: 3, firstSequence: from, lastSequence: events - 1 };
        expect(chainDifferences(files, [ends])).toEqual([]);
        const landing = await openLanding(join(folder, `landed-${life}`));
        try {
          const [rows] = await landing.query<Record<string, number>>(
            `SELECT count(*)::INT AS n, count(DISTINCT (sequence, row))::INT AS d FROM landing
             WHERE point_id = 'pnt_' || (sequence * 10 + row)`,
          );
          const [letters] = await landing.query<Record<string, number>>(
            'SELECT count(*)::INT AS n, count(DISTINCT (sequence, row))::INT AS d FROM dead_letters',
          );
          const readings = total(events, readingsOf) - total(from, readingsOf);
          const refused = total(events, deadLettersOf) - total(from, deadLettersOf);
          expect({ rows, letters }).toEqual({
            rows: { n: readings, d: readings },
            letters: { n: refused, d: refused },
          });
        } finally {
          landing.close();
        }
        return files;
      },
    };
    return stream;
  }

  it('closes a file at the turn of the hour, and names it for its first event', async () => {
    const stream = await buildStream();
    const owner = stream.own();
    // Enqueued at 10:30, 10:37, 10:44, 10:51, 10:58 | 11:05, ...
    await owner.read(8);
    await owner.close();
    const files = await stream.expectWhole(8);
    expect(files.map(({ path }) => path)).toEqual([
      `landing/${stream.incarnation}/p=03/dt=2026-09-21/hr=10/s00000000000000000000.parquet`,
      `landing/${stream.incarnation}/p=03/dt=2026-09-21/hr=11/s00000000000000000005.parquet`,
    ]);
  });

  it('checkpoints only what is in a file', async () => {
    const stream = await buildStream();
    const owner = stream.own();
    await owner.read(4);
    expect(stream.checkpoint).toBe(-1);
    await owner.read(2);
    expect(stream.checkpoint).toBe(4);
    await owner.close();
    expect(stream.checkpoint).toBe(5);
  });

  it('fills files up to the rows, and up to its share of memory', async () => {
    const byRows = await buildStream();
    let owner = byRows.own({ flush: { rows: 3 } });
    await owner.read(5);
    await owner.close();
    expect((await byRows.expectWhole(5)).map(({ rows }) => rows)).toEqual([3, 3, 0]);

    const byBytes = await buildStream();
    owner = byBytes.own({ flush: { bytes: 450 } });
    await owner.read(5);
    await owner.close();
    expect((await byBytes.expectWhole(5)).length).toBeGreaterThan(1);
  });

  it('waits no longer than the flush time when nothing more comes', async () => {
    const stream = await buildStream();
    const owner = stream.own({ flush: { milliseconds: 0 } });
    await owner.read(2);
    await owner.process([]);
    expect(stream.checkpoint).toBe(1);
    await owner.close();
    await stream.expectWhole(2);
  });

  it('stays whole whatever owners, crashes, limits and checkpoints do', async () => {
    const flush = fc.record({ rows: fc.integer({ min: 1, max: 40 }), milliseconds: fc.constantFrom(0, 1e9) });
    const owner = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('read'), owner, events: fc.integer({ min: 0, max: 9 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('crash'), owner, flush, checkpointFails: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), owner, flush }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('roll-back'),
          to: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
    );
    type Step = {
      kind: string;
      owner?: number;
      events?: number;
      flush?: Partial<FlushLimits>;
      checkpointFails?: boolean;
      to?: number;
    };
    const events = 40;
    let adopted = 0;
    await fc.assert(
      // Steps of one group run at the same time.
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 14 }),
        async (groups) => {
          const stream = await buildStream();
          const owners = [
            stream.own({ flush: { rows: 7 } }),
            stream.own({ flush: { rows: 3 } }),
            stream.own(),
          ];
          const busy = owners.map(() => Promise.resolve());
          const perform = async (each: Step): Promise<void> => {
            if (each.kind === 'roll-back') {
              stream.checkpoint = stream.checkpoints[Math.floor(each.to! * (stream.checkpoints.length - 1))]!;
              return;
            }
            const which = each.owner!;
            const act = async (): Promise<void> => {
              const current = owners[which]!;
              if (each.kind === 'read') return current.read(each.events!, events);
              if (each.kind === 'crash') await current.crash();
              else await current.close();
              owners[which] = stream.own(each);
            };
            // One owner does one thing after another, except that it may die in the middle.
            if (each.kind === 'crash') return act();
            busy[which] = busy[which]!.then(act);
            return busy[which];
          };
          for (const group of groups) await Promise.all(group.map((each) => perform(each as Step)));
          for (const each of owners) await each.crash();
          const last = stream.own({ flush: { rows: 11 } });
          await last.read(events, events);
          await last.close();
          await stream.expectWhole(events);
          expect(stream.gaps).toBe(0);
          adopted += stream.adopted;
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
    // The property would hold of owners that never met, too.
    expect(adopted).toBeGreaterThan(0);
  });

  it('notes events that left the stream before they were landed, and goes on behind them', async () => {
    const stream = await buildStream();
    const first = stream.own();
    await first.read(5);
    await first.close();
    stream.firstSequence = 9;
    const second = stream.own();
    await second.read(3);
    await second.close();
    expect(stream.gaps).toBe(1);
    const files = await stream.landed();
    expect(files.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence])).toEqual([
      [0, 4],
      [9, 11],
    ]);
  });

  it('finds its place from the files when neither checkpoint nor stream reach back to it', async () => {
    const stream = await buildStream();
    const first = stream.own();
    await first.read(5);
    await first.close();
    stream.checkpoint = -1;
    // The oldest event of the stream is in the middle of a file.
    stream.firstSequence = 2;
    const second = stream.own();
    await second.read(6);
    await second.close();
    await stream.expectWhole(8);
    expect(stream.gaps).toBe(0);
  });

  it('reads again, rather than skip, what the stream holds and did not deliver', async () => {
    const stream = await buildStream();
    const first = stream.own({ flush: { rows: 1 } });
    await first.read(2);
    await expect(first.process([buildEvent(4)])).rejects.toThrow(
      'events 2 to 3 of partition 3 did not arrive',
    );
    await first.close();
    const second = stream.own();
    await second.read(4);
    await second.close();
    await stream.expectWhole(6);
    expect(stream.gaps).toBe(0);
  });

  it('lands what it held of a hub that was made again, and nothing of the new one', async () => {
    const stream = await buildStream();
    const owner = stream.own();
    await owner.process([buildEvent(0, EPOCH), buildEvent(1, EPOCH + 1)]);
    // The new hub's events happen to follow in number.
    stream.hub = { incarnation: 'another-1', hubCreatedAt: EPOCH + 10 };
    await owner.process([buildEvent(2, EPOCH + 20), buildEvent(3, EPOCH + 30)]);
    await owner.close();
    await stream.expectWhole(2);
  });

  it('goes on behind the guarded head, whatever its checkpoint says', async () => {
    const stream = await buildStream();
    const first = stream.own();
    await first.read(5);
    await first.close();
    await stream.removeThrough(4);
    stream.checkpoint = -1;
    const second = stream.own({ flush: { rows: 1 } });
    await second.read(8);
    await second.close();
    expect((await stream.landed())[0]!.firstSequence).toBe(5);
    expect(stream.gaps).toBe(0);
    expect(stream.checkpoint).toBe(7);
  });

  it('takes back a file that it created before it learned that the head had moved beyond it', async () => {
    const stream = await buildStream();
    const late = stream.own();
    await late.read(4);
    const first = stream.own();
    await first.read(3);
    await first.close();
    const deadLetters = deadLetterPath(
      { incarnation: stream.incarnation, partition: 3, firstSequence: 0, enqueuedAt: EPOCH },
      2,
    );
    await stream.removeThrough(2);
    await late.close();
    const files = await stream.landed();
    expect(files.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence])).toEqual([[3, 3]]);
    expect(await stream.container.getBlobClient(deadLetters).exists()).toBe(true);
    expect(stream.gaps).toBe(0);
  });

  it('finds its place from the head where all files are gone, and believes no file that begins before it', async () => {
    const stream = await buildStream();
    const first = stream.own();
    await first.read(3);
    await first.close();
    await stream.removeThrough(2);
    // Of a writer that came too late and died before it learned.
    const place = { incarnation: stream.incarnation, partition: 3, firstSequence: 1, enqueuedAt: EPOCH };
    await stream.container
      .getBlockBlobClient(landingPath(place))
      .upload('whatever', 8, { metadata: { lastSequence: '5' } });
    stream.checkpoint = -1;
    stream.firstSequence = 3;
    const second = stream.own();
    await second.read(3);
    await second.close();
    const files = (await stream.landed()).filter(({ firstSequence }) => firstSequence > 2);
    expect(files.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence])).toEqual([
      [3, 4],
      [5, 5],
    ]);
    expect(stream.gaps).toBe(0);
  });

  it('removes dead letters that a crashed writer left for a file that ended elsewhere', async () => {
    const stream = await buildStream();
    const place = { incarnation: stream.incarnation, partition: 3, firstSequence: 0, enqueuedAt: EPOCH };
    const left = stream.container.getBlockBlobClient(deadLetterPath(place, 2));
    await left.upload('whatever', 8);
    const owner = stream.own();
    await owner.read(5);
    await owner.close();
    expect(await left.exists()).toBe(false);
    expect(await stream.container.getBlobClient(deadLetterPath(place, 4)).exists()).toBe(true);
    await stream.expectWhole(5);
  });
});
