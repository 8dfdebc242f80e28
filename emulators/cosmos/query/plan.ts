import { type Container } from '../store/catalog';
import { indexPath, type PathIndex } from '../store/indexes';
import { type Access, type Candidate, type Position, type Scope } from './access';
import { conjunctsOf, namesOf, type PathCondition, type Segment } from './conjuncts';
import { isScalarRank } from './order';
import { type Query, QueryProblem } from './syntax';

/** How a query's candidates are read: every candidate that may match, in the query's order. */
export interface Plan {
  /** What a continuation must name to go on in the same order: `id`, or an index's path. */
  order: string;
  candidates(after: Position | undefined): Generator<Candidate>;
  /** Every candidate matches the filter: the documents need not be looked into. */
  exact: boolean;
  /** The candidates come in another order and are sorted by this path first. */
  sortBy?: string[];
  /** Counts the candidates without reading them, where that is the filter's exact count. */
  count?: () => number;
}

/** Up to this many matches of an equality are sorted in memory rather than read through the order's own index. */
const FEW = 1000;
const RANKS = [0, 1, 2, 3, 4, 5, 6];

/** Paths that a query would use an index of: of its equalities and ranges, and of its order. */
export function wantedPaths(
  query: Query,
  container: Container,
  scope: Scope,
  parameters: ReadonlyMap<string, unknown>,
): string[][] {
  if (scope.kind !== 'one') return [];
  const paths = usable(conjunctsOf(query.where, parameters).conditions, container).map(({ names }) => names);
  const order = query.orderBy && namesOf(query.orderBy.path);
  if (order && !isId(order)) paths.push(order);
  return paths;
}

/**
 * Plans one page. `resumed` is the order of the page before, which this one must keep.
 *
 * @throws QueryProblem where the order has no index, as on Azure, or stretches over partitions.
 */
export function planQuery(
  query: Query,
  container: Container,
  scope: Scope,
  parameters: ReadonlyMap<string, unknown>,
  access: Access,
  resumed: string | undefined,
): Plan {
  const { conditions, others } = conjunctsOf(query.where, parameters);
  const order = query.orderBy && namesOf(query.orderBy.path);
  const descending = query.orderBy?.descending ?? false;

  if (scope.kind !== 'one') {
    if (order) {
      throw new QueryProblem(
        'ORDER BY over more than one partition is not supported by the local Cosmos stand-in: give the whole partition key.',
      );
    }
    return {
      order: 'id',
      exact: query.where === undefined,
      candidates: (after) => access.byId(container, scope, undefined, false, after),
      count: query.where === undefined ? () => access.countAll(container, scope) : undefined,
    };
  }
  const { pk } = scope;
  const ids = conditions.find(({ names }) => isId(names));
  const writtenSince = leastSecond(conditions);
  const byId = (backwards: boolean): Plan => ({
    order: 'id',
    exact: others === 0 && conditions.length === (ids ? 1 : 0),
    // Ids are texts: what is compared with another type matches nothing.
    candidates: (after) =>
      access.byId(
        container,
        scope,
        ids?.segments.filter(({ rank }) => rank === 4),
        backwards,
        after,
        writtenSince,
      ),
    count: query.where === undefined ? () => access.countAll(container, scope) : undefined,
  });

  const covered = usable(conditions, container).flatMap((condition) => {
    const index = container.indexes.get(indexPath(condition.names));
    return index?.built ? [{ condition, index }] : [];
  });
  const byIndex = (
    index: PathIndex,
    segments: readonly Segment[],
    backwards: boolean,
    exact: boolean,
  ): Plan => ({
    order: index.path,
    exact,
    candidates: (after) => access.byIndex(container, index, pk, segments, backwards, after),
    count: exact ? () => access.countIndex(index, pk, segments, Number.MAX_SAFE_INTEGER) : undefined,
  });
  const exactly = others === 0 && conditions.length === 1;

  if (order && !isId(order)) {
    const coverage = container.coverage(order);
    if (!coverage.indexed) {
      throw new QueryProblem('The index path corresponding to the specified order-by item is excluded.');
    }
    const index = container.indexes.get(indexPath(order));
    if (!index?.built) throw new Error(`the index of ${order.join('.')} was not built before the query`);
    const few = ids ?? narrowest(covered, access, pk, FEW)?.condition;
    if (few && indexPath(few.names) !== index.path) {
      const narrow = ids
        ? byId(false)
        : byIndex(covered.find(({ condition }) => condition === few)!.index, few.segments, false, false);
      return {
        order: index.path,
        exact: false,
        sortBy: order,
        candidates: () => narrow.candidates(undefined),
      };
    }
    const own = covered.find(({ index: each }) => each === index)?.condition;
    const segments = own?.segments ?? RANKS.slice(coverage.explicit ? 0 : 1).map((rank) => ({ rank }));
    return byIndex(index, segments, descending, own ? exactly : query.where === undefined);
  }

  if (resumed === 'id' || (resumed === undefined && ids)) return byId(descending);
  const eligible = order ? covered.filter(({ condition }) => condition.equality) : covered;
  const best =
    resumed === undefined
      ? narrowest(eligible, access, pk, Number.MAX_SAFE_INTEGER)
      : eligible.find(({ index }) => index.path === resumed);
  if (!best) {
    if (resumed !== undefined)
      throw new QueryProblem('The continuation is of an index that is no longer there.');
    return byId(descending);
  }
  return byIndex(best.index, best.condition.segments, descending, exactly);
}

/** The condition with the fewest entries, of those with at most `most`. */
function narrowest(
  covered: { condition: PathCondition; index: PathIndex }[],
  access: Access,
  pk: string,
  most: number,
): { condition: PathCondition; index: PathIndex } | undefined {
  if (covered.length === 1 && most === Number.MAX_SAFE_INTEGER) return covered[0];
  // Counting stops where it no longer matters.
  let least = Math.min(most, 10_000) + 1;
  let best: { condition: PathCondition; index: PathIndex } | undefined;
  for (const each of covered) {
    const count = access.countIndex(each.index, pk, each.condition.segments, least);
    if (count < least) {
      least = count;
      best = each;
    }
  }
  return best ?? (most === Number.MAX_SAFE_INTEGER ? covered[0] : undefined);
}

/** The second before which no match was written, where a condition says so. */
function leastSecond(conditions: readonly PathCondition[]): number | undefined {
  const [segment, other] = conditions.find(({ names }) => names.join('.') === '_ts')?.segments ?? [];
  const least = segment?.low?.value;
  return typeof least === 'number' && other === undefined ? least : undefined;
}

/** Conditions that an index may answer: the policy covers the path, and it tells documents of a partition apart. */
function usable(conditions: PathCondition[], container: Container): PathCondition[] {
  const keys = container.definition.partitionKey.paths;
  return conditions.filter(
    ({ names, segments }) =>
      !isId(names) &&
      !(names.length === 1 && keys.includes(`/${names[0]}`)) &&
      segments.every(({ rank }) => isScalarRank(rank)) &&
      container.coverage(names).indexed,
  );
}

function isId(names: readonly string[]): boolean {
  return names.length === 1 && names[0] === 'id';
}
