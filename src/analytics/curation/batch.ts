import { type LandedPosition, partitionKey } from '../../domain/curated';
import { type LandingFiles, type StoredLandingFile } from '../../store/landing-files';
import { decodeRows, UnreadableFile } from './decode';
import { type LandedBatch, sortLanded } from './landed';
import { createPlaces, type Places } from './places';
import { createRows, EXTRA_BYTES, ROW_BYTES, type Rows } from './rows';

/** What has landed and is not curated for all tenants: some files of each partition, as they follow each other. */
export interface Backlog {
  /** In the order in which they are taken: by hour, so that all partitions keep step. */
  files: StoredLandingFile[];
  rows: number;
}

/** Files of one or more partitions in memory, each partition's without a gap behind the position before. */
export interface LoadedBatch extends LandedBatch {
  places: Places;
  files: number;
  /** Where each partition that has a file here is read to, and how many rows its files say they hold. */
  ends: LandedPosition[];
}

/** @param from where all tenants are curated to. */
export async function findBacklog(
  landing: LandingFiles,
  from: readonly LandedPosition[],
  signal: AbortSignal,
): Promise<Backlog> {
  const positions = new Map(from.map((each) => [partitionKey(each), each.sequence]));
  const files: StoredLandingFile[] = [];
  for (const place of await landing.partitions()) {
    signal.throwIfAborted();
    files.push(...(await landing.following(place, positions.get(partitionKey(place)) ?? -1)));
  }
  // Stable: within a partition the chain's order stays, and an earlier life of the stream goes before a later.
  files.sort((a, b) => a.hour - b.hour);
  return { files, rows: files.reduce((sum, { rows }) => sum + rows, 0) };
}

const READ_AHEAD = 4;

/**
 * Reads files from the front of a backlog, as many as fit in the memory, and takes them out of it.
 *
 * @throws UnreadableFile, naming it: a file that cannot be read stops its curation, for it would be lost otherwise.
 */
export async function loadBatch(options: {
  landing: LandingFiles;
  backlog: Backlog;
  /** Of memory, for the rows. */
  bytes: number;
  signal: AbortSignal;
}): Promise<LoadedBatch> {
  const { landing, backlog, signal } = options;
  const places = createPlaces();
  const rows: Rows = createRows();
  const ends = new Map<string, LandedPosition>();
  const reading = new Map<StoredLandingFile, Promise<Buffer>>();
  let files = 0;
  const held = (): number => rows.length * ROW_BYTES + (rows.extras === null ? 0 : rows.length * EXTRA_BYTES);
  for (;;) {
    const file = backlog.files[files];
    if (file === undefined || (files > 0 && held() + file.rows * ROW_BYTES > options.bytes)) break;
    signal.throwIfAborted();
    for (const next of backlog.files.slice(files, files + READ_AHEAD)) {
      if (reading.has(next)) continue;
      const content = landing.read(next);
      // Awaited in its turn, perhaps never.
      content.catch(() => undefined);
      reading.set(next, content);
    }
    const content = await reading.get(file)!;
    reading.delete(file);
    const before = rows.length;
    try {
      decodeRows(content, { into: rows, places, landing: file });
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      throw new UnreadableFile(`${file.path}: ${error.message}`, { cause: error });
    }
    if (rows.length - before !== file.rows) {
      throw new UnreadableFile(`${file.path} says ${file.rows} rows and holds ${rows.length - before}`);
    }
    const { incarnation, partition, lastSequence: sequence } = file;
    const landed = (ends.get(partitionKey(file))?.landed ?? 0) + file.rows;
    ends.set(partitionKey(file), { incarnation, partition, sequence, landed });
    files++;
  }
  backlog.files.splice(0, files);
  backlog.rows -= rows.length;
  return { ...sortLanded(rows, places), places, files, ends: [...ends.values()] };
}
