import { type ConfigurationAudit } from '../alerts/configuration';

/** That a person may have credentials to the tenant's folder of the cold store. */
export interface ColdApproval {
  personId: string;
  /** Milliseconds since 1970: none is handed out from then on, and none is good for longer. */
  until: number;
  approvedBy: string;
  approvedAt: number;
  /** Kept for a day, so that a revocation that is repeated finds itself done. */
  revokedAt: number | null;
  /** Until when the last of the credentials that were handed out is good; null where there was none. */
  openUntil: number | null;
}

/**
 * In `directory`, key `coldAccessOf(tenantId)`, id `approvals`: all of a tenant's approvals. One document, so that a
 * credential that is handed out and a revocation come one after the other: whoever finds it changed looks again.
 */
export interface ColdApprovalsDocument {
  id: 'approvals';
  key: string;
  kind: 'coldApprovals';
  tenantId: string;
  approvals: ColdApproval[];
  _etag?: string;
}

export type ColdAccessAudit = ConfigurationAudit;

export function coldAccessOf(tenantId: string): string {
  return `cold-access:${tenantId}`;
}
