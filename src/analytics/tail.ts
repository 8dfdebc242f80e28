import { type DuckDBAppender, DuckDBTimestampTZValue } from '@duckdb/node-api';
import { partitionOf } from '../domain/partition';
import { quantityOfCode, type QuantityName } from '../domain/quantity';
import { type LandedEnd, type RecentTail, type TailDocument } from '../store/recent-tail';
import { type Session, TooCostly } from './engine';
import { partitionCountOf } from './landing-files';

/** What of recent readings a question may look at. Instants are milliseconds since 1970. */
export interface TailFilter {
  tenantId: string;
  /** Null: every building of the tenant. */
  buildingIds: readonly string[] | null;
  quantities: readonly QuantityName[];
  pointId: string | null;
  /** Observed in [since, to). */
  since: number;
  to: number;
  landed: readonly LandedEnd[];
}

/** Buildings that are asked for at the same time. */
const AT_ONCE = 4;
/** More than this would be hours of a large building that have not landed; a question of a shorter range holds fewer. */
const MAXIMUM_ROWS = 1_000_000;

/**
 * Makes the table `tail` of what is recent and may not have landed: the columns of a landing file, and as `filename`
 * something that sorts behind all landing files and orders the lives of the stream. Rows may stand in it several times;
 * those that have landed too are the same there. Of all buildings of a tenant with more than `MAXIMUM_TAIL_BUILDINGS`
 * nothing is looked up: each is a query to the store.
 *
 * @returns whether there are any.
 * @throws TooCostly for too many rows, and what Cosmos answers where it is away.
 */
export async function layTail(session: Session, recent: RecentTail, filter: TailFilter): Promise<boolean> {
  const { tenantId, since: from, to, landed } = filter;
  const buildingIds = filter.buildingIds ?? (await recent.buildings(tenantId));
  if (buildingIds === null) return false;
  let appender: DuckDBAppender | undefined;
  let rows = 0;
  const waiting = [...buildingIds];

  /** Asks for one building after the other; rows of a document go into the table in one step. */
  async function ask(): Promise<void> {
    for (let buildingId = waiting.pop(); buildingId !== undefined; buildingId = waiting.pop()) {
      const own = landed.filter(
        (end) => end.partition === partitionOf(buildingId!, partitionCountOf(end.incarnation)),
      );
      const documents = recent.documents({ tenantId, buildingId, from, to, landed: own });
      for await (const document of documents) {
        session.signal.throwIfAborted();
        appender ??= await (beginning ??= begin(session));
        rows += append(appender, document, buildingId, filter);
        if (rows > MAXIMUM_ROWS) throw new TooCostly('too many readings of the range have not landed yet');
      }
    }
  }
  let beginning: Promise<DuckDBAppender> | undefined;
  try {
    // All of them have ended before the table's appender is closed.
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, ask));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
    appender?.flushSync();
  } finally {
    appender?.closeSync();
  }
  return rows > 0;
}

async function begin({ connection, run }: Session): Promise<DuckDBAppender> {
  await run(`CREATE OR REPLACE TEMP TABLE tail (building_id VARCHAR, point_id VARCHAR, space_id VARCHAR, device_id VARCHAR,
    quantity VARCHAR, observed_at TIMESTAMPTZ, received_at TIMESTAMPTZ, value DOUBLE, time_source VARCHAR,
    message_id VARCHAR, message_index INTEGER, sequence BIGINT, "row" INTEGER, filename VARCHAR)`);
  return connection.createAppender('tail', 'main', 'temp');
}

function append(
  appender: DuckDBAppender,
  { incarnation, partition, columns }: TailDocument,
  buildingId: string,
  { quantities, pointId, since, to }: TailFilter,
): number {
  const { points, count, point, observedAt, receivedAt, value, sequence } = columns;
  const wanted = points.map((each) => {
    const name = quantityOfCode(each.quantity)?.name;
    const isAsked = name !== undefined && quantities.includes(name);
    return isAsked && (pointId === null || each.pointId === pointId) ? name : undefined;
  });
  const undated = new Map(columns.undated.map((each) => [each.row, each]));
  const filename = `~/${incarnation}/${partition}`;
  let rows = 0;
  for (let row = 0; row < count; row++) {
    const quantity = wanted[point[row]!];
    if (quantity === undefined || observedAt[row]! < since || observedAt[row]! >= to) continue;
    const stamped = undated.get(row);
    const of = points[point[row]!]!;
    appender.appendVarchar(buildingId);
    appender.appendVarchar(of.pointId);
    appender.appendVarchar(of.spaceId);
    appender.appendVarchar(of.deviceId);
    appender.appendVarchar(quantity);
    appender.appendTimestampTZ(instant(observedAt[row]!));
    appender.appendTimestampTZ(instant(receivedAt[row]!));
    appender.appendDouble(value[row]!);
    appender.appendVarchar(stamped === undefined ? 'DEVICE' : 'GATEWAY');
    if (stamped === undefined || stamped.messageId === null) appender.appendNull();
    else appender.appendVarchar(stamped.messageId);
    if (stamped === undefined) appender.appendNull();
    else appender.appendInteger(stamped.messageIndex);
    appender.appendBigInt(BigInt(sequence[row]!));
    // Of dated rows of one event only the order is told, which is that of the document.
    appender.appendInteger(stamped?.frameRow ?? row);
    appender.appendVarchar(filename);
    appender.endRow();
    rows++;
  }
  return rows;
}

function instant(at: number): DuckDBTimestampTZValue {
  return new DuckDBTimestampTZValue(BigInt(at) * 1000n);
}
