import { type DatabaseSync } from 'node:sqlite';

/** A stored document. `body` is its complete JSON text with Cosmos's own properties, as it is answered. */
export interface DocumentRow {
  /** Its number in the container: never given twice, the last half of its `_rid`. */
  n: number;
  lsn: number;
  /** `_ts`, seconds. */
  ts: number;
  /** Second from which it is gone, or null. */
  expires: number | null;
  body: string;
}

export interface ChangeRow {
  n: number;
  lsn: number;
  pk: string;
  expires: number | null;
  body: string;
}

export interface Documents {
  /** Name of the table, for the statements of queries. */
  readonly table: string;
  find(pk: string, id: string): DocumentRow | undefined;
  insert(row: {
    n: number;
    pk: string;
    id: string;
    lsn: number;
    ts: number;
    expires: number | null;
    body: string;
  }): void;
  update(row: DocumentRow): void;
  remove(n: number): void;
  /** Changes after `lsn`, in order. */
  changes(lsn: number, limit: number): ChangeRow[];
  /** The changes of exactly `lsn`: one write's, or one transactional batch's. */
  changesAt(lsn: number): ChangeRow[];
  /** The last change before `seconds`, 0 when there is none. */
  lsnBefore(seconds: number): number;
  expired(now: number, limit: number): { n: number; pk: string; id: string; body: string }[];
  /** Gives every document without a `ttl` of its own the container's. */
  setDefaultTtl(seconds: number | undefined): void;
  numbered(after: number, limit: number): { n: number; pk: string; id: string; body: string }[];
  count(): number;
  /** `_ts` of the last change, 0 when there is none. */
  lastSecond(): number;
}

export function createTable(db: DatabaseSync, container: number): void {
  // `lsn` is indexed for the change feed; the key comes with it, so that one partition's feed reads no other's rows.
  db.exec(`
    CREATE TABLE d${container} (
      n INTEGER PRIMARY KEY, pk TEXT NOT NULL, id TEXT NOT NULL, lsn INTEGER NOT NULL, ts INTEGER NOT NULL,
      expires INTEGER, body TEXT NOT NULL);
    CREATE UNIQUE INDEX d${container}_id ON d${container} (pk, id);
    CREATE INDEX d${container}_lsn ON d${container} (lsn, pk);
    CREATE INDEX d${container}_expires ON d${container} (expires) WHERE expires IS NOT NULL;
  `);
}

export function dropTable(db: DatabaseSync, container: number): void {
  db.exec(`DROP TABLE d${container}`);
}

export function openDocuments(db: DatabaseSync, container: number): Documents {
  const table = `d${container}`;
  const find = db.prepare(`SELECT n, lsn, ts, expires, body FROM ${table} WHERE pk = ? AND id = ?`);
  const insert = db.prepare(
    `INSERT INTO ${table} (n, pk, id, lsn, ts, expires, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(`UPDATE ${table} SET lsn = ?, ts = ?, expires = ?, body = ? WHERE n = ?`);
  const remove = db.prepare(`DELETE FROM ${table} WHERE n = ?`);
  const changes = db.prepare(
    `SELECT n, lsn, pk, expires, body FROM ${table} WHERE lsn > ? ORDER BY lsn, n LIMIT ?`,
  );
  const changesAt = db.prepare(`SELECT n, lsn, pk, expires, body FROM ${table} WHERE lsn = ? ORDER BY n`);
  const next = db.prepare(`SELECT lsn, ts FROM ${table} WHERE lsn >= ? ORDER BY lsn LIMIT 1`);
  const last = db.prepare(`SELECT max(lsn) AS lsn FROM ${table}`);
  const lastChange = db.prepare(`SELECT ts FROM ${table} ORDER BY lsn DESC LIMIT 1`);
  const expired = db.prepare(
    `SELECT n, pk, id, body FROM ${table} WHERE expires IS NOT NULL AND expires <= ? LIMIT ?`,
  );
  const numbered = db.prepare(`SELECT n, pk, id, body FROM ${table} WHERE n > ? ORDER BY n LIMIT ?`);
  const count = db.prepare(`SELECT count(*) AS count FROM ${table}`);

  return {
    table,
    find: (pk, id) => find.get(pk, id) as DocumentRow | undefined,
    insert: ({ n, pk, id, lsn, ts, expires, body }) => void insert.run(n, pk, id, lsn, ts, expires, body),
    update: ({ n, lsn, ts, expires, body }) => void update.run(lsn, ts, expires, body, n),
    remove: (n) => void remove.run(n),
    changes: (lsn, limit) => changes.all(lsn, limit) as unknown as ChangeRow[],
    changesAt: (lsn) => changesAt.all(lsn) as unknown as ChangeRow[],
    lsnBefore(seconds) {
      // Both lsn and ts only ever grow together, so the first change at or after a time is found by halving.
      let low = 0;
      let high = (last.get() as { lsn: number | null }).lsn ?? 0;
      while (low < high) {
        const middle = Math.floor((low + high) / 2) + 1;
        const row = next.get(middle) as { lsn: number; ts: number } | undefined;
        if (row === undefined || row.ts >= seconds) high = middle - 1;
        else low = row.lsn;
      }
      return low;
    },
    expired: (now, limit) => expired.all(now, limit) as never,
    setDefaultTtl(seconds) {
      const own = `json_extract(body, '$.ttl')`;
      db.prepare(
        seconds === undefined
          ? `UPDATE ${table} SET expires = NULL WHERE expires IS NOT NULL`
          : `UPDATE ${table} SET expires = CASE
               WHEN ${own} > 0 THEN ts + ${own} WHEN ${own} = -1 THEN NULL
               ELSE ${seconds > 0 ? `ts + ${Math.trunc(seconds)}` : 'NULL'} END`,
      ).run();
    },
    numbered: (after, limit) => numbered.all(after, limit) as never,
    lastSecond: () => (lastChange.get() as { ts: number } | undefined)?.ts ?? 0,
    count: () => (count.get() as { count: number }).count,
  };
}
