import { randomUUID } from 'node:crypto';
import { allows, allowedUntil, type Principal, tenantScope, type TenantScope } from '../../auth/scope';
import {
  type ColdAccessAddresses,
  coldAccessAddressesOf,
  LONGEST_COLD_ACCESS_MS,
  LONGEST_COLD_APPROVAL_MS,
  MAXIMUM_COLD_APPROVALS,
  SHORTEST_COLD_ACCESS_MS,
} from '../../domain/cold-access';
import { derivedId, newId } from '../../domain/id';
import { configurationAuditKey } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { tenantFolder } from '../curated-path';
import { type AuditDocument, type MembershipDocument } from '../documents';
import { type Manifests } from '../manifests';
import { type Outcome, type Refusal } from '../registry';
import { notFound, refused } from '../registry/access';
import { auditOf } from '../registry/audit';
import { attemptOf, claim } from '../registry/idempotency';
import { keyReused } from '../registry/shown-once';
import { entitlementsOf } from '../registry/tenants';
import { keyProblem, reasonProblem } from '../registry/validation';
import { retrying } from '../store-error';
import {
  type ColdAccessAudit,
  coldAccessOf,
  type ColdApproval,
  type ColdApprovalsDocument,
} from './documents';
import { type FolderSigner } from './folder-signer';

/** A credential that was handed out. Instants are milliseconds since 1970. */
export interface IssuedColdAccess {
  containerUrl: string;
  /** Ends in a slash. */
  folder: string;
  /** A UUID: it stands in the audit log and, where an identity signs, in the account's own logs. */
  credentialId: string;
  expiresAt: number;
  /** Whether it ends at the folder; see `FolderSigner`. */
  confined: boolean;
  /** For the call that made it; null for a repetition. */
  token: string | null;
}

/**
 * Access to a tenant's folder of the cold store with tools of one's own: approved by an owner, a person at a time; handed
 * out for hours, to somebody who may read all that lies there; told of in the audit log before it is handed over.
 */
export interface ColdAccess {
  /** Until an instant, in place of what was approved of the person before. Approving the same again changes nothing. */
  approve(
    scope: TenantScope,
    input: { tenantId: string; personId: string; until: number },
  ): Promise<Outcome<ColdApproval>>;
  /** Nothing more is handed out. What was stays good until its `openUntil`. Revoking again changes nothing. */
  revoke(scope: TenantScope, input: { tenantId: string; personId: string }): Promise<Outcome<ColdApproval>>;
  /** The latest first; those that ended within a day are among them. */
  approvals(scope: TenantScope, tenantId: string): Promise<ColdApproval[]>;
  issue(
    scope: TenantScope,
    input: { tenantId: string; reason: string; expiresIn: number; addresses: string | null },
    idempotencyKey: string,
  ): Promise<Outcome<IssuedColdAccess>>;
}

const ENDED_KEPT_MS = 86_400_000;
const MAXIMUM_RACES = 50;

/** What an audit event tells of a credential: everything but the credential. */
interface ToldAccess extends Record<string, unknown> {
  credential: string;
  reason: string;
  expiresAt: string;
  folder: string;
  addresses: ColdAccessAddresses | null;
}

interface Step<T> {
  /** Null: nothing is to be changed. */
  approvals: ColdApproval[] | null;
  audit?: Pick<AuditDocument, 'id' | 'action' | 'subject' | 'before' | 'after'>;
  value: T;
}

export function createColdAccess({
  cosmos,
  signer,
  manifests,
  now = Date.now,
}: {
  cosmos: Pick<Cosmos, 'read' | 'batch'>;
  signer: FolderSigner;
  manifests: Pick<Manifests, 'read'>;
  now?: () => number;
}): ColdAccess {
  /**
   * Changes a tenant's approvals together with the audit event of it. `work` is asked again, over what stands then, where
   * another was quicker: so what it decides by is what stood when its change was made.
   */
  async function changing<T>(
    scope: TenantScope,
    tenantId: string,
    work: (standing: readonly ColdApproval[], at: number) => Promise<Outcome<Step<T>>>,
  ): Promise<Outcome<T>> {
    const key = coldAccessOf(tenantId);
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const outcome = await retrying(async (): Promise<Outcome<T> | undefined> => {
        const document = await cosmos.read<ColdApprovalsDocument>('directory', key, 'approvals');
        const at = now();
        const worked = await work(document?.approvals ?? [], at);
        if (!worked.ok) return worked;
        const { approvals, audit, value } = worked.value;
        if (approvals === null || audit === undefined) return { ok: true, value };
        const event = auditOf(scope, { ...audit, buildingId: key, tenantId, at });
        const told: ColdAccessAudit = { ...event, key, sortKey: configurationAuditKey(event.auditKey!) };
        const next: ColdApprovalsDocument = {
          id: 'approvals',
          key,
          kind: 'coldApprovals',
          tenantId,
          approvals: approvals.filter((each) => endOf(each) > at - ENDED_KEPT_MS),
        };
        const { ok } = await cosmos.batch('directory', key, [
          document === null ? { create: next } : { replace: next, etag: document._etag! },
          { create: told },
        ]);
        return ok ? { ok: true, value } : undefined;
      });
      if (outcome) return outcome;
    }
    return refused('CONFLICT', 'approvals of this tenant are being changed by others: try again');
  }

  /** Whether the person, as the tenant knows them, may read all that the folder holds. */
  async function mayRead(personId: string, tenantId: string): Promise<boolean | null> {
    const membership = await cosmos.read<MembershipDocument>('directory', `person:${personId}`, tenantId);
    if (membership?.kind !== 'membership' || membership.role === null) return null;
    const principal: Principal = { kind: 'person', id: personId, email: null, expiresAt: Infinity };
    return readsAll(tenantScope(principal, entitlementsOf([membership])), tenantId, now()) > 0;
  }

  function administers(scope: TenantScope, tenantId: string): Refusal | undefined {
    if (!allows(scope, 'tenant.read', { tenantId })) {
      return { code: 'NOT_FOUND', message: `there is no tenant ${tenantId}`, path: 'tenantId' };
    }
    if (approves(scope, tenantId)) return undefined;
    return {
      code: 'FORBIDDEN',
      message: 'only an OWNER of the tenant approves access to its cold store, and revokes it',
    };
  }

  return {
    async approve(scope, { tenantId, personId, until }) {
      const problem = administers(scope, tenantId) ?? untilProblem(until, now());
      if (problem) return { ok: false, refusal: problem };
      const may = await mayRead(personId, tenantId);
      if (may === null) return notFound('person', personId, 'personId');
      if (!may) {
        const message =
          'the person’s role does not read stored readings: make them an ANALYST or a MANAGER first';
        return refused('INVALID_INPUT', message, 'personId');
      }
      return changing(scope, tenantId, async (standing, at) => {
        const before = standing.find((each) => each.personId === personId);
        if (before?.until === until && isInForce(before, at)) {
          return { ok: true, value: { approvals: null, value: before } };
        }
        const others = standing.filter((each) => each !== before && endOf(each) > at - ENDED_KEPT_MS);
        if (others.length >= MAXIMUM_COLD_APPROVALS) {
          const message = `a tenant may have ${MAXIMUM_COLD_APPROVALS} approvals, those that ended within a day among them`;
          return refused('LIMIT_EXCEEDED', message);
        }
        const value: ColdApproval = {
          personId,
          until,
          approvedBy: scope.principal.id,
          approvedAt: at,
          revokedAt: null,
          openUntil: before?.openUntil ?? null,
        };
        const audit = {
          id: newId('aud'),
          action: 'cold-store.approve',
          subject: personId,
          before: before !== undefined && isInForce(before, at) ? { until: iso(before.until) } : null,
          after: { until: iso(until) },
        };
        return { ok: true, value: { approvals: [...others, value], audit, value } };
      });
    },

    async revoke(scope, { tenantId, personId }) {
      const problem = administers(scope, tenantId);
      if (problem) return { ok: false, refusal: problem };
      return changing(scope, tenantId, async (standing, at) => {
        const before = standing.find((each) => each.personId === personId);
        if (before === undefined) return notFound('approval of', personId, 'personId');
        if (before.revokedAt !== null) return { ok: true, value: { approvals: null, value: before } };
        const value = { ...before, revokedAt: at };
        const audit = {
          id: newId('aud'),
          action: 'cold-store.revoke',
          subject: personId,
          before: { until: iso(before.until) },
          after: { openUntil: before.openUntil === null ? null : iso(before.openUntil) },
        };
        const others = standing.filter((each) => each !== before);
        return { ok: true, value: { approvals: [...others, value], audit, value } };
      });
    },

    async approvals(scope, tenantId) {
      if (!approves(scope, tenantId)) return [];
      const key = coldAccessOf(tenantId);
      const document = await cosmos.read<ColdApprovalsDocument>('directory', key, 'approvals');
      return (document?.approvals ?? [])
        .filter((each) => endOf(each) > now() - ENDED_KEPT_MS)
        .sort((a, b) => b.approvedAt - a.approvedAt);
    },

    async issue(scope, { tenantId, reason, expiresIn, addresses }, idempotencyKey) {
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (readsAll(scope, tenantId, now()) === 0) {
        return refused('FORBIDDEN', 'your role does not read all that the tenant’s cold store holds');
      }
      const range = addresses === null ? null : coldAccessAddressesOf(addresses);
      const problem =
        keyProblem(idempotencyKey) ??
        reasonProblem(reason) ??
        expiresInProblem(expiresIn) ??
        (range === undefined ? ADDRESSES_PROBLEM : undefined);
      if (problem || range === undefined) return { ok: false, refusal: problem ?? ADDRESSES_PROBLEM };
      const variables = { reason, expiresIn, addresses };
      const attempt = attemptOf(scope, tenantId, 'issueColdStoreAccess', idempotencyKey, variables);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) return keyReused();
      const erased = (await manifests.read(tenantId))?.value.erasedAt !== undefined;
      if (erased) return refused('WRONG_STATE', 'the tenant was erased: it has no cold store');

      const { id: personId } = scope.principal;
      const folder = tenantFolder(tenantId);
      const id = derivedId('aud', attempt.hash, String(claimed.claimedAt));
      const { containerUrl, confined } = signer;
      const issued = (told: Pick<ToldAccess, 'credential' | 'expiresAt'>, token: string | null) => ({
        ...{ containerUrl, folder, confined, token },
        credentialId: told.credential,
        expiresAt: Date.parse(told.expiresAt),
      });
      // The token of each try: the one whose event stands is the one that was told of.
      const tokens = new Map<string, string>();
      return changing<IssuedColdAccess>(scope, tenantId, async (standing, at) => {
        const earlier = await cosmos.read<AuditDocument>('directory', coldAccessOf(tenantId), id);
        if (earlier) {
          const told = earlier.after as ToldAccess;
          const value = issued(told, tokens.get(told.credential) ?? null);
          return { ok: true, value: { approvals: null, value } };
        }
        const approval = standing.find((each) => each.personId === personId);
        if (approval === undefined || !isInForce(approval, at)) {
          const message = `nobody has approved that you have access: an OWNER of the tenant may, by approveColdStoreAccess for ${personId}`;
          return refused('FORBIDDEN', message);
        }
        const latest = Math.min(at + expiresIn, approval.until, readsAll(scope, tenantId, at));
        // Whole seconds are what a token tells.
        const expiresAt = Math.floor(latest / 1_000) * 1_000;
        const credential = randomUUID();
        const token = await signer.sign({ folder, expiresAt, addresses: range, credentialId: credential });
        tokens.set(credential, token);
        const told: ToldAccess = { credential, reason, expiresAt: iso(expiresAt), folder, addresses: range };
        const next = { ...approval, openUntil: Math.max(approval.openUntil ?? 0, expiresAt) };
        const value = issued(told, token);
        return {
          ok: true,
          value: {
            approvals: standing.map((each) => (each === approval ? next : each)),
            audit: { id, action: 'cold-store.issue', subject: personId, before: null, after: told },
            value,
          },
        };
      });
    },
  };
}

/** Until when the scope may read all that is a tenant's, of every quantity and building; 0 where it may not. */
function readsAll(scope: TenantScope, tenantId: string, at: number): number {
  return allowedUntil(ownRights(scope), 'cold-store.read', { tenantId, quantity: null }, at);
}

function approves(scope: TenantScope, tenantId: string): boolean {
  return allows(ownRights(scope), 'cold-store.approve', { tenantId, quantity: null });
}

/** Files are for a tenant's own people: what was shared with another tenant can be taken back at once, and files cannot. */
function ownRights({ principal, entitlements }: TenantScope): TenantScope {
  return tenantScope(
    principal,
    entitlements.filter(({ grantId }) => grantId === undefined),
  );
}

function isInForce({ until, revokedAt }: ColdApproval, at: number): boolean {
  return revokedAt === null && at < until;
}

function endOf({ until, revokedAt, openUntil }: ColdApproval): number {
  return Math.max(revokedAt ?? until, openUntil ?? 0);
}

function untilProblem(until: number, at: number): Refusal | undefined {
  if (until > at && until <= at + LONGEST_COLD_APPROVAL_MS) return undefined;
  const message = `until must lie ahead, and at most ${LONGEST_COLD_APPROVAL_MS / 86_400_000} days`;
  return { code: 'INVALID_INPUT', message, path: 'until' };
}

function expiresInProblem(expiresIn: number): Refusal | undefined {
  if (expiresIn >= SHORTEST_COLD_ACCESS_MS && expiresIn <= LONGEST_COLD_ACCESS_MS) return undefined;
  return { code: 'INVALID_INPUT', message: 'expiresIn must be from PT1M to PT24H', path: 'expiresIn' };
}

const ADDRESSES_PROBLEM: Refusal = {
  code: 'INVALID_INPUT',
  message: 'addresses must be an IPv4 address or a range of them: 203.0.113.0-203.0.113.255',
  path: 'addresses',
};

function iso(at: number): string {
  return new Date(at).toISOString();
}
