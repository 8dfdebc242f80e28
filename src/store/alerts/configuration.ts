import { type TenantScope } from '../../auth/scope';
import { newId } from '../../domain/id';
import { type Change, type Cosmos } from '../cosmos';
import { type AuditDocument } from '../documents';
import { type Outcome } from '../registry';
import { auditOf } from '../registry/audit';
import { refused } from '../registry/access';
import { retrying } from '../store-error';

/** Sorts before every name: so a listing of what is configured begins behind the audit events of the same partition. */
const AUDIT_SORT = '\u0001';
/** Behind the audit events, before every name: names hold no control character. */
export const BEFORE_NAMES = '\u0002';

/** What was ended stays so long, so that followers of the change feed, which tells of no deletion, hear of it. */
export const ENDED_SECONDS = 30 * 86_400;

const MAXIMUM_RACES = 50;

/** How many of a kind a tenant has, in the batch of each creation and end: so no two that race exceed the limit. */
interface CountDocument {
  id: 'count';
  key: string;
  kind: 'count';
  number: number;
  _etag?: string;
}

/** What is configured for a tenant, in a partition of `directory`: rules of alerts, webhooks. */
export interface Configured {
  id: string;
  key: string;
  tenantId: string;
  endedAt: number | null;
  _etag?: string;
}

/** An audit event of a change in `directory`, in the partition of the change. */
export interface ConfigurationAudit extends AuditDocument {
  key: string;
  /** `configurationAuditKey(auditKey)` */
  sortKey: string;
}

/** The order of audit events in a partition of `directory`. */
export function configurationAuditKey(auditKey: string): string {
  return `${AUDIT_SORT}${auditKey}`;
}

export interface Told {
  action: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface Configuration<Document extends Configured> {
  /**
   * Creates the document, its audit event and its place in the count in one batch. Finds it where an earlier try of the
   * same creation stands: `created` is false.
   */
  create(
    scope: TenantScope,
    document: Document,
    audit: Pick<Told, 'action' | 'after'> & { id: string },
  ): Promise<Outcome<{ document: Document; created: boolean }>>;
  /** Replaces it with its audit event; `work` is asked again where it changed meanwhile, so it must only compute. */
  change(
    scope: TenantScope,
    found: Document,
    work: (document: Document, now: number) => Outcome<{ document: Document; audit: Told } | null>,
    /** The audit event's id, where it follows from an idempotency key: a repetition then finds it done. */
    auditId?: string,
  ): Promise<Outcome<Document>>;
}

export function createConfigurationOf<Document extends Configured>(options: {
  cosmos: Cosmos;
  /** In words, for refusals: `alert rules`. */
  what: string;
  maximum: number;
}): Configuration<Document> {
  const { cosmos, what, maximum } = options;

  function auditIn(key: string, event: AuditDocument): ConfigurationAudit {
    return { ...event, key, sortKey: configurationAuditKey(event.auditKey!) };
  }

  async function counted(key: string, by: number): Promise<Change | 'full'> {
    const count = await cosmos.read<CountDocument>('directory', key, 'count');
    const number = (count?.number ?? 0) + by;
    if (by > 0 && number > maximum) return 'full';
    const next: CountDocument = { id: 'count', key, kind: 'count', number: Math.max(0, number) };
    return count ? { replace: next, etag: count._etag! } : { create: next };
  }

  async function racing<T>(attempt: () => Promise<Outcome<T> | undefined>): Promise<Outcome<T>> {
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const outcome = await retrying(attempt);
      if (outcome) return outcome;
    }
    return refused('CONFLICT', `${what} of this tenant are being changed by others: try again`);
  }

  return {
    create: (scope, document, { id, ...told }) =>
      racing(async () => {
        const { key, tenantId } = document;
        const existing = await cosmos.read<Document>('directory', key, document.id);
        if (existing) return { ok: true, value: { document: existing, created: false } };
        const count = await counted(key, 1);
        if (count === 'full') {
          return refused('LIMIT_EXCEEDED', `a tenant may have ${maximum} ${what}: delete one first`);
        }
        const event = auditOf(scope, {
          id,
          buildingId: key,
          tenantId,
          at: Date.now(),
          subject: document.id,
          before: null,
          ...told,
        });
        const { ok } = await cosmos.batch('directory', key, [
          { create: document },
          { create: auditIn(key, event) },
          count,
        ]);
        return ok ? { ok: true, value: { document, created: true } } : undefined;
      }),

    change: (scope, found, work, auditId) => {
      let current: Document | null = found;
      return racing(async () => {
        current ??= await cosmos.read<Document>('directory', found.key, found.id);
        if (!current) throw new Error(`${found.id} was found and is gone`);
        const before = current;
        // Read anew in the next try.
        current = null;
        const now = Date.now();
        const worked = work(before, now);
        if (!worked.ok) return worked;
        if (worked.value === null) return { ok: true, value: before };
        const { document, audit } = worked.value;
        const ends = before.endedAt === null && document.endedAt !== null;
        const count = ends ? await counted(before.key, -1) : undefined;
        const event = auditOf(scope, {
          id: auditId ?? newId('aud'),
          buildingId: before.key,
          tenantId: before.tenantId,
          at: now,
          subject: before.id,
          ...audit,
        });
        const outcome = await cosmos.batch('directory', before.key, [
          { replace: document, etag: before._etag! },
          { create: auditIn(before.key, event) },
          ...(count === undefined || count === 'full' ? [] : [count]),
        ]);
        // Another call with the same key was quicker, or this one, whose answer was lost.
        if (auditId !== undefined && (await cosmos.read('directory', before.key, auditId))) {
          const done = await cosmos.read<Document>('directory', before.key, before.id);
          if (done) return { ok: true, value: done };
        }
        return outcome.ok ? { ok: true, value: document } : undefined;
      });
    },
  };
}
