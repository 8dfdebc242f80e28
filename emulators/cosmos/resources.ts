import { SMALL_CHARGE } from './charges';
import { readDefinition, resourceIdProblem } from './container-definition';
import { notFound, refusal, type Reply } from './reply';
import { type Catalog, type Container, type Database } from './store/catalog';

/** Answers for databases, containers and their partition key ranges. Those that change run in a group's transaction. */
export interface Resources {
  listDatabases(): Reply;
  readDatabase(database: Database): Reply;
  createDatabase(body: unknown): Reply;
  deleteDatabase(id: string): Reply;
  listContainers(database: Database): Reply;
  readContainer(container: Container): Reply;
  createContainer(databaseId: string, body: unknown): Reply;
  replaceContainer(databaseId: string, id: string, body: unknown): Reply;
  deleteContainer(databaseId: string, id: string): Reply;
  ranges(container: Container): Reply;
}

export function createResources(options: { catalog: Catalog; seconds: () => number }): Resources {
  const { catalog, seconds } = options;

  function databaseText({ id, rid, etag, ts }: Database): string {
    return JSON.stringify({
      id,
      _rid: rid,
      _self: `dbs/${rid}/`,
      _etag: etag,
      _colls: 'colls/',
      _users: 'users/',
      _ts: ts,
    });
  }

  function containerText({ definition, rid, etag, ts, database }: Container): string {
    return JSON.stringify({
      ...definition,
      geospatialConfig: { type: 'Geography' },
      _rid: rid,
      _ts: ts,
      _self: `dbs/${database.rid}/colls/${rid}/`,
      _etag: etag,
      _docs: 'docs/',
      _sprocs: 'sprocs/',
      _triggers: 'triggers/',
      _udfs: 'udfs/',
      _conflicts: 'conflicts/',
    });
  }

  function found(status: number, body: string, etag?: string): Reply {
    return { status, body, etag, charge: SMALL_CHARGE };
  }

  return {
    listDatabases() {
      const list = catalog.databases().map(databaseText);
      return found(200, `{"_rid":"","Databases":[${list.join(',')}],"_count":${list.length}}`);
    },
    readDatabase: (database) => found(200, databaseText(database), database.etag),
    createDatabase(body) {
      const { id } = (body ?? {}) as { id?: unknown };
      const problem = resourceIdProblem(id);
      if (problem) return refusal(400, problem);
      if (catalog.database(id as string)) {
        return refusal(409, 'Resource with specified id or name already exists.');
      }
      const database = catalog.createDatabase(id as string, seconds());
      return found(201, databaseText(database), database.etag);
    },
    deleteDatabase(id) {
      const database = catalog.database(id);
      if (!database) return notFound('Owner resource does not exist');
      catalog.deleteDatabase(database);
      return { status: 204, charge: SMALL_CHARGE };
    },
    listContainers(database) {
      const list = [...database.containers.values()].map(containerText);
      return found(
        200,
        `{"_rid":"${database.rid}","DocumentCollections":[${list.join(',')}],"_count":${list.length}}`,
      );
    },
    readContainer: (container) => ({
      ...found(200, containerText(container), container.etag),
      lsn: container.lsn,
    }),
    createContainer(databaseId, body) {
      const database = catalog.database(databaseId);
      if (!database) return notFound('Owner resource does not exist');
      const definition = readDefinition((body ?? {}) as Record<string, unknown>);
      if ('problem' in definition) return refusal(400, definition.problem);
      if (database.containers.has(definition.id)) {
        return refusal(409, 'Resource with specified id or name already exists.');
      }
      const container = catalog.createContainer(database, definition, seconds());
      return found(201, containerText(container), container.etag);
    },
    replaceContainer(databaseId, id, body) {
      const container = catalog.database(databaseId)?.containers.get(id);
      if (!container) return notFound('Owner resource does not exist');
      const definition = readDefinition((body ?? {}) as Record<string, unknown>);
      if ('problem' in definition) return refusal(400, definition.problem);
      const { partitionKey, uniqueKeyPolicy } = container.definition;
      if (
        definition.id !== id ||
        JSON.stringify(definition.partitionKey) !== JSON.stringify(partitionKey) ||
        JSON.stringify(definition.uniqueKeyPolicy) !== JSON.stringify(uniqueKeyPolicy)
      ) {
        return refusal(400, "A container's id, partition key and unique keys cannot be changed.");
      }
      catalog.replaceContainer(container, definition, seconds());
      return found(200, containerText(container), container.etag);
    },
    deleteContainer(databaseId, id) {
      const container = catalog.database(databaseId)?.containers.get(id);
      if (!container) return notFound('Owner resource does not exist');
      catalog.deleteContainer(container);
      return { status: 204, charge: SMALL_CHARGE };
    },
    // One physical partition a container: what a laptop holds.
    ranges: (container) =>
      found(
        200,
        `{"_rid":"${container.rid}","PartitionKeyRanges":[{"_rid":"${container.rid.slice(0, -1)}CAAAAAAAAUA==","id":"0","_etag":${JSON.stringify(container.etag)},"minInclusive":"","maxExclusive":"FF","ridPrefix":0,"_self":"dbs/${container.database.rid}/colls/${container.rid}/pkranges/0/","throughputFraction":1,"status":"online","parents":[],"_ts":${container.ts}}],"_count":1}`,
        container.etag,
      ),
  };
}

/** The account's own description: its one region is wherever the caller found it. */
export function accountReply(host: string): Reply {
  const endpoint = `http://${host}/`;
  const location = [{ name: 'Local', databaseAccountEndpoint: endpoint }];
  return {
    status: 200,
    charge: 0,
    body: JSON.stringify({
      _self: '',
      id: 'local',
      _rid: 'local',
      media: '//media/',
      addresses: '//addresses/',
      _dbs: '//dbs/',
      writableLocations: location,
      readableLocations: location,
      enableMultipleWriteLocations: false,
      userReplicationPolicy: { asyncReplication: false, minReplicaSetSize: 1, maxReplicasetSize: 1 },
      userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
      systemReplicationPolicy: { minReplicaSetSize: 1, maxReplicasetSize: 1 },
      readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
      queryEngineConfiguration:
        '{"maxSqlQueryInputLength":262144,"maxJoinsPerSqlQuery":0,"sqlAllowSubQuery":false}',
    }),
  };
}
