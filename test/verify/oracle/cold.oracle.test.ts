import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { compareWithLog, compareWithStream, type LandedFile } from './cold.oracle';

interface Row {
  sequence: number;
  row: number;
  deviceId: string;
  observedAt: number;
  value: number;
}

const START = 1_790_000_000_000;

const buildRows = (): Row[] =>
  Array.from({ length: 60 }, (_, i) => ({
    sequence: Math.floor(i / 3),
    row: i % 3,
    deviceId: `dev_${i % 5}`,
    observedAt: START + i * 1001,
    value: 20 + i / 7,
  }));

const buildLog = (rows: readonly Row[]): Record<string, unknown>[] =>
  rows.flatMap(({ deviceId, observedAt, value }) =>
    ['sent', 'acknowledged'].map((event) => ({
      event,
      deviceId,
      quantity: 'AIR_TEMPERATURE',
      observedAt: new Date(observedAt).toISOString(),
      value,
      at: new Date(observedAt).toISOString(),
    })),
  );

const FILES: LandedFile[] = [
  { partition: 0, firstSequence: 0, lastSequence: 6 },
  { partition: 0, firstSequence: 7, lastSequence: 7 },
  { partition: 0, firstSequence: 8, lastSequence: 19 },
];
const END = {
  incarnation: 'i-2',
  partitions: [
    { first: 0, last: 19 },
    { first: 0, last: -1 },
  ],
};

describe('the oracle of the cold store', () => {
  let folder: string;
  let connection: DuckDBConnection;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'atrium-cold-'));
    connection = await (await DuckDBInstance.create(':memory:')).connect();
  });
  afterEach(() => {
    connection.closeSync();
    rmSync(folder, { recursive: true });
  });

  const land = async (rows: readonly Row[]): Promise<void> => {
    await connection.run(`
      CREATE TABLE landing ("partition" INTEGER, sequence BIGINT, "row" INTEGER, device_id VARCHAR, quantity VARCHAR,
        observed_at TIMESTAMPTZ, value DOUBLE)`);
    const values = rows.map(
      ({ sequence, row, deviceId, observedAt, value }) =>
        `(0, ${sequence}, ${row}, '${deviceId}', 'AIR_TEMPERATURE', make_timestamptz(${observedAt}000), ${value})`,
    );
    await connection.run(`INSERT INTO landing VALUES ${values.join(', ')}`);
  };
  const logged = (lines: readonly Record<string, unknown>[]): string => {
    const file = join(folder, 'send.log');
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    return file;
  };

  it('agrees where what was acknowledged is stored and what is stored was sent', async () => {
    const rows = buildRows();
    await land(rows);
    // Sent twice and acknowledged once; sent and never acknowledged; both harmless.
    const unanswered = { ...rows[0]!, observedAt: START - 5 };
    const log = [...buildLog(rows), ...buildLog(rows.slice(3, 9)), buildLog([unanswered])[0]!];
    const { differences, ...counts } = await compareWithLog(connection, logged(log));
    expect(differences).toEqual([]);
    expect(counts).toEqual({ sent: 61, acknowledged: 60, stored: 60 });
  });

  it('finds an acknowledged reading that is not stored', async () => {
    const rows = buildRows();
    await land(rows.toSpliced(17, 1));
    const { differences } = await compareWithLog(connection, logged(buildLog(rows)));
    expect(differences).toHaveLength(1);
    expect(differences[0]).toContain('is acknowledged and not stored');
  });

  it('finds a stored reading that was never sent', async () => {
    const rows = buildRows();
    await land([...rows, { ...rows[0]!, observedAt: START - 1 }]);
    const { differences } = await compareWithLog(connection, logged(buildLog(rows)));
    expect(differences).toHaveLength(1);
    expect(differences[0]).toContain('was never sent');
  });

  it('finds a value that changed in its last bit', async () => {
    const rows = buildRows();
    await land(rows.map((row, i) => (i === 5 ? { ...row, value: row.value * (1 + Number.EPSILON) } : row)));
    expect((await compareWithLog(connection, logged(buildLog(rows)))).differences).toHaveLength(2);
  });

  it('agrees with a chain of files from the first event to the last', async () => {
    await land(buildRows());
    expect(await compareWithStream(connection, FILES, END)).toEqual({ differences: [], events: 20 });
  });

  it.each<[string, LandedFile[]]>([
    ['a gap between files', FILES.toSpliced(1, 1)],
    ['a missing first file', FILES.slice(1)],
    ['a missing last file', FILES.slice(0, 2)],
    ['an event in two files', [...FILES, { partition: 0, firstSequence: 7, lastSequence: 8 }]],
    [
      'files that go further than the stream',
      [...FILES, { partition: 0, firstSequence: 20, lastSequence: 20 }],
    ],
    ['a file of an empty partition', [...FILES, { partition: 1, firstSequence: 0, lastSequence: 0 }]],
  ])('finds %s', async (_, files) => {
    await land(buildRows());
    expect((await compareWithStream(connection, files, END)).differences.length).toBeGreaterThan(0);
  });

  it('finds a row that stands twice, and one that is missing inside its event', async () => {
    const rows = buildRows();
    await land([...rows.toSpliced(4, 1), rows[30]!]);
    expect((await compareWithStream(connection, FILES, END)).differences).toHaveLength(2);
  });
});
