import { type DatabaseSync } from 'node:sqlite';
import { rounded, SMALL_CHARGE } from './charges';
import { type Change, type Conditions, type Items, type Key } from './items';
import { parseKeyHeader } from './partition-key';
import { readPatch } from './patch';
import { refusal, type Reply } from './reply';
import { type Container } from './store/catalog';

const MOST_OPERATIONS = 100;

interface BatchOperation {
  operationType: string;
  id?: string;
  ifMatch?: string;
  ifNoneMatch?: string;
  resourceBody?: unknown;
  /** Bulk only: each operation's own key, as JSON text. */
  partitionKey?: string;
}

export interface BatchOptions {
  /** All or nothing, over one partition; else each operation stands alone and names its partition. */
  atomic: boolean;
  /** Replies without the documents. */
  minimal: boolean;
}

/** The operations of a batch's body, or the refusal. */
export function readBatch(body: unknown): BatchOperation[] | Reply {
  if (!Array.isArray(body)) return refusal(400, 'The batch request is invalid: its body is not an array.');
  if (body.length === 0) return refusal(400, 'Batch request has no operations.');
  if (body.length > MOST_OPERATIONS) {
    return refusal(400, `Batch request has more operations than what is supported (${MOST_OPERATIONS}).`);
  }
  if (!body.every((each) => typeof each === 'object' && each !== null)) {
    return refusal(400, 'The batch request is invalid: an operation is not a JSON object.');
  }
  return body as BatchOperation[];
}

/** Runs a batch inside a group's transaction. */
export function createBatches(options: { db: DatabaseSync; items: Items }): {
  run(container: Container, key: Key | undefined, operations: BatchOperation[], how: BatchOptions): Reply;
} {
  const { db, items } = options;

  function one(container: Container, change: Change, key: Key, operation: BatchOperation): Reply {
    const { id, resourceBody } = operation;
    const conditions: Conditions = { ifMatch: operation.ifMatch, ifNoneMatch: operation.ifNoneMatch };
    const type = String(operation.operationType);
    if (type === 'Create') return items.create(container, change, key, resourceBody);
    if (type === 'Upsert') return items.upsert(container, change, key, resourceBody, conditions);
    if (typeof id !== 'string' || id === '')
      return refusal(400, `The batch operation '${type}' needs an id.`);
    switch (type) {
      case 'Read':
        return items.read(container, key, id, conditions);
      case 'Replace':
        return items.replace(container, change, key, id, resourceBody, conditions);
      case 'Delete':
        return items.remove(container, change, key, id, conditions);
      case 'Patch': {
        const patch = readPatch(resourceBody);
        return 'status' in patch ? patch : items.patch(container, change, key, id, patch, conditions);
      }
      default:
        return refusal(400, `The batch operation type '${type}' is not known.`);
    }
  }

  function atomic(container: Container, key: Key, operations: BatchOperation[], how: BatchOptions): Reply {
    // One position for the whole batch: the change feed shows all of it on one page or none.
    const change = items.begin(container);
    const replies: Reply[] = [];
    let failed = -1;
    db.exec('SAVEPOINT batch');
    for (const operation of operations) {
      const reply = one(container, change, key, operation);
      replies.push(reply);
      if (reply.status >= 400) {
        failed = replies.length - 1;
        break;
      }
    }
    if (failed === -1) {
      db.exec('RELEASE batch');
      items.finish(container, change);
      return envelope(200, replies, container.lsn, how);
    }
    db.exec('ROLLBACK TO batch');
    db.exec('RELEASE batch');
    const dependent: Reply = { status: 424, charge: 0 };
    return envelope(
      207,
      operations.map((_, i) => (i === failed ? replies[i]! : dependent)),
      container.lsn,
      how,
    );
  }

  function bulk(container: Container, operations: BatchOperation[], how: BatchOptions): Reply {
    const replies = operations.map((operation) => {
      const key = parseKeyHeader(operation.partitionKey ?? 'null');
      if ('problem' in key) return refusal(400, key.problem);
      if (key.length !== container.definition.partitionKey.paths.length) {
        return refusal(400, 'The partition key supplied has fewer components than defined in the container.');
      }
      const change = items.begin(container);
      const reply = one(container, change, key, operation);
      if (reply.status < 300 && operation.operationType !== 'Read') items.finish(container, change);
      return reply;
    });
    return envelope(replies.some(({ status }) => status >= 400) ? 207 : 200, replies, container.lsn, how);
  }

  return {
    run(container, key, operations, how) {
      if (!how.atomic) return bulk(container, operations, how);
      if (key === undefined) return refusal(400, 'A transactional batch needs a partition key.');
      return atomic(container, key, operations, how);
    },
  };
}

function envelope(status: number, replies: Reply[], lsn: number, how: BatchOptions): Reply {
  let body = '[';
  let charge = 0;
  replies.forEach((reply, i) => {
    charge += reply.charge;
    if (i > 0) body += ',';
    body += `{"statusCode":${reply.status},"requestCharge":${reply.charge}`;
    if (reply.substatus !== undefined) body += `,"subStatusCode":${reply.substatus}`;
    if (reply.etag !== undefined) body += `,"eTag":${JSON.stringify(reply.etag)}`;
    if (reply.message !== undefined) body += `,"message":${JSON.stringify(reply.message)}`;
    if (reply.body !== undefined && reply.status < 300 && !how.minimal)
      body += `,"resourceBody":${reply.body}`;
    body += '}';
  });
  return { status, body: `${body}]`, charge: rounded(Math.max(charge, SMALL_CHARGE)), lsn };
}
