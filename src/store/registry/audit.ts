import { type TenantScope } from '../../auth/scope';
import { type AuditDocument, auditKeyOf } from '../documents';

/** What changed, for the batch that changes it. */
export function auditOf(
  scope: TenantScope,
  change: Pick<
    AuditDocument,
    'id' | 'buildingId' | 'tenantId' | 'at' | 'action' | 'subject' | 'before' | 'after'
  >,
): AuditDocument {
  return { type: 'audit', actor: scope.principal.id, ...change, auditKey: auditKeyOf(change.at, change.id) };
}
