import { type Page } from '../store/registry';
import { type Connection, connectionOf, type PageArguments, pageOf } from './connection';
import { type CursorBinding, type Cursors } from './cursor';

/**
 * Where an item of a store's listing stands. The store names only where its pages begin, so an item stands so many items
 * after one; the item's id finds the place again when others were put in between.
 */
type Place = [start: string | null, skip: number, id: string];

/** One page of a store's listing as a connection, with a cursor for every item. Throws BAD_USER_INPUT. */
export async function storePage<Item extends { id: string }, Node>(
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
  const [start, skip, id]: Place = after === null ? [null, 0, ''] : (JSON.parse(after) as Place);
  const { items, next } = await fetch({ first: first + skip, after: start });
  const place = skip === 0 ? 0 : items.findIndex((item) => item.id === id) + 1 || skip;
  const found = items.slice(place, place + first);
  const rest = items.length - place - found.length;
  return connectionOf(
    found.map((item, index) => {
      const position: Place =
        index === found.length - 1 && next !== null && rest === 0
          ? [next, 0, item.id]
          : [start, place + index + 1, item.id];
      return { node: toNode(item), position: JSON.stringify(position) };
    }),
    { hasNextPage: next !== null || rest > 0, after, cursors, binding },
  );
}
