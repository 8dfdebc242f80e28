import { type CountedLife } from '../../store/ingestion/documents';
import { type LandingFiles, type StoredLandingFile } from '../../store/landing-files';
import { countDeadLetters, countReadings, type LandedByHour, type LandedCounts } from './landed-counts';
import { type CountedFile } from './page';

/** Files of one partition's life that were not counted before, and how far it is counted with them. */
export interface CountedLanding {
  /** By hour of receipt (UTC, counted from 1970), in the order of the files. */
  hours: Map<number, CountedFile[]>;
  life: CountedLife;
  files: number;
  /** More follows: there were more than are counted at once. */
  more: boolean;
}

export const NOTHING_COUNTED: CountedLife = { sequence: -1, hour: 0, enqueuedThrough: 0, holes: [] };

/** Of files, counted before anything of them is stored. */
const FILES_AT_ONCE = 200;
const READ_AHEAD = 4;
const MOST_HOLES = 100;
/** The hub's clock may be ahead of ours. */
const AHEAD_HOURS = 1;

/**
 * Counts what has landed since. A file that is not there although later ones are leaves a hole: the chain has none, so a
 * listing went past it, it was removed by hand, or its events left the stream before they were landed. Whatever stands
 * there later is counted then.
 */
export async function countLanding(options: {
  landing: LandingFiles;
  place: { incarnation: string; partition: number };
  before: CountedLife;
  /** The hour of now. */
  hour: number;
  signal: AbortSignal;
}): Promise<CountedLanding> {
  const { landing, place, before, signal } = options;
  const from = Math.min(before.hour, ...before.holes.map(({ hour }) => hour));
  const list = async (): Promise<StoredLandingFile[]> =>
    (await landing.ofHours(place, from, options.hour + AHEAD_HOURS)).filter(
      ({ firstSequence: first }) =>
        first > before.sequence || before.holes.some((hole) => first >= hole.from && first <= hole.to),
    );
  let fresh = await list();
  if (leavesHole(before, fresh)) {
    // A listing takes its time: a file may have come into being behind the place where it had got to, and its successor
    // before it. Each file existed before the next, so a second listing shows it.
    const last = fresh.at(-1)!.firstSequence;
    fresh = (await list()).filter(({ firstSequence }) => firstSequence <= last);
  }
  const files = fresh.slice(0, FILES_AT_ONCE);
  const hours: CountedLanding['hours'] = new Map();
  let life = before;
  const contents = new Map<StoredLandingFile, Promise<[Buffer, Buffer | null]>>();
  for (const [i, file] of files.entries()) {
    signal.throwIfAborted();
    for (const next of files.slice(i, i + READ_AHEAD)) {
      if (contents.has(next)) continue;
      const content = Promise.all([landing.read(next), landing.readDeadLetters(next)]);
      // Awaited in its turn, perhaps never.
      content.catch(() => undefined);
      contents.set(next, content);
    }
    const [readings, letters] = await contents.get(file)!;
    contents.delete(file);
    const counts: LandedByHour = new Map();
    const through = Math.max(
      countReadings(readings, counts).enqueuedThrough,
      letters === null ? 0 : countDeadLetters(letters, counts).enqueuedThrough,
    );
    for (const [hour, tenants] of counts) note(hours, hour, file, tenants);
    life = withFile(life, file, through);
  }
  return { hours, life, files: files.length, more: fresh.length > files.length };
}

function leavesHole({ sequence }: CountedLife, files: readonly StoredLandingFile[]): boolean {
  let next = sequence + 1;
  return files.some(({ firstSequence, lastSequence }, i) => {
    const hole = firstSequence > next && (i > 0 || sequence >= 0);
    next = Math.max(next, lastSequence + 1);
    return hole;
  });
}

function note(
  hours: CountedLanding['hours'],
  hour: number,
  { incarnation, firstSequence, lastSequence }: StoredLandingFile,
  counts: ReadonlyMap<string, LandedCounts>,
): void {
  const files = hours.get(hour) ?? [];
  hours.set(hour, [...files, { incarnation, firstSequence, lastSequence, counts }]);
}

/** How far it is counted with that file. Files come in the order of their events. */
export function withFile(
  before: CountedLife,
  file: Pick<StoredLandingFile, 'firstSequence' | 'lastSequence' | 'hour'>,
  enqueuedThrough: number,
): CountedLife {
  const { firstSequence: first, lastSequence: last } = file;
  const hour = Math.floor(file.hour / 3_600_000);
  const holes = before.holes.flatMap((hole) => {
    if (first > hole.to || last < hole.from) return [hole];
    return [
      { ...hole, to: first - 1 },
      { ...hole, from: last + 1 },
    ].filter((rest) => rest.from <= rest.to);
  });
  if (before.sequence >= 0 && first > before.sequence + 1) {
    holes.push({ from: before.sequence + 1, to: first - 1, hour: before.hour });
  }
  return {
    sequence: Math.max(before.sequence, last),
    hour: Math.max(before.hour, hour),
    enqueuedThrough: Math.max(before.enqueuedThrough, enqueuedThrough),
    holes: holes.slice(-MOST_HOLES),
  };
}
