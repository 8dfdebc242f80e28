import { type ApiKeyPermission } from '../../src/auth/api-key-permissions';
import { freshKey, type Person } from '../api/api.support';
import { type KeyGroups } from './key-rights';
import { type World } from './world';

/** Programs of the first tenant, each with a key for some permissions. */
export interface Keys {
  holding(permissions: readonly ApiKeyPermission[]): Promise<Person>;
}

/** All made by one owner, who may do all that a key may. */
export function createKeys({ registry, ask }: Pick<World, 'registry' | 'ask'>, owner: Person): Keys {
  const made = new Map<string, Promise<Person>>();
  async function make(permissions: readonly ApiKeyPermission[]): Promise<Person> {
    const outcome = await registry.createApiKey(
      owner.scope,
      {
        ...{ tenantId: owner.scope.entitlements[0]!.tenantId, name: permissions.join(' ').slice(0, 50) },
        ...{ permissions: [...permissions], buildingIds: null, documents: null, expiresInDays: 1 },
      },
      freshKey(),
    );
    if (!outcome.ok) throw new Error(outcome.refusal.message);
    const person = { subject: outcome.value.record.id, token: outcome.value.text!, scope: undefined! };
    // Its first use looks it up: that tells of it, and not of what it asks for.
    await ask(person, '{ viewer { id } }');
    return person;
  }
  return {
    holding(permissions) {
      const name = permissions.join();
      const key = made.get(name) ?? make(permissions);
      made.set(name, key);
      return key;
    },
  };
}

/** Keys that hold one of each group and no more, so that each of a group stands in one of them. */
export function minimalKeys(groups: KeyGroups): ApiKeyPermission[][] {
  if (groups.length === 0) return [['READ_BUILDINGS']];
  return groups.flatMap((group, i) =>
    group.map((name) => groups.map((each, other) => (other === i ? name : each[0]!))),
  );
}
