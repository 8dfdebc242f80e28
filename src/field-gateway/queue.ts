import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperatorError } from '../observability/operator-error';

/** What one poll or one frame brought, to be sent as one message. */
export interface QueuedMessage {
  /** The child whose readings they are. */
  deviceId: string;
  /** A SenML pack in JSON whose base name is the child. */
  body: string;
  /** Milliseconds since 1970. */
  queuedAt: number;
}

/** Something remembered in the same transaction as its message, such as the sequence that a unit has reached. */
export interface Mark {
  key: string;
  value: string;
}

/** Messages on disk that wait for the cloud, oldest first. */
export interface StoreAndForwardQueue {
  /**
   * Resolves once the message has been written and flushed: what was told to a device after that is not lost by a kill
   * nor by a power cut. While the queue is full it waits, and whoever waits reads nothing further meanwhile. Rejects
   * when the queue is closed first: the message is then the device's to send again.
   */
  append(message: QueuedMessage, mark?: Mark): Promise<void>;
  mark(key: string): string | undefined;
  /** The oldest that are still to be sent. */
  oldest(limit: number, maximumBytes: number): (QueuedMessage & { id: number })[];
  /** The cloud has them. Throws where the disk cannot be written: none is removed then. */
  remove(ids: readonly number[]): void;
  /** Never to be sent and not kept by the cloud either: stays on disk for a person to look at. */
  setAside(id: number, reason: string): void;
  /** Removes what is older, where its owner has said that nobody wants it then. @returns how many. */
  removeOlderThan(instant: number): number;
  depth(): QueueDepth;
  /** Resolves at the next append, so that an idle sender need not ask. */
  appended(): Promise<void>;
  close(): void;
}

export interface QueueDepth {
  messages: number;
  bytes: number;
  setAside: number;
  /** Appends that wait for room. */
  waiting: number;
  full: boolean;
  /** Milliseconds since 1970; null where it is empty. */
  oldestQueuedAt: number | null;
}

/** A row's share beyond its body: its other columns, its place in the table and in the index. */
const ROW_BYTES = 96;
/** Room is given again below this part of the maximum, so that a full queue does not stutter. */
const ROOM = 0.95;

/** @throws OperatorError when the folder cannot be used or another process uses it. */
export function createQueue(options: { dataDir: string; maximumBytes: number }): StoreAndForwardQueue {
  const { maximumBytes } = options;
  const database = open(options.dataDir);
  const insert = database.prepare('INSERT INTO message (device_id, body, queued_at) VALUES (?, ?, ?)');
  const setMark = database.prepare(
    'INSERT INTO mark (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const getMark = database.prepare('SELECT value FROM mark WHERE key = ?');
  const select = database.prepare(
    'SELECT id, device_id, body, queued_at FROM message WHERE aside IS NULL ORDER BY id LIMIT ?',
  );
  const remove = database.prepare(
    'DELETE FROM message WHERE id = ? RETURNING length(CAST(body AS BLOB)) AS bytes',
  );
  const aside = database.prepare('UPDATE message SET aside = ? WHERE id = ?');
  const old = database.prepare('DELETE FROM message WHERE queued_at < ?');
  const count = database.prepare(
    `SELECT count(*) AS messages, count(aside) AS aside,
            coalesce(sum(length(CAST(body AS BLOB))), 0) + count(*) * ${ROW_BYTES} AS bytes FROM message`,
  );
  const first = database.prepare('SELECT queued_at FROM message WHERE aside IS NULL ORDER BY id LIMIT 1');

  let messages = 0;
  let bytes = 0;
  let setAside = 0;
  let full = false;
  let closed = false;
  let scheduled = false;
  let waiting: Waiting[] = [];
  let next = createSignal();

  const recount = (): void => {
    const row = count.get() as { messages: number; aside: number; bytes: number };
    ({ messages, bytes } = row);
    setAside = row.aside;
  };
  recount();

  const sizeOf = (body: string): number => Buffer.byteLength(body) + ROW_BYTES;

  /** One transaction and one flush for all that arrived in the same turn. */
  const write = (): void => {
    scheduled = false;
    if (closed || waiting.length === 0) return;
    if (full && bytes > maximumBytes * ROOM) return;
    full = false;
    let taken = 0;
    let added = 0;
    for (const { message } of waiting) {
      // One alone goes in whatever its size, or it would wait for ever.
      if (bytes + added + sizeOf(message.body) > maximumBytes && bytes + added > 0) {
        full = true;
        break;
      }
      added += sizeOf(message.body);
      taken++;
    }
    const batch = waiting.slice(0, taken);
    if (taken === 0) return;
    waiting = waiting.slice(taken);
    try {
      transaction(database, () => {
        for (const { message, mark } of batch) {
          insert.run(message.deviceId, message.body, message.queuedAt);
          if (mark) setMark.run(mark.key, mark.value);
        }
      });
    } catch (error) {
      for (const each of batch) each.reject(error as Error);
      return;
    }
    messages += taken;
    bytes += added;
    for (const each of batch) each.resolve();
    next.resolve();
    next = createSignal();
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(write);
  };

  return {
    append(message, mark) {
      if (closed) return Promise.reject(new Error('the queue is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ message, mark, resolve, reject });
        schedule();
      });
    },
    mark: (key) => (getMark.get(key) as { value: string } | undefined)?.value,
    oldest(limit, maximumBytesTaken) {
      const taken: (QueuedMessage & { id: number })[] = [];
      let size = 0;
      for (const row of select.iterate(limit) as Iterable<Row>) {
        size += Buffer.byteLength(row.body);
        if (size > maximumBytesTaken && taken.length > 0) break;
        taken.push({ id: row.id, deviceId: row.device_id, body: row.body, queuedAt: row.queued_at });
      }
      return taken;
    },
    remove(ids) {
      let removed = 0;
      let freed = 0;
      transaction(database, () => {
        for (const id of ids) {
          const row = remove.get(id) as { bytes: number } | undefined;
          if (row === undefined) continue;
          removed++;
          freed += row.bytes + ROW_BYTES;
        }
      });
      // Only now: a transaction that fails has removed nothing.
      messages -= removed;
      bytes -= freed;
      schedule();
    },
    setAside(id, reason) {
      aside.run(reason, id);
      setAside++;
    },
    removeOlderThan(instant) {
      const removed = Number(old.run(instant).changes);
      if (removed > 0) recount();
      schedule();
      return removed;
    },
    depth() {
      const oldest = (first.get() as { queued_at: number } | undefined)?.queued_at ?? null;
      return { messages, bytes, setAside, waiting: waiting.length, full, oldestQueuedAt: oldest };
    },
    appended: () => next.promise,
    close() {
      if (closed) return;
      closed = true;
      for (const each of waiting.splice(0)) each.reject(new Error('the queue is closed'));
      next.resolve();
      database.close();
    },
  };
}

function createSignal(): { promise: Promise<void>; resolve(): void } {
  let resolve!: () => void;
  const promise = new Promise<void>((onResolved) => (resolve = onResolved));
  return { promise, resolve };
}

interface Waiting {
  message: QueuedMessage;
  mark: Mark | undefined;
  resolve(): void;
  reject(error: Error): void;
}

interface Row {
  id: number;
  device_id: string;
  body: string;
  queued_at: number;
}

function open(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true });
    const database = new DatabaseSync(join(dataDir, 'queue.sqlite'));
    // Flushed at every commit: an ACK tells a unit that it may forget its reading.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device_id TEXT NOT NULL,
        body TEXT NOT NULL,
        queued_at INTEGER NOT NULL,
        aside TEXT
      ) STRICT;
      CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    `);
    return database;
  } catch (error) {
    const why = (error as Error).message;
    throw new OperatorError(
      `the queue in ${dataDir} cannot be opened (${why}): give the field gateway a folder of its own that it may write to`,
    );
  }
}

function transaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    // After some faults, such as a full disk, SQLite has rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
