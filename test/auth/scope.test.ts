import fc from 'fast-check';
import {
  allows,
  allowsSomewhere,
  type Entitlement,
  lesserRole,
  type Permission,
  ROLES,
  spacesWith,
  tenantScope,
  tenantsWith,
} from '../../src/auth/scope';

const PERMISSIONS: readonly Permission[] = [
  'tenant.read',
  'building.read',
  'average.read',
  'reading.read',
  'state.read',
  'presence.read',
  'device.read',
  'device.configure',
  'alert.read',
  'audit.read',
  'access.manage',
];
const SPACES = ['spc_1', 'spc_2', 'spc_3'];
const principal = { kind: 'person' as const, id: 'prs_1', email: null, expiresAt: Infinity };
const entitlement = fc.record({
  tenantId: fc.constantFrom('ten_a', 'ten_b'),
  buildingId: fc.constantFrom('bld_1', 'bld_2'),
  spaceIds: fc.option(fc.subarray(SPACES)),
  quantities: fc.option(fc.subarray(['AIR_TEMPERATURE', 'CO2_LEVEL'] as const)),
  role: fc.constantFrom(...ROLES),
  until: fc.constantFrom(null, 1, 3),
}) satisfies fc.Arbitrary<Entitlement>;
const scopes = fc.array(entitlement, { maxLength: 4 }).map((each) => tenantScope(principal, each));
const NOW = 2;

describe('rights', () => {
  it('of the lesser of two roles are those that both have', () => {
    const may = (role: Entitlement['role'], permission: Permission) =>
      allows(
        tenantScope(principal, [
          { tenantId: 'ten_a', buildingId: null, quantities: null, role, until: null },
        ]),
        permission,
        { tenantId: 'ten_a' },
      );
    for (const one of ROLES)
      for (const other of ROLES)
        for (const permission of PERMISSIONS) {
          expect([one, other, permission, may(lesserRole(one, other), permission)]).toEqual([
            one,
            other,
            permission,
            may(one, permission) && may(other, permission),
          ]);
        }
  });

  it('to single spaces are to these and to what is told of the building, whatever else is held', () => {
    fc.assert(
      fc.property(scopes, fc.constantFrom(...PERMISSIONS), (scope, permission) => {
        const place = { tenantId: 'ten_a', buildingId: 'bld_1' };
        const spaces = spacesWith(scope, permission, place, NOW);
        for (const spaceId of SPACES) {
          expect(allows(scope, permission, { ...place, spaceId }, NOW)).toBe(
            spaces === null || spaces.includes(spaceId),
          );
        }
        const ofTheBuilding = permission === 'building.read' || permission === 'average.read';
        const somewhere = allowsSomewhere(scope, permission, place, NOW);
        expect(allows(scope, permission, place, NOW)).toBe(spaces === null || (ofTheBuilding && somewhere));
        // A space that nobody named is nobody's but the whole building's.
        expect(allows(scope, permission, { ...place, spaceId: 'spc_new' }, NOW)).toBe(spaces === null);
      }),
    );
  });

  it('that are a part of a role’s are that part of what the role gives, and never more', () => {
    fc.assert(
      fc.property(
        scopes,
        fc.subarray([...PERMISSIONS]),
        fc.constantFrom(...PERMISSIONS),
        (scope, part, permission) => {
          const partly = tenantScope(
            principal,
            scope.entitlements.map((each) => ({ ...each, permissions: part })),
          );
          const place = { tenantId: 'ten_a', buildingId: 'bld_1' };
          const holds = part.includes(permission);
          for (const spaceId of [null, ...SPACES]) {
            const target = { ...place, spaceId };
            expect(allows(partly, permission, target, NOW)).toBe(
              holds && allows(scope, permission, target, NOW),
            );
          }
          expect(tenantsWith(partly, permission, NOW)).toEqual(
            holds ? tenantsWith(scope, permission, NOW) : [],
          );
        },
      ),
    );
  });
});
