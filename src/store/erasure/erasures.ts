import { derivedId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { type AuditDocument, auditKeyOf, type TenantDocument } from '../documents';
import { retrying } from '../store-error';
import { type ErasedMarkDocument, type ErasureDocument, ERASURES, newErasure } from './documents';

/** The tombstones, as those write them who erase. */
export interface Erasures {
  /** Null where there is no such tenant. What was asked for before is answered again. */
  request(tenantId: string): Promise<ErasureDocument | null>;
  read(tenantId: string): Promise<ErasureDocument | null>;
  all(): Promise<ErasureDocument[]>;
  /** Null where another has written since. */
  save(erasure: ErasureDocument): Promise<ErasureDocument | null>;
  /** The tombstone for those who follow rights. */
  mark(erasure: ErasureDocument): Promise<void>;
}

/** Who asked: whoever may run the operator's command line, which asks nobody's name. */
const OPERATOR = 'operator';

export function createErasures({
  cosmos,
  now = Date.now,
}: {
  cosmos: Pick<Cosmos, 'read' | 'query' | 'batch'>;
  now?: () => number;
}): Erasures {
  const read = (tenantId: string): Promise<ErasureDocument | null> =>
    cosmos.read<ErasureDocument>('registry', ERASURES, tenantId);

  const mark: Erasures['mark'] = async ({ tenantId, requestedAt }) => {
    const document: ErasedMarkDocument = {
      ...{ id: tenantId, key: ERASURES, kind: 'erasure', tenantId, at: requestedAt },
    };
    await retrying(() => cosmos.batch('directory', ERASURES, [{ create: document }]));
  };

  return {
    read,
    mark,
    all: () =>
      cosmos.query<ErasureDocument>('registry', ERASURES, "SELECT * FROM c WHERE c.type = 'erasure'"),

    async request(tenantId) {
      let found = await read(tenantId);
      if (found === null) {
        const tenant = await cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant');
        if (tenant === null) return null;
        const asked = newErasure(tenantId, now());
        // The tombstone and the event that tells of it are one batch; where another was quicker, its own stands.
        const told = auditOf(tenantId, asked.requestedAt, 'tenant.erase', null);
        await retrying(() => cosmos.batch('registry', ERASURES, [{ create: asked }, { create: told }]));
        found = await read(tenantId);
      }
      if (found !== null) await mark(found);
      return found;
    },

    async save(erasure) {
      const next: ErasureDocument = { ...erasure, changedAt: now() };
      const told =
        erasure.state === 'ERASED'
          ? [{ upsert: auditOf(erasure.tenantId, erasure.erasedAt!, 'tenant.erased', { ...erasure.counts }) }]
          : [];
      const outcome = await cosmos.batch('registry', ERASURES, [
        { replace: next, etag: erasure._etag! },
        ...told,
      ]);
      return outcome.ok ? { ...next, _etag: outcome.etags[0]! } : null;
    },
  };
}

function auditOf(
  tenantId: string,
  at: number,
  action: string,
  after: Record<string, unknown> | null,
): AuditDocument {
  const id = derivedId('aud', action, tenantId);
  return {
    ...{ id, type: 'audit', buildingId: ERASURES, tenantId, at, actor: OPERATOR, action, subject: tenantId },
    ...{ auditKey: auditKeyOf(at, id), before: null, after },
  };
}
