import { type Role } from '../auth/scope';
import { type Assignment, type DeviceModelChannel, type DeviceState } from '../domain/device';
import { type InService } from '../domain/lifecycle';
import { type Origin } from '../domain/origin';
import { type QuantityName } from '../domain/quantity';

/**
 * The documents in Cosmos, by container. Instants are milliseconds since 1970. A reader ignores fields it does not know,
 * so that release N reads the documents of N+1.
 *
 * - `registry`, key `/buildingId`: a building and all that stands in it, so that a change, its audit event and its
 *   idempotency record share one transactional batch.
 * - `directory`, key `/key`: what must be found by another key than its building's.
 * - `warm`, key `/buildingId`: the rolling record, with a time to live.
 * - `recent`, key `/buildingId`: the readings of the last days, with a time to live; see `recent-documents.ts`.
 * - `deadletters`, key `/scopeKey`: what was refused, with a time to live; see `dead-letters/documents.ts`.
 * - `alerts`, key `/buildingId`: alerts and their events, with a time to live once cleared; see `alert-documents.ts`.
 */
export const CONTAINERS = {
  registry: { partitionKey: '/buildingId' },
  directory: { partitionKey: '/key' },
  warm: { partitionKey: '/buildingId' },
  recent: { partitionKey: '/buildingId' },
  deadletters: { partitionKey: '/scopeKey' },
  alerts: { partitionKey: '/buildingId' },
  ingestion: { partitionKey: '/key' },
} as const;

export interface BuildingDocument {
  id: string;
  type: 'building';
  /** The same as `id`: a building's partition is its own. */
  buildingId: string;
  tenantId: string;
  name: string;
  /** IANA. */
  timeZone: string;
  createdAt: number;
  /** The next free dense indexes; they are never given twice. */
  nextPointOrdinal: number;
  nextDeviceOrdinal: number;
  /** Devices in force (not retired), all and by quantity: what `devicesExpected` counts. */
  devices: number;
  devicesByQuantity: Partial<Record<QuantityName, number>>;
  _etag?: string;
}

export type SpaceKind = 'LEVEL' | 'ROOM' | 'ZONE';

export interface SpaceDocument {
  id: string;
  type: 'space';
  buildingId: string;
  tenantId: string;
  name: string;
  kind: SpaceKind;
  /** Null for a space directly under the building. */
  parentId: string | null;
  createdAt: number;
}

export interface PointDocument {
  id: string;
  type: 'point';
  buildingId: string;
  tenantId: string;
  spaceId: string;
  quantity: QuantityName;
  ordinal: number;
  createdAt: number;
}

/** Sealed with AES-256-GCM under the key from configuration: `v1.<nonce>.<ciphertext and tag>`, base64url. */
export type SealedKey = string;

export interface DeviceDocument {
  id: string;
  type: 'device';
  buildingId: string;
  tenantId: string;
  name: string;
  /** `sortKeyOf(name, id)`: the order of listings. */
  sortKey: string;
  serialNumber: string | null;
  model: string;
  spaceId: string;
  state: DeviceState;
  /** Symmetric keys; null once destroyed. Both are valid while both stand. */
  keys: { primary: SealedKey; secondary: SealedKey } | null;
  assignments: Assignment[];
  createdAt: number;
  retiredAt: number | null;
  // What follows came after the first release: a document of that release has none of it.
  /** How often it is expected to send, in seconds; left out: as its model does (`DEFAULT_INTERVAL_SECONDS`). */
  intervalSeconds?: number;
  /** When its first telemetry was taken. */
  activatedAt?: number | null;
  /** While it is suspended: what it was before, since when, and why. */
  suspended?: { before: InService; at: number; reason: string | null } | null;
  /** X.509 certificates it may present, by the SHA-256 of their DER form in capital hexadecimal digits. */
  thumbprints?: { primary: string; secondary: string | null } | null;
  /** PEM of the certification authority whose certificates in this device's name are taken. */
  authority?: string | null;
  /** The field gateway that may relay for it. */
  parentId?: string | null;
  /** While it is offered to another tenant. */
  transfer?: TransferOffer | null;
  /** The tenant that registered it, where it was claimed from a stock. */
  manufacturerId?: string | null;
  /** The device that took its place, where it was replaced. */
  replacedBy?: string | null;
  /**
   * The last calls that gave it a credential, the newest last: their idempotency records stay in the building where it
   * was then, and these go with it.
   */
  credentialCalls?: { hash: string; fingerprint: string; call: string; at: number }[];
  /** While it goes to another building or owner: the saga that takes it there. No command but that one is admitted. */
  departing?: { saga: string; at: number; channels: DeviceModelChannel[] } | null;
  _etag?: string;
  _ts?: number;
}

export interface TransferOffer {
  id: string;
  /** The tenant it is offered to. */
  to: string;
  at: number;
  expiresAt: number;
}

/**
 * Stands where a device's document stood before the device went to another building or owner, so that followers of the
 * change feed, which tells of no deletion, hear of it. Its id is the device's.
 */
export interface DepartedDocument {
  id: string;
  type: 'departed';
  /** The building it left. */
  buildingId: string;
  /** Whose it was. */
  tenantId: string;
  at: number;
  /** The saga that took it away. */
  saga?: string;
  _etag?: string;
}

/**
 * A device that its manufacturer registered and nobody has claimed yet. Its partition is the stock of its manufacturer:
 * `buildingId` is `stockOf(tenantId)`. Where it was claimed, a departed document takes its place.
 */
export interface StockDocument {
  /** The device's own id, which it keeps for life. */
  id: string;
  type: 'stock';
  buildingId: string;
  tenantId: string;
  serialNumber: string;
  model: string;
  state: Extract<DeviceState, 'REGISTERED' | 'RETIRED'>;
  /** By serial number, then id. */
  sortKey: string;
  /** Of the keys that its manufacturer burned in, derived from an enrollment group's; null: given when claimed. */
  enrollmentGroupId: string | null;
  /**
   * `claimKeyOf(serial number, claim code)` of the code in force: a hash, from which no code can be found. An earlier
   * code's claim document may still stand and is void.
   */
  claim: string;
  /** The claim that has taken the device, for good: from then on no other has it, and no code is reissued. */
  claimedBy?: string;
  createdAt: number;
  _etag?: string;
}

export function stockOf(tenantId: string): string {
  return `stock_${tenantId}`;
}

/**
 * Keys that a manufacturer derives the keys of a batch of its devices from, so that each can be burned in without asking
 * anybody. In the manufacturer's stock.
 */
export interface EnrollmentGroupDocument {
  id: string;
  type: 'enrollmentGroup';
  buildingId: string;
  tenantId: string;
  name: string;
  keys: { primary: SealedKey; secondary: SealedKey };
  createdAt: number;
}

/** The twin of a device: what it was told to be, and what it says it is. Absent for a device that was told nothing. */
export interface TwinDocument {
  /** `twinId(deviceId)`. */
  id: string;
  type: 'twin';
  buildingId: string;
  tenantId: string;
  deviceId: string;
  desired: Record<string, unknown>;
  /** 0 before the first. */
  desiredVersion: number;
  /** Null before it was first told something. */
  desiredAt: number | null;
  reported: Record<string, unknown>;
  /** 0 before the first. */
  reportedVersion: number;
  /** When a report last changed it; null before the first. */
  reportedAt: number | null;
  /** Seconds; set where the device has left the building. */
  ttl?: number;
  _etag?: string;
}

export function twinId(deviceId: string): string {
  return `twn_${deviceId}`;
}

/** Written in the same transactional batch as the change it tells of; never changed. */
export interface AuditDocument {
  id: string;
  type: 'audit';
  buildingId: string;
  tenantId: string;
  at: number;
  /** The principal's id. */
  actor: string;
  /** Whence they asked; earlier releases kept it not, and a part of the platform asks from nowhere. */
  from?: Origin;
  action: string;
  /** The id of what was changed. */
  subject: string;
  /** `auditKeyOf(at, id)`: the order of the log. The first release's events have none. */
  auditKey?: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** The first answer to an idempotency key, kept for 24 h, committed with the effect it stands for. Holds no secret. */
export interface IdempotencyDocument {
  id: string;
  type: 'idempotency';
  buildingId: string;
  /** SHA-256 of principal, tenant, mutation and variables. */
  fingerprint: string;
  answer: unknown;
  /** Seconds; -1 while the mutation is under way, because what was begun must be found however late it is resumed. */
  ttl: number;
  _etag?: string;
}

/**
 * The condition that picks a building's documents of one kind in a query. By the prefix of their ids, because ids are
 * always indexed and nothing else then needs to be.
 */
export const OF_KIND = {
  // '`' is the character after '_'.
  device: "c.id >= 'dev_' AND c.id < 'dev`'",
  space: "c.id >= 'spc_' AND c.id < 'spc`'",
  audit: "c.id >= 'aud_' AND c.id < 'aud`'",
} as const;

export type RegistryDocument =
  | BuildingDocument
  | SpaceDocument
  | PointDocument
  | DeviceDocument
  | DepartedDocument
  | StockDocument
  | EnrollmentGroupDocument
  | TwinDocument
  | AuditDocument
  | IdempotencyDocument;

/** By instant, then id; later ones are greater. */
export function auditKeyOf(at: number, id: string): string {
  return `${String(at).padStart(15, '0')}\n${id}`;
}

/** key `tenant:<tenantId>`, id `tenant`. */
export interface TenantDocument {
  id: 'tenant';
  key: string;
  tenantId: string;
  name: string;
  createdAt: number;
}

/** key `tenant:<tenantId>`, id the building's: how a tenant's buildings are listed. */
export interface BuildingEntryDocument {
  id: string;
  key: string;
  kind: 'building';
  tenantId: string;
  name: string;
  /** `sortKeyOf(name, id)`: the order of listings. */
  sortKey: string;
}

/** By name, then id. Names hold no control character, so no name can reach into the id's part. */
export function sortKeyOf(name: string, id: string): string {
  return `${name}\n${id}`;
}

/** key `person:<personId>`, id the tenant's: what a person belongs to. */
export interface MembershipDocument {
  id: string;
  key: string;
  kind: 'membership';
  tenantId: string;
  /** Null: it has ended. Never deleted instead, because the change feed, which every replica follows, tells no deletion. */
  role: Role | null;
  /**
   * A resident's: a role that holds in some spaces alone. `role` is then null, so that a release that knows nothing of
   * spaces shows them nothing, and not everything.
   */
  resident?: { role: Role; spaces: SpacesOfBuilding[] };
  /** That of the member's entry which it was made from. Memberships of earlier releases have none. */
  version?: number;
  _etag?: string;
}

/**
 * key `membersOf(tenantId)`, id the person's: that somebody is, or was, a member, and as what. It is decided here, and the
 * membership, which is the right, is made from it at once. Entries of earlier releases say nothing more than who.
 */
export interface MemberDocument {
  id: string;
  key: string;
  kind: 'member';
  tenantId: string;
  /** As in `MembershipDocument`. */
  role?: Role | null;
  resident?: { role: Role; spaces: SpacesOfBuilding[] };
  /** One more at each change. */
  version?: number;
  /** For display only, never an identity: what the token said when they came. Null again once they have gone. */
  displayName?: string | null;
  /** Milliseconds since 1970. */
  joinedAt?: number | null;
}

export function membersOf(tenantId: string): string {
  return `members:${tenantId}`;
}

/**
 * Spaces that somebody has a right to, with all that lie in them: spaces come with their building and never move, so what
 * lies where is settled when the right is given.
 */
export interface SpacesOfBuilding {
  buildingId: string;
  spaceIds: string[];
}

/** key `serialKeyOf(...)`, id `serial`: that a serial number is taken, within one tenant and manufacturer. */
export interface SerialNumberDocument {
  id: 'serial';
  key: string;
  /** Of the mutation or the row of a job that took it: what comes again with the same is the same. */
  holder: string;
  /** Null until its device stands. */
  deviceId: string | null;
  at: number;
  ttl?: number;
  _etag?: string;
}

/**
 * key `claimKeyOf(serial number, claim code)`, id `claim`: which device in whose stock a serial number and its code
 * stand for. An unknown serial number, a foreign one and a wrong code are the same absent key.
 */
export interface ClaimDocument {
  id: 'claim';
  key: string;
  deviceId: string;
  tenantId: string;
  /** Seconds; set once the code is void. */
  ttl?: number;
}

/**
 * key `sagas:pending`, id the attempt's hash: a change that spans partitions and is under way, with all that is needed to
 * bring it to its end, and never a secret.
 */
export interface SagaDocument {
  id: string;
  key: string;
  kind: 'claim' | 'replacement' | 'move' | 'transfer';
  startedAt: number;
  /** The principal's id. */
  actor: string;
  /** Whence it was asked for, for the audit log. */
  origin?: Origin;
  /** `Attempt.fingerprint`; null for a move, which needs no idempotency key. */
  fingerprint: string | null;
  deviceId: string;
  from: { tenantId: string; buildingId: string };
  to: { tenantId: string; buildingId: string; spaceId: string; name: string };
  /** Of a claim or replacement: the key of the claim document. */
  claim?: string;
  /** Of a replacement: the device that is replaced, in the building `to`. */
  replaces?: string;
  /** Of a transfer: the offer. */
  transferId?: string;
  /** Of a move: the version of the device that was to be moved. What was changed since is moved only if asked again. */
  etag?: string;
  /** Seconds; set once it has ended. */
  ttl?: number;
  _etag?: string;
}

/**
 * key `transfers:<tenantId>`, id the offer's: how a tenant finds what it was offered. Whether the offer still stands, the
 * device's document says.
 */
export interface TransferEntryDocument {
  id: string;
  key: string;
  deviceId: string;
  /** Who offers. */
  from: string;
  fromName: string;
  deviceName: string;
  model: string;
  serialNumber: string | null;
  at: number;
  expiresAt: number;
  /** By the device's name, then the offer's id. */
  sortKey: string;
  /** Seconds. */
  ttl: number;
}

/** key `attempts:<principal or tenant>`, id `attempts`: claims that went wrong lately. */
export interface AttemptsDocument {
  id: 'attempts';
  key: string;
  /** As of `at`; they are forgotten one by one. */
  failures: number;
  at: number;
  /** No attempt before. */
  blockedUntil: number;
  ttl: number;
  _etag?: string;
}

/** key `device:<deviceId>`, id `device`: where a device's document is. */
export interface DeviceEntryDocument {
  id: 'device';
  key: string;
  tenantId: string;
  buildingId: string;
  _etag?: string;
}

/**
 * key `idempotency:<hash of principal, tenant, mutation and key>`, id `idempotency`: which variables and which building
 * an idempotency key stands for, also when it comes back with another building's id.
 */
export interface IdempotencyClaimDocument {
  id: 'idempotency';
  key: string;
  /** SHA-256 of principal, tenant, mutation and variables. */
  fingerprint: string;
  claimedAt: number;
  ttl: number;
}

/** How many minutes of the rolling record share a document. */
export const AVERAGES_CHUNK_MINUTES = 10;

/**
 * Ten minutes of a building's rolling record, one column a quantity. id `avg:<first minute>`. Written only by the owner
 * of the building's partition, only forward in `position` (within one incarnation): an old owner cannot overwrite a new.
 */
export interface AveragesDocument {
  id: string;
  type: 'averages';
  buildingId: string;
  tenantId: string;
  /** Minutes since 1970. */
  firstMinute: number;
  /** By quantity name; at index i the point of minute firstMinute + i, null where there is none. */
  points: Partial<Record<QuantityName, (AveragePoint | null)[]>>;
  ttl: number;
  _etag?: string;
}

/** One stored point, at second 0 of its minute, as a tuple to keep the document small. */
export type AveragePoint = [
  mean: number | null,
  minimum: number | null,
  maximum: number | null,
  readings: number,
  devicesReporting: number,
  devicesExpected: number,
  lastReadingAt: number | null,
  asOf: number,
  incarnation: string,
  partition: number,
  sequence: number,
  /** 1 for the first writing, then one more at each correction. */
  revision: number,
  /** Points that earlier releases wrote have none. */
  deviceMean?: number | null,
];

/** How many devices, by ordinal, share a document of last seen. */
export const SEEN_CHUNK_DEVICES = 1_000;

/**
 * In `warm`: when a thousand devices of a building were last heard, and how. id `seen:<chunk>`; lives for ever. Merged by
 * the later instant, so that several gateways agree in any order. Whose the devices are, their own documents tell.
 */
export interface SeenDocument {
  id: string;
  type: 'seen';
  buildingId: string;
  /** Of the ordinals from `chunk * SEEN_CHUNK_DEVICES` on. */
  chunk: number;
  /** By ordinal, in base64: unsigned 32-bit little-endian seconds since 1970; 0 for never. */
  seconds: string;
  /** By ordinal, in base64: a byte each, `codeOfProtocol`. */
  protocols: string;
  _etag?: string;
}
