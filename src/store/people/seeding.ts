import { type Role } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type MemberDocument, type MembershipDocument, membersOf, type SpacesOfBuilding } from '../documents';
import { retrying } from '../store-error';
import { entryOf } from './records';
import { memberOf, standingIn } from './standing';

/** Somebody whom a platform is begun with; with `spaces`: the role holds in these alone. */
interface Seeded {
  tenantId: string;
  personId: string;
  role: Role;
  spaces?: SpacesOfBuilding[];
}

/** Makes people members without asking: for a platform that is being set up, while nobody changes the same tenants' people. */
export async function seedMembers(
  cosmos: Cosmos,
  seeded: readonly Seeded[],
  onlyMissing: boolean,
): Promise<void> {
  const entries = await cosmos.readMany<MemberDocument>(
    'directory',
    seeded.map(({ tenantId, personId }) => ({ partition: membersOf(tenantId), id: personId })),
  );
  const memberships = await cosmos.readMany<MembershipDocument>(
    'directory',
    seeded.map(({ tenantId, personId }) => ({ partition: `person:${personId}`, id: tenantId })),
  );
  const now = Date.now();
  const members = seeded.flatMap(({ role, spaces, ...who }, i) => {
    const known = entries[i] !== null || memberships[i] !== null;
    if (onlyMissing && known) return [];
    const before = memberOf(who, entries[i] ?? null, memberships[i] ?? null);
    const standing = spaces ? { role: null, resident: { role, spaces } } : { role };
    const { displayName, joinedAt, version } = before;
    return [{ ...who, ...standing, displayName, joinedAt: joinedAt ?? now, version: version + 1 }];
  });
  await cosmos.bulkUpsert(
    'directory',
    members.map((member): MembershipDocument => {
      const { tenantId, personId, version } = member;
      const key = `person:${personId}`;
      return { id: tenantId, key, kind: 'membership', tenantId, ...standingIn(member), version };
    }),
  );
  // How the members of a tenant are found; written after the membership, which is the right.
  await cosmos.bulkUpsert('directory', members.map(entryOf));
  // Derived anew when it is next asked for.
  for (const tenantId of new Set(members.map((each) => each.tenantId))) {
    await retrying(() => cosmos.batch('directory', membersOf(tenantId), [{ remove: 'roster' }]));
  }
}
