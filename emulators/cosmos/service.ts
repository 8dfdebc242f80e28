import { type IncomingMessage } from 'node:http';
import { type createAuthorization } from './authorization';
import { type Faults } from './faults';
import { type createItemRequests } from './item-requests';
import { notFound, refusal, type Reply, unsupported } from './reply';
import { drained, header, isTrue, jsonBody, notAllowed } from './request';
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
  itemRequests: ReturnType<typeof createItemRequests>;
  milliseconds: () => number;
  /** Faults to answer with instead, where some were asked for. */
  faults?: Faults;
}

/** Answers one request: the whole of the protocol but its transport. Never rejects for a client's mistake. */
export function createService(options: ServiceOptions): (request: IncomingMessage) => Promise<Answer> {
  const { authorization, catalog, group, resources, itemRequests } = options;

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
        return {
          reply: await itemRequests.answer(request, operation, route.item ?? '', container),
          operation,
          route,
          container,
        };
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
