import { derivedId } from '../../domain/id';
import { type Origin } from '../../domain/origin';
import { type Cosmos } from '../cosmos';
import { stockOf } from '../documents';
import { auditBy } from '../registry/audit';
import { retrying } from '../store-error';
import { type ReadingsExport } from './documents';

/**
 * Tells in the audit log of the building, or of the tenant, that an export is made, or that somebody takes a part of it
 * for the first time. To be awaited before anything is made or handed over: nothing leaves that is not told. Telling
 * twice tells once.
 */
export async function tellOf(
  cosmos: Pick<Cosmos, 'batch'>,
  made: ReadingsExport,
  told:
    | { action: 'reading.export' }
    | { action: 'reading.download'; by: string; from: Origin | undefined; part: string },
  now = Date.now(),
): Promise<void> {
  const { id, tenantId, job, format, quantities, spaceIds, deviceIds, from, to } = made;
  const partition = made.buildingId ?? stockOf(tenantId);
  const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const event =
    told.action === 'reading.export'
      ? auditBy(
          job.principal.id,
          {
            id: derivedId('aud', id, told.action),
            buildingId: partition,
            tenantId,
            at: job.createdAt,
            action: told.action,
            subject: id,
            before: null,
            after: { format, quantities, spaces: spaceIds, devices: deviceIds, ...range },
          },
          job.origin,
        )
      : auditBy(
          told.by,
          {
            id: derivedId('aud', id, told.action, told.part, told.by),
            buildingId: partition,
            tenantId,
            at: now,
            action: told.action,
            subject: id,
            before: null,
            after: { part: told.part },
          },
          told.from,
        );
  // Refused only where it is there: it was told before.
  await retrying(() => cosmos.batch('registry', partition, [{ create: event }]));
}
