import { type TenantScope } from '../../auth/scope';
import { type Origin } from '../../domain/origin';
import { type AuditDocument, auditKeyOf } from '../documents';

type Audited = Pick<
  AuditDocument,
  'id' | 'buildingId' | 'tenantId' | 'at' | 'action' | 'subject' | 'before' | 'after'
>;

/** What changed, for the batch that changes it. */
export function auditOf(scope: TenantScope, change: Audited): AuditDocument {
  return auditBy(scope.principal.id, change, scope.from);
}

/**
 * The same where somebody's change is brought to its end without them.
 * @param from whence they asked for it, where that is known and the log's owner may know it.
 */
export function auditBy(actor: string, change: Audited, from?: Origin): AuditDocument {
  return {
    type: 'audit',
    actor,
    ...(from && { from }),
    ...change,
    auditKey: auditKeyOf(change.at, change.id),
  };
}
