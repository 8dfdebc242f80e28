import { type Entitlement, tenantsWith } from '../../auth/scope';
import { personId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { type MembershipDocument, type TenantDocument } from '../documents';
import { type ErasedMarkDocument, ERASURES } from '../erasure/documents';
import { type Registry } from '../registry';

/** How stale a person's memberships may be: within the two seconds in which a revocation must take effect. */
const FRESH_MS = 1_000;
const MAXIMUM_CACHED_PERSONS = 10_000;

export function createTenants({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Registry, 'tenant' | 'memberships' | 'seedTenants'> {
  const cached = new Map<string, { until: number; entitlements: Promise<Entitlement[]> }>();

  const load = async (person: string): Promise<Entitlement[]> => {
    const [memberships, erased] = await Promise.all([membershipsOf(cosmos, person), erasedTenants(cosmos)]);
    return entitlementsOf(memberships, erased);
  };

  return {
    async tenant(scope, tenantId) {
      // Whoever may see a building of it, or any space of one, may see whose it is.
      if (!tenantsWith(scope, 'building.read').includes(tenantId)) return null;
      return cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant');
    },

    memberships(person) {
      const known = cached.get(person);
      if (known && Date.now() < known.until) return known.entitlements;
      // Its age counts from the question, not from the answer.
      const entitlements = load(person);
      cached.delete(person);
      cached.set(person, { until: Date.now() + FRESH_MS, entitlements });
      if (cached.size > MAXIMUM_CACHED_PERSONS) cached.delete(cached.keys().next().value!);
      entitlements.catch(() => {
        if (cached.get(person)?.entitlements === entitlements) cached.delete(person);
      });
      return entitlements;
    },

    async seedTenants({ tenants, members }) {
      const erased = await erasedTenants(cosmos);
      for (const { id, name } of tenants) {
        if (erased.has(id)) continue;
        const tenant: TenantDocument = {
          id: 'tenant',
          key: `tenant:${id}`,
          tenantId: id,
          name,
          createdAt: Date.now(),
        };
        // A tenant that exists stays as it is.
        await cosmos.batch('directory', tenant.key, [{ create: tenant }]);
      }
      await cosmos.bulkUpsert(
        'directory',
        members
          .filter(({ tenantId }) => !erased.has(tenantId))
          .map(({ issuer, subject, tenantId, role, spaces }): MembershipDocument => ({
            id: tenantId,
            key: `person:${personId(issuer, subject)}`,
            kind: 'membership',
            tenantId,
            role,
            ...(spaces && { spaces }),
          })),
      );
      for (const { issuer, subject } of members) cached.delete(personId(issuer, subject));
    },
  };
}

/** The tenants that are erased: whatever still stands of them gives nobody a right. */
export async function erasedTenants(cosmos: Pick<Cosmos, 'query'>): Promise<ReadonlySet<string>> {
  const marks = await cosmos.query<ErasedMarkDocument>('directory', ERASURES, 'SELECT * FROM c');
  return new Set(marks.map(({ tenantId }) => tenantId));
}

export function membershipsOf(cosmos: Pick<Cosmos, 'query'>, person: string): Promise<MembershipDocument[]> {
  return cosmos.query<MembershipDocument>(
    'directory',
    `person:${person}`,
    "SELECT * FROM c WHERE c.kind = 'membership'",
  );
}

/**
 * In the order of the tenants' ids: the same memberships give the same entitlements.
 *
 * @param erased tenants that give nobody a right; left out by who asks about a tenant that the caller has a right in.
 */
export function entitlementsOf(
  memberships: Iterable<MembershipDocument>,
  erased: ReadonlySet<string> = new Set(),
): Entitlement[] {
  return [...memberships]
    .sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1))
    .flatMap(({ tenantId, role, spaces }): Entitlement[] => {
      if (role === null || erased.has(tenantId)) return [];
      const right = { tenantId, buildingId: null, quantities: null, role, until: null };
      if (!spaces) return [right];
      return spaces.map(({ buildingId, spaceIds }) => ({ ...right, buildingId, spaceIds }));
    });
}
