import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDisk, type Disk } from '../../emulators/event-hubs/log/disk';
import {
  createPartition,
  openPartitionLog,
  type PartitionLog,
  type PartitionLogOptions,
} from '../../emulators/event-hubs/log/partition-log';
import { createLogger } from '../../src/observability/logger';
import { OperatorError } from '../../src/observability/operator-error';

describe('the log of a partition', () => {
  let root: string;
  let options: PartitionLogOptions;
  let log: PartitionLog;
  let clock: number;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'event-hubs-partition-'));
    clock = 1_000_000;
    options = {
      directory: join(root, 'p00'),
      incarnation: 'ab'.repeat(16),
      disk: createDisk({ fsync: true }),
      logger: createLogger({ name: 'log', level: 'silent' }),
      segmentBytes: 1_000,
      now: () => clock,
    };
    mkdirSync(options.directory);
    await createPartition(options);
    log = openPartitionLog(options);
  });
  afterEach(async () => {
    await log.close();
    rmSync(root, { recursive: true });
  });

  function append(...bodies: string[]): Promise<number> {
    return log.append({
      count: bodies.length,
      maxBytes: bodies.reduce((sum, each) => sum + each.length, 0),
      lay: (index, target, at) => at + target.write(bodies[index]!, at, 'latin1'),
    });
  }

  async function read(from = 0): Promise<string[]> {
    const cursor = log.cursor(from);
    const bodies: string[] = [];
    while (await cursor.fill()) {
      const events = cursor.peek(100, 1000);
      cursor.advance(events.length);
      bodies.push(...events.map((each) => each.toString('latin1')));
    }
    cursor.close();
    return bodies;
  }

  const segments = (): string[] => readdirSync(options.directory).sort();
  const lastSegment = (): string => join(options.directory, segments().at(-1)!);

  async function reopened(): Promise<void> {
    await log.close();
    log = openPartitionLog(options);
  }

  test('a torn tail is cut at every byte, and what was whole before it stays', async () => {
    await append('one', 'two');
    const whole = readFileSync(lastSegment()).length;
    await append('three');
    const all = readFileSync(lastSegment());
    await log.close();
    for (let length = whole; length < all.length; length += 1) {
      writeFileSync(lastSegment(), all.subarray(0, length));
      log = openPartitionLog(options);
      expect(await read()).toEqual(['one', 'two']);
      expect(log.state().endSequence).toBe(2);
      await log.close();
    }
    log = openPartitionLog(options);
    expect(await append('four')).toBe(2);
    expect(await read()).toEqual(['one', 'two', 'four']);
  });

  test('cutting a torn tail is said in the log of the process', async () => {
    await append('one');
    const lines: unknown[] = [];
    const logger = createLogger({ name: 'log', level: 'silent' });
    logger.warn = ((fields: unknown) => lines.push(fields)) as never;
    truncateSync(lastSegment(), readFileSync(lastSegment()).length - 1);
    await log.close();
    log = openPartitionLog({ ...options, logger });
    expect(lines).toEqual([expect.objectContaining({ bytes: expect.any(Number) as number, events: 0 })]);
  });

  test('damage to what was acknowledged is refused, not repaired', async () => {
    await append('one');
    await append('two');
    await append('three');
    await log.close();
    const good = readFileSync(lastSegment());
    const bad = Buffer.from(good);
    bad[good.indexOf('one')]! ^= 1;
    writeFileSync(lastSegment(), bad);
    expect(() => openPartitionLog(options)).toThrow(OperatorError);
    expect(() => openPartitionLog(options)).toThrow(/corrupt/);
    writeFileSync(lastSegment(), good);
    log = openPartitionLog(options);
    expect(await read()).toEqual(['one', 'two', 'three']);
  });

  test('a segment that is missing or shortened in the middle is refused', async () => {
    for (let i = 0; i < 10; i += 1) await append('x'.repeat(300));
    expect(segments().length).toBeGreaterThan(3);
    await log.close();
    const middle = join(options.directory, segments()[1]!);
    const bytes = readFileSync(middle);
    truncateSync(middle, bytes.length - 1);
    expect(() => openPartitionLog(options)).toThrow(/corrupt/);
    rmSync(middle);
    expect(() => openPartitionLog(options)).toThrow(/corrupt/);
    writeFileSync(middle, bytes);
    log = openPartitionLog(options);
    expect((await read()).length).toBe(10);
  });

  test('damage in a sealed segment is told to the reader that meets it', async () => {
    for (let i = 0; i < 10; i += 1) await append(`${i}`.repeat(300));
    await log.close();
    const first = join(options.directory, segments()[0]!);
    const bytes = readFileSync(first);
    bytes[200]! ^= 1;
    writeFileSync(first, bytes);
    log = openPartitionLog(options);
    await expect((async () => read())()).rejects.toThrow(/corrupt/);
    expect((await read(9)).length).toBe(1);
  });

  test('retention by size removes whole segments, and the first sequence number moves', async () => {
    for (let i = 0; i < 10; i += 1) await append('x'.repeat(300));
    const before = segments().length;
    const removed = await log.retain({ maxAge: Number.MAX_SAFE_INTEGER, maxBytes: 1_500 });
    expect(removed).toBeGreaterThan(0);
    expect(segments().length).toBeLessThan(before);
    expect(log.state().firstSequence).toBe(removed);
    expect((await read(0)).length).toBe(10 - removed);
    await reopened();
    expect(log.state()).toMatchObject({ firstSequence: removed, endSequence: 10 });
  });

  test('retention is on disk a segment at a time, so that a loss of power leaves no gap', async () => {
    const counts: number[] = [];
    const disk: Disk = {
      ...options.disk,
      syncFolder(path) {
        counts.push(readdirSync(path).length);
        return options.disk.syncFolder(path);
      },
    };
    await log.close();
    log = openPartitionLog({ ...options, disk });
    for (let i = 0; i < 5; i += 1) await append('x'.repeat(900));
    counts.length = 0;
    await log.retain({ maxAge: Infinity, maxBytes: 0 });
    expect(counts).toEqual([4, 3, 2, 1]);
  });

  test('retention by age removes what is old, also from the segment that is written to', async () => {
    await append('old');
    clock += 10_000;
    expect(await log.retain({ maxAge: 5_000, maxBytes: Number.MAX_SAFE_INTEGER })).toBe(1);
    expect(log.state()).toMatchObject({ firstSequence: 1, endSequence: 1 });
    expect(await append('new')).toBe(1);
    expect(await read()).toEqual(['new']);
    await reopened();
    expect(await read()).toEqual(['new']);
  });

  test('a reader that retention overtook goes on at the oldest event that is kept', async () => {
    const cursor = log.cursor(0);
    for (let i = 0; i < 10; i += 1) await append(`${i}`.repeat(300));
    await log.retain({ maxAge: Number.MAX_SAFE_INTEGER, maxBytes: 1_500 });
    await cursor.fill();
    expect(cursor.sequence()).toBe(log.state().firstSequence);
    cursor.close();
  });

  test('a reader after a restart that retention overtakes while it looks for its place goes on, too', async () => {
    for (let i = 0; i < 5; i += 1) await append('x'.repeat(900));
    await reopened();
    const cursor = log.cursor(0);
    const looking = [cursor.fill(), log.locate({ kind: 'position', position: 100, inclusive: true })];
    await log.retain({ maxAge: Number.MAX_SAFE_INTEGER, maxBytes: 0 });
    const [found, place] = await Promise.all(looking);
    expect(found).toBe(true);
    expect(cursor.sequence()).toBeGreaterThan(0);
    expect(place).toBeGreaterThan(0);
    cursor.close();
  });

  test('a clock that steps back does not make enqueued times do so', async () => {
    await append('one');
    const { lastTime } = log.state();
    clock -= 5_000;
    await append('two');
    expect(log.state().lastTime).toBe(lastTime);
  });

  test('a full disk refuses what does not fit, and takes events again when there is room', async () => {
    let full = false;
    const disk: Disk = {
      ...options.disk,
      write(file, buffers, position) {
        if (full) {
          // As a real one: some of it is written.
          options.disk.write(file, [buffers[0]!.subarray(0, 10)], position);
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        }
        options.disk.write(file, buffers, position);
      },
    };
    await log.close();
    log = openPartitionLog({ ...options, disk });
    await append('before');
    full = true;
    const refused = await Promise.allSettled([append('a'), append('b', 'c'), append('d'.repeat(900))]);
    expect(refused.map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(log.failure()).toBeUndefined();
    full = false;
    expect(await append('after')).toBe(1);
    expect(await read()).toEqual(['before', 'after']);
    await reopened();
    expect(await read()).toEqual(['before', 'after']);
  });

  test('after a sync that failed nothing more is taken: nobody knows what is on the disk', async () => {
    let failing = false;
    const disk: Disk = {
      ...options.disk,
      sync: (file, length) =>
        failing
          ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
          : options.disk.sync(file, length),
    };
    await log.close();
    log = openPartitionLog({ ...options, disk });
    failing = true;
    await expect(append('one')).rejects.toThrow(/cannot be written/);
    failing = false;
    await expect(append('two')).rejects.toThrow(/cannot be written/);
    expect(log.failure()).toBeDefined();
    expect(await read()).toEqual([]);
  });

  test('nobody is shown an event before it is on disk', async () => {
    let release = (): void => undefined;
    const disk: Disk = { ...options.disk, sync: () => new Promise((resolve) => (release = resolve)) };
    await log.close();
    log = openPartitionLog({ ...options, disk });
    const appended = append('one');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await read()).toEqual([]);
    expect(log.state().endSequence).toBe(0);
    release();
    await appended;
    expect(await read()).toEqual(['one']);
  });

  test('sends that come together share one sync', async () => {
    let syncs = 0;
    const disk: Disk = {
      ...options.disk,
      sync: (file, length) => {
        syncs += 1;
        return options.disk.sync(file, length);
      },
    };
    await log.close();
    log = openPartitionLog({ ...options, disk, segmentBytes: 1_000_000 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => append(String(i))));
    expect(syncs).toBeLessThanOrEqual(2);
    expect((await read()).length).toBe(50);
  });

  test('a segment whose creation was interrupted is removed', async () => {
    await append('one');
    await log.close();
    const next = join(options.directory, `s${'1'.padStart(20, '0')}.log`);
    writeFileSync(next, Buffer.alloc(17));
    log = openPartitionLog(options);
    expect(existsSync(next)).toBe(false);
    expect(await read()).toEqual(['one']);
  });
});
