import { CURATED_COLUMNS } from '../../domain/curated';
import { type Dialect } from './dialect';

type Column = (typeof CURATED_COLUMNS)[number];

/** `instant` is what the dialect declares. */
const TYPES: Record<Column, 'STRING' | 'DOUBLE' | 'INT' | 'BIGINT' | 'instant'> = {
  tenant_id: 'STRING',
  building_id: 'STRING',
  quantity: 'STRING',
  point_id: 'STRING',
  observed_at: 'instant',
  value: 'DOUBLE',
  space_id: 'STRING',
  device_id: 'STRING',
  received_at: 'instant',
  enqueued_at: 'instant',
  time_source: 'STRING',
  original_value: 'DOUBLE',
  original_unit: 'STRING',
  message_id: 'STRING',
  message_index: 'INT',
  incarnation: 'STRING',
  stream_partition: 'INT',
  sequence: 'BIGINT',
  row: 'INT',
};

/** What stands in the landing's path and not in its files. */
const IN_LANDING_PATH: readonly Column[] = ['incarnation', 'stream_partition'];

export const CURATED: readonly Column[] = CURATED_COLUMNS;
export const LANDING: readonly Column[] = CURATED_COLUMNS.filter((each) => !IN_LANDING_PATH.includes(each));

/** Quoted: `row` is a word of Hive's. */
export function quoted(column: string): string {
  return `\`${column}\``;
}

/** The columns of a table, a line each. */
export function declared(columns: readonly Column[], { instant }: Dialect): string {
  return columns
    .map((each) => `  ${quoted(each)} ${TYPES[each] === 'instant' ? instant : TYPES[each]}`)
    .join(',\n');
}

/** A column as the view of readings shows it; what names it otherwise is left to `renamed`. */
export function shown(
  column: Column,
  {
    dialect,
    from,
    renamed = {},
  }: { dialect: Dialect; from: string; renamed?: Partial<Record<Column, string>> },
): string {
  const source = `${from}.${quoted(renamed[column] ?? column)}`;
  const value = TYPES[column] === 'instant' ? dialect.timestamp(source) : source;
  return `${value} AS ${quoted(column)}`;
}
