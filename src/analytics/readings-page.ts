import { type DuckDBValue } from '@duckdb/node-api';
import { quantityNamed, type QuantityName } from '../domain/quantity';
import { type Session } from './engine';
import { type ReadingsFilter, type ReadingsRelation, type ReadingsSource } from './readings-source';

/** A reading as it is kept. Instants are milliseconds since 1970. */
export interface StoredReading {
  buildingId: string;
  pointId: string;
  spaceId: string;
  deviceId: string;
  quantity: QuantityName;
  observedAt: number;
  receivedAt: number;
  value: number;
  /** Who gave the instant of observation. */
  timeSource: 'DEVICE' | 'GATEWAY';
}

export interface ReadingsPage {
  items: StoredReading[];
  /** For each item the position of the page behind it. */
  positions: string[];
  more: boolean;
}

const DAY_MS = 86_400_000;
/** A page looks at one day at first and at twice as many each time that it is not full. */
const LONGEST_LOOK_DAYS = 64;

/** What tells readings of one point and instant apart: undated ones, which have identities of their own. */
const TIE = `CASE WHEN time_source = 'DEVICE' THEN '' ELSE
  coalesce(message_id, '') || ' ' || coalesce(message_index, 0)::VARCHAR || ' ' || sequence::VARCHAR || ' ' || "row"::VARCHAR END`;

/** By instant of observation, then point. Looks at no more of the range than the page needs. */
export async function readingsPage(
  session: Session,
  source: ReadingsSource,
  filter: ReadingsFilter,
  { first, after }: { first: number; after: string | null },
): Promise<ReadingsPage> {
  const items: StoredReading[] = [];
  const positions: string[] = [];
  const start = after === null ? null : positionOf(after);
  let from = Math.max(filter.from, start?.observedAt ?? filter.from);
  for (
    let days = 1;
    from < filter.to && items.length <= first;
    days = Math.min(days * 2, LONGEST_LOOK_DAYS)
  ) {
    const to = Math.min(filter.to, (Math.floor(from / DAY_MS) + days) * DAY_MS);
    await source.with(session, { ...filter, from, to }, async (relation) => {
      for (const row of await readingRows(session, relation, start, first + 1 - items.length)) {
        items.push(row.reading);
        positions.push(row.position);
      }
    });
    from = to;
  }
  return {
    items: items.slice(0, first),
    positions: positions.slice(0, first),
    more: items.length > first,
  };
}

interface Position {
  observedAt: number;
  pointId: string;
  tie: string;
}

function positionOf(text: string): Position {
  const [observedAt, pointId, tie] = JSON.parse(text) as [number, string, string];
  return { observedAt, pointId, tie };
}

async function readingRows(
  session: Session,
  relation: ReadingsRelation,
  after: Position | null,
  limit: number,
): Promise<{ reading: StoredReading; position: string }[]> {
  const behind: Record<string, DuckDBValue> =
    after === null ? {} : { afterInstant: after.observedAt, afterPoint: after.pointId, afterTie: after.tie };
  const rows = await session.rows<Record<keyof StoredReading | 'tie', string | number>>(
    `SELECT building_id AS "buildingId", point_id AS "pointId", space_id AS "spaceId", device_id AS "deviceId", quantity,
      t::DOUBLE AS "observedAt", epoch_ms(received_at)::DOUBLE AS "receivedAt", value, time_source AS "timeSource", tie
    FROM (SELECT *, epoch_ms(observed_at) AS t, ${TIE} AS tie FROM (${relation.sql}))
    ${after === null ? '' : 'WHERE (t, point_id, tie) > ($afterInstant::BIGINT, $afterPoint, $afterTie)'}
    ORDER BY t, point_id, tie LIMIT $limit::BIGINT`,
    { ...relation.values, ...behind, limit },
  );
  return rows.map(({ tie, ...row }) => {
    const reading = row as unknown as StoredReading;
    return { reading, position: JSON.stringify([reading.observedAt, reading.pointId, tie]) };
  });
}

/** The unit (UCUM) of a reading's value. */
export function unitOf(reading: StoredReading): string {
  return quantityNamed(reading.quantity).unit;
}
