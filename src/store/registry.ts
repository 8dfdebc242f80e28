import { type TenantScope } from '../auth/scope';
import { type DeviceState } from '../domain/device';
import {
  type BuildingDocument,
  type DeviceDocument,
  type PointDocument,
  type SpaceDocument,
  type SpaceKind,
} from './documents';

/** A page of a listing; `next` is an opaque position for the following page, null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/**
 * A refusal as a value. `NOT_FOUND` is the answer for what does not exist and for what is another tenant's alike;
 * `FORBIDDEN` only for what the caller can see and may not change.
 */
export interface Refusal {
  code:
    'NOT_FOUND' | 'FORBIDDEN' | 'INVALID_INPUT' | 'CONFLICT' | 'IDEMPOTENCY_KEY_REUSED' | 'LIMIT_EXCEEDED';
  message: string;
  /** The path of the offending argument, e.g. `devices.3.spaceId`. */
  path?: string;
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

/**
 * Buildings and what stands in them, always inside the caller's scope. Lookups answer null for what is unknown and for
 * what is foreign, after the same store calls.
 */
export interface Registry {
  /** In the order of their names, then ids. `tenantId` narrows the listing to one tenant. */
  buildings(
    scope: TenantScope,
    options: { tenantId?: string; first: number; after: string | null },
  ): Promise<Page<BuildingDocument>>;
  buildingsById(scope: TenantScope, ids: readonly string[]): Promise<(BuildingDocument | null)[]>;
  spaces(scope: TenantScope, buildingId: string): Promise<SpaceDocument[]>;
  spacesById(
    scope: TenantScope,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(SpaceDocument | null)[]>;
  pointsById(
    scope: TenantScope,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(PointDocument | null)[]>;
  devices(
    scope: TenantScope,
    buildingId: string,
    options: { first: number; after: string | null; state?: DeviceState; spaceId?: string },
  ): Promise<Page<DeviceDocument>>;
  devicesById(scope: TenantScope, ids: readonly string[]): Promise<(DeviceDocument | null)[]>;

  createBuilding(
    scope: TenantScope,
    input: { tenantId: string; name: string; timeZone: string; spaces: NewSpace[] },
    idempotencyKey: string,
  ): Promise<Outcome<{ building: BuildingDocument; spaces: SpaceDocument[] }>>;
  /** At most 10,000 devices a call; all or, where the input is invalid, none. Resumes where a first try stopped. */
  provisionDevices(
    scope: TenantScope,
    input: { buildingId: string; devices: NewDevice[] },
    idempotencyKey: string,
  ): Promise<Outcome<ProvisionedDevice[]>>;
  /** Ends its assignments now and destroys its keys; history stays. Retiring a retired device changes nothing. */
  retireDevice(scope: TenantScope, deviceId: string): Promise<Outcome<DeviceDocument>>;
}
