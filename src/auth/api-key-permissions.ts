import { type Entitlement, type Permission } from './scope';

/** Whoever may see anything of a place sees its name, and whose it is. */
const PLACES = ['tenant.read', 'building.read'] as const;

/**
 * What a key can be made for, by its name in the schema. A permission that is not named here is no key's: whoever holds one
 * can neither administer access nor hand devices or files over, nor have webhooks made that a person would answer for.
 */
export const API_KEY_PERMISSIONS = {
  READ_BUILDINGS: PLACES,
  READ_AVERAGES: [...PLACES, 'average.read'],
  READ_STATES: [...PLACES, 'state.read'],
  READ_PRESENCE: [...PLACES, 'state.read', 'presence.read', 'alert.read-presence'],
  READ_READINGS: [...PLACES, 'reading.read'],
  READ_DEVICES: [...PLACES, 'device.read'],
  REGISTER_DEVICES: [...PLACES, 'device.register'],
  PROVISION_DEVICES: [...PLACES, 'device.read', 'device.provision', 'device.claim'],
  MAINTAIN_DEVICES: [
    ...PLACES,
    ...(['device.read', 'device.move', 'device.replace', 'device.claim', 'device.suspend'] as const),
    ...(['device.retire', 'device.credential'] as const),
  ],
  CONFIGURE_DEVICES: [...PLACES, 'device.read', 'device.configure'],
  READ_ALERTS: [...PLACES, 'alert.read', 'alert-rule.read'],
  ACKNOWLEDGE_ALERTS: [...PLACES, 'alert.read', 'alert.acknowledge'],
  MANAGE_ALERT_RULES: [...PLACES, 'alert-rule.read', 'alert-rule.manage'],
  READ_DEAD_LETTERS: [...PLACES, 'dead-letter.read'],
  REPLAY_DEAD_LETTERS: [...PLACES, 'dead-letter.read', 'dead-letter.replay'],
  READ_INGESTION: [...PLACES, 'ingestion.read'],
  READ_AUDIT_LOG: [...PLACES, 'audit.read'],
  CREATE_BUILDINGS: [...PLACES, 'building.create'],
  /** A build pipeline's: what a document answers follows from who sends it, so that it gives away nothing. */
  REGISTER_DOCUMENTS: [...PLACES, 'document.manage'],
} as const satisfies Record<string, readonly Permission[]>;

export type ApiKeyPermission = keyof typeof API_KEY_PERMISSIONS;

const GRANTABLE: ReadonlySet<Permission> = new Set(Object.values(API_KEY_PERMISSIONS).flat());

/** Whether there can be a key that holds it. */
export function isForKeys(permission: Permission): boolean {
  return GRANTABLE.has(permission);
}

/** Names that this release does not know, of a later one, give nothing. */
export function permissionsOf(names: readonly string[]): Permission[] {
  const known = names.flatMap((name): readonly Permission[] =>
    Object.hasOwn(API_KEY_PERMISSIONS, name) ? API_KEY_PERMISSIONS[name as ApiKeyPermission] : [],
  );
  return [...new Set(known)].sort();
}

/** What a key is limited to, of its maker's rights in its tenant. */
export interface KeyLimits {
  tenantId: string;
  /** Names; see `permissionsOf`. */
  permissions: readonly string[];
  /** Null: all of the tenant's. */
  buildingIds: readonly string[] | null;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Sessions end by the key's own expiry, so that their clients are told why; what else goes by rights ends a moment later. */
const AFTER_EXPIRY_MS = 1_000;

/**
 * What is left of the maker's present rights. What others share with the maker, or with the tenant, is left out: a grant
 * cannot be passed on, and a key can be.
 */
export function narrowed(rights: readonly Entitlement[], limits: KeyLimits): Entitlement[] {
  const { tenantId, buildingIds } = limits;
  const permissions = permissionsOf(limits.permissions);
  const end = limits.expiresAt + AFTER_EXPIRY_MS;
  return rights
    .filter((each) => each.tenantId === tenantId && each.grantId === undefined)
    .flatMap((each): Entitlement[] => {
      const right = {
        ...each,
        permissions: permissions.filter((name) => each.permissions?.includes(name) ?? true),
        until: Math.min(each.until ?? Infinity, end),
      };
      if (buildingIds === null) return [right];
      if (each.buildingId !== null) return buildingIds.includes(each.buildingId) ? [right] : [];
      return [...buildingIds].sort().map((buildingId) => ({ ...right, buildingId }));
    });
}
