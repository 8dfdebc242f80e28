import { type QuantityName } from './quantity';

/** Files of readings that are made in the background, to be downloaded: what is asked for, and in which parts. */
export const EXPORT_FORMATS = ['CSV', 'PARQUET'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_FILES: Record<ExportFormat, { extension: string; contentType: string }> = {
  CSV: { extension: 'csv', contentType: 'text/csv; charset=utf-8; header=present' },
  PARQUET: { extension: 'parquet', contentType: 'application/vnd.apache.parquet' },
};

/** What an export holds. Quantities are always named: an export is no wider than what its maker could see. */
export interface ExportedReadings {
  format: ExportFormat;
  quantities: QuantityName[];
  /** With all that lie in them; null: anywhere. */
  spaceIds: string[] | null;
  /** Null: of any device. */
  deviceIds: string[] | null;
  /** Milliseconds since 1970, [from, to) of the instant of observation. */
  from: number;
  to: number;
}

/** One file of an export. */
export interface ExportPart {
  name: string;
  bytes: number;
  rows: number;
}

/** A stretch of an export's time that becomes one part: milliseconds since 1970, [from, to). */
export interface ExportSlice {
  from: number;
  to: number;
}

const DAY_MS = 86_400_000;

export const MAXIMUM_EXPORT_DAYS = 366;
/** Named in one export. */
export const MAXIMUM_EXPORT_SPACES = 50;
export const MAXIMUM_EXPORT_DEVICES = 50;
/** Each is a chunk of the export's job. */
const MAXIMUM_SLICES = 100;
/** About 1.5 GB as CSV. */
export const MAXIMUM_PART_ROWS = 10_000_000;
export const MAXIMUM_EXPORT_BYTES = 10_000_000_000;

/**
 * The slices of a range, oldest first, with neither gap nor overlap: UTC days, or as many days together as it takes for
 * there to be no more than a hundred.
 */
export function slicesOf({ from, to }: ExportSlice): ExportSlice[] {
  const firstDay = Math.floor(from / DAY_MS);
  const days = Math.ceil(to / DAY_MS) - firstDay;
  const each = Math.ceil(days / MAXIMUM_SLICES);
  const slices: ExportSlice[] = [];
  for (let day = firstDay; day * DAY_MS < to; day += each) {
    slices.push({ from: Math.max(from, day * DAY_MS), to: Math.min(to, (day + each) * DAY_MS) });
  }
  return slices;
}

/** By its place among the slices and the day on which it begins, e.g. `003-2026-08-03.csv`. */
export function partName(index: number, { from }: Pick<ExportSlice, 'from'>, format: ExportFormat): string {
  const place = String(index + 1).padStart(3, '0');
  return `${place}-${new Date(from).toISOString().slice(0, 10)}.${EXPORT_FILES[format].extension}`;
}

/** The place among the slices of the part that is named so; undefined where none can be. */
export function indexOfPart(name: string): number | undefined {
  const place = /^(\d{3})-\d{4}-\d{2}-\d{2}\.[a-z]{3,7}$/.exec(name)?.[1];
  return place === undefined || Number(place) < 1 ? undefined : Number(place) - 1;
}

const JOB = 'job_';
const EXPORT = 'exp_';

/** An export is its job, seen as what it makes: the ids follow from each other. */
export const exportIdOf = (jobId: string): string => `${EXPORT}${jobId.slice(JOB.length)}`;
export const jobIdOfExport = (exportId: string): string | undefined =>
  exportId.startsWith(EXPORT) ? `${JOB}${exportId.slice(EXPORT.length)}` : undefined;
