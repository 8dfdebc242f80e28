import { type IncomingMessage } from 'node:http';
import { type Key } from './items';
import { keyText, parseKeyHeader } from './partition-key';
import { type Scope } from './query/access';
import { refusal, type Reply, unsupported } from './reply';
import { header } from './request';
import { type Container } from './store/catalog';

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

/** The partition key that a request names, or a prefix of one; `undefined` where it names none. */
export function keyOf(request: IncomingMessage, container: Container): Key | { problem: string } | undefined {
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

/** The partitions that a query with this key reads. */
export function scopeOf(container: Container, key: Key | undefined): Scope {
  if (!key) return { kind: 'all' };
  const text = keyText(key);
  if (key.length === container.definition.partitionKey.paths.length) return { kind: 'one', pk: text };
  // In the text of a key the next component follows a comma, and '-' is the character after it.
  const prefix = text.slice(0, -1);
  return { kind: 'below', from: `${prefix},`, to: `${prefix}-` };
}

/** Refusals of what would change an answer silently if it were passed over. */
export function refusedHeaders(request: IncomingMessage): Reply | undefined {
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
export function sessionAhead(request: IncomingMessage, container: Container): Reply | undefined {
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

/** Most items on a page: 100 unless asked; -1 leaves it to the service. */
export function pageSize(request: IncomingMessage): number {
  const asked = Number(header(request, 'x-ms-max-item-count') ?? DEFAULT_PAGE);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, LARGEST_PAGE) : LARGEST_PAGE;
}
