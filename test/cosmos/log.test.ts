import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createCommitGroup } from '../../emulators/cosmos/store/commit-group';
import { openDatabaseFile } from '../../emulators/cosmos/store/database-file';

const MEGABYTE = 1024 * 1024;
const VALUE_BYTES = 64 * 1024;

describe("The Cosmos stand-in's write-ahead log", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cosmos-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function open(at: string) {
    const synced: number[] = [];
    const { db, log } = openDatabaseFile(at);
    db.exec('CREATE TABLE IF NOT EXISTS kept (k INTEGER PRIMARY KEY, v BLOB)');
    const insert = db.prepare('INSERT INTO kept (k, v) VALUES (?, randomblob(?))');
    const group = createCommitGroup({
      db,
      log,
      sync: true,
      beforeCommit: () => undefined,
      afterRollback: () => undefined,
      onFatal: (error) => {
        throw error;
      },
      onSynced: (bytes) => synced.push(bytes),
    });
    return {
      log,
      group,
      synced,
      write: (k: number, bytes = VALUE_BYTES) => group.write(() => void insert.run(k, bytes)),
      keys: () => (db.prepare('SELECT k FROM kept ORDER BY k').all() as { k: number }[]).map(({ k }) => k),
      async close() {
        await group.stop();
        db.close();
      },
    };
  }

  /** What a power cut would leave: the files as they are, with the log cut at its flushed length. */
  function afterPowerCut(flushed: number): string {
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    for (const name of ['cosmos.sqlite', 'cosmos.sqlite-wal']) {
      copyFileSync(join(folder, name), join(copy, name));
    }
    truncateSync(join(copy, 'cosmos.sqlite-wal'), flushed);
    return copy;
  }

  test('starts again at its beginning, and its flushed part with the database is all that was acknowledged', async () => {
    const store = open(folder);
    let k = 0;
    // Past three rounds of the log, and some way into the next.
    while (store.group.statistics.checkpoints < 3) await store.write(k++);
    for (let more = 0; more < 5; more++) await store.write(k++);
    const { size } = statSync(store.log);
    expect(size).toBeLessThan(10 * MEGABYTE);
    const flushed = store.synced.at(-1)!;
    expect(flushed).toBeGreaterThan(5 * VALUE_BYTES);
    expect(flushed).toBeLessThan(size);

    const reopened = open(afterPowerCut(flushed));
    expect(reopened.keys()).toEqual(Array.from({ length: k }, (_, i) => i));
    await reopened.close();
    await store.close();
  });

  test('gives back the space that one very large group took', async () => {
    const store = open(folder);
    await store.write(0, 48 * MEGABYTE);
    expect(statSync(store.log).size).toBeGreaterThan(48 * MEGABYTE);
    await store.write(1);
    expect(statSync(store.log).size).toBeLessThanOrEqual(32 * MEGABYTE);
    expect(store.keys()).toEqual([0, 1]);
    await store.close();
  });

  test('of a version that shortened it at each round opens with all that it holds', async () => {
    // That version left a log as long as its content; its last round was never folded into the database.
    const { db } = openDatabaseFile(folder);
    db.exec('CREATE TABLE kept (k INTEGER PRIMARY KEY, v BLOB); INSERT INTO kept VALUES (1, NULL)');
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.exec('INSERT INTO kept VALUES (2, NULL)');
    const copy = afterPowerCut(statSync(join(folder, 'cosmos.sqlite-wal')).size);
    db.close();
    const store = open(copy);
    expect(store.keys()).toEqual([1, 2]);
    await store.write(3);
    await store.close();
    const plain = new DatabaseSync(join(copy, 'cosmos.sqlite'));
    expect(plain.prepare('SELECT count(*) AS n FROM kept').get()).toMatchObject({ n: 3 });
    plain.close();
  });

  test('answers no write and no read any more once the disk has refused a flush', async () => {
    const { db } = openDatabaseFile(folder);
    const fatal: Error[] = [];
    const group = createCommitGroup({
      db,
      // A device that cannot be flushed, in place of the log.
      log: '/dev/null',
      sync: true,
      beforeCommit: () => undefined,
      afterRollback: () => undefined,
      onFatal: (error) => void fatal.push(error),
    });
    const first = group.write(() => 1);
    await expect(first).rejects.toThrow(/EINVAL/);
    await expect(group.settled()).rejects.toThrow(/EINVAL/);
    await expect(group.write(() => 2)).rejects.toThrow(/EINVAL/);
    expect(fatal).toHaveLength(1);
    await group.stop();
    db.close();
  });
});
