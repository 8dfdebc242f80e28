import { type Entitlement, type Role, type TenantScope } from '../auth/scope';
import { type QuantityName } from '../domain/quantity';
import { type Cosmos } from './cosmos';
import { type ActivityReader } from './device-activity';
import {
  type AuditDocument,
  type BuildingDocument,
  type DeviceDocument,
  type PointDocument,
  type SpaceDocument,
  type SpacesOfBuilding,
  type SpaceKind,
  type TenantDocument,
  type TwinDocument,
} from './documents';
import { createDeadLettersReader, type DeadLettersReader } from './dead-letters/reader';
import { type ApiKeys, createApiKeys } from './api-keys/api-keys';
import { createGrants, type Grants } from './grants/grants';
import { createIngestionReports, type IngestionReports } from './ingestion/report';
import { type Keyring } from './keyring';
import { readingThrough, type Reads } from './remembered-reads';
import { type AuditFilter, type AuditLogOf, createAuditLog } from './registry/audit-log';
import { createPeople, type MembershipSweep, type Operators, type People } from './people/people';
import { createBuildingLocks } from './registry/building-locks';
import { createBuildings } from './registry/buildings';
import { createConfiguration } from './registry/configuration';
import { type CredentialInput, type CredentialKind } from './registry/credential-input';
import { createCredentials } from './registry/credentials';
import { createClaimAttempts } from './registry/claim-attempts';
import { type Claiming, createClaimFromStock, createClaiming } from './registry/claiming';
import { createDeviceChanges } from './registry/device-change';
import { type DeviceFilter } from './registry/device-filters';
import { createDevices } from './registry/devices';
import { createEnrollment, type Enrollment } from './registry/enrollment';
import { createIntervals } from './registry/interval';
import { createMoving, type Moving } from './registry/moving';
import { createParents } from './registry/parent';
import { createPresenceChoosing } from './presence/choosing';
import { createProvisioning } from './registry/provisioning';
import { createRelocationSaga } from './registry/relocation-saga';
import { createReplacing, type Replacing } from './registry/replacing';
import { createRetirement } from './registry/retirement';
import { createSagas, type SagaSweep } from './registry/saga';
import { createSerialNumbers } from './registry/serial-numbers';
import { createSpaces } from './registry/spaces';
import { createStock, type Stock } from './registry/stock';
import { createStockSaga } from './registry/stock-saga';
import { createSuspension } from './registry/suspension';
import { createTraces, type ToldDevices } from './registry/traces';
import { createTenants } from './registry/tenants';
import { createTransfers, type Transfers } from './registry/transfer';
import { createTrustedDocuments, type TrustedDocuments } from './trusted-documents/trusted-documents';

/** A page of a listing; `next` is an opaque position for the following page, null at the end. */
export interface Page<T> {
  items: T[];
  /** For each item the position of the page that follows it. */
  positions: string[];
  next: string | null;
}

/**
 * A refusal as a value. `NOT_FOUND` is the answer for what does not exist and for what is another tenant's alike;
 * `FORBIDDEN` only for what the caller can see and may not change.
 */
export interface Refusal {
  code:
    | 'NOT_FOUND'
    | 'FORBIDDEN'
    | 'INVALID_INPUT'
    | 'CONFLICT'
    | 'WRONG_STATE'
    | 'IDEMPOTENCY_KEY_REUSED'
    | 'LIMIT_EXCEEDED'
    | 'TOO_MANY_ATTEMPTS';
  message: string;
  /** The path of the offending argument, e.g. `devices.3.spaceId`. */
  path?: string;
  /** For `TOO_MANY_ATTEMPTS`. */
  retryAfterSeconds?: number;
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export interface NewSpace {
  name: string;
  kind: SpaceKind;
  /** The index in the same list of the space this one lies in; null for the building itself. */
  parent: number | null;
}

export interface NewDevice {
  name: string;
  model: string;
  spaceId: string;
  serialNumber: string | null;
}

export interface ProvisionedDevice {
  device: DeviceDocument;
  /** Base64; null when the idempotency key was seen before: secrets are shown once. */
  keys: { primary: string; secondary: string } | null;
}

/** A credential that was given to a device. */
export interface ShownCredential {
  device: DeviceDocument;
  /** Of what the device has now; null where that was destroyed since the key was first used. */
  kind: CredentialKind | null;
  /** The new primary key, base64, for the call that stored it; null for another kind and where it was shown before. */
  key: string | null;
  secretsAlreadyShown: boolean;
}

/**
 * Buildings and what stands in them, always inside the caller's scope. Lookups answer null for what is unknown and for
 * what is foreign, after the same store calls.
 */
export interface Registry
  extends
    ApiKeys,
    Grants,
    Stock,
    DeadLettersReader,
    IngestionReports,
    Enrollment,
    Claiming,
    Moving,
    Replacing,
    Transfers,
    People,
    Operators,
    MembershipSweep,
    TrustedDocuments,
    SagaSweep {
  tenant(scope: TenantScope, tenantId: string): Promise<TenantDocument | null>;
  /** What a person belongs to, at most a second old: what `tenantScope` is made of. Empty for a stranger. */
  memberships(personId: string): Promise<Entitlement[]>;
  /**
   * For a local or new platform: creates what is missing and sets the members' roles. May be repeated, but not while somebody
   * changes the same tenants' people.
   */
  seedTenants(seed: {
    tenants: readonly { id: string; name: string }[];
    members: readonly {
      issuer: string;
      subject: string;
      tenantId: string;
      role: Role;
      /** For a resident: the role holds in these alone. */
      spaces?: SpacesOfBuilding[];
    }[];
    /** Leaves whoever is, or was, a member as they are now. */
    onlyMissing?: boolean;
  }): Promise<void>;

  /**
   * In the order of their names, then ids. `tenantId` narrows the listing to one tenant. A page may hold fewer than
   * `first` and have a next all the same.
   */
  buildings(
    scope: TenantScope,
    options: { tenantId?: string; first: number; after: string | null },
  ): Promise<Page<BuildingDocument>>;
  buildingsById(scope: TenantScope, ids: readonly string[]): Promise<(BuildingDocument | null)[]>;
  /** Says which quantities tell of presence in a building, where that is its owner's to say: those and no others. */
  setPresenceRevealing(
    scope: TenantScope,
    input: { buildingId: string; quantities: readonly QuantityName[] },
  ): Promise<Outcome<{ building: BuildingDocument; quantities: QuantityName[] }>>;
  /**
   * The devices of a building of which the scope may be told when they sent: one that is not known is none of them.
   */
  toldDevices(scope: TenantScope, buildingId: string): Promise<ToldDevices>;
  /** In how many spaces of a building there is a point of each quantity; nothing where the scope does not see it. */
  measuredSpaces(scope: TenantScope, buildingId: string): Promise<Partial<Record<QuantityName, number>>>;
  /** In the order of their names, then ids. */
  spaces(scope: TenantScope, buildingId: string): Promise<SpaceDocument[]>;
  spacesById(
    scope: TenantScope,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(SpaceDocument | null)[]>;
  pointsById(
    scope: TenantScope,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(PointDocument | null)[]>;
  /**
   * Of a building, or of some spaces of it, in the order of their ids: those whose readings the scope may see. `quantities`
   * must be such as the scope allows.
   */
  points(
    scope: TenantScope,
    buildingId: string,
    options: {
      first: number;
      after: string | null;
      quantities: readonly QuantityName[];
      /** Left out: all. */
      spaceIds?: readonly string[];
    },
  ): Promise<Page<PointDocument>>;
  /**
   * In the order of their names, then ids. A page of silent devices may hold fewer than `first` and have a next all the
   * same: each looks at 500 devices at most.
   */
  devices(
    scope: TenantScope,
    buildingId: string,
    options: { first: number; after: string | null } & DeviceFilter,
  ): Promise<Page<DeviceDocument>>;
  /** When devices were last heard: at most about a minute behind. In the order of the keys; null for never. */
  lastSeen: ActivityReader['lastSeen'];
  /** Newest first. Empty for a building or tenant whose log the scope may not read, as for an unknown one. */
  auditLog(
    scope: TenantScope,
    of: AuditLogOf,
    options: { first: number; after: string | null } & AuditFilter,
  ): Promise<Page<AuditDocument>>;
  devicesById(scope: TenantScope, ids: readonly string[]): Promise<(DeviceDocument | null)[]>;

  createBuilding(
    scope: TenantScope,
    input: { tenantId: string; name: string; timeZone: string; spaces: NewSpace[] },
    idempotencyKey: string,
  ): Promise<Outcome<{ building: BuildingDocument; spaces: SpaceDocument[] }>>;
  /**
   * At most 10,000 devices a call; all or, where the input is invalid, none. Resumes where a first try stopped. In the
   * order of the input. Keys are 32 random bytes; the try that completes the mutation shows them, no later one does.
   */
  provisionDevices(
    scope: TenantScope,
    input: { buildingId: string; devices: NewDevice[] },
    idempotencyKey: string,
  ): Promise<Outcome<ProvisionedDevice[]>>;
  /** Ends its assignments now and destroys its keys; history stays. Retiring a retired device changes nothing. */
  retireDevice(scope: TenantScope, deviceId: string): Promise<Outcome<DeviceDocument>>;
  /** Refused by the gateway until resumed; it stays in the building's counts. Doing so again changes nothing. */
  suspendDevice(
    scope: TenantScope,
    deviceId: string,
    reason: string | null,
  ): Promise<Outcome<DeviceDocument>>;
  /** What it was before it was suspended. Resuming a device in service changes nothing. */
  resumeDevice(scope: TenantScope, deviceId: string): Promise<Outcome<DeviceDocument>>;
  /** Replaces every credential that the device has: the earlier ones are refused from then on. */
  issueDeviceCredential(
    scope: TenantScope,
    input: { deviceId: string; credential: CredentialInput },
    idempotencyKey: string,
  ): Promise<Outcome<ShownCredential>>;
  /**
   * A new primary credential; the primary so far becomes the secondary and is valid until the next rotation, the
   * secondary so far is refused from now on. So a device takes the new one over at leisure, and what somebody else still
   * holds, such as its manufacturer, is dead after two rotations, or after one with `revokeOther`.
   */
  rotateDeviceCredential(
    scope: TenantScope,
    input: {
      deviceId: string;
      /** Of the next certificate, for a device with thumbprints. */
      thumbprint: string | null;
      /** Whether the primary so far is refused at once as well: for one that has leaked. */
      revokeOther: boolean;
    },
    idempotencyKey: string,
  ): Promise<Outcome<ShownCredential>>;
  /**
   * Merges a patch (RFC 7396) into what the device is told to be. Refused with CONFLICT where `expectedVersion` is given
   * and is not the version that the patch would change.
   */
  setDeviceConfiguration(
    scope: TenantScope,
    input: { deviceId: string; desired: Record<string, unknown>; expectedVersion: number | null },
  ): Promise<Outcome<{ device: DeviceDocument; twin: TwinDocument }>>;
  /** Null where nothing was ever told or reported. */
  twinsById(
    scope: TenantScope,
    /** `spaceId`: where the device stands; left out, a right to the whole building is asked for. */
    keys: readonly { buildingId: string; spaceId?: string; deviceId: string }[],
  ): Promise<(TwinDocument | null)[]>;
  /** Null for none. The parent stands in the same building and has no parent itself. */
  setDeviceParent(
    scope: TenantScope,
    deviceId: string,
    parentId: string | null,
  ): Promise<Outcome<DeviceDocument>>;
  /** How often it is expected to send, in whole seconds, up to a week; null: as its model does. */
  setDeviceInterval(
    scope: TenantScope,
    deviceId: string,
    seconds: number | null,
  ): Promise<Outcome<DeviceDocument>>;
}

export function createRegistry({
  cosmos,
  keyring,
  reads = readingThrough(cosmos, 'registry'),
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  /** Of `registry`, for what is looked up and listed: what is changed is always read from the store. */
  reads?: Reads;
}): Registry {
  const locks = createBuildingLocks();
  const changes = createDeviceChanges({ cosmos, locks });
  const serialNumbers = createSerialNumbers({ cosmos });
  const stockSaga = createStockSaga({ cosmos, keyring, locks });
  const relocationSaga = createRelocationSaga({ cosmos, keyring, locks });
  const sagas = createSagas({
    cosmos,
    steps: { claim: stockSaga, replacement: stockSaga, move: relocationSaga, transfer: relocationSaga },
  });
  const attempts = createClaimAttempts({ cosmos });
  const claimFromStock = createClaimFromStock({ cosmos, keyring, sagas, attempts });
  return {
    ...createTenants({ cosmos }),
    ...createBuildings({ cosmos, reads }),
    ...createSpaces({ reads }),
    ...createDeadLettersReader({ cosmos }),
    ...createIngestionReports({ cosmos }),
    ...createDevices({ cosmos, reads }),
    ...createAuditLog({ cosmos }),
    ...createProvisioning({ cosmos, keyring, locks, serialNumbers }),
    ...createStock({ cosmos, serialNumbers }),
    ...createEnrollment({ cosmos, keyring }),
    ...createClaiming({ cosmos, claimFromStock }),
    ...createMoving({ cosmos, changes, sagas }),
    ...createReplacing({ cosmos, keyring, changes, serialNumbers, claimFromStock }),
    ...createTransfers({ cosmos, keyring, changes, sagas }),
    resumeSagas: sagas.resumeSagas,
    ...createRetirement({ cosmos, changes }),
    ...createSuspension({ changes }),
    ...createCredentials({ cosmos, keyring, changes }),
    ...createConfiguration({ cosmos, changes }),
    ...createParents({ cosmos, changes }),
    ...createIntervals({ changes }),
    ...createApiKeys({ cosmos }),
    ...createGrants({ cosmos }),
    ...createPresenceChoosing({ cosmos }),
    ...createTraces({ cosmos }),
    ...createPeople({ cosmos }),
    ...createTrustedDocuments({ cosmos }),
  };
}
