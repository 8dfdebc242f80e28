import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperatorError } from '../../../src/observability/operator-error';

/** The version of the tables below; a file of another version is refused, never guessed at. */
const FORMAT = 1;
const CACHE_KILOBYTES = 32 * 1024;
/** The log keeps its length when it starts again, up to this: one large group does not hold the disk for good. */
const LARGEST_IDLE_LOG = 32 * 1024 * 1024;

/**
 * Opens the data folder's file for this process alone: SQLite's exclusive lock is held until the process ends, by
 * whatever way, and a second process is told so.
 *
 * @throws OperatorError when another process has it, when it is not ours, or when it is damaged.
 */
export function openDatabaseFile(folder: string): { db: DatabaseSync; path: string; log: string } {
  const path = join(folder, 'cosmos.sqlite');
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new OperatorError(
      `cannot use the data folder ${folder} (${(error as NodeJS.ErrnoException).code}): choose another with --data`,
    );
  }
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = NORMAL');
    db.exec('PRAGMA wal_autocheckpoint = 0');
    db.exec(`PRAGMA journal_size_limit = ${LARGEST_IDLE_LOG}`);
    db.exec(`PRAGMA cache_size = -${CACHE_KILOBYTES}`);
    // A write takes the exclusive lock, which this mode then never gives back.
    db.exec('BEGIN IMMEDIATE');
    const format = (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    if (format !== 0 && format !== FORMAT) {
      throw new OperatorError(
        `${path} has format ${format} and this version reads ${FORMAT}: move the file away or use the version that wrote it`,
      );
    }
    db.exec(`
      CREATE TABLE IF NOT EXISTS databases (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, rid TEXT NOT NULL,
        etag TEXT NOT NULL, ts INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS containers (
        number INTEGER PRIMARY KEY AUTOINCREMENT, database INTEGER NOT NULL, id TEXT NOT NULL, rid TEXT NOT NULL,
        etag TEXT NOT NULL, ts INTEGER NOT NULL, definition TEXT NOT NULL,
        lsn INTEGER NOT NULL, lastNumber INTEGER NOT NULL, UNIQUE (database, id));
      CREATE TABLE IF NOT EXISTS indexes (
        container INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, built INTEGER NOT NULL,
        PRIMARY KEY (container, number)) WITHOUT ROWID;
      PRAGMA user_version = ${FORMAT};
    `);
    db.exec('COMMIT');
    syncFolder(folder);
    syncFolder(dirname(resolve(folder)));
    return { db, path, log: `${path}-wal` };
  } catch (error) {
    db?.close();
    throw openError(error, path);
  }
}

/** A new file's name is on the disk only once its folder is flushed. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function openError(error: unknown, path: string): Error {
  if (error instanceof OperatorError) return error;
  const { message, errcode } = error as Error & { errcode?: number };
  const SQLITE_BUSY = 5;
  const SQLITE_CORRUPT = 11;
  const SQLITE_NOTADB = 26;
  switch ((errcode ?? 0) & 0xff) {
    case SQLITE_BUSY:
      return new OperatorError(
        `${path} is in use by another process: stop that one, or give this one a data folder of its own with --data`,
      );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new OperatorError(
        `${path} is damaged (${message}): restore it from a copy, or move it away to start empty`,
      );
    default:
      return new OperatorError(
        `${path} cannot be opened (${message}): check the folder's permissions and space`,
      );
  }
}
