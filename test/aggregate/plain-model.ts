import { REPEATED_WITHIN_MS } from '../../src/domain/reading';
import { WINDOW_SECONDS } from '../../src/domain/window';

/** One row of the stream as the oracle sees it. */
export interface Row {
  sequence: number;
  enqueuedAt: number;
  buildingId: string;
  spaceId?: string;
  quantity: number;
  pointOrdinal: number;
  deviceOrdinal: number;
  observedAt: number;
  value: number;
  undated?: { messageId: string | null; messageIndex: number };
}

export interface Expected {
  readings: number;
  mean: number | null;
  minimum: number | null;
  maximum: number | null;
  deviceMean?: number | null;
  devicesReporting: number;
  lastReadingAt: number | null;
}

const ceilingSecond = (instant: number): number => Math.ceil(instant / 1000);

/** Distinct rows that came in time, the first of each identity: written for being obviously right, not for speed. */
export function countedRows(rows: readonly Row[], allowedLatenessMs: number): Row[] {
  /** By identity: when it was last enqueued. */
  const seen = new Map<string, number>();
  return rows.filter((row, index) => {
    if (row.enqueuedAt - row.observedAt > allowedLatenessMs) return false;
    const identity =
      row.undated === undefined
        ? `at ${row.observedAt}`
        : row.undated.messageId === null
          ? `row ${index}`
          : `message ${row.undated.messageId} ${row.undated.messageIndex}`;
    const key = `${row.buildingId} ${row.pointOrdinal} ${identity}`;
    const last = seen.get(key);
    seen.set(key, row.enqueuedAt);
    if (last === undefined) return true;
    return row.undated !== undefined && row.enqueuedAt - last >= REPEATED_WITHIN_MS;
  });
}

/** Of the rows counted those that a value is of. */
export function rowsOf(
  counted: readonly Row[],
  of: { buildingId: string; spaceId?: string | null; quantity: number },
): Row[] {
  return counted.filter(
    ({ buildingId, quantity, spaceId }) =>
      buildingId === of.buildingId &&
      quantity === of.quantity &&
      (of.spaceId == null || spaceId === of.spaceId),
  );
}

/** The rolling average by its definition, over rows of one building or space and quantity from `countedRows`. */
export function expectedAt(counted: readonly Row[], windowEnd: number, sequence: number): Expected {
  let lastReadingAt: number | null = null;
  const devices = new Map<number, number[]>();
  const values: number[] = [];
  for (const row of counted) {
    const slot = ceilingSecond(row.observedAt);
    if (row.sequence > sequence || slot > windowEnd) continue;
    lastReadingAt = Math.max(lastReadingAt ?? -Infinity, row.observedAt);
    if (slot <= windowEnd - WINDOW_SECONDS) continue;
    values.push(row.value);
    const own = devices.get(row.deviceOrdinal);
    if (own) own.push(row.value);
    else devices.set(row.deviceOrdinal, [row.value]);
  }
  const empty = values.length === 0;
  const meanOf = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  return {
    readings: values.length,
    mean: empty ? null : meanOf(values),
    minimum: empty ? null : Math.min(...values),
    maximum: empty ? null : Math.max(...values),
    deviceMean: empty ? null : meanOf([...devices.values()].map(meanOf)),
    devicesReporting: devices.size,
    lastReadingAt,
  };
}

/** What of a value is not as expected, in words; undefined when all is. */
export function differenceFrom(expected: Expected, found: Expected): string | undefined {
  const close = (a: number | null, b: number | null): boolean =>
    a === null || b === null ? a === b : Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
  const same =
    close(expected.mean, found.mean) &&
    // Stored points and values of the release before have none.
    (found.deviceMean === undefined || close(expected.deviceMean ?? null, found.deviceMean)) &&
    expected.readings === found.readings &&
    expected.minimum === found.minimum &&
    expected.maximum === found.maximum &&
    expected.devicesReporting === found.devicesReporting &&
    expected.lastReadingAt === found.lastReadingAt;
  if (same) return undefined;
  const { readings, mean, minimum, maximum, deviceMean, devicesReporting, lastReadingAt } = found;
  return `${JSON.stringify({ readings, mean, minimum, maximum, deviceMean, devicesReporting, lastReadingAt })} for ${JSON.stringify(expected)}`;
}
