import { type Data, tableFromIPC, type Vector } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { hourOfInstant } from '../../domain/ingestion';
import { isTooLate, RECORD_LATENESS_MS } from '../../domain/window';

/** What one landing file and its dead letters hold of one tenant and hour of receipt. */
export interface LandedCounts {
  landed: number;
  tooLate: number;
  dead: Record<string, number>;
}

/** By hour (UTC, counted from 1970), then by tenant; the tenant is '' where it is not known. */
export type LandedByHour = Map<number, Map<string, LandedCounts>>;

/** Greater than any row group or landing file: a batch of rows then arrives in one piece. */
const WHOLE = 4_000_000;
const READING_COLUMNS = ['tenant_id', 'observed_at', 'received_at', 'enqueued_at'];
const LETTER_COLUMNS = ['tenant_id', 'received_at', 'enqueued_at', 'code'];

/**
 * Counts the rows themselves, and not what their writer says of them: of a proof it is the rows that must be there. So a
 * file of any release counts alike.
 *
 * @returns when its latest event was enqueued, or 0 where it has no rows.
 * @throws where it is no Parquet file of readings.
 */
export function countReadings(
  file: Uint8Array,
  into: LandedByHour,
): { rows: number; enqueuedThrough: number } {
  let rows = 0;
  let enqueuedThrough = 0;
  for (const [column, count] of batchesOf(file, READING_COLUMNS)) {
    const tenant = column('tenant_id');
    const dictionary = tenant.dictionary!;
    const observed = wordsOf(column('observed_at'), count);
    const received = wordsOf(column('received_at'), count);
    const enqueued = wordsOf(column('enqueued_at'), count);
    const keys = tenant.values as Int32Array;
    let lastHour = Number.NaN;
    let lastKey = -1;
    let cell: LandedCounts | undefined;
    for (let i = 0; i < count; i++) {
      const hour = hourOfInstant(instantAt(received, i));
      const key = keys[i]!;
      if (cell === undefined || hour !== lastHour || key !== lastKey) {
        cell = cellOf(into, hour, String(dictionary.get(key)));
        lastHour = hour;
        lastKey = key;
      }
      cell.landed++;
      const at = instantAt(enqueued, i);
      if (at > enqueuedThrough) enqueuedThrough = at;
      if (isTooLate(instantAt(observed, i), at, RECORD_LATENESS_MS)) cell.tooLate++;
    }
    rows += count;
  }
  return { rows, enqueuedThrough };
}

/** The same for a file of dead letters; what has no instant of receipt counts by when it was enqueued. */
export function countDeadLetters(file: Uint8Array, into: LandedByHour): { enqueuedThrough: number } {
  let enqueuedThrough = 0;
  const table = tableFromIPC(
    readParquet(file, { batchSize: WHOLE, columns: LETTER_COLUMNS }).intoIPCStream(),
  );
  const column = (name: string): Vector => {
    const found = table.getChild(name);
    if (found === null) throw new Error(`it has no column ${name}`);
    return found;
  };
  const [tenants, received, enqueued, codes] = LETTER_COLUMNS.map(column) as [Vector, Vector, Vector, Vector];
  for (let i = 0; i < table.numRows; i++) {
    const at = Number(enqueued.get(i));
    const instant = received.get(i) as number | null;
    const { dead } = cellOf(
      into,
      hourOfInstant(instant === null ? at : Number(instant)),
      String(tenants.get(i)),
    );
    const code = String(codes.get(i));
    dead[code] = (dead[code] ?? 0) + 1;
    enqueuedThrough = Math.max(enqueuedThrough, at);
  }
  return { enqueuedThrough };
}

function cellOf(into: LandedByHour, hour: number, tenantId: string): LandedCounts {
  let tenants = into.get(hour);
  if (tenants === undefined) into.set(hour, (tenants = new Map()));
  let cell = tenants.get(tenantId);
  if (cell === undefined) tenants.set(tenantId, (cell = { landed: 0, tooLate: 0, dead: {} }));
  return cell;
}

function* batchesOf(file: Uint8Array, columns: string[]): Iterable<[(name: string) => Data, number]> {
  const table = tableFromIPC(readParquet(file, { batchSize: WHOLE, columns }).intoIPCStream());
  for (const batch of table.batches) {
    const column = (name: string): Data => {
      const found = batch.getChild(name) as Vector | null;
      if (found === null) throw new Error(`it has no column ${name}`);
      return found.data[0]!;
    };
    if (batch.numRows > 0) yield [column, batch.numRows];
  }
}

/** Whole numbers of 64 bits, read without making a BigInt of each; exact up to 2^53. */
function wordsOf(data: Data, count: number): Int32Array {
  const values = data.values as BigInt64Array;
  return new Int32Array(values.buffer, values.byteOffset, count * 2);
}

function instantAt(words: Int32Array, i: number): number {
  return (words[2 * i]! >>> 0) + words[2 * i + 1]! * 0x1_0000_0000;
}
