import { type Page } from '../store/registry';
import { type Connection, connectionOf, type PageArguments, pageOf } from './connection';
import { type CursorBinding, type Cursors } from './cursor';

/** A store's page may be short although more follows; this often it is asked to fill one up. */
const MAXIMUM_FETCHES = 10;

/** One page of a store's listing as a connection. Throws BAD_USER_INPUT. */
export async function storePage<Item, Node>(
  page: PageArguments,
  {
    cursors,
    binding,
    fetch,
    toNode,
  }: {
    cursors: Cursors;
    binding: CursorBinding;
    fetch(options: { first: number; after: string | null }): Promise<Page<Item>>;
    toNode(item: Item): Node;
  },
): Promise<Connection<Node>> {
  const { first, after } = pageOf(page, cursors, binding);
  const found: { node: Node; position: string }[] = [];
  let next = after;
  for (let fetches = 0; fetches < MAXIMUM_FETCHES; fetches++) {
    const { items, positions, next: following } = await fetch({ first: first - found.length, after: next });
    items.forEach((item, index) => found.push({ node: toNode(item), position: positions[index]! }));
    next = following;
    if (next === null || found.length >= first) break;
  }
  // Where nothing was found so far although more follows, the next page still needs a place to begin.
  return connectionOf(found, { hasNextPage: next !== null, after, next, cursors, binding });
}
