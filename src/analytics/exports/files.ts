import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listValue } from '@duckdb/node-api';
import { type ExportFormat } from '../../domain/export';
import { QUANTITIES } from '../../domain/quantity';
import { type Engine, type Values } from '../engine';
import { type ReadingsFilter, type ReadingsSource } from '../readings-source';

/** A file of readings on the local disk. */
export interface ReadingsFile {
  path: string;
  rows: number;
  bytes: number;
}

/** Readings as files: sorted by instant and point, as `readings` tells them, in columns of the same names. */
export interface ReadingsFiles {
  /** Makes the folder, and removes what an earlier life left there. */
  start(): Promise<void>;
  /**
   * Writes the readings of a filter and lets `use` have the file, which is removed behind it. Holds no more of them in
   * memory than the engine may. Throws Busy and TooCostly of the engine, TooManyBytes of the cache, the signal's reason,
   * and what Blob or the disk answer.
   * @returns the number of readings in place of a file, where there are none or more than `maximumRows`.
   */
  write<T>(
    filter: Omit<ReadingsFilter, 'deviceId' | 'pointId'>,
    asked: { format: ExportFormat; deviceIds: readonly string[] | null; maximumRows: number },
    signal: AbortSignal,
    use: (file: ReadingsFile) => Promise<T>,
  ): Promise<{ rows: number } | { used: T }>;
}

const FOLDER = 'exports';

export function createReadingsFiles({
  engine,
  source,
  folder,
}: {
  engine: Pick<Engine, 'ask'>;
  source: ReadingsSource;
  /** The engine's. */
  folder: string;
}): ReadingsFiles {
  const own = join(folder, FOLDER);
  return {
    async start() {
      await rm(own, { recursive: true, force: true });
      await mkdir(own, { recursive: true });
    },
    async write(filter, { format, deviceIds, maximumRows }, signal, use) {
      const path = join(own, randomUUID());
      try {
        const rows = await engine.ask(filter.tenantId, signal, (session) =>
          source.with(session, { ...filter, deviceId: null, pointId: null }, async (relation) => {
            const values: Values = { ...relation.values };
            if (deviceIds !== null) values.devices = listValue([...deviceIds]);
            const wanted = `(${relation.sql}) AS r ${deviceIds === null ? '' : 'WHERE list_contains($devices, device_id)'}`;
            const [count] = await session.rows<{ rows: bigint }>(
              `SELECT count(*) AS "rows" FROM ${wanted}`,
              values,
            );
            const found = Number(count!.rows);
            if (found === 0 || found > maximumRows) return found;
            // The path is ours: a folder of this process and a random name.
            await session.run(
              `COPY (SELECT ${COLUMNS[format]} FROM ${wanted}
                ORDER BY r.observed_at, r.point_id, r.message_id, r.message_index, r.sequence, r."row")
              TO '${path.replaceAll("'", "''")}' (${FORMATS[format]})`,
              values,
            );
            return found;
          }),
        );
        if (rows === 0 || rows > maximumRows) return { rows };
        const { size: bytes } = await stat(path);
        return { used: await use({ path, rows, bytes }) };
      } finally {
        await rm(path, { force: true });
      }
    },
  };
}

/**
 * What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), full-width forms among it. A text that
 * begins so is given an apostrophe before it; numbers and instants are not texts and stay as they are.
 */
const FORMULA = `['=', '+', '-', '@', '＝', '＋', '－', '＠', chr(9), chr(10), chr(13)]`;

type Text = 'building_id' | 'space_id' | 'point_id' | 'device_id' | 'quantity' | 'unit' | 'time_source';

const UNIT = `CASE quantity ${QUANTITIES.map(({ name, unit }) => `WHEN '${name}' THEN '${unit}'`).join(' ')} ELSE '' END`;
const text = (name: Text): string => (name === 'unit' ? UNIT : name);

const plain = (name: Text): string => `${text(name)} AS ${name}`;
const guarded = (name: Text): string =>
  `CASE WHEN list_contains(${FORMULA}, left(${text(name)}, 1)) THEN '''' || ${text(name)} ELSE ${text(name)} END AS ${name}`;
/** ISO 8601 in UTC, to the millisecond that readings are told by. */
const iso = (name: string): string =>
  `strftime(make_timestamp(epoch_us(${name})), '%Y-%m-%dT%H:%M:%S.%gZ') AS ${name}`;

const columns = (of: (name: Text) => string, at: (name: string) => string): string =>
  [
    ...(['building_id', 'space_id', 'point_id', 'device_id', 'quantity', 'unit'] as const).map(of),
    at('observed_at'),
    at('received_at'),
    'value',
    of('time_source'),
  ].join(', ');

const COLUMNS: Record<ExportFormat, string> = {
  CSV: columns(guarded, iso),
  PARQUET: columns(plain, (name) => name),
};

/** RFC 4180: a header, CRLF, quotes where they are needed and doubled within. Parquet as the cold store has it. */
const FORMATS: Record<ExportFormat, string> = {
  CSV: `FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NEW_LINE '\\r\\n'`,
  PARQUET: 'FORMAT parquet, COMPRESSION zstd',
};
