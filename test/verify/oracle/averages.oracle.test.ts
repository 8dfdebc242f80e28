import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { createRandom } from '../../../simulator/random';
import {
  atTheEndOfTheStream,
  compareAverages,
  countLeftTheWindow,
  missingPoints,
  prepareCounted,
  type SeenAverage,
} from './averages.oracle';

const START = 1_790_000_040;
const LATENESS = 300_000;

interface Row {
  sequence: number;
  row: number;
  enqueuedAt: number;
  pointId: string;
  deviceId: string;
  observedAt: number;
  value: number;
  messageId: string | null;
  timeSource: 'DEVICE' | 'GATEWAY';
}

/** Ten minutes of three devices' readings with repetitions, contradictions, late and too late ones. */
function buildRows(): Row[] {
  const random = createRandom(7);
  const rows: Row[] = [];
  let sequence = 0;
  for (let second = 0; second < 600; second += 2) {
    for (let device = 0; device < 3; device++) {
      // Now and then exactly on a whole second, where a window begins or ends.
      const observedAt = (START + second) * 1000 + (second % 10 === 0 ? 0 : Math.floor(random.next() * 1000));
      const delay = random.next() < 0.05 ? random.next() * 400_000 : 50 + random.next() * 500;
      const reading = {
        row: device,
        pointId: `pnt_${device}`,
        deviceId: `dev_${device}`,
        observedAt,
        value: 20 + random.normal(),
        messageId: null,
        timeSource: 'DEVICE' as const,
      };
      rows.push({ ...reading, sequence: 0, enqueuedAt: observedAt + delay });
      // Sent again, with another value: the first stands.
      if (random.next() < 0.1) {
        rows.push({ ...reading, sequence: 0, enqueuedAt: observedAt + delay + 700, value: 99 });
      }
    }
  }
  rows.sort((a, b) => a.enqueuedAt - b.enqueuedAt);
  for (const row of rows) row.sequence = sequence++ >> 1;
  for (const row of rows) row.enqueuedAt = Math.floor(row.enqueuedAt);
  rows.forEach((row, i) => (row.row = i & 1));
  return rows;
}

interface Rules {
  /** A window's first instant belongs to it. */
  closedAtTheStart?: boolean;
  openAtTheEnd?: boolean;
  lastValueStands?: boolean;
  countsRepetitions?: boolean;
  countsTooLate?: boolean;
  aheadOfItsPosition?: boolean;
  forgetsFirstReading?: boolean;
}

/** The rolling average by the plainest means there are, with the mistakes that an implementation could make. */
function averageOf(
  rows: readonly Row[],
  windowEnd: number,
  sequence: number,
  rules: Rules = {},
): SeenAverage {
  const kept = new Map<string, Row>();
  let last: number | null = null;
  for (const row of rows) {
    if (row.sequence > sequence + (rules.aheadOfItsPosition ? 3 : 0)) continue;
    if (!rules.countsTooLate && row.enqueuedAt - row.observedAt > LATENESS) continue;
    if (row.observedAt <= windowEnd * 1000 && row.observedAt > (last ?? 0)) last = row.observedAt;
    const since = windowEnd * 1000 - 300_000;
    const inside =
      (rules.closedAtTheStart ? row.observedAt >= since : row.observedAt > since) &&
      (rules.openAtTheEnd ? row.observedAt < windowEnd * 1000 : row.observedAt <= windowEnd * 1000);
    if (!inside) continue;
    const key = rules.countsRepetitions ? `${row.sequence} ${row.row}` : `${row.pointId} ${row.observedAt}`;
    if (rules.lastValueStands || !kept.has(key)) kept.set(key, row);
  }
  const all = [...kept.values()].slice(rules.forgetsFirstReading ? 1 : 0);
  const values = all.map(({ value }) => value);
  return {
    source: 'live',
    buildingId: 'bld_a',
    quantity: 'AIR_TEMPERATURE',
    windowEnd,
    incarnation: 'i-8',
    partition: 3,
    sequence,
    readings: all.length,
    mean: all.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / all.length,
    minimum: all.length === 0 ? null : Math.min(...values),
    maximum: all.length === 0 ? null : Math.max(...values),
    devicesReporting: new Set(all.map(({ deviceId }) => deviceId)).size,
    lastReadingAt: last,
  };
}

/** What a subscriber would have seen: a value a second, at the position the stream had come to. */
function buildSeen(rows: readonly Row[], rules: Rules = {}): SeenAverage[] {
  const seen: SeenAverage[] = [];
  for (let windowEnd = START - 5; windowEnd < START + 960; windowEnd++) {
    const sequence = rows.findLast((row) => row.enqueuedAt <= windowEnd * 1000 + 400)?.sequence ?? -1;
    seen.push(averageOf(rows, windowEnd, sequence, rules));
  }
  return seen;
}

async function withLanding(rows: readonly Row[]): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const values = rows.map(
    (row) =>
      `('i-8', 3, ${row.sequence}, ${row.row}, make_timestamptz(${row.enqueuedAt}000), 'bld_a', 'spc_a', '${row.pointId}', ` +
      `'${row.deviceId}', 'AIR_TEMPERATURE', make_timestamptz(${row.observedAt}000), ${row.value}, '${row.timeSource}', ` +
      `${row.messageId === null ? 'NULL' : `'${row.messageId}'`}, 0)`,
  );
  await connection.run(`
    CREATE TABLE landing (incarnation VARCHAR, "partition" INTEGER, sequence BIGINT, "row" INTEGER,
      enqueued_at TIMESTAMPTZ, building_id VARCHAR, space_id VARCHAR, point_id VARCHAR, device_id VARCHAR, quantity VARCHAR,
      observed_at TIMESTAMPTZ, value DOUBLE, time_source VARCHAR, message_id VARCHAR, message_index INTEGER)`);
  await connection.run(`INSERT INTO landing VALUES ${values.join(', ')}`);
  await prepareCounted(connection, { allowedLatenessMs: LATENESS, buildingIds: ['bld_a'] });
  return connection;
}

describe('the oracle of the rolling average', () => {
  const rows = buildRows();
  let connection: DuckDBConnection;
  beforeAll(async () => {
    connection = await withLanding(rows);
  });
  afterAll(() => connection.closeSync());

  it('agrees with values that follow the rules', async () => {
    expect(await compareAverages(connection, buildSeen(rows))).toEqual([]);
  });

  it.each<[string, Rules]>([
    ['takes a reading at the very start of the window', { closedAtTheStart: true }],
    ['leaves out a reading at the very end of the window', { openAtTheEnd: true }],
    ['lets the last of two values for one instant stand', { lastValueStands: true }],
    ['counts a reading again when it is sent again', { countsRepetitions: true }],
    ['counts readings that come too late', { countsTooLate: true }],
    ['counts further than its position says', { aheadOfItsPosition: true }],
    ['forgets a reading', { forgetsFirstReading: true }],
  ])('finds an average that %s', async (_, rules) => {
    expect((await compareAverages(connection, buildSeen(rows, rules))).length).toBeGreaterThan(0);
  });

  it.each<[string, (value: SeenAverage) => SeenAverage]>([
    ['mean', (value) => ({ ...value, mean: value.mean! + 3e-9 })],
    ['minimum', (value) => ({ ...value, minimum: value.minimum! + 0.001 })],
    ['maximum', (value) => ({ ...value, maximum: value.maximum! - 0.001 })],
    ['number of readings', (value) => ({ ...value, readings: value.readings + 1 })],
    ['number of devices', (value) => ({ ...value, devicesReporting: value.devicesReporting - 1 })],
    ['last reading', (value) => ({ ...value, lastReadingAt: value.lastReadingAt! - 1 })],
    ['incarnation', (value) => ({ ...value, incarnation: 'i-9' })],
    ['partition', (value) => ({ ...value, partition: 4 })],
  ])('finds a single wrong %s among a thousand values', async (_, spoil) => {
    const seen = buildSeen(rows);
    seen[500] = spoil(seen[500]!);
    expect(await compareAverages(connection, seen)).toHaveLength(1);
  });

  it('finds a minute whose point is missing, and none where all are there', async () => {
    const minutes = Array.from({ length: 20 }, (_, i) => START / 60 + i);
    const history = minutes.map((minute) =>
      averageOf(rows, Math.floor(minute) * 60, Number.MAX_SAFE_INTEGER),
    );
    const until = Math.floor(START / 60) + 18;
    expect(await missingPoints(connection, history, until)).toEqual([]);
    const [missing, ...others] = await missingPoints(connection, history.toSpliced(4, 1), until);
    expect(missing).toContain(new Date(history[4]!.windowEnd * 1000).toISOString());
    expect(others).toEqual([]);
  });

  it('finds a stored point that was never corrected by a late reading', async () => {
    const minute = Math.floor((START + 300) / 60) * 60;
    const early = rows.findLast((row) => row.enqueuedAt <= minute * 1000)!.sequence;
    const stale = { ...averageOf(rows, minute, early), source: 'history' as const };
    expect(await compareAverages(connection, [stale])).toEqual([]);
    expect(await compareAverages(connection, atTheEndOfTheStream([stale]))).toHaveLength(1);
  });

  it('counts the readings that had left the window', async () => {
    const last = START + 700;
    const inTime = new Set(
      rows
        .filter((row) => row.enqueuedAt - row.observedAt <= LATENESS)
        .filter((row) => row.observedAt <= (last - 300) * 1000)
        .map((row) => `${row.pointId} ${row.observedAt}`),
    );
    expect(await countLeftTheWindow(connection, [averageOf(rows, last, Number.MAX_SAFE_INTEGER)])).toBe(
      inTime.size,
    );
  });
});
