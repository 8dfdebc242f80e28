import { closeSync, fdatasync, openSync } from 'node:fs';
import { type DatabaseSync } from 'node:sqlite';

/**
 * Group commit. Writes that arrive while the disk is busy run together in the next transaction; each is acknowledged
 * only when the write-ahead log that holds it has been flushed to the disk.
 *
 * SQLite runs with synchronous=NORMAL, so that COMMIT appends to the log and does not wait; the flush is ours, on
 * libuv's pool, so that the event loop keeps answering reads. SQLite itself flushes the log before, and the database
 * after, every checkpoint (https://www.sqlite.org/wal.html), and a checkpoint happens here alone, between groups.
 */
export interface CommitGroup {
  /**
   * Runs `work` inside the next group's transaction and resolves with its result once that is on the disk. Work must
   * check before it changes: a thrown error takes the whole group back and rejects all of it.
   */
  write<T>(work: () => T): Promise<T>;
  /**
   * Resolves when everything that a read may have seen is on the disk; `undefined` when that is so now. Nobody is
   * shown a state that a power cut could take back: a follower of the change feed would otherwise keep a position
   * that is later given to another change.
   */
  settled(): Promise<void> | undefined;
  /** Flushes what is queued, then checkpoints. Writes after this are rejected. */
  stop(): Promise<void>;
  /** Transactions so far, and how many writes were in them. */
  readonly statistics: { groups: number; writes: number; checkpoints: number };
}

export interface CommitGroupOptions {
  db: DatabaseSync;
  /** Path of the write-ahead log. */
  log: string;
  /** False leaves the flush to the operating system: a power cut may then lose acknowledged writes. */
  sync: boolean;
  /** Runs inside each transaction, last: what the group as a whole must leave behind. */
  beforeCommit: () => void;
  /** Takes back what memory holds of a group whose transaction was rolled back. */
  afterRollback: () => void;
  /** The disk refused to flush. What was written since is in doubt for good, so the process must end. */
  onFatal: (error: Error) => void;
  /** Told the log's flushed length after each flush; the crash proof cuts the log there. */
  onSynced?: (bytes: number) => void;
}

const LARGEST_GROUP = 512;
const CHECKPOINT_BYTES = 8 * 1024 * 1024;
/** Of the log and of each page in it (https://www.sqlite.org/fileformat2.html#walformat). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

interface Entry {
  work: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
  result?: unknown;
}

export function createCommitGroup(options: CommitGroupOptions): CommitGroup {
  const { db } = options;
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  const inspect = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
  const log = openSync(options.log, 'r+');
  const statistics = { groups: 0, writes: 0, checkpoints: 0 };

  let queue: Entry[] = [];
  let scheduled = false;
  let stopped = false;
  /** Set while a group is committed and not yet flushed. */
  let flushing: Promise<void> | undefined;
  let broken: Error | undefined;

  function schedule(): void {
    if (scheduled || flushing || queue.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      runGroup();
    });
  }

  function runGroup(): void {
    const group = queue.length <= LARGEST_GROUP ? queue : queue.slice(0, LARGEST_GROUP);
    queue = queue.length <= LARGEST_GROUP ? [] : queue.slice(LARGEST_GROUP);
    if (group.length === 0) return;
    try {
      begin.run();
      for (const entry of group) entry.result = entry.work();
      options.beforeCommit();
      commit.run();
    } catch (error) {
      try {
        if (db.isTransaction) rollback.run();
      } finally {
        options.afterRollback();
        for (const entry of group) entry.reject(error);
      }
      schedule();
      return;
    }
    statistics.groups += 1;
    statistics.writes += group.length;
    flushing = flush().then(() => {
      flushing = undefined;
      for (const entry of group) entry.resolve(entry.result as never);
      checkpointIfLong();
      schedule();
    });
    // Stays set where the flush failed: nothing is written or read any more, for what is on the disk is in doubt.
    flushing.catch((error: Error) => {
      broken = error;
      for (const entry of [...group, ...queue.splice(0)]) entry.reject(error);
      options.onFatal(error);
    });
  }

  function flush(): Promise<void> {
    if (!options.sync) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // Nothing is appended to the log while it is flushed, so its length now is the length that is safe afterwards.
      const bytes = options.onSynced ? logBytes() : 0;
      fdatasync(log, (error) => {
        if (error) reject(error);
        else {
          options.onSynced?.(bytes);
          resolve();
        }
      });
    });
  }

  /** Length of the log's part that is not in the database yet; beyond it the file holds what an earlier round left. */
  function logBytes(): number {
    const { log: frames, checkpointed } = inspect.get() as { log: number; checkpointed: number };
    return frames === checkpointed ? 0 : HEADER_BYTES + frames * (FRAME_HEADER_BYTES + pageBytes);
  }

  function checkpointIfLong(): void {
    if (logBytes() < CHECKPOINT_BYTES) return;
    // The log starts again at its beginning and keeps its length: a flush of what is written over existing blocks
    // costs less than half of one that must also store where a growing file lies. What is left of the earlier round
    // carries another salt, so SQLite never takes it for its own.
    checkpoint.get();
    // Nothing in the log is needed now: what it held is on the disk in the database.
    options.onSynced?.(0);
    statistics.checkpoints += 1;
  }

  return {
    statistics,
    write<T>(work: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (stopped || broken) {
          reject(broken ?? new Error('the store is stopped'));
          return;
        }
        queue.push({ work, resolve, reject });
        schedule();
      });
    },
    settled: () => flushing,
    async stop() {
      stopped = true;
      while (!broken && (flushing || queue.length > 0)) {
        if (flushing) await flushing.catch(() => undefined);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      closeSync(log);
    },
  };
}
