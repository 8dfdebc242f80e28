import { type Data, tableFromIPC, type Vector } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { type Places } from './places';
import { type Extra, reserve, type Rows } from './rows';

/** A file is not what its name says: nothing of it is curated, and nothing behind it. */
export class UnreadableFile extends Error {}

/** Greater than any row group or landing file: a batch of rows then arrives in one piece. */
const WHOLE = 4_000_000;

/** The landing's rows do not say what stands in their path. */
export interface LandingPlace {
  incarnation: string;
  partition: number;
}

/**
 * Appends the rows of a landing file, or of a curated one (then without `landing`), in the order of the file.
 * @param rowGroups which of its row groups; all when left out.
 * @throws UnreadableFile where it is no such file.
 */
export function decodeRows(
  file: Uint8Array,
  options: { into: Rows; places: Places; landing?: LandingPlace; rowGroups?: number[] },
): void {
  const { into, places, landing, rowGroups } = options;
  let table;
  try {
    const read = readParquet(file, { batchSize: WHOLE, ...(rowGroups && { rowGroups }) });
    table = tableFromIPC(read.intoIPCStream());
  } catch (error) {
    throw new UnreadableFile(`it is no Parquet file: ${String(error)}`, { cause: error });
  }
  for (const batch of table.batches) {
    const column = (name: string): Data => {
      const found = batch.getChild(name) as Vector | null;
      if (found === null) throw new UnreadableFile(`it has no column ${name}`);
      return found.data[0]!;
    };
    appendBatch(column, batch.numRows, { into, places, ...(landing && { landing }) });
  }
}

function appendBatch(
  column: (name: string) => Data,
  count: number,
  { into, places, landing }: { into: Rows; places: Places; landing?: LandingPlace },
): void {
  if (count === 0) return;
  reserve(into, count);
  const at = into.length;
  instants(column('observed_at'), into.observedAt, at, count);
  instants(column('received_at'), into.receivedAt, at, count);
  instants(column('enqueued_at'), into.enqueuedAt, at, count);
  instants(column('sequence'), into.sequence, at, count);
  into.value.set((column('value').values as Float64Array).subarray(0, count), at);
  into.row.set((column('row').values as Int32Array).subarray(0, count), at);

  const tenant = numbers(column('tenant_id'), places);
  const building = numbers(column('building_id'), places);
  const quantity = numbers(column('quantity'), places);
  const point = numbers(column('point_id'), places);
  const space = numbers(column('space_id'), places);
  const device = numbers(column('device_id'), places);
  let previous = -1;
  for (let i = 0; i < count; i++) {
    // Sorted files repeat the place of the row before.
    if (
      i > 0 &&
      point.keys[i] === point.keys[i - 1] &&
      device.keys[i] === device.keys[i - 1] &&
      space.keys[i] === space.keys[i - 1] &&
      building.keys[i] === building.keys[i - 1] &&
      quantity.keys[i] === quantity.keys[i - 1] &&
      tenant.keys[i] === tenant.keys[i - 1]
    ) {
      into.place[at + i] = previous;
      continue;
    }
    previous = places.numberOf({
      tenant: tenant.texts[tenant.keys[i]!]!,
      building: building.texts[building.keys[i]!]!,
      quantity: quantity.texts[quantity.keys[i]!]!,
      point: point.texts[point.keys[i]!]!,
      space: space.texts[space.keys[i]!]!,
      device: device.texts[device.keys[i]!]!,
    });
    into.place[at + i] = previous;
  }
  if (landing) {
    into.source.fill(places.sourceOf(landing.incarnation, landing.partition), at, at + count);
  } else {
    appendSources(column, count, into, places);
  }
  appendExtras(column, count, into, places);
  into.length = at + count;
}

function appendSources(column: (name: string) => Data, count: number, into: Rows, places: Places): void {
  const incarnation = numbers(column('incarnation'), places);
  const partition = column('stream_partition').values as Int32Array;
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const same =
      i > 0 && incarnation.keys[i] === incarnation.keys[i - 1] && partition[i] === partition[i - 1];
    if (!same) {
      const name = places.texts.textOf(incarnation.texts[incarnation.keys[i]!]!);
      previous = places.sourceOf(name, partition[i]!);
    }
    into.source[into.length + i] = previous;
  }
}

function appendExtras(column: (name: string) => Data, count: number, into: Rows, places: Places): void {
  const source = numbers(column('time_source'), places);
  const gateway = places.texts.numberOf('GATEWAY');
  const originalValue = column('original_value');
  const originalUnit = column('original_unit');
  const messageId = column('message_id');
  const messageIndex = column('message_index');
  const undatedKey = source.texts.indexOf(gateway);
  const rare = undatedKey >= 0 || originalValue.nullCount < count || originalUnit.nullCount < count;
  if (!rare && into.extras === null) return;
  const extras = (into.extras ??= new Array<null>(into.length).fill(null));
  if (!rare) {
    for (let i = 0; i < count; i++) extras.push(null);
    return;
  }
  const units = numbers(originalUnit, places);
  const ids = numbers(messageId, places);
  for (let i = 0; i < count; i++) {
    const undated = source.keys[i] === undatedKey;
    const converted = valid(originalValue, i) || valid(originalUnit, i);
    if (!undated && !converted) {
      extras.push(null);
      continue;
    }
    const extra: Extra = {
      undated,
      messageId: valid(messageId, i) ? places.texts.textOf(ids.texts[ids.keys[i]!]!) : null,
      messageIndex: valid(messageIndex, i) ? (messageIndex.values as Int32Array)[i]! : null,
      originalValue: valid(originalValue, i) ? (originalValue.values as Float64Array)[i]! : null,
      originalUnit: valid(originalUnit, i) ? places.texts.textOf(units.texts[units.keys[i]!]!) : null,
    };
    extras.push(extra);
  }
}

/** A dictionary's texts by their numbers, and each row's index into it. */
function numbers(data: Data, places: Places): { keys: Int32Array; texts: number[] } {
  const dictionary = data.dictionary?.data[0];
  if (dictionary === undefined) throw new UnreadableFile('a column of texts has no dictionary');
  const offsets = dictionary.valueOffsets as Int32Array;
  const bytes = dictionary.values as Uint8Array;
  const texts = Array.from({ length: dictionary.length }, (_, i) =>
    places.texts.intern(bytes, offsets[i]!, offsets[i + 1]!),
  );
  return { keys: data.values as Int32Array, texts };
}

/** Whole numbers of 64 bits; exact up to 2^53, and without making a BigInt of each. */
function instants(data: Data, into: Float64Array, at: number, count: number): void {
  const values = data.values as BigInt64Array;
  const words = new Int32Array(values.buffer, values.byteOffset, count * 2);
  for (let i = 0; i < count; i++) into[at + i] = (words[2 * i]! >>> 0) + words[2 * i + 1]! * 0x1_0000_0000;
}

function valid(data: Data, i: number): boolean {
  if (data.nullCount === 0) return true;
  return (data.nullBitmap![(data.offset + i) >> 3]! & (1 << ((data.offset + i) & 7))) !== 0;
}
