/** What an AMQP link can be attached to. */
export type Address =
  | { kind: 'cbs' }
  | { kind: 'management' }
  | { kind: 'hub'; hub: string; partition: string | undefined }
  | { kind: 'reader'; hub: string; group: string; partition: string }
  | { kind: 'unknown' };

/** Reads a link's address; the path may be given alone or as a whole `amqp://` or `sb://` address. */
export function parseAddress(text: string | undefined): Address {
  const path = (text ?? '').replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/^\/+|\/+$/g, '');
  const parts = path.split('/');
  const is = (at: number, word: string): boolean => parts[at]?.toLowerCase() === word;
  if (path.toLowerCase() === '$cbs') return { kind: 'cbs' };
  if (parts.length <= 2 && is(parts.length - 1, '$management')) return { kind: 'management' };
  const hub = parts[0];
  if (!hub) return { kind: 'unknown' };
  if (parts.length === 1) return { kind: 'hub', hub, partition: undefined };
  if (parts.length === 3 && is(1, 'partitions')) return { kind: 'hub', hub, partition: parts[2]! };
  if (parts.length === 5 && is(1, 'consumergroups') && is(3, 'partitions')) {
    return { kind: 'reader', hub, group: parts[2]!, partition: parts[4]! };
  }
  return { kind: 'unknown' };
}
