import { isRevealing } from '../domain/presence';
import { QUANTITY_NAMES, type QuantityName } from '../domain/quantity';
import { allows, spacesWith, type Target, type TenantScope } from './scope';

/*
 * What tells whether somebody is there goes to those who hold `presence.read`. `allows` asks for it by itself wherever
 * readings of a quantity are told (`OF_READINGS` of `scope.ts`); here is what follows from that for what is told of
 * readings without naming a quantity. The rule that all of it keeps: two runs of the platform that differ only in such
 * readings, in their values, their times and whether they are there at all, give whoever lacks the right the same answers.
 */

interface Place {
  tenantId: string;
  buildingId: string;
}

type Measured = Place & { spaceId?: string | null; quantity: QuantityName };

/** Whether a quantity tells of presence in a building, as its owner says. */
export function revealsPresence(
  scope: TenantScope,
  { tenantId, buildingId, quantity }: Pick<Measured, 'tenantId' | 'buildingId' | 'quantity'>,
): boolean {
  return (
    isRevealing(quantity, buildingId, undefined) ||
    scope.entitlements.some(
      (each) => each.tenantId === tenantId && isRevealing(quantity, buildingId, each.revealing),
    )
  );
}

/** Whether a quantity's state may be seen. */
export function allowsState(
  scope: TenantScope,
  target: Target & { quantity: QuantityName },
  now = Date.now(),
): boolean {
  return allows(scope, 'state.read', target, now);
}

/**
 * Whether it may be told when something was measured, or that it was, of whatever it is told: a device's last message, a
 * reading that was refused.
 */
export function allowsTraces(scope: TenantScope, measured: Measured): boolean {
  return !revealsPresence(scope, measured) || allows(scope, 'presence.read', measured);
}

/**
 * The quantities that tell of presence in a building and may not be told of in some of its spaces, each with the spaces in
 * which it may. Two scopes with the same may be told the same of when devices of the building sent.
 */
export function untoldQuantities(scope: TenantScope, place: Place): [QuantityName, string[]][] {
  const { tenantId, buildingId } = place;
  return QUANTITY_NAMES.filter((quantity) =>
    revealsPresence(scope, { tenantId, buildingId, quantity }),
  ).flatMap((quantity) => {
    const spaces = spacesWith(scope, 'presence.read', { tenantId, buildingId, quantity });
    return spaces === null ? [] : [[quantity, spaces]];
  });
}

/**
 * Whether all that is measured in a building may be told of: and with it what follows from all of it together, such as how
 * far its part of the stream is counted.
 */
export function seesAllPresence(scope: TenantScope, { tenantId, buildingId }: Place): boolean {
  return allows(scope, 'presence.read', { tenantId, buildingId, quantity: null });
}

/** How much of a building's average of a quantity may be told. */
export type AverageSight =
  /** All. */
  | 'WHOLE'
  /** What tells of no single room: not the least and the greatest. */
  | 'BLURRED';

/**
 * What somebody may see of a building's average; null for nothing. Whoever has a right to single spaces sees it where so
 * many spaces take part that it tells of no other room by itself. How many do is what the registry says: what reports at the
 * moment would tell who is in.
 *
 * @param spaces in how many spaces the quantity is measured.
 */
export function sightOfAverage(
  scope: TenantScope,
  target: Place & { quantity: QuantityName },
  { spaces, minimumSpaces }: { spaces: number; minimumSpaces: number },
): AverageSight | null {
  if (!allows(scope, 'average.read', target)) return null;
  if (spacesWith(scope, 'average.read', target) === null) return 'WHOLE';
  return spaces >= minimumSpaces ? 'BLURRED' : null;
}
