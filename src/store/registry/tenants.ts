import { narrowed } from '../../auth/api-key-permissions';
import { type Entitlement, lesserRole, type Role, tenantsWith } from '../../auth/scope';
import { personId } from '../../domain/id';
import { EVERY_BUILDING, type PresenceChoices } from '../../domain/presence';
import { type ApiKeyDocument } from '../api-keys/documents';
import { type Cosmos } from '../cosmos';
import { type MembershipDocument, type TenantDocument } from '../documents';
import { type ErasedMarkDocument, ERASURES } from '../erasure/documents';
import { type ReceivedGrantDocument, receivedOf } from '../grants/documents';
import { choicesOf, presenceDocuments } from '../presence/documents';
import { seedMembers } from '../people/seeding';
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
    const [rights, erased] = await Promise.all([rightsOf(cosmos, person), erasedTenants(cosmos)]);
    const shared = new Map<string, ReceivedGrantDocument[]>();
    for (const tenantId of sharingTenantsOf(rights)) shared.set(tenantId, await sharedWith(cosmos, tenantId));
    const makers = new Map<string, Entitlement[]>();
    for (const maker of makersOf(rights)) makers.set(maker, await load(maker));
    const entitlements = entitlementsOf(
      rights,
      (tenantId) => shared.get(tenantId) ?? [],
      erased,
      (maker) => makers.get(maker) ?? [],
    );
    const choices = new Map<string, PresenceChoices>();
    for (const tenantId of ownersOf(entitlements))
      choices.set(tenantId, choicesOf(await presenceDocuments(cosmos, tenantId)));
    return withChoices(entitlements, (tenantId) => choices.get(tenantId)!);
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

    async seedTenants({ tenants, members, onlyMissing = false }) {
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
      const standing = members
        .filter(({ tenantId }) => !erased.has(tenantId))
        .map(({ issuer, subject, ...seeded }) => ({ ...seeded, personId: personId(issuer, subject) }));
      await seedMembers(cosmos, standing, onlyMissing);
      for (const { issuer, subject } of members) cached.delete(personId(issuer, subject));
    },
  };
}

/** The tenants that are erased: whatever still stands of them gives nobody a right. */
export async function erasedTenants(cosmos: Pick<Cosmos, 'query'>): Promise<ReadonlySet<string>> {
  const marks = await cosmos.query<ErasedMarkDocument>('directory', ERASURES, 'SELECT * FROM c');
  return new Set(marks.map(({ tenantId }) => tenantId));
}

/** What a person's rights are made of: what they belong to, and what is shared with them as a person. Or a program's key. */
export type RightDocument = MembershipDocument | ReceivedGrantDocument | ApiKeyDocument;

export function rightsOf(cosmos: Pick<Cosmos, 'query'>, person: string): Promise<RightDocument[]> {
  return cosmos.query<RightDocument>(
    'directory',
    `person:${person}`,
    "SELECT * FROM c WHERE c.kind = 'membership' OR c.kind = 'grant' OR c.kind = 'apiKey'",
  );
}

/** The persons whose rights a key has a part of: of a person's own documents, nobody. */
export function makersOf(rights: Iterable<RightDocument>): string[] {
  return [...rights].flatMap((each) => (each.kind === 'apiKey' ? [each.createdBy] : []));
}

/** What is, or was, shared with a tenant. */
export function sharedWith(
  cosmos: Pick<Cosmos, 'query'>,
  tenantId: string,
): Promise<ReceivedGrantDocument[]> {
  return cosmos.query<ReceivedGrantDocument>(
    'directory',
    receivedOf(tenantId),
    "SELECT * FROM c WHERE c.kind = 'grant'",
  );
}

/** The tenants whose grants are a person's too. What is shared with a tenant is not shared with its residents. */
export function sharingTenantsOf(rights: Iterable<RightDocument>): string[] {
  return [...rights].flatMap((each) =>
    each.kind === 'membership' && each.role !== null ? [each.tenantId] : [],
  );
}

/**
 * In the order of the documents' ids: the same documents give the same entitlements.
 *
 * @param sharedWithTenant left out by who asks what somebody may as a member.
 * @param erased tenants that give nobody a right; left out by who asks about a tenant that the caller has a right in.
 * @param rightsOfMaker what the maker of a key may do now; left out by who asks about people.
 */
export function entitlementsOf(
  rights: Iterable<RightDocument>,
  sharedWithTenant: (tenantId: string) => Iterable<ReceivedGrantDocument> = () => [],
  erased: ReadonlySet<string> = new Set(),
  rightsOfMaker: (person: string) => readonly Entitlement[] = () => [],
): Entitlement[] {
  const all = [...rights].sort(byId).flatMap((each): Entitlement[] => {
    if (each.kind === 'apiKey') {
      return each.endedAt === null ? narrowed(rightsOfMaker(each.createdBy), each) : [];
    }
    if (each.kind === 'grant') return ofGrant(each, each.role);
    const { tenantId, role, resident } = each;
    if (erased.has(tenantId)) return [];
    const right = { tenantId, buildingId: null, quantities: null, until: null };
    if (role === null) {
      return (resident?.spaces ?? []).map((spaces) => ({ ...right, ...spaces, role: resident!.role }));
    }
    const shared = [...sharedWithTenant(tenantId)].sort(byId);
    return [{ ...right, role }, ...shared.flatMap((grant) => ofGrant(grant, lesserRole(grant.role, role)))];
  });
  return all.filter(({ tenantId }) => !erased.has(tenantId));
}

/** Whose buildings somebody has a right to. */
export function ownersOf(entitlements: Iterable<Entitlement>): string[] {
  return [...new Set([...entitlements].map(({ tenantId }) => tenantId))];
}

/** The rights with what the owners chose of the buildings that they are to. */
export function withChoices(
  entitlements: readonly Entitlement[],
  choicesOfTenant: (tenantId: string) => PresenceChoices,
): Entitlement[] {
  // A key's come of its maker's, who has them already, maybe of before.
  return entitlements.map(({ revealing: _before, ...each }) => {
    const choices = choicesOfTenant(each.tenantId);
    const { buildingId } = each;
    const revealing =
      buildingId === null
        ? choices
        : Object.fromEntries(
            [buildingId, EVERY_BUILDING].flatMap((id) =>
              Object.hasOwn(choices, id) ? [[id, choices[id]!] as const] : [],
            ),
          );
    return Object.keys(revealing).length === 0 ? each : { ...each, revealing };
  });
}

function ofGrant(grant: ReceivedGrantDocument, role: Role): Entitlement[] {
  const { id: grantId, ownerId: tenantId, buildingId, spaceIds, quantities, until, endedAt } = grant;
  return endedAt === null ? [{ tenantId, buildingId, spaceIds, quantities, role, until, grantId }] : [];
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
