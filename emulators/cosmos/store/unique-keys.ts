import { type DatabaseSync } from 'node:sqlite';
import { pathNames, valueAt } from '../partition-key';

/**
 * A container's unique keys, each unique within a partition. A value that is missing counts as null and is unique as
 * well (https://learn.microsoft.com/azure/cosmos-db/unique-keys).
 */
export interface UniqueKeys {
  readonly any: boolean;
  /** Numbers of the other documents that hold one of this document's keys. */
  holders(pk: string, n: number, document: unknown): number[];
  change(pk: string, n: number, before: unknown, after: unknown): void;
}

export function createUniqueKeyTable(db: DatabaseSync, container: number): void {
  db.exec(`CREATE TABLE u${container} (pk TEXT NOT NULL, k INTEGER NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (pk, k, value)) WITHOUT ROWID`);
}

export function openUniqueKeys(db: DatabaseSync, container: number, keys: { paths: string[] }[]): UniqueKeys {
  if (keys.length === 0) return { any: false, holders: () => [], change: () => undefined };
  const paths = keys.map((key) => key.paths.map(pathNames));
  const find = db.prepare(`SELECT n FROM u${container} WHERE pk = ? AND k = ? AND value = ?`);
  const insert = db.prepare(`INSERT INTO u${container} (pk, k, value, n) VALUES (?, ?, ?, ?)`);
  const remove = db.prepare(`DELETE FROM u${container} WHERE pk = ? AND k = ? AND value = ?`);
  const valueOf = (document: unknown, key: string[][]): string =>
    JSON.stringify(key.map((names) => valueAt(document, names) ?? null));

  return {
    any: true,
    holders(pk, n, document) {
      const found = paths.flatMap((key, k) => {
        const row = find.get(pk, k, valueOf(document, key)) as { n: number } | undefined;
        return row === undefined || row.n === n ? [] : [row.n];
      });
      return [...new Set(found)];
    },
    change(pk, n, before, after) {
      paths.forEach((key, k) => {
        const old = before === undefined ? undefined : valueOf(before, key);
        const now = after === undefined ? undefined : valueOf(after, key);
        if (old === now) return;
        if (old !== undefined) remove.run(pk, k, old);
        if (now !== undefined) insert.run(pk, k, now, n);
      });
    },
  };
}
