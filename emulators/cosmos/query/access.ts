import { type DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Container } from '../store/catalog';
import { type PathIndex } from '../store/indexes';
import { type Segment } from './conjuncts';
import { comparePlaces, type Place } from './order';

/** Where a page ended, and the next goes on: the place of its last document in the access's order. */
export type Position = (string | number)[];

export interface Candidate {
  body: string;
  expires: number | null;
  position: Position;
}

/** The partitions that a query reads. */
export type Scope =
  | { kind: 'one'; pk: string }
  /** Below a prefix of a hierarchical key: keys in `[from, to)`. */
  | { kind: 'below'; from: string; to: string }
  | { kind: 'all' };

/** Ways to read candidates in a fixed order, from any position on, a document at a time. */
export interface Access {
  /**
   * By partition key and id. Segments of ids only within one partition. `writtenSince` leaves out what was written before
   * that second: Cosmos indexes `_ts` wherever it indexes anything
   * (https://learn.microsoft.com/azure/cosmos-db/index-policy).
   */
  byId(
    container: Container,
    scope: Scope,
    segments: readonly Segment[] | undefined,
    descending: boolean,
    after: Position | undefined,
    writtenSince?: number,
  ): Generator<Candidate>;
  /** By an index's value, then id, within one partition. */
  byIndex(
    container: Container,
    index: PathIndex,
    pk: string,
    segments: readonly Segment[],
    descending: boolean,
    after: Position | undefined,
  ): Generator<Candidate>;
  /** Entries of an index in the segments, counted up to `most`. */
  countIndex(index: PathIndex, pk: string, segments: readonly Segment[], most: number): number;
  /** Documents in the scope. */
  countAll(container: Container, scope: Scope): number;
}

const KEPT_STATEMENTS = 500;

export function createAccess(db: DatabaseSync): Access {
  const statements = new Map<string, StatementSync>();
  function prepared(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (!statement) {
      if (statements.size >= KEPT_STATEMENTS) statements.clear();
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  }

  function* rows<T>(sql: string, values: (string | number)[]): Generator<T> {
    yield* prepared(sql).iterate(...values) as unknown as Iterable<T>;
  }

  function inScope(scope: Scope): { sql: string[]; values: (string | number)[] } {
    if (scope.kind === 'one') return { sql: ['pk = ?'], values: [scope.pk] };
    if (scope.kind === 'below') return { sql: ['pk >= ?', 'pk < ?'], values: [scope.from, scope.to] };
    return { sql: [], values: [] };
  }

  return {
    *byId(container, scope, segments, descending, after, writtenSince) {
      const direction = descending ? 'DESC' : 'ASC';
      for (const segment of inOrder(segments ?? [undefined], descending)) {
        const { sql, values } = inScope(scope);
        if (segment) bound('id', segment, sql, values);
        if (writtenSince !== undefined) {
          sql.push('ts >= ?');
          values.push(writtenSince);
        }
        if (after) {
          sql.push(`(pk, id) ${descending ? '<' : '>'} (?, ?)`);
          values.push(...after);
        }
        const where = sql.length > 0 ? `WHERE ${sql.join(' AND ')}` : '';
        for (const row of rows<{ pk: string; id: string; body: string; expires: number | null }>(
          `SELECT pk, id, body, expires FROM ${container.documents.table} ${where} ORDER BY pk ${direction}, id ${direction}`,
          values,
        )) {
          yield { body: row.body, expires: row.expires, position: [row.pk, row.id] };
        }
      }
    },

    *byIndex(container, index, pk, segments, descending, after) {
      const direction = descending ? 'DESC' : 'ASC';
      for (const segment of inOrder(segments, descending)) {
        const sql = ['x.pk = ?', 'x.r = ?'];
        const values: (string | number)[] = [pk, segment.rank];
        if (after) {
          const rank = after[0] as number;
          if (descending ? segment.rank > rank : segment.rank < rank) continue;
          if (segment.rank === rank) {
            sql.push(`(x.v, x.id) ${descending ? '<' : '>'} (?, ?)`);
            values.push(after[1]!, after[2]!);
          }
        }
        bound('x.v', segment, sql, values);
        for (const row of rows<{ v: string | number; id: string; body: string; expires: number | null }>(
          `SELECT x.v AS v, x.id AS id, d.body AS body, d.expires AS expires
             FROM ${index.table} x CROSS JOIN ${container.documents.table} d ON d.n = x.n
            WHERE ${sql.join(' AND ')} ORDER BY x.v ${direction}, x.id ${direction}`,
          values,
        )) {
          yield { body: row.body, expires: row.expires, position: [segment.rank, row.v, row.id] };
        }
      }
    },

    countIndex(index, pk, segments, most) {
      let count = 0;
      for (const segment of segments) {
        if (count >= most) break;
        const sql = ['pk = ?', 'r = ?'];
        const values: (string | number)[] = [pk, segment.rank];
        bound('v', segment, sql, values);
        const { found } = prepared(
          `SELECT count(*) AS found FROM (SELECT 1 FROM ${index.table} WHERE ${sql.join(' AND ')} LIMIT ?)`,
        ).get(...values, most - count) as { found: number };
        count += found;
      }
      return count;
    },

    countAll(container, scope) {
      const { sql, values } = inScope(scope);
      const where = sql.length > 0 ? `WHERE ${sql.join(' AND ')}` : '';
      const { found } = prepared(`SELECT count(*) AS found FROM ${container.documents.table} ${where}`).get(
        ...values,
      ) as { found: number };
      return found;
    },
  };
}

function bound(column: string, segment: Segment, sql: string[], values: (string | number)[]): void {
  const { low, high } = segment;
  if (low && high && low.value === high.value && low.inclusive && high.inclusive) {
    sql.push(`${column} = ?`);
    values.push(low.value);
    return;
  }
  if (low) {
    sql.push(`${column} ${low.inclusive ? '>=' : '>'} ?`);
    values.push(low.value);
  }
  if (high) {
    sql.push(`${column} ${high.inclusive ? '<=' : '<'} ?`);
    values.push(high.value);
  }
}

/** Segments of single values may come in any order; they are read in the order of their places. */
function inOrder<S extends Segment | undefined>(segments: readonly S[], descending: boolean): S[] {
  const sorted = segments.toSorted((a, b) => (a && b ? comparePlaces(start(a), start(b)) : 0));
  return descending ? sorted.reverse() : sorted;
}

function start(segment: Segment): Place {
  return [segment.rank, segment.low?.value ?? Number.NEGATIVE_INFINITY];
}
