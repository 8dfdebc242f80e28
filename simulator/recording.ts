import { OperatorError } from '../src/observability/operator-error';
import { fieldsOf, linesOf } from './csv';

/** One row of a recording: what one room's sensor reported at one instant. */
export interface RecordedRow {
  room: string;
  /** Milliseconds since 1970. */
  recordedAt: number;
  /** By index into `Recording.channels`; null where the row has no number. */
  values: (number | null)[];
}

export interface Recording {
  channels: string[];
  /** In the order of their instants, then rooms. */
  rows: RecordedRow[];
  /** Every room of the file, also those with no row in the span. */
  rooms: string[];
  /** The first instant of the whole file. */
  firstAt: number;
  /** Rows left out because they have no room or no instant. */
  malformed: number;
}

/** What a column of the file stands for, where its own name does not say: column -> `room`, `timestamp` or a channel. */
export type ColumnMap = Readonly<Record<string, string>>;

/** The recording of Hong, Gu and Whitehouse calls its motion sensor by its kind, passive infrared. */
export const DEFAULT_COLUMNS: ColumnMap = { pir: 'motion' };

/** Parses `--map col=channel,...`. */
export function columnMap(text: string | undefined): ColumnMap {
  const map: Record<string, string> = { ...DEFAULT_COLUMNS };
  for (const pair of (text ?? '').split(',').filter((each) => each.trim() !== '')) {
    const [column, target, ...rest] = pair.split('=').map((each) => each.trim());
    if (!column || !target || rest.length > 0) {
      throw new OperatorError(`--map ${pair} is not COLUMN=CHANNEL: write, for example, --map pir=motion`);
    }
    map[column] = target;
  }
  return map;
}

interface Columns {
  room: number;
  timestamp: number;
  channels: { name: string; index: number }[];
}

function columnsOf(file: string, header: string, map: ColumnMap, known: readonly string[]): Columns {
  const names = fieldsOf(header).map((name) => map[name.trim()] ?? name.trim());
  const room = names.indexOf('room');
  const timestamp = names.indexOf('timestamp');
  const channels = names.flatMap((name, index) => (known.includes(name) ? [{ name, index }] : []));
  const missing = [
    ...(room < 0 ? ['room'] : []),
    ...(timestamp < 0 ? ['timestamp'] : []),
    ...(channels.length === 0 ? [`any of ${known.join(', ')}`] : []),
  ];
  if (missing.length > 0) {
    throw new OperatorError(
      `${file} has no column for ${missing.join(' and ')}: say which it is by --map COLUMN=${missing[0]}`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index && known.includes(name));
  if (twice !== undefined) throw new OperatorError(`two columns of ${file} stand for ${twice}`);
  return { room, timestamp, channels };
}

/**
 * Reads the first `span` milliseconds of recorded time. The file may be in any order: one pass finds its first instant,
 * another keeps the rows of the span, so that memory follows the span and not the file.
 */
export async function readRecording(options: {
  file: string;
  map: ColumnMap;
  /** The channels that the device model has. */
  channels: readonly string[];
  span: number;
}): Promise<Recording> {
  const { file } = options;
  let columns: Columns | undefined;
  let firstAt = Infinity;
  for await (const line of linesOf(file)) {
    if (columns === undefined) {
      columns = columnsOf(file, line, options.map, options.channels);
      continue;
    }
    const at = Date.parse(fieldsOf(line)[columns.timestamp]?.trim() ?? '');
    if (at < firstAt) firstAt = at;
  }
  if (columns === undefined)
    throw new OperatorError(`${file} is empty: a recording starts with its columns' names`);
  if (firstAt === Infinity)
    throw new OperatorError(`${file} has no row with an instant in its timestamp column`);

  const rows: RecordedRow[] = [];
  const rooms = new Set<string>();
  let malformed = 0;
  let header = true;
  for await (const line of linesOf(file)) {
    if (header) {
      header = false;
      continue;
    }
    if (line.trim() === '') continue;
    const fields = fieldsOf(line);
    const room = fields[columns.room]?.trim();
    const recordedAt = Date.parse(fields[columns.timestamp]?.trim() ?? '');
    if (!room || Number.isNaN(recordedAt)) {
      malformed++;
      continue;
    }
    rooms.add(room);
    if (recordedAt - firstAt >= options.span) continue;
    rows.push({ room, recordedAt, values: columns.channels.map(({ index }) => numberOf(fields[index])) });
  }
  rows.sort((a, b) => a.recordedAt - b.recordedAt || (a.room < b.room ? -1 : a.room > b.room ? 1 : 0));
  return {
    channels: columns.channels.map(({ name }) => name),
    rows,
    rooms: [...rooms].sort(),
    firstAt,
    malformed,
  };
}

function numberOf(field: string | undefined): number | null {
  if (field === undefined || field.trim() === '') return null;
  const value = Number(field);
  return Number.isFinite(value) ? value : null;
}
