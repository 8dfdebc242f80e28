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

/** Quoted where it is a word of Hive's. */
export function named(column: string): string {
  return column === 'row' ? '`row`' : column;
}

/** The columns of a table, a line each. */
export function declared(columns: readonly Column[], { instant }: Dialect): string {
  return columns
    .map((each) => `  ${named(each)} ${TYPES[each] === 'instant' ? instant : TYPES[each]}`)
    .join(',\n');
}

/**
 * The columns of readings, of a table by its alias, instants as timestamps.
 * @param renamed what a column is named in the table.
 */
export function shown(
  from: string,
  { timestamp }: Dialect,
  renamed: Partial<Record<Column, string>> = {},
): string {
  return listed(
    CURATED.map((each) => {
      const source = `${from}.${named(renamed[each] ?? each)}`;
      const value = TYPES[each] === 'instant' ? timestamp(source) : source;
      return value === `${from}.${named(each)}` ? value : `${value} AS ${each}`;
    }),
  );
}

/** On lines that can be read; those behind the first are indented so far. */
export function listed(expressions: readonly string[], indent = 2): string {
  const lines: string[] = [];
  for (const each of expressions) {
    const longer = `${lines.at(-1)}, ${each}`;
    if (lines.length > 0 && longer.length <= 110) lines[lines.length - 1] = longer;
    else lines.push(each);
  }
  return lines.join(`,\n${' '.repeat(indent)}`);
}
