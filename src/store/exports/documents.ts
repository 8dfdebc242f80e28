import { allows, type TenantScope } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import { exportIdOf, type ExportedReadings, type ExportPart } from '../../domain/export';
import { type JobDocument } from '../jobs/documents';

/** An export is a job of its kind: what is asked for stands in the job's parameters, its slices are the job's rows. */
export interface ReadingsExport extends ExportedReadings {
  id: string;
  tenantId: string;
  /** Null: every building of the tenant. */
  buildingId: string | null;
  job: JobDocument;
  /** Until when its parts can be downloaded, milliseconds since 1970; null while there are none to be had. */
  expiresAt: number | null;
}

/** A part and whose it is. */
export interface FoundPart {
  of: ReadingsExport;
  part: ExportPart;
}

/** Null for a job of another kind. */
export function exportOf(job: JobDocument, keepMs: number): ReadingsExport | null {
  if (job.kind !== 'EXPORT_READINGS') return null;
  const { jobId, tenantId, buildingId, parameters, finishedAt, state } = job;
  const ready = state === 'SUCCEEDED' && finishedAt !== null;
  return {
    ...(parameters as unknown as ExportedReadings),
    id: exportIdOf(jobId),
    tenantId,
    buildingId,
    job,
    expiresAt: ready ? finishedAt + keepMs : null,
  };
}

/**
 * Whether all that the export holds may be read: every quantity, in each of its spaces, in its building or else in every
 * one of the tenant.
 */
export function mayRead(
  scope: TenantScope,
  { quantities, ...place }: Pick<ReadingsExport, 'tenantId' | 'buildingId' | 'spaceIds' | 'quantities'>,
): boolean {
  return (
    quantities.length > 0 && quantities.every((quantity) => mayReadQuantity(scope, { ...place, quantity }))
  );
}

export function mayReadQuantity(
  scope: TenantScope,
  {
    tenantId,
    buildingId,
    spaceIds,
    quantity,
  }: Pick<ReadingsExport, 'tenantId' | 'buildingId' | 'spaceIds'> & { quantity: QuantityName },
): boolean {
  if (buildingId === null) return allows(scope, 'reading.read', { tenantId, quantity });
  const places = spaceIds === null || spaceIds.length === 0 ? [null] : spaceIds;
  return places.every((spaceId) =>
    allows(scope, 'reading.read', { tenantId, buildingId, spaceId, quantity }),
  );
}
