import { type DatabaseSync, type StatementSync } from 'node:sqlite';
import { valueAt } from '../partition-key';
import { placeOf, UNDEFINED_RANK } from '../query/order';

/**
 * The indexes of one container: a table a path with an entry a document, `(key, rank, value, id) -> number`. A path
 * that the indexing policy includes gets its index when a query first filters or sorts by it, and keeps it from then
 * on; entries ordered by id within a value let `WHERE type = x ORDER BY id` read in order without sorting.
 */
export interface PathIndex {
  readonly path: string;
  readonly names: readonly string[];
  readonly table: string;
  /** Documents that lack the path have an entry as well: so it is where the policy names the path itself. */
  readonly holdsUndefined: boolean;
  /** False while documents from before the index are still being added: queries do not use it yet. */
  built: boolean;
}

export interface Indexes {
  get(path: string): PathIndex | undefined;
  all(): readonly PathIndex[];
  /** Adds an index, empty; documents of before are added by `fill`. Inside a transaction. */
  create(names: readonly string[], holdsUndefined: boolean, empty: boolean): PathIndex;
  drop(index: PathIndex): void;
  /** Adds a document's entries to one index, if it lacks them. */
  fill(index: PathIndex, row: { pk: string; id: string; n: number }, document: unknown): void;
  markBuilt(index: PathIndex): void;
  /** Keeps every index right through a change of a document; `undefined` is no document. */
  change(pk: string, id: string, n: number, before: unknown, after: unknown): void;
}

interface Maintained extends PathIndex {
  number: number;
  insert: StatementSync;
  remove: StatementSync;
}

export function openIndexes(db: DatabaseSync, container: number): Indexes {
  const indexes = new Map<string, Maintained>();
  const register = db.prepare('INSERT INTO indexes (container, number, path, built) VALUES (?, ?, ?, ?)');
  const unregister = db.prepare('DELETE FROM indexes WHERE container = ? AND number = ?');
  const setBuilt = db.prepare('UPDATE indexes SET built = 1 WHERE container = ? AND number = ?');
  let lastNumber = 0;

  for (const row of db
    .prepare('SELECT number, path, built FROM indexes WHERE container = ?')
    .all(container) as unknown as { number: number; path: string; built: number }[]) {
    const { names, holdsUndefined } = JSON.parse(row.path) as { names: string[]; holdsUndefined: boolean };
    open(row.number, names, holdsUndefined, row.built === 1);
  }

  function open(
    number: number,
    names: readonly string[],
    holdsUndefined: boolean,
    built: boolean,
  ): Maintained {
    const table = `x${container}_${number}`;
    const index: Maintained = {
      path: indexPath(names),
      names,
      table,
      holdsUndefined,
      built,
      number,
      insert: db.prepare(`INSERT OR IGNORE INTO ${table} (pk, r, v, id, n) VALUES (?, ?, ?, ?, ?)`),
      remove: db.prepare(`DELETE FROM ${table} WHERE pk = ? AND r = ? AND v = ? AND id = ?`),
    };
    indexes.set(index.path, index);
    lastNumber = Math.max(lastNumber, number);
    return index;
  }

  return {
    get: (path) => indexes.get(path),
    all: () => [...indexes.values()],
    create(names, holdsUndefined, empty) {
      const number = lastNumber + 1;
      db.exec(
        `CREATE TABLE x${container}_${number} (pk TEXT NOT NULL, r INTEGER NOT NULL, v NOT NULL, id TEXT NOT NULL,
         n INTEGER NOT NULL, PRIMARY KEY (pk, r, v, id)) WITHOUT ROWID`,
      );
      register.run(container, number, JSON.stringify({ names, holdsUndefined }), empty ? 1 : 0);
      return open(number, names, holdsUndefined, empty);
    },
    drop(index) {
      const { number } = index as Maintained;
      indexes.delete(index.path);
      db.exec(`DROP TABLE ${index.table}`);
      unregister.run(container, number);
    },
    fill(index, row, document) {
      const [rank, value] = placeOf(valueAt(document, index.names));
      if (rank === UNDEFINED_RANK && !index.holdsUndefined) return;
      (index as Maintained).insert.run(row.pk, rank, value, row.id, row.n);
    },
    markBuilt(index) {
      index.built = true;
      setBuilt.run(container, (index as Maintained).number);
    },
    change(pk, id, n, before, after) {
      for (const index of indexes.values()) {
        const old = before === undefined ? undefined : placeOf(valueAt(before, index.names));
        const now = after === undefined ? undefined : placeOf(valueAt(after, index.names));
        if (old && now && old[0] === now[0] && old[1] === now[1]) continue;
        if (old && (old[0] !== UNDEFINED_RANK || index.holdsUndefined))
          index.remove.run(pk, old[0], old[1], id);
        if (now && (now[0] !== UNDEFINED_RANK || index.holdsUndefined)) {
          index.insert.run(pk, now[0], now[1], id, n);
        }
      }
    },
  };
}

/** A path as one text, for looking an index up. */
export function indexPath(names: readonly string[]): string {
  return JSON.stringify(names);
}

export function dropIndexTables(db: DatabaseSync, container: number): void {
  for (const { number } of db
    .prepare('SELECT number FROM indexes WHERE container = ?')
    .all(container) as unknown as { number: number }[]) {
    db.exec(`DROP TABLE x${container}_${number}`);
  }
  db.prepare('DELETE FROM indexes WHERE container = ?').run(container);
}
