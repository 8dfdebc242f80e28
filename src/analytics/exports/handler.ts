import {
  EXPORT_FILES,
  type ExportPart,
  type ExportSlice,
  MAXIMUM_EXPORT_BYTES,
  MAXIMUM_PART_ROWS,
  partName,
} from '../../domain/export';
import { type Cosmos } from '../../store/cosmos';
import { tellOf } from '../../store/exports/audit';
import { exportOf, mayRead, type ReadingsExport } from '../../store/exports/documents';
import { type ExportPlace, type PartFiles } from '../../store/exports/part-files';
import { type ChunkWork, type JobHandler, type RowResult } from '../../store/jobs/handler';
import { type Outcome, type Registry, type Refusal } from '../../store/registry';
import { TooManyBytes } from '../blob-cache';
import { Busy, TooCostly } from '../engine';
import { type ReadingsFiles } from './files';

export interface ExportHandler {
  handler: JobHandler;
  /** Breaks off what is under way: another process goes on with it. */
  stop(): void;
}

/**
 * The job that makes an export; its rows are slices of time, each a part. A part is written whole, once, and never
 * again, under a name that follows from its slice; that it is ready is told with the job's progress, in one batch. So a
 * worker that dies between the two leaves a part that the next finds and tells of: no reading is lost, none stands twice.
 *
 * The rights are those of now at each slice: who has lost one makes nothing more.
 */
export function createExportHandler({
  cosmos,
  registry,
  files,
  parts,
  maximumPartRows = MAXIMUM_PART_ROWS,
  maximumBytes = MAXIMUM_EXPORT_BYTES,
}: {
  cosmos: Pick<Cosmos, 'batch'>;
  registry: Pick<Registry, 'spaces'>;
  files: Pick<ReadingsFiles, 'write'>;
  parts: Pick<PartFiles, 'ensure' | 'create' | 'list'>;
  /** Of one slice. */
  maximumPartRows?: number;
  /** Of the whole export. */
  maximumBytes?: number;
}): ExportHandler {
  const stopping = new AbortController();

  async function make(
    wanted: ReadingsExport,
    slice: ExportSlice,
    name: string,
    { scope }: Pick<ChunkWork, 'scope'>,
  ): Promise<Outcome<ExportPart | undefined>> {
    const place: ExportPlace = { tenantId: wanted.tenantId, exportId: wanted.id };
    const made = await parts.list(place);
    const known = made.find((part) => part.name === name);
    if (known) return { ok: true, value: known };
    const { buildingId, quantities, format } = wanted;
    const filter = {
      tenantId: wanted.tenantId,
      buildingIds: buildingId === null ? null : [buildingId],
      quantities,
      spaceIds:
        wanted.spaceIds === null || buildingId === null
          ? wanted.spaceIds
          : withThoseWithin(await registry.spaces(scope, buildingId), wanted.spaceIds),
      ...slice,
    };
    const asked = { format, deviceIds: wanted.deviceIds, maximumRows: maximumPartRows };
    const left = maximumBytes - made.reduce((sum, { bytes }) => sum + bytes, 0);
    const written = await files.write<Outcome<ExportPart | undefined>>(
      filter,
      asked,
      stopping.signal,
      async ({ path, rows, bytes }) => {
        if (bytes > left) {
          return tooMuch(`an export may have ${maximumBytes} bytes, and this one has more`);
        }
        const part = { name, rows, bytes };
        const { contentType } = EXPORT_FILES[format];
        if (await parts.create(place, part, { path, contentType }, stopping.signal)) {
          return { ok: true, value: part };
        }
        // A worker that was believed dead was quicker: its part stands.
        return { ok: true, value: (await parts.list(place)).find((each) => each.name === name)! };
      },
    );
    if ('used' in written) return written.used;
    if (written.rows === 0) return { ok: true, value: undefined };
    return tooMuch(
      `the time from ${new Date(slice.from).toISOString()} on holds ${written.rows} readings, and a part may have ${maximumPartRows}`,
    );
  }

  return {
    stop: () => stopping.abort(new Busy('the process stops')),
    handler: async ({ job, rows, firstRow, scope }) => {
      const wanted = exportOf(job, 0)!;
      if (!mayRead(scope, wanted)) {
        const message = 'whoever asked for the export may no longer read all that it is to hold';
        return { ok: false, refusal: { code: 'FORBIDDEN', message } };
      }
      if (firstRow === 0) {
        await tellOf(cosmos, wanted, { action: 'reading.export' });
        await parts.ensure().catch(judged);
      }
      const results: RowResult[] = [];
      for (const [i, slice] of (rows as ExportSlice[]).entries()) {
        const name = partName(firstRow + i, slice, wanted.format);
        const made = await make(wanted, slice, name, { scope }).catch(judged);
        if (!made.ok) return made;
        const none = { serialNumber: null, deviceId: null, secret: null, error: null };
        results.push(made.value === undefined ? none : { ...none, part: made.value });
      }
      return { ok: true, value: results };
    },
  };
}

/** What ends the export, and what only delays it. */
function judged(error: unknown): Outcome<never> {
  if (error instanceof TooCostly) return tooMuch(error.message);
  if (error instanceof TooManyBytes) return tooMuch('a part of it looks at more than can be held at once');
  if (error instanceof Busy) throw away(error);
  // Blob's errors say in `statusCode` what the job's runner looks for in `code`.
  const { statusCode } = error as { statusCode?: unknown };
  if (typeof statusCode === 'number' && (statusCode === 429 || statusCode >= 500)) throw away(error);
  throw error;
}

/** As a store that is away for a while: the job waits. */
function away(cause: unknown): Error {
  return Object.assign(new Error(String((cause as Error).message), { cause }), { code: 503 });
}

function tooMuch(what: string): { ok: false; refusal: Refusal } {
  const message = `${what}: export a shorter time, fewer buildings or fewer quantities`;
  return { ok: false, refusal: { code: 'LIMIT_EXCEEDED', message } };
}

/** The spaces named and all that lie in them. Of another building's that id alone, which nothing is observed in here. */
function withThoseWithin(
  spaces: readonly { id: string; parentId: string | null }[],
  named: readonly string[],
): string[] {
  const found = new Set(named);
  // A space lies in one that was made before it: as often as they can be nested, more are found.
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { id, parentId } of spaces) if (parentId !== null && found.has(parentId)) found.add(id);
  }
  return [...found];
}
