import { type GraphQLField, type GraphQLSchema } from 'graphql';
import { ruleOf, schemaFields } from '../../src/api/rules';
import { type Permission, type TenantScope, tenantScope } from '../../src/auth/scope';
import { type Context } from '../../src/resolvers/context';
import { expected, observe } from './judging';
import { type Case, CASES, type Rank, ROLES } from './rights';
import { type Tenants } from './tenants';
import { type World } from './world';

/** What every role has that sees the object at all: a rule that needs no more is as good as none. */
const WEAKEST: Permission = 'building.read';

/**
 * Rules behind which the same is asked again, quantity by quantity and space by space: without them nothing more is told.
 */
const ASKED_AGAIN = [
  'Building.excursions',
  'Building.history',
  'Building.latestReadings',
  'Building.readings',
  'Point.latestReading',
  'Space.excursions',
  'Space.history',
  'Tenant.excursions',
];
/** What every role has that sees the object at all: to weaken it changes nothing for people. */
const ALREADY_NEEDED: Record<string, readonly Permission[]> = {
  Building: ['building.read', 'average.read', 'state.read'],
  Device: ['device.read'],
  Space: ['building.read', 'average.read', 'state.read'],
  Tenant: ['tenant.read'],
  Webhook: ['webhook.manage'],
};

/** The mutants that no answer tells of, because they let nothing more through; by hand, so that no other one joins them. */
export function survivorsIn(mutants: readonly Mutant[]): string[] {
  return mutants
    .map(({ name }) => name)
    .filter((name) => {
      const [field, , needs] = name.split(' ') as [string, string, Permission];
      return ASKED_AGAIN.includes(field) || ALREADY_NEEDED[field.split('.')[0]!]?.includes(needs);
    })
    .sort();
}

/** A change that lets through what it should not, made in the running code and taken back. */
export interface Mutant {
  name: string;
  apply(): () => void;
  /** Who is asked, and for what: the table's cases that could tell. */
  cases: { each: Case; ranks: readonly Rank[]; of: 'own' | 'foreign' }[];
}

/**
 * For each field that asks for a permission before it is resolved: it asks for the weakest. The rule is one object for all
 * schemas of the process, and what it needs is read at each asking, so that a running API is changed with it.
 */
export function ruleMutants(schema: GraphQLSchema): Mutant[] {
  return schemaFields(schema).flatMap(({ name, field }) => {
    const rule = ruleOf(field as GraphQLField<unknown, Context>);
    if (typeof rule !== 'object' || rule.of === 'arguments') return [];
    const cases = CASES.filter(({ covers }) => covers.includes(name)).map((each) => ({
      each,
      ranks: ROLES.filter((rank) => !each.seen.includes(rank)),
      of: 'own' as const,
    }));
    const apply = (): (() => void) => {
      const { needs } = rule;
      rule.needs = WEAKEST;
      return () => void (rule.needs = needs);
    };
    return [{ name: `${name} needs ${rule.needs}`, apply, cases }];
  });
}

/** The methods that loaders call, and the cases that come by them. */
const LOADED: Record<string, (each: Case) => boolean> = {
  tenant: ({ at }) => at === 'tenant',
  buildingsById: ({ at, document }) => at === 'building' && document.startsWith('query'),
  devicesById: ({ at, document }) => at === 'device' && document.startsWith('query'),
};

/** A scope in place of the caller's own, while it is on. */
export interface Disturbance {
  method: string | null;
  scope: TenantScope | null;
}

/** The same services, but that one method may be asked with another's scope. */
export function disturbed<Services extends object>(services: Services, by: Disturbance): Services {
  return new Proxy(services, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (scope: unknown, ...rest: unknown[]): unknown =>
        (value as (...given: unknown[]) => unknown).call(
          target,
          by.method === name ? by.scope : scope,
          ...rest,
        );
    },
  });
}

/** For each kind of loader: it is made with a scope that sees both tenants. */
export function loaderMutants(by: Disturbance, { people, southOwner }: Tenants): Mutant[] {
  const both = tenantScope(people.OWNER.scope.principal, [
    ...people.OWNER.scope.entitlements,
    ...southOwner.scope.entitlements,
  ]);
  return Object.entries(LOADED).map(([method, comesBy]) => ({
    name: `${method} with another's scope`,
    apply() {
      Object.assign(by, { method, scope: both });
      return () => void Object.assign(by, { method: null, scope: null });
    },
    cases: CASES.filter(comesBy).map((each) => ({ each, ranks: ['OWNER', 'STRANGER'], of: 'foreign' })),
  }));
}

/** Whether the table tells of the mutant: an answer that it does not allow, or that an unknown thing has not. */
export async function isCaught(world: World, tenants: Tenants, mutant: Mutant): Promise<boolean> {
  const takeBack = mutant.apply();
  try {
    for (const { each, ranks, of } of mutant.cases) {
      for (const rank of ranks) {
        const things = of === 'own' ? tenants.north : tenants.south;
        const { verdict } = await observe(world, tenants, each, rank, things);
        if (verdict !== expected(each, rank)[of]) return true;
      }
    }
    return false;
  } finally {
    takeBack();
  }
}
