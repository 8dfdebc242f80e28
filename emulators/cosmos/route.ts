import { type SignedResource } from './authorization';

/** What a request's path names. */
export interface Route {
  kind:
    | 'account'
    | 'databases'
    | 'database'
    | 'containers'
    | 'container'
    | 'ranges'
    | 'items'
    | 'item'
    | 'offers'
    | 'other';
  database?: string;
  container?: string;
  item?: string;
  /** What the signature covers. */
  signed: SignedResource;
}

/** Reads a path such as `/dbs/a/colls/b/docs/c`; `undefined` where an escape in it is broken. */
export function routeOf(path: string): Route | undefined {
  const parts: string[] = [];
  try {
    for (const part of path.split('/')) {
      if (part !== '') parts.push(part.includes('%') ? decodeURIComponent(part) : part);
    }
  } catch {
    return undefined;
  }
  // A feed is signed with its parent's link, a resource with its own.
  const feed = parts.length % 2 === 1;
  const signed: SignedResource = {
    type: (feed ? parts.at(-1) : parts.at(-2)) ?? '',
    link: (feed ? parts.slice(0, -1) : parts).join('/'),
  };
  const [first, database, second, container, third, item] = parts;
  if (parts.length === 0) return { kind: 'account', signed };
  if (first === 'offers') return { kind: 'offers', signed };
  if (first !== 'dbs') return { kind: 'other', signed };
  if (parts.length === 1) return { kind: 'databases', signed };
  if (parts.length === 2) return { kind: 'database', database, signed };
  if (second !== 'colls') return { kind: 'other', signed };
  if (parts.length === 3) return { kind: 'containers', database, signed };
  if (parts.length === 4) return { kind: 'container', database, container, signed };
  if (third === 'pkranges' && parts.length === 5) return { kind: 'ranges', database, container, signed };
  if (third !== 'docs' || parts.length > 6) return { kind: 'other', signed };
  if (parts.length === 5) return { kind: 'items', database, container, signed };
  return { kind: 'item', database, container, item, signed };
}
