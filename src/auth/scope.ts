import { type DevicePermission } from '../domain/lifecycle';
import { type Origin } from '../domain/origin';
import { isRevealing, type PresenceChoices } from '../domain/presence';
import { type QuantityName } from '../domain/quantity';
import { type Principal } from './principal';

export type { Principal };

export const ROLES = ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER', 'OPERATOR'] as const;
export type Role = (typeof ROLES)[number];

/** What each role may do. A permission that is not named here is nobody's. */
const PERMISSIONS = {
  'tenant.read': ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
  'building.read': ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
  'building.create': ['OWNER', 'MANAGER'],
  'average.read': ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
  // What single sensors say tells who is where: not for those who look after devices alone, nor for whoever looks on.
  'reading.read': ['OWNER', 'MANAGER', 'ANALYST'],
  'state.read': ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
  /** What tells whether somebody is there: occupants' data. */
  'presence.read': ['OWNER', 'MANAGER', 'ANALYST'],
  /** Which quantities are such, where that is the owner's to say. */
  'presence.manage': ['OWNER'],
  'device.read': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.register': ['OWNER', 'MANAGER'],
  'device.provision': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.claim': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.suspend': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.retire': ['OWNER', 'MANAGER'],
  'device.replace': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.move': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.credential': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'device.configure': ['OWNER', 'MANAGER'],
  'device.transfer': ['OWNER'],
  'dead-letter.read': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'dead-letter.replay': ['OWNER', 'MANAGER'],
  'audit.read': ['OWNER'],
  // Counts of the tenant as a whole, its silent hours among them.
  'ingestion.read': ['OWNER', 'MANAGER'],
  /** Who may see what: to share it, to take what is shared, and to see with whom it is. */
  'access.manage': ['OWNER'],
  /** To give programs a part of one's own rights, and to take it from them. */
  'api-key.manage': ['OWNER', 'MANAGER'],
  // What an alert of which kind needs, `alert-access.ts` says.
  'alert.read': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'alert.read-presence': ['OWNER', 'MANAGER'],
  'alert.acknowledge': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'alert-rule.read': ['OWNER', 'MANAGER', 'TECHNICIAN'],
  'alert-rule.manage': ['OWNER', 'MANAGER'],
  'webhook.manage': ['OWNER', 'MANAGER'],
  /** The documents that the tenant's clients were built with. */
  'document.manage': ['OWNER', 'MANAGER'],
  // Files know neither quantities nor buildings: for those who may read all of it, one by one approved by an owner.
  'cold-store.read': ['OWNER', 'MANAGER', 'ANALYST'],
  'cold-store.approve': ['OWNER'],
  /** Asked of the platform's own tenant alone: `platform.ts`. */
  'tenant.create': ['OPERATOR'],
} as const satisfies Record<DevicePermission, readonly Role[]> & Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/**
 * What a right to single spaces of a building tells of the building as a whole: that it is there, its name and time zone,
 * and its averages. Everything else is asked for space by space.
 */
const OF_THE_BUILDING: ReadonlySet<Permission> = new Set(['building.read', 'average.read']);

/** What tells of readings. Of a quantity that reveals presence it needs `presence.read` of the same right, too. */
const OF_READINGS: ReadonlySet<Permission> = new Set([
  'average.read',
  'state.read',
  'reading.read',
  'alert.read',
]);
/** What is made of all readings together, those that reveal presence among them. */
const OF_ALL_READINGS: ReadonlySet<Permission> = new Set(['ingestion.read', 'cold-store.read']);

/**
 * One right: a role in a tenant, in one building of it or in some spaces of that, possibly for some quantities, possibly
 * until a date.
 */
export interface Entitlement {
  tenantId: string;
  /** Null: every building of the tenant. */
  buildingId: string | null;
  /**
   * Left out or null: every space. Else these of the building and no other. What lies in a space that somebody has a right
   * to is named too, so that nobody has to look up where a space lies to judge.
   */
  spaceIds?: readonly string[] | null;
  /** Null: every quantity. */
  quantities: readonly QuantityName[] | null;
  role: Role;
  /** Left out: all that the role may. Else of that these alone: a program's key has a part of a person's rights. */
  permissions?: readonly Permission[];
  /** Milliseconds since 1970; null: until revoked. */
  until: number | null;
  /** The grant by which another tenant shares it; left out where it comes of belonging to the tenant. */
  grantId?: string;
  /** What the owner says tells of presence, by building; left out where nothing is said. Whoever writes rights leaves it out. */
  revealing?: PresenceChoices;
}

declare const scoped: unique symbol;

/**
 * Everything a principal has a right to, and nothing else. Every read and write of tenant data takes one, and the store
 * takes the owner from it, so that a query without a right cannot be written by accident.
 */
export interface TenantScope {
  readonly principal: Principal;
  readonly entitlements: readonly Entitlement[];
  /** Whence the principal asks, for the audit log; left out where a part of the platform asks. It gives no right. */
  readonly from?: Origin;
  readonly [scoped]: true;
}

export function tenantScope(
  principal: Principal,
  entitlements: readonly Entitlement[],
  from?: Origin,
): TenantScope {
  return { principal, entitlements, ...(from && { from }) } as TenantScope;
}

/**
 * What is asked for. A building that is left out asks for all of them (so a right to one does not suffice). A space that is
 * left out, or null, asks for the building as a whole (so a right to one does not suffice, but for `OF_THE_BUILDING`). A
 * quantity that is left out asks for any (so a right to one suffices, and what is answered of quantities is asked for one by
 * one); null asks for all of them, as what is of no one quantity does (so a right to some does not suffice).
 */
export interface Target {
  tenantId: string;
  buildingId?: string;
  spaceId?: string | null;
  quantity?: QuantityName | null;
}

export function allows(
  scope: TenantScope,
  permission: Permission,
  target: Target,
  now = Date.now(),
): boolean {
  return scope.entitlements.some(
    (each) => reaches(each, permission, target, now) && holdsPlace(each, permission, target.spaceId),
  );
}

/** Until when the scope allows it, milliseconds since 1970: 0 where it does not, Infinity where no end is known. */
export function allowedUntil(
  scope: TenantScope,
  permission: Permission,
  target: Target,
  now = Date.now(),
): number {
  return scope.entitlements
    .filter((each) => reaches(each, permission, target, now) && holdsPlace(each, permission, target.spaceId))
    .reduce((latest, { until }) => Math.max(latest, until ?? Infinity), 0);
}

/**
 * Whether the scope holds the permission in the building or in any space of it. What is answered must then be narrowed to
 * `spacesWith`, or asked for space by space.
 */
export function allowsSomewhere(
  scope: TenantScope,
  permission: Permission,
  target: Omit<Target, 'spaceId'>,
  now = Date.now(),
): boolean {
  return scope.entitlements.some((each) => reaches(each, permission, target, now));
}

/** The spaces of a building in which the scope holds the permission; null where it holds it in all of it. */
export function spacesWith(
  scope: TenantScope,
  permission: Permission,
  target: Omit<Target, 'spaceId'> & { buildingId: string },
  now = Date.now(),
): string[] | null {
  const found = new Set<string>();
  for (const each of scope.entitlements) {
    if (!reaches(each, permission, target, now)) continue;
    if (each.spaceIds == null) return null;
    for (const id of each.spaceIds) found.add(id);
  }
  return [...found].sort();
}

/** The one place where it is decided who is told of readings that reveal presence: of averages, states, history, alerts. */
function maySee(
  each: Entitlement,
  permission: Permission,
  { buildingId, quantity }: Target,
  now: number,
): boolean {
  const reveals =
    OF_ALL_READINGS.has(permission) ||
    (OF_READINGS.has(permission) && quantity != null && isRevealing(quantity, buildingId, each.revealing));
  return !reveals || holdsNow(each, 'presence.read', now);
}

/** Whether a right is to the target's tenant, building and quantities at this moment, wherever in the building. */
function reaches(each: Entitlement, permission: Permission, target: Target, now: number): boolean {
  return (
    each.tenantId === target.tenantId &&
    (each.buildingId === null || each.buildingId === target.buildingId) &&
    (each.quantities === null ||
      target.quantity === undefined ||
      (target.quantity !== null && each.quantities.includes(target.quantity))) &&
    holdsNow(each, permission, now) &&
    maySee(each, permission, target, now)
  );
}

/** Whether a right is to the permission at this moment, wherever. */
function holdsNow({ until, role, permissions }: Entitlement, permission: Permission, now: number): boolean {
  return (
    (until === null || now < until) &&
    (PERMISSIONS[permission] as readonly Role[]).includes(role) &&
    (permissions === undefined || permissions.includes(permission))
  );
}

function holdsPlace(
  { spaceIds }: Entitlement,
  permission: Permission,
  spaceId: string | null | undefined,
): boolean {
  if (spaceIds == null) return true;
  return spaceId == null ? OF_THE_BUILDING.has(permission) : spaceIds.includes(spaceId);
}

/**
 * The role that may do what both may: what members of a tenant do with what was shared with it. Exact, because the roles are
 * a lattice: of two of which neither includes the other, what both may do is what a viewer may.
 */
export function lesserRole(one: Role, other: Role): Role {
  // What an operator may is of the platform, which is nobody's building: of what is shared it is nothing.
  if (one === 'OPERATOR' || other === 'OPERATOR') return 'OPERATOR';
  if (includesRole(one, other)) return other;
  return includesRole(other, one) ? one : 'VIEWER';
}

function includesRole(role: Role, lesser: Role): boolean {
  return (Object.values(PERMISSIONS) as (readonly Role[])[]).every(
    (roles) => !roles.includes(lesser) || roles.includes(role),
  );
}

/** The tenants in which the scope holds the permission anywhere. */
export function tenantsWith(scope: TenantScope, permission: Permission, now = Date.now()): string[] {
  const tenants = scope.entitlements
    .filter((each) => holdsNow(each, permission, now))
    .map((each) => each.tenantId);
  return [...new Set(tenants)];
}
