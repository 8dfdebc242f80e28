import { type IncomingMessage } from 'node:http';
import { type createAuthorization } from './authorization';
import { type createBatches, readBatch } from './batch';
import { readChanges } from './change-feed';
import { type Faults } from './faults';
import { type Change, type Conditions, type Items, type Key } from './items';
import { keyText, parseKeyHeader } from './partition-key';
import { readPatch } from './patch';
import { type Scope } from './query/access';
import { type Queries } from './query/run';
import { notFound, refusal, type Reply, unsupported } from './reply';
import { header, isTrue, readBody } from './request';
import { unstorable } from './unstorable';
import { accountReply, type Resources } from './resources';
import { type Route, routeOf } from './route';
import { type Catalog, type Container } from './store/catalog';
import { type CommitGroup } from './store/commit-group';

/** What is charged and measured under one name. */
export type Operation =
  | 'account'
  | 'database'
  | 'container'
  | 'ranges'
  | 'read'
  | 'create'
  | 'upsert'
  | 'replace'
  | 'delete'
  | 'patch'
  | 'batch'
  | 'bulk'
  | 'query'
  | 'query plan'
  | 'change feed'
  | 'other';

export interface Answer {
  reply: Reply;
  operation: Operation;
  route?: Route;
  container?: Container;
}

export interface ServiceOptions {
  authorization: ReturnType<typeof createAuthorization>;
  catalog: Catalog;
  group: CommitGroup;
  resources: Resources;
  items: Items;
  batches: ReturnType<typeof createBatches>;
  queries: Queries;
  seconds: () => number;
  milliseconds: () => number;
  /** Faults to answer with instead, where some were asked for. */
  faults?: Faults;
}

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

/** Answers one request: the whole of the protocol but its transport. Never rejects for a client's mistake. */
export function createService(options: ServiceOptions): (request: IncomingMessage) => Promise<Answer> {
  const { authorization, catalog, group, resources, items, batches, queries } = options;

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = request.url ?? '/';
    const query = url.indexOf('?');
    const route = routeOf(query === -1 ? url : url.slice(0, query));
    if (!route) return { reply: refusal(400, 'The path is invalid.'), operation: 'other' };
    const method = request.method ?? 'GET';
    const refused = authorization.check(
      method,
      route.signed,
      header(request, 'authorization'),
      header(request, 'x-ms-date') ?? header(request, 'date'),
      options.milliseconds(),
    );
    if (refused) {
      request.resume();
      return { reply: refused, operation: 'other', route };
    }
    const found = await dispatch(request, method, route);
    // What was read may include what is not yet on the disk; nobody is shown that.
    const settled = group.settled();
    if (settled) await settled;
    return found;
  }

  async function dispatch(request: IncomingMessage, method: string, route: Route): Promise<Answer> {
    switch (route.kind) {
      case 'account':
        return { reply: accountReply(header(request, 'host') ?? ''), operation: 'account', route };
      case 'databases':
      case 'database':
        return { reply: await onDatabase(request, method, route), operation: 'database', route };
      case 'containers':
      case 'container':
        return { reply: await onContainer(request, method, route), operation: 'container', route };
      case 'ranges':
      case 'items':
      case 'item': {
        const container = catalog.database(route.database!)?.containers.get(route.container!);
        if (!container) {
          request.resume();
          return { reply: notFound('Owner resource does not exist'), operation: 'other', route };
        }
        if (route.kind === 'ranges') {
          request.resume();
          return { reply: ranges(request, container), operation: 'ranges', route, container };
        }
        const operation = operationOf(request, method, route.kind);
        const fault = options.faults?.next(operation, container.definition.id);
        if (fault) {
          request.resume();
          return { reply: fault, operation, route, container };
        }
        return { reply: await onItems(request, operation, route, container), operation, route, container };
      }
      default:
        request.resume();
        return {
          reply: unsupported(`${method} ${route.kind === 'offers' ? 'of offers' : 'on this path'}`),
          operation: 'other',
          route,
        };
    }
  }

  function ranges(request: IncomingMessage, container: Container): Reply {
    const known = header(request, 'if-none-match');
    const reply = resources.ranges(container);
    // The SDK reads ranges as a change feed: it has them all when it gives the etag back.
    return known !== undefined && known === reply.etag
      ? { status: 304, etag: reply.etag, charge: reply.charge }
      : reply;
  }

  async function onDatabase(request: IncomingMessage, method: string, route: Route): Promise<Reply> {
    if (route.kind === 'databases') {
      if (method === 'GET') return drained(request, () => resources.listDatabases());
      if (method !== 'POST') return drained(request, () => notAllowed(method));
      if (isTrue(request, 'x-ms-documentdb-isquery'))
        return drained(request, () => unsupported('A query of databases'));
      const body = await jsonBody(request);
      return 'status' in body ? body : group.write(() => resources.createDatabase(body.value));
    }
    request.resume();
    if (method === 'DELETE') return group.write(() => resources.deleteDatabase(route.database!));
    if (method !== 'GET') return notAllowed(method);
    const database = catalog.database(route.database!);
    return database ? resources.readDatabase(database) : notFound('Owner resource does not exist');
  }

  async function onContainer(request: IncomingMessage, method: string, route: Route): Promise<Reply> {
    const { database: databaseId, container: id } = route as Required<Route>;
    if (route.kind === 'containers') {
      const database = catalog.database(databaseId);
      if (!database) return drained(request, () => notFound('Owner resource does not exist'));
      if (method === 'GET') return drained(request, () => resources.listContainers(database));
      if (method !== 'POST') return drained(request, () => notAllowed(method));
      if (isTrue(request, 'x-ms-documentdb-isquery'))
        return drained(request, () => unsupported('A query of containers'));
      const body = await jsonBody(request);
      return 'status' in body ? body : group.write(() => resources.createContainer(databaseId, body.value));
    }
    if (method === 'PUT') {
      const body = await jsonBody(request);
      return 'status' in body
        ? body
        : group.write(() => resources.replaceContainer(databaseId, id, body.value));
    }
    request.resume();
    if (method === 'DELETE') return group.write(() => resources.deleteContainer(databaseId, id));
    if (method !== 'GET') return notAllowed(method);
    const container = catalog.database(databaseId)?.containers.get(id);
    return container ? resources.readContainer(container) : notFound('Owner resource does not exist');
  }

  async function onItems(
    request: IncomingMessage,
    operation: Operation,
    route: Route,
    container: Container,
  ): Promise<Reply> {
    const refused = refusedHeaders(request);
    if (refused) return drained(request, () => refused);
    const key = keyOf(request, container);
    if (key && 'problem' in key) return drained(request, () => refusal(400, key.problem));
    const stale = sessionAhead(request, container);
    if (stale) return drained(request, () => stale);
    const conditions: Conditions = {
      ifMatch: header(request, 'if-match'),
      ifNoneMatch: header(request, 'if-none-match'),
    };
    const id = route.item!;
    const whole = key?.length === container.definition.partitionKey.paths.length ? key : undefined;
    switch (operation) {
      case 'read':
        request.resume();
        return whole ? items.read(container, whole, id, conditions) : needsKey();
      case 'delete':
        request.resume();
        return whole
          ? change(container, (each) => items.remove(container, each, whole, id, conditions))
          : needsKey();
      case 'change feed':
        request.resume();
        return changeFeed(request, container, key);
      case 'other':
        return drained(request, () => notAllowed(request.method ?? ''));
      case 'query plan':
        return drained(request, () =>
          unsupported('A query plan: the query itself is answered without one, and its plan'),
        );
    }
    const body = await jsonBody(request);
    if ('status' in body) return body;
    switch (operation) {
      case 'create':
        return change(container, (each) => items.create(container, each, key, body.value));
      case 'upsert':
        return change(container, (each) => items.upsert(container, each, key, body.value, conditions));
      case 'replace':
        if (!whole) return needsKey();
        return change(container, (each) => items.replace(container, each, whole, id, body.value, conditions));
      case 'patch': {
        if (!whole) return needsKey();
        const patch = readPatch(body.value);
        if ('status' in patch) return patch;
        return change(container, (each) => items.patch(container, each, whole, id, patch, conditions));
      }
      case 'batch':
      case 'bulk': {
        const operations = readBatch(body.value);
        if ('status' in operations) return operations;
        const atomic = operation === 'batch';
        const minimal = header(request, 'prefer') === 'return=minimal';
        return group.write(() => batches.run(container, whole, operations, { atomic, minimal }));
      }
      default:
        return runQuery(request, container, key, body.value);
    }
  }

  function change(container: Container, run: (change: Change) => Reply): Promise<Reply> {
    return group.write(() => {
      const each = items.begin(container);
      const reply = run(each);
      if (reply.status < 300) items.finish(container, each);
      return reply;
    });
  }

  function changeFeed(request: IncomingMessage, container: Container, key: Key | undefined): Reply {
    const mode = header(request, 'a-im');
    if (mode === undefined) return unsupported('Reading all documents without a query');
    if (mode.toLowerCase() !== 'incremental feed') return unsupported(`The change feed mode '${mode}'`);
    const from = header(request, 'x-ms-start-epk');
    const to = header(request, 'x-ms-end-epk');
    return readChanges(
      container,
      {
        position: header(request, 'if-none-match'),
        since: header(request, 'if-modified-since'),
        key,
        range: from !== undefined && to !== undefined ? { from, to } : undefined,
        limit: pageSize(request),
      },
      options.seconds(),
    );
  }

  function runQuery(
    request: IncomingMessage,
    container: Container,
    key: Key | undefined,
    body: unknown,
  ): Promise<Reply> {
    const { query, parameters } = (body ?? {}) as { query?: unknown; parameters?: unknown };
    if (typeof query !== 'string')
      return Promise.resolve(refusal(400, 'The query request has no query text.'));
    if (header(request, 'x-ms-start-epk') !== undefined) {
      return Promise.resolve(unsupported('A query of a range of partition keys'));
    }
    const values = new Map<string, unknown>();
    for (const each of Array.isArray(parameters)
      ? (parameters as { name?: unknown; value?: unknown }[])
      : []) {
      if (typeof each?.name !== 'string' || !each.name.startsWith('@')) {
        return Promise.resolve(
          refusal(400, `The query parameter ${String(each?.name)} is invalid: names start with @.`),
        );
      }
      values.set(each.name, each.value);
    }
    return queries.run(container, {
      text: query,
      parameters: values,
      scope: scopeOf(container, key),
      limit: pageSize(request),
      continuation: header(request, 'x-ms-continuation'),
    });
  }

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      return {
        reply: refusal(503, `The store could not serve the request: ${(error as Error).message}.`),
        operation: 'other',
      };
    }
  };
}

function operationOf(request: IncomingMessage, method: string, kind: 'items' | 'item'): Operation {
  if (kind === 'item') {
    const byMethod: Record<string, Operation> = {
      GET: 'read',
      PUT: 'replace',
      PATCH: 'patch',
      DELETE: 'delete',
    };
    return byMethod[method] ?? 'other';
  }
  if (method === 'GET') return 'change feed';
  if (method !== 'POST') return 'other';
  if (isTrue(request, 'x-ms-cosmos-is-query-plan-request')) return 'query plan';
  if (
    isTrue(request, 'x-ms-documentdb-isquery') ||
    header(request, 'content-type') === 'application/query+json'
  ) {
    return 'query';
  }
  if (isTrue(request, 'x-ms-cosmos-is-batch-request')) {
    return isTrue(request, 'x-ms-cosmos-batch-atomic') ? 'batch' : 'bulk';
  }
  return isTrue(request, 'x-ms-documentdb-is-upsert') ? 'upsert' : 'create';
}

function keyOf(request: IncomingMessage, container: Container): Key | { problem: string } | undefined {
  const text = header(request, 'x-ms-documentdb-partitionkey');
  if (text === undefined) return undefined;
  const key = parseKeyHeader(text);
  if ('problem' in key) return key;
  const { length } = container.definition.partitionKey.paths;
  if (key.length > length) {
    return { problem: `The partition key has ${key.length} components and the container's has ${length}.` };
  }
  return key.length === 0 ? undefined : key;
}

function scopeOf(container: Container, key: Key | undefined): Scope {
  if (!key) return { kind: 'all' };
  const text = keyText(key);
  if (key.length === container.definition.partitionKey.paths.length) return { kind: 'one', pk: text };
  // In the text of a key the next component follows a comma, and '-' is the character after it.
  const prefix = text.slice(0, -1);
  return { kind: 'below', from: `${prefix},`, to: `${prefix}-` };
}

/** Refusals of what would change an answer silently if it were passed over. */
function refusedHeaders(request: IncomingMessage): Reply | undefined {
  for (const [name, what] of [
    ['x-ms-documentdb-pre-trigger-include', 'A trigger'],
    ['x-ms-documentdb-post-trigger-include', 'A trigger'],
    ['x-ms-indexing-directive', 'An indexing directive'],
    ['x-ms-cosmos-is-client-encrypted', 'Client-side encryption'],
  ] as const) {
    const value = header(request, name);
    if (value !== undefined && value.toLowerCase() !== 'false') return unsupported(what);
  }
  return undefined;
}

/** 404 with 1002 for a session that has seen more than the store holds, as after its folder was wiped. */
function sessionAhead(request: IncomingMessage, container: Container): Reply | undefined {
  const token = header(request, 'x-ms-session-token');
  if (token === undefined) return undefined;
  for (const match of token.matchAll(/#(\d+)/g)) {
    if (Number(match[1]) > container.lsn) {
      return refusal(404, 'The read session is not available for the input session token.', {
        substatus: 1002,
      });
    }
  }
  return undefined;
}

function pageSize(request: IncomingMessage): number {
  const asked = Number(header(request, 'x-ms-max-item-count') ?? DEFAULT_PAGE);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, LARGEST_PAGE) : LARGEST_PAGE;
}

async function jsonBody(request: IncomingMessage): Promise<{ value: unknown } | Reply> {
  const text = await readBody(request);
  if (text === undefined) return refusal(413, 'Request size is too large.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusal(400, 'The request body is not JSON.');
  }
  const problem = unstorable(text, value);
  return problem === undefined ? { value } : refusal(400, problem);
}

function drained(request: IncomingMessage, reply: () => Reply): Reply {
  request.resume();
  return reply();
}

function needsKey(): Reply {
  return refusal(400, 'PartitionKey value must be supplied for this operation, with every component.');
}

function notAllowed(method: string): Reply {
  return refusal(405, `The method ${method} is not allowed on this resource.`);
}
