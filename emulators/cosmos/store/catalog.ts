import { type DatabaseSync } from 'node:sqlite';
import { type ContainerDefinition } from '../container-definition';
import { type Coverage, coverageOf } from '../indexing-policy';
import { type KeyComponent, keyReader } from '../partition-key';
import { documentRids, newContainerRid, newDatabaseRid } from '../resource-id';
import { createTable, dropTable, openDocuments, type Documents } from './documents';
import { dropIndexTables, openIndexes, type Indexes } from './indexes';
import { createUniqueKeyTable, openUniqueKeys, type UniqueKeys } from './unique-keys';

export interface Database {
  readonly number: number;
  readonly id: string;
  readonly rid: string;
  readonly etag: string;
  readonly ts: number;
  readonly containers: Map<string, Container>;
}

export interface Container {
  readonly number: number;
  database: Database;
  readonly rid: string;
  etag: string;
  ts: number;
  definition: ContainerDefinition;
  /** Position of the last change: grows by one with each write or batch, and is stored with it. */
  lsn: number;
  /** Number of the last document made; never given again. */
  lastNumber: number;
  readonly keyOf: (document: unknown) => KeyComponent[] | { problem: string };
  readonly ridOf: (number: number) => string;
  coverage: (names: readonly string[]) => Coverage;
  readonly documents: Documents;
  indexes: Indexes;
  readonly uniqueKeys: UniqueKeys;
}

/** Databases and containers: small, so all of it stays in memory beside the tables. Changes run in a group's transaction. */
export interface Catalog {
  databases(): Database[];
  database(id: string): Database | undefined;
  createDatabase(id: string, ts: number): Database;
  deleteDatabase(database: Database): void;
  createContainer(database: Database, definition: ContainerDefinition, ts: number): Container;
  replaceContainer(container: Container, definition: ContainerDefinition, ts: number): void;
  deleteContainer(container: Container): void;
  containers(): Container[];
  /** A container's position changed: it is stored with the transaction. */
  touched(container: Container): void;
  /** Stores the positions of the touched containers: a position that was lost would be given to another change. */
  storePositions(): void;
  /** Reads everything again, after a transaction was rolled back. */
  reload(): void;
}

interface ContainerRow {
  number: number;
  database: number;
  id: string;
  rid: string;
  etag: string;
  ts: number;
  definition: string;
  lsn: number;
  lastNumber: number;
}

export function openCatalog(db: DatabaseSync): Catalog {
  let databases = new Map<string, Database>();
  const touched = new Set<Container>();
  const storePosition = db.prepare('UPDATE containers SET lsn = ?, lastNumber = ? WHERE number = ?');
  const insertDatabase = db.prepare('INSERT INTO databases (id, rid, etag, ts) VALUES (?, ?, ?, ?)');
  const insertContainer = db.prepare(
    `INSERT INTO containers (database, id, rid, etag, ts, definition, lsn, lastNumber) VALUES (?, ?, ?, ?, ?, ?, 0, 0)`,
  );

  function open(row: ContainerRow, database: Database, known?: Container): Container {
    const definition = JSON.parse(row.definition) as ContainerDefinition;
    if (known) {
      const { etag, ts, lsn, lastNumber } = row;
      const coverage = coverageOf(definition.indexingPolicy);
      Object.assign(known, { etag, ts, lsn, lastNumber, definition, coverage, database });
      known.indexes = openIndexes(db, row.number);
      database.containers.set(row.id, known);
      return known;
    }
    const container: Container = {
      number: row.number,
      database,
      rid: row.rid,
      etag: row.etag,
      ts: row.ts,
      definition,
      lsn: row.lsn,
      lastNumber: row.lastNumber,
      keyOf: keyReader(definition.partitionKey),
      ridOf: documentRids(row.rid),
      coverage: coverageOf(definition.indexingPolicy),
      documents: openDocuments(db, row.number),
      indexes: openIndexes(db, row.number),
      uniqueKeys: openUniqueKeys(db, row.number, definition.uniqueKeyPolicy.uniqueKeys),
    };
    database.containers.set(row.id, container);
    return container;
  }

  function reload(): void {
    // Requests under way hold their container: it stays the same object, or two would count positions side by side.
    const known = new Map(
      [...databases.values()].flatMap(({ containers }) =>
        [...containers.values()].map((each) => [each.number, each]),
      ),
    );
    databases = new Map();
    touched.clear();
    const byNumber = new Map<number, Database>();
    for (const row of db.prepare('SELECT * FROM databases ORDER BY number').all() as unknown as Database[]) {
      const database: Database = { ...row, containers: new Map() };
      databases.set(database.id, database);
      byNumber.set(database.number, database);
    }
    for (const row of db
      .prepare('SELECT * FROM containers ORDER BY number')
      .all() as unknown as ContainerRow[]) {
      open(row, byNumber.get(row.database)!, known.get(row.number));
    }
  }

  function dropContainer(container: Container): void {
    touched.delete(container);
    container.database.containers.delete(container.definition.id);
    db.prepare('DELETE FROM containers WHERE number = ?').run(container.number);
    dropIndexTables(db, container.number);
    dropTable(db, container.number);
    db.exec(`DROP TABLE IF EXISTS u${container.number}`);
  }

  reload();
  return {
    reload,
    databases: () => [...databases.values()],
    database: (id) => databases.get(id),
    createDatabase(id, ts) {
      const rid = newDatabaseRid();
      const etag = resourceEtag(ts);
      const { lastInsertRowid } = insertDatabase.run(id, rid, etag, ts);
      const database: Database = {
        number: Number(lastInsertRowid),
        id,
        rid,
        etag,
        ts,
        containers: new Map(),
      };
      databases.set(id, database);
      return database;
    },
    deleteDatabase(database) {
      for (const container of [...database.containers.values()]) dropContainer(container);
      db.prepare('DELETE FROM databases WHERE number = ?').run(database.number);
      databases.delete(database.id);
    },
    createContainer(database, definition, ts) {
      const rid = newContainerRid(database.rid);
      const etag = resourceEtag(ts);
      const text = JSON.stringify(definition);
      const { lastInsertRowid } = insertContainer.run(database.number, definition.id, rid, etag, ts, text);
      const number = Number(lastInsertRowid);
      createTable(db, number);
      if (definition.uniqueKeyPolicy.uniqueKeys.length > 0) createUniqueKeyTable(db, number);
      return open(
        {
          number,
          database: database.number,
          id: definition.id,
          rid,
          etag,
          ts,
          definition: text,
          lsn: 0,
          lastNumber: 0,
        },
        database,
      );
    },
    replaceContainer(container, definition, ts) {
      const etag = resourceEtag(ts);
      db.prepare('UPDATE containers SET definition = ?, etag = ?, ts = ? WHERE number = ?').run(
        JSON.stringify(definition),
        etag,
        ts,
        container.number,
      );
      const ttlChanged = container.definition.defaultTtl !== definition.defaultTtl;
      container.definition = definition;
      container.etag = etag;
      container.ts = ts;
      container.coverage = coverageOf(definition.indexingPolicy);
      for (const index of container.indexes.all()) {
        const { indexed, explicit } = container.coverage(index.names);
        if (!indexed || explicit !== index.holdsUndefined) container.indexes.drop(index);
      }
      if (ttlChanged) container.documents.setDefaultTtl(definition.defaultTtl);
    },
    deleteContainer: dropContainer,
    containers: () => [...databases.values()].flatMap((database) => [...database.containers.values()]),
    touched: (container) => void touched.add(container),
    storePositions() {
      for (const container of touched)
        storePosition.run(container.lsn, container.lastNumber, container.number);
      touched.clear();
    },
  };
}

/** Unlike any that this resource had: the clock's finest part stands in it. */
function resourceEtag(ts: number): string {
  const fine = process.hrtime.bigint().toString(16).padStart(16, '0').slice(-12);
  return `"0000${fine.slice(0, 4)}-0000-0100-0000-${fine.slice(4)}${ts.toString(16).slice(-4)}"`;
}
