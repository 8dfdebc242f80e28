import { BuildingHistoryDocument, type Quantity } from '../../simulator/generated/graphql';
import { type GraphqlClient } from '../../simulator/graphql-client';
import { type LiveAverage } from './live-subscriber';
import { type SeenAverage } from './oracle/averages.oracle';

const PAGE = 200;

/** A point of the rolling record, as it was read or as its correction was told. */
export interface SeenPoint extends SeenAverage {
  /** 1 when it was first stored, one more at each correction. */
  revision: number;
}

/** Every stored point of a building's rolling record of a quantity, page by page. */
export async function readHistory(
  client: GraphqlClient,
  query: { buildingId: string; quantity: Quantity; from: Date; to: Date },
): Promise<SeenPoint[]> {
  const points: SeenPoint[] = [];
  let after: string | null = null;
  do {
    const page: HistoryPage | null | undefined = (
      await client.execute(BuildingHistoryDocument, {
        id: query.buildingId,
        quantity: query.quantity,
        from: query.from.toISOString(),
        to: query.to.toISOString(),
        first: PAGE,
        after,
      })
    ).building?.averageHistory;
    if (!page) throw new Error(`the API shows no history of building ${query.buildingId}`);
    points.push(
      ...page.nodes.map((node) => ({
        ...seenAverage('history', query.buildingId, node),
        revision: node.revision,
      })),
    );
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return points;
}

interface HistoryPage {
  nodes: LiveAverage[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** A value of the API as the oracle takes it. */
export function seenAverage(
  source: SeenAverage['source'],
  buildingId: string,
  value: LiveAverage,
): SeenAverage {
  return {
    source,
    buildingId,
    quantity: value.quantity,
    windowEnd: Date.parse(value.windowEnd) / 1000,
    incarnation: value.position.incarnation,
    partition: value.position.partition,
    sequence: value.position.sequence,
    readings: value.readings,
    mean: value.mean,
    minimum: value.minimum,
    maximum: value.maximum,
    devicesReporting: value.devicesReporting,
    lastReadingAt: value.lastReadingAt === null ? null : Date.parse(value.lastReadingAt),
  };
}
