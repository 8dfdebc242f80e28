/**
 * Where the cold store's landing files are: the one formula that writers and readers share. Names are inside the cold
 * store's container; the folders are Hive's partitions.
 */
export interface LandingFile {
  incarnation: string;
  partition: number;
  /** Sequence of the file's first event. */
  firstSequence: number;
  /** When that event was enqueued, milliseconds since 1970: it gives the file its date and hour (UTC). */
  enqueuedAt: number;
}

/** The hour of UTC that an instant falls in, counted from 1970. A file holds events of one such hour. */
export function hourOf(instant: number): number {
  return Math.floor(instant / 3_600_000);
}

/**
 * The name depends on the first event alone, so that two workers who are to write the event next choose the same name,
 * and creating the file decides between them.
 */
export function landingPath(file: LandingFile): string {
  return `${landingFolder(file)}${hourFolder(file)}s${digits(file.firstSequence)}.parquet`;
}

/**
 * The dead letters of a landing file. The name holds the last sequence too: whoever writes a name writes the same rows,
 * so that writing twice is harmless; and only the one that matches the landing file's own last sequence counts.
 */
export function deadLetterPath(file: LandingFile, lastSequence: number): string {
  return `${deadLetterPrefix(file)}-${digits(lastSequence)}.parquet`;
}

/** What the names of all dead letters begin with that were written for the landing file of that first event. */
export function deadLetterPrefix(file: LandingFile): string {
  return `dead-letters/${landingFolder(file)}${hourFolder(file)}s${digits(file.firstSequence)}`;
}

/** The folder of one partition of one life of the stream. */
export function landingFolder({
  incarnation,
  partition,
}: Pick<LandingFile, 'incarnation' | 'partition'>): string {
  return `landing/${incarnation}/p=${String(partition).padStart(2, '0')}/`;
}

/** @returns undefined for a name that is not a landing file's. */
export function parseLandingPath(
  path: string,
): { incarnation: string; partition: number; hour: string; firstSequence: number } | undefined {
  const match = /^landing\/([^/]+)\/p=(\d+)\/dt=([\d-]{10})\/hr=(\d\d)\/s(\d{20})\.parquet$/.exec(path);
  if (match === null) return undefined;
  const [, incarnation, partition, date, hour, sequence] = match;
  return {
    incarnation: incarnation!,
    partition: Number(partition),
    hour: `${date}T${hour}`,
    firstSequence: Number(sequence),
  };
}

function hourFolder({ enqueuedAt }: LandingFile): string {
  const time = new Date(enqueuedAt).toISOString();
  return `dt=${time.slice(0, 10)}/hr=${time.slice(11, 13)}/`;
}

function digits(sequence: number): string {
  return String(sequence).padStart(20, '0');
}
