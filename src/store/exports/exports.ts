import { type TenantScope } from '../../auth/scope';
import {
  type ExportedReadings,
  type ExportPart,
  indexOfPart,
  jobIdOfExport,
  MAXIMUM_EXPORT_DAYS,
  MAXIMUM_EXPORT_DEVICES,
  MAXIMUM_EXPORT_SPACES,
  slicesOf,
} from '../../domain/export';
import { type Cosmos } from '../cosmos';
import { type JobRow } from '../jobs/documents';
import { type Jobs } from '../jobs/jobs';
import { type Outcome, type Page, type Refusal } from '../registry';
import { positionAfter } from '../registry/position';
import { tellOf } from './audit';
import { exportOf, type FoundPart, mayRead, type ReadingsExport } from './documents';
import { type OpenPart, type PartFiles } from './part-files';

/**
 * Exports as those see them who ask for them and download them: always inside the caller's scope as it is now. Whoever may
 * not read all that an export holds does not see it, not even if it is theirs.
 */
export interface Exports {
  /** The same key with the same input gives the same export again, for 24 hours. */
  request(
    scope: TenantScope,
    wanted: ExportedReadings & { tenantId: string; buildingId: string | null },
    idempotencyKey: string,
  ): Promise<Outcome<ReadingsExport>>;
  byId(scope: TenantScope, exportId: string): Promise<ReadingsExport | null>;
  /** Newest first. */
  ofTenant(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<ReadingsExport>>;
  /** Of an export that the caller sees: what is ready so far, oldest first. */
  parts(scope: TenantScope, found: ReadingsExport): Promise<ExportPart[]>;
  /** Null where there is none to be downloaded: unknown, foreign, not ready, expired. */
  part(scope: TenantScope, exportId: string, name: string): Promise<FoundPart | null>;
  /** Bytes [start, end] of a part that `part` found, after the audit log says so; null where it is gone. */
  open(
    scope: TenantScope,
    found: FoundPart,
    range: { start: number; end: number },
    signal: AbortSignal,
  ): Promise<OpenPart | null>;
}

const DAY_MS = 86_400_000;
const MOST_PARTS = 100;

export function createExports({
  cosmos,
  jobs,
  files,
  keepMs,
  now = Date.now,
}: {
  cosmos: Pick<Cosmos, 'batch'>;
  jobs: Pick<Jobs, 'create' | 'byId' | 'ofTenant' | 'rows'>;
  files: Pick<PartFiles, 'open'>;
  /** How long an export is kept from its end; no longer than its job. */
  keepMs: number;
  now?: () => number;
}): Exports {
  const byId: Exports['byId'] = async (scope, exportId) => {
    const jobId = jobIdOfExport(exportId);
    const job = jobId === undefined ? null : await jobs.byId(scope, jobId);
    const found = job && exportOf(job, keepMs);
    return found && mayRead(scope, found) ? found : null;
  };

  return {
    byId,

    async request(scope, { tenantId, buildingId, ...wanted }, idempotencyKey) {
      const problem = problemOf(wanted);
      if (problem) return { ok: false, refusal: problem };
      // Who may see nothing of the tenant at all is refused by the job's creation, in the words for a tenant unknown.
      const made = await jobs.create(
        scope,
        {
          kind: 'EXPORT_READINGS',
          tenantId,
          buildingId,
          parameters: { ...wanted },
          rows: slicesOf(wanted),
          rowsPath: 'from',
        },
        idempotencyKey,
      );
      return made.ok ? { ok: true, value: exportOf(made.value, keepMs)! } : made;
    },

    async ofTenant(scope, tenantId, options) {
      const { items, positions, next } = await jobs.ofTenant(scope, tenantId, options);
      const found = items.flatMap((job, i) => {
        const item = exportOf(job, keepMs);
        return item && mayRead(scope, item) ? [{ item, position: positions[i]! }] : [];
      });
      return {
        items: found.map(({ item }) => item),
        positions: found.map(({ position }) => position),
        next,
      };
    },

    async parts(scope, { job }) {
      const { items } = await jobs.rows(scope, job.jobId, { first: MOST_PARTS, after: null });
      return items.flatMap(({ part }) => part ?? []);
    },

    async part(scope, exportId, name) {
      const of = await byId(scope, exportId);
      const index = indexOfPart(name);
      if (of === null || of.expiresAt === null || of.expiresAt <= now() || index === undefined) return null;
      const page = { first: 1, after: positionAfter(String(index)) };
      const [row] = (await jobs.rows(scope, of.job.jobId, page)).items as (JobRow | undefined)[];
      return row?.part?.name === name ? { of, part: row.part } : null;
    },

    async open(scope, { of, part: { name } }, range, signal) {
      const by = scope.principal.id;
      await tellOf(cosmos, of, { action: 'reading.download', by, from: scope.from, part: name }, now());
      return files.open({ tenantId: of.tenantId, exportId: of.id }, name, range, signal);
    },
  };
}

function problemOf({ from, to, spaceIds, deviceIds }: ExportedReadings): Refusal | undefined {
  const problem = (code: Refusal['code'], message: string, path: string): Refusal => ({
    code,
    message,
    path,
  });
  if (!(from < to)) return problem('INVALID_INPUT', 'from must lie before to', 'from');
  if (to - from > MAXIMUM_EXPORT_DAYS * DAY_MS) {
    return problem('LIMIT_EXCEEDED', `an export may reach over ${MAXIMUM_EXPORT_DAYS} days`, 'to');
  }
  for (const [path, ids, most] of [
    ['spaces', spaceIds, MAXIMUM_EXPORT_SPACES],
    ['devices', deviceIds, MAXIMUM_EXPORT_DEVICES],
  ] as const) {
    if (ids === null) continue;
    if (ids.length === 0) return problem('INVALID_INPUT', `${path} must not be empty: leave it out`, path);
    if (ids.length > most) return problem('LIMIT_EXCEEDED', `an export may name ${most} ${path}`, path);
  }
  return undefined;
}
