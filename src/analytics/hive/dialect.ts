/** Whom the scripts are written for. */
export const ENGINES = ['spark', 'hive4', 'hive3'] as const;
export type EngineName = (typeof ENGINES)[number];

/** How an engine reads the files' instants: INT64 milliseconds with UTC. */
export interface Dialect {
  /** In the first line of the scripts. */
  title: string;
  /** The type to declare the column with. */
  instant: string;
  /** Of a column so declared: the instant as a timestamp. */
  timestamp(column: string): string;
  /** Of a column so declared: milliseconds since 1970. */
  milliseconds(column: string): string;
}

export const DIALECTS: Record<EngineName, Dialect> = {
  spark: {
    title: 'Spark 3.5 and later',
    instant: 'TIMESTAMP',
    timestamp: (column) => column,
    milliseconds: (column) => `unix_millis(${column})`,
  },
  hive4: {
    title: 'Hive 4, its Java in UTC (-Duser.timezone=UTC)',
    instant: 'TIMESTAMP',
    timestamp: (column) => column,
    milliseconds: (column) =>
      `(CAST(unix_timestamp(${column}) AS BIGINT) * 1000 + CAST(date_format(${column}, 'SSS') AS BIGINT))`,
  },
  // It reads no timestamps but those of 96 bits; the whole number in the column it does read.
  hive3: {
    title: 'Hive 3',
    instant: 'BIGINT',
    timestamp: (column) => `from_utc_timestamp(${column}, 'UTC')`,
    milliseconds: (column) => column,
  },
};
