import { DuckDBInstance } from '@duckdb/node-api';

/** Asks Parquet files which ids stand in them. */
export interface ParquetIds {
  /** Every distinct text in a column of ids, and how many rows there are. */
  in(path: string): Promise<{ ids: string[]; rows: number }>;
  close(): void;
}

/** Ids of messages are their senders' own, and as many as there are messages. */
const COLUMNS = `SELECT name FROM parquet_schema($path)
  WHERE type = 'BYTE_ARRAY' AND name LIKE '%\\_id' ESCAPE '\\' AND name <> 'message_id'`;

/** By SQL, in bounded memory, over a copy on the local disk. */
export async function openParquetIds(folder: string): Promise<ParquetIds> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '256MB',
    threads: '1',
    temp_directory: folder,
  });
  const connection = await instance.connect();
  return {
    async in(path) {
      const columns = await connection.runAndReadAll(COLUMNS, { path });
      const names = columns.getRows().map(([name]) => `"${String(name).replaceAll('"', '""')}"`);
      const counted = await connection.runAndReadAll('SELECT count(*) FROM read_parquet($path)', { path });
      const rows = Number(counted.getRows()[0]![0]);
      if (names.length === 0) return { ids: [], rows };
      const each = names.map((name) => `SELECT DISTINCT ${name} AS id FROM read_parquet($path)`);
      const found = await connection.runAndReadAll(`SELECT DISTINCT id FROM (${each.join(' UNION ALL ')})`, {
        path,
      });
      return { ids: found.getRows().flatMap(([id]) => (typeof id === 'string' ? [id] : [])), rows };
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
