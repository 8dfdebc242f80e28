import fc from 'fast-check';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDisk } from '../../emulators/event-hubs/log/disk';
import { type Cursor } from '../../emulators/event-hubs/log/cursor';
import {
  createPartition,
  openPartitionLog,
  type PartitionLog,
  type PartitionLogOptions,
} from '../../emulators/event-hubs/log/partition-log';
import { createLogger } from '../../src/observability/logger';

/**
 * The log against a model. The model is a list of acknowledged events; the log is appended to, read, rolled,
 * closed and opened, trimmed, and crashed in ways that keep of the unsynced bytes what a disk may keep: none, a
 * part, all, zeros or noise.
 */
interface Event {
  body: string;
  position: number;
  time: number;
}

interface Model {
  /** By sequence number. */
  events: Event[];
  first: number;
}

type Command =
  | { kind: 'append'; bodies: string[] }
  | { kind: 'appendTogether'; batches: string[][] }
  | { kind: 'read'; at: number; credit: number }
  | { kind: 'locate'; at: number; how: 'sequence' | 'position' | 'time'; inclusive: boolean }
  | { kind: 'reopen' }
  | { kind: 'crash'; unsynced: string[][]; keep: number; damage: 'cut' | 'zeros' | 'noise' }
  | { kind: 'retain'; keepBytes: number };

const body = fc.string({ maxLength: 300, unit: 'binary' });
const bodies = fc.array(body, { minLength: 1, maxLength: 8 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), bodies }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('appendTogether' as const),
      batches: fc.array(bodies, { minLength: 2, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at: share,
      credit: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('locate' as const),
      at: share,
      how: fc.constantFrom('sequence' as const, 'position' as const, 'time' as const),
      inclusive: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      unsynced: fc.array(bodies, { maxLength: 6 }),
      keep: share,
      damage: fc.constantFrom('cut' as const, 'zeros' as const, 'noise' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), keepBytes: fc.nat(6000) }) },
);

const SEGMENT = 2500;
const logger = createLogger({ name: 'log', level: 'silent' });

function createBench(root: string) {
  const directory = join(root, 'log');
  const durable = new Map<string, number>();
  let syncing = true;
  let clock = 1_000;
  const disk = createDisk({ fsync: true, onDurable: (path, length) => void durable.set(path, length) });
  const options: PartitionLogOptions = {
    directory,
    incarnation: '00112233445566778899aabbccddeeff',
    logger,
    segmentBytes: SEGMENT,
    now: () => (clock += 7),
    disk: {
      ...disk,
      // While the power is failing nothing reaches the disk, and so nothing is acknowledged.
      sync: (file, length) => (syncing ? disk.sync(file, length) : new Promise<void>(() => undefined)),
    },
  };
  let log: PartitionLog;
  const model: Model = { events: [], first: 0 };

  async function append(batch: string[]): Promise<void> {
    const encoded = batch.map((each) => Buffer.from(each, 'utf8'));
    const laid: Event[] = [];
    const first = await log.append({
      count: encoded.length,
      maxBytes: encoded.reduce((sum, each) => sum + each.length, 0),
      lay(index, target, at, stamp) {
        laid[index] = { body: batch[index]!, position: stamp.position, time: stamp.enqueuedTime };
        return at + encoded[index]!.copy(target, at);
      },
    });
    for (const [index, each] of laid.entries()) model.events[first + index] = each;
  }

  /** Loses the power: of what was not synced, `keep` is still there, and the rest is damaged. */
  async function crash({ unsynced, keep, damage }: Extract<Command, { kind: 'crash' }>): Promise<void> {
    syncing = false;
    for (const batch of unsynced) void append(batch).catch(() => undefined);
    // The group is written in the next turn. Its sync never ends, so the dead log does nothing more after it.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const copy = join(root, 'copy');
    mkdirSync(copy);
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const known = durable.get(path) ?? 0;
      const length = statSync(path).size;
      const kept = known + Math.floor((length - known) * keep);
      if (known === 0 && kept === 0) continue;
      copyFileSync(path, join(copy, name));
      const bytes = readFileSync(path);
      const rest = bytes.subarray(known);
      if (damage === 'zeros') rest.fill(0, kept - known);
      if (damage === 'noise') for (let i = kept - known; i < rest.length; i += 1) rest[i] = (i * 131) & 0xff;
      writeFileSync(join(copy, name), damage === 'cut' ? bytes.subarray(0, kept) : bytes);
    }
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    for (const name of readdirSync(copy)) copyFileSync(join(copy, name), join(directory, name));
    rmSync(copy, { recursive: true });
    syncing = true;
  }

  return {
    model,
    append,
    log: () => log,
    async create() {
      mkdirSync(directory);
      await createPartition(options);
      log = openPartitionLog(options);
    },
    async reopen() {
      await log.close();
      log = openPartitionLog(options);
    },
    async crashAndReopen(how: Extract<Command, { kind: 'crash' }>) {
      await crash(how);
      const acknowledged = model.events.length;
      log = openPartitionLog(options);
      await adopt(acknowledged);
    },
    async retain(keepBytes: number) {
      await log.retain({ maxAge: Number.MAX_SAFE_INTEGER, maxBytes: keepBytes });
      model.first = log.state().firstSequence;
    },
  };

  /** What was not acknowledged may survive whole batches long: the model takes it over, in order, from the log. */
  async function adopt(acknowledged: number): Promise<void> {
    const { endSequence } = log.state();
    expect(endSequence).toBeGreaterThanOrEqual(acknowledged);
    const found = await readAll(log.cursor(acknowledged), Number.MAX_SAFE_INTEGER);
    expect(found.length).toBe(endSequence - acknowledged);
    model.events.length = acknowledged;
    for (const [index, text] of found.entries()) {
      const sequence = acknowledged + index;
      model.events[sequence] = { body: text, position: Number.NaN, time: Number.NaN };
    }
  }
}

async function readAll(cursor: Cursor, credit: number): Promise<string[]> {
  const texts: string[] = [];
  while (await cursor.fill()) {
    const events = cursor.peek(credit, 1000);
    cursor.advance(events.length);
    texts.push(...events.map((each) => each.toString('utf8')));
  }
  cursor.close();
  return texts;
}

const textOf = (value: string): string => Buffer.from(value, 'utf8').toString('utf8');

describe('the log of a partition equals a list of the events it acknowledged', () => {
  test('under any appends, reads, positions, reopenings, retention and losses of power', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 30 }), async (commands) => {
        const root = mkdtempSync(join(tmpdir(), 'event-hubs-log-'));
        const bench = createBench(root);
        const { model } = bench;
        try {
          await bench.create();
          for (const each of commands) {
            const last = model.events.length - 1;
            switch (each.kind) {
              case 'append':
                await bench.append(each.bodies);
                break;
              case 'appendTogether':
                await Promise.all(each.batches.map((batch) => bench.append(batch)));
                break;
              case 'read': {
                const from = Math.floor(each.at * (last + 2));
                const expected = model.events
                  .slice(Math.max(from, model.first))
                  .map(({ body: text }) => textOf(text));
                expect(await readAll(bench.log().cursor(from), each.credit)).toEqual(expected);
                break;
              }
              case 'locate': {
                const sequence = model.first + Math.floor(each.at * (last + 1 - model.first));
                const event = model.events[sequence];
                if (event === undefined || Number.isNaN(event.position)) break;
                const { inclusive } = each;
                const expected =
                  each.how === 'time'
                    ? model.events.findIndex(({ time }, i) => i >= model.first && !(time <= event.time))
                    : inclusive
                      ? sequence
                      : sequence + 1;
                if (each.how === 'time' && model.events.some(({ time }) => Number.isNaN(time))) break;
                const found = await bench
                  .log()
                  .locate(
                    each.how === 'sequence'
                      ? { kind: 'sequence', sequence, inclusive }
                      : each.how === 'position'
                        ? { kind: 'position', position: event.position, inclusive }
                        : { kind: 'time', after: event.time },
                  );
                expect(found).toBe(expected < 0 ? model.events.length : expected);
                break;
              }
              case 'reopen':
                await bench.reopen();
                break;
              case 'crash':
                await bench.crashAndReopen(each);
                break;
              case 'retain':
                await bench.retain(each.keepBytes);
                break;
            }
            expect(bench.log().state().endSequence).toBe(model.events.length);
          }
          await bench.reopen();
          const all = model.events.slice(model.first).map(({ body: text }) => textOf(text));
          expect(await readAll(bench.log().cursor(0), Number.MAX_SAFE_INTEGER)).toEqual(all);
        } finally {
          await bench.log().close();
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  });
});
