import { type TenantScope } from '../../auth/scope';
import { type AuditDocument, auditKeyOf } from '../documents';

type Audited = Pick<
  AuditDocument,
  'id' | 'buildingId' | 'tenantId' | 'at' | 'action' | 'subject' | 'before' | 'after'
>;

/** What changed, for the batch that changes it. */
export function auditOf(scope: TenantScope, change: Audited): AuditDocument {
  return auditBy(scope.principal.id, change);
}

/** The same where somebody's change is brought to its end without them. */
export function auditBy(actor: string, change: Audited): AuditDocument {
  return { type: 'audit', actor, ...change, auditKey: auditKeyOf(change.at, change.id) };
}
