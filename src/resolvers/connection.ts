import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { clientError } from './errors';
import { type CursorBinding, type Cursors } from './cursor';
import { Visible } from './rule';

export const DEFAULT_PAGE = 50;
export const MAXIMUM_PAGE = 200;

@ObjectType({ description: 'Where a page of a connection lies. Pages go forward.' })
export class PageInfo {
  @Visible('public')
  @Field({ description: 'Whether more items follow this page.' })
  hasNextPage!: boolean;

  @Visible('public')
  @Field({ description: 'Whether this page was asked for with a cursor, so that items may come before it.' })
  hasPreviousPage!: boolean;

  @Visible('public')
  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the first item; null for an empty page.',
  })
  startCursor!: string | null;

  @Visible('public')
  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the last item, to pass as `after`; null for an empty page.',
  })
  endCursor!: string | null;
}

@ArgsType()
export class PageArguments {
  @Field(() => Int, {
    defaultValue: DEFAULT_PAGE,
    description: `How many items at most, 1 to ${MAXIMUM_PAGE}.`,
  })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description: 'A cursor of the same connection with the same arguments: items after it are returned.',
  })
  after?: string | null;
}

export interface Edge<T> {
  node: T;
  cursor: string;
}

export interface Connection<T> {
  edges: Edge<T>[];
  nodes: T[];
  pageInfo: PageInfo;
}

/** The edge and connection types of a node, by the Relay specification, with `nodes` for those who need no cursors. */
export function connectionType<T extends object>(
  node: ClassType<T>,
  name: string,
  what: string,
): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`, { description: `One of ${what}, and where it stands among them.` })
  class EdgeType implements Edge<T> {
    @Visible('with-parent')
    @Field(() => node, { description: `The item itself.` })
    node!: T;

    @Visible('with-parent')
    @Field({
      description: 'Where the item stands: opaque, and good only for you, here, with the same arguments.',
    })
    cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${what}.` })
  class ConnectionType implements Connection<T> {
    @Visible('with-parent')
    @Field(() => [EdgeType], { description: 'The items of this page with their cursors.' })
    edges!: EdgeType[];

    @Visible('with-parent')
    @Field(() => [node], { description: 'The items of this page.' })
    nodes!: T[];

    @Visible('with-parent')
    @Field(() => PageInfo, { description: 'Where this page lies.' })
    pageInfo!: PageInfo;
  }
  return ConnectionType;
}

/** Checks `first` and opens `after`. Throws BAD_USER_INPUT. */
export function pageOf(
  page: PageArguments,
  cursors: Cursors,
  binding: CursorBinding,
): { first: number; after: string | null } {
  if (page.first < 1 || page.first > MAXIMUM_PAGE) {
    throw clientError('BAD_USER_INPUT', `first must be 1 to ${MAXIMUM_PAGE}, it is ${page.first}`);
  }
  return { first: page.first, after: page.after == null ? null : cursors.open(binding, page.after) };
}

/**
 * `position` is where an item stands, for its cursor. Cursors are sealed as they are read: most pages are asked for without.
 *
 * @param options.next where the next page begins; left out: behind the last item.
 */
export function connectionOf<T>(
  items: readonly { node: T; position: string }[],
  options: {
    hasNextPage: boolean;
    after: string | null;
    next?: string | null;
    cursors: Cursors;
    binding: CursorBinding;
  },
): Connection<T> {
  const seal = (position: string): string => options.cursors.seal(options.binding, position);
  const sealed = (position: string | undefined): string | null =>
    position === undefined ? null : seal(position);
  return {
    edges: items.map(({ node, position }) => ({
      node,
      get cursor() {
        return seal(position);
      },
    })),
    nodes: items.map(({ node }) => node),
    pageInfo: {
      hasNextPage: options.hasNextPage,
      hasPreviousPage: options.after !== null,
      get startCursor() {
        return sealed(items[0]?.position);
      },
      get endCursor() {
        return sealed(options.next ?? items.at(-1)?.position);
      },
    },
  };
}
