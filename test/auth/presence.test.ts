import { allowsTraces, seesAllPresence, sightOfAverage } from '../../src/auth/presence';
import { allows, type Entitlement, tenantScope } from '../../src/auth/scope';
import { steppedLastSeen } from '../../src/domain/last-seen';
import { UNKNOWN_CHOICES } from '../../src/domain/presence';

const HERE = { tenantId: 'ten_a', buildingId: 'bld_a' };
const principal = { kind: 'person' as const, id: 'per_a', email: null, expiresAt: Infinity };
const scopeOf = (right: Partial<Entitlement>) =>
  tenantScope(principal, [
    { tenantId: 'ten_a', buildingId: null, quantities: null, role: 'VIEWER', until: null, ...right },
  ]);
const CO2 = { ...HERE, quantity: 'CO2_LEVEL' } as const;

describe('what tells of presence', () => {
  it('is what always does, and in a building what its owner says', () => {
    const viewer = scopeOf({ revealing: { bld_a: ['CO2_LEVEL'] } });
    expect(allows(viewer, 'average.read', { ...HERE, quantity: 'MOTION_LEVEL' })).toBe(false);
    expect(allows(viewer, 'average.read', CO2)).toBe(false);
    expect(allows(viewer, 'average.read', { ...CO2, buildingId: 'bld_b' })).toBe(true);
    expect(allows(viewer, 'average.read', { ...HERE, quantity: 'ILLUMINANCE' })).toBe(true);
    expect(allowsTraces(viewer, CO2)).toBe(false);
    expect(
      allows(scopeOf({ role: 'ANALYST', revealing: { bld_a: ['CO2_LEVEL'] } }), 'average.read', CO2),
    ).toBe(true);
  });

  it('is all that can be chosen while it is not known what was', () => {
    expect(allows(scopeOf({ revealing: UNKNOWN_CHOICES }), 'average.read', CO2)).toBe(false);
  });

  it('is not told to a right without the permission, whatever its role', () => {
    const key = scopeOf({ role: 'OWNER', permissions: ['reading.read'] });
    expect(allows(key, 'reading.read', { ...HERE, quantity: 'OCCUPANCY' })).toBe(false);
    expect(allows(key, 'reading.read', { ...HERE, quantity: 'SMOKE' })).toBe(true);
    expect(seesAllPresence(key, HERE)).toBe(false);
  });
});

describe('the averages of a building', () => {
  const temperature = { ...HERE, quantity: 'AIR_TEMPERATURE' } as const;
  const over = (spaces: number) => ({ spaces, minimumSpaces: 3 });

  it('are told to whoever has a right to single spaces over enough of them, and without the least and the greatest', () => {
    const resident = scopeOf({ buildingId: 'bld_a', spaceIds: ['spc_1'] });
    expect(sightOfAverage(resident, temperature, over(2))).toBeNull();
    expect(sightOfAverage(resident, temperature, over(3))).toBe('BLURRED');
    expect(sightOfAverage(scopeOf({}), temperature, over(0))).toBe('WHOLE');
  });
});

describe('when a device was last heard, in steps', () => {
  it('does not depend on what it sends beside its heartbeat', () => {
    const now = 1_790_000_000_000;
    const told = [0, 1, 30, 59, 120].map((seconds) => steppedLastSeen(now - seconds * 1_000, 60, now));
    expect(new Set(told).size).toBe(1);
    expect(steppedLastSeen(now - 600_000, 60, now)).toBe(Math.floor((now - 600_000) / 60_000) * 60_000);
  });
});
