import { type IncomingMessage } from 'node:http';
import { type createBatches, readBatch } from './batch';
import { readChanges } from './change-feed';
import { keyOf, pageSize, refusedHeaders, scopeOf, sessionAhead } from './item-headers';
import { type Change, type Conditions, type Items, type Key } from './items';
import { readPatch } from './patch';
import { type Queries } from './query/run';
import { refusal, type Reply, unsupported } from './reply';
import { drained, header, jsonBody, LARGEST_BATCH, notAllowed } from './request';
import { type Operation } from './service';
import { type Container } from './store/catalog';
import { type CommitGroup } from './store/commit-group';

/** Answers the requests for a container's documents: one at a time, batches, queries, the change feed. */
export function createItemRequests(options: {
  group: CommitGroup;
  items: Items;
  batches: ReturnType<typeof createBatches>;
  queries: Queries;
  seconds: () => number;
}): {
  answer(request: IncomingMessage, operation: Operation, id: string, container: Container): Promise<Reply>;
} {
  const { group, items, batches, queries } = options;

  async function answer(
    request: IncomingMessage,
    operation: Operation,
    id: string,
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
    const body = await jsonBody(request, operation === 'batch' ? LARGEST_BATCH : undefined);
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

  return { answer };
}

function needsKey(): Reply {
  return refusal(400, 'PartitionKey value must be supplied for this operation, with every component.');
}
