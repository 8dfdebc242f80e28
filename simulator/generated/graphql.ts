/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A building that is to be created, with its spaces. */
export type CreateBuildingInput = {
  /** Chosen by you, unique for this building: the same key with the same input gives the same building again, for 24 hours. */
  idempotencyKey: string;
  /** What people call it. */
  name: string;
  /** Its levels, rooms and zones; possibly none. */
  spaces: Array<NewSpaceInput>;
  /** Who will own it. */
  tenantId: string;
  /** Where it stands. */
  timeZone: string;
};

/** Where a device is in its life. */
export type DeviceState =
  /** Has sent. */
  | 'ACTIVE'
  /** Has its place and credentials and may send; not heard of yet. */
  | 'PROVISIONED'
  /** Known by its serial number, with no place and no credentials yet. */
  | 'REGISTERED'
  /** Out of service for good: its credentials are destroyed, its history stays. */
  | 'RETIRED'
  /** May not send until somebody lifts it. */
  | 'SUSPENDED';

/** A device that is to be provisioned. */
export type NewDeviceInput = {
  /** Its model, which says what it measures: `thermometer`, `hygrometer`, `co2-meter`, `light-meter`, `motion-meter`, `climate-sensor`, `room-sensor`, `fahrenheit-thermometer`, `smoke-detector`, `intruder-alarm`, `occupancy-sensor`, `lorawan-room-sensor`, `lorawan-probe-pair`, `modbus-climate-transmitter`, `modbus-room-station`, `line-alarm-panel`. */
  model: string;
  /** What people call it. */
  name: string;
  /** What its manufacturer printed on it, unique per manufacturer; null or left out where there is none. */
  serialNumber?: string | null | undefined;
  /** The space of the building that it stands in. */
  spaceId: string;
};

/** A space of a building that is to be created. */
export type NewSpaceInput = {
  /** Level, room or zone. */
  kind: SpaceKind;
  /** What people call it. */
  name: string;
  /** The space it lies in, by its index in the same list, from 0; left out or null for one directly in the building. */
  parent?: number | null | undefined;
};

/** Devices that are to be provisioned into a building. */
export type ProvisionDevicesInput = {
  /** The building they stand in. */
  buildingId: string;
  /** The devices, 1 to 10,000. */
  devices: Array<NewDeviceInput>;
  /** Chosen by you, unique for these devices: the same key with the same input gives the same devices again, for 24 hours, without their secrets. */
  idempotencyKey: string;
};

/** What is measured, named after Brick, with its unit (UCUM) and physical range. Continuous quantities have averages; states have none. Further quantities may come. */
export type Quantity =
  /** Temperature of the air, in `Cel`, -60 to 85. */
  | 'AIR_TEMPERATURE'
  /** Charge left in the device’s battery, in `%`, 0 to 100. */
  | 'BATTERY_LEVEL'
  /** Carbon dioxide in the air, by volume, in `[ppm]`, 0 to 50000. */
  | 'CO2_LEVEL'
  /** Light that falls on the sensor, in `lx`, 0 to 200000. */
  | 'ILLUMINANCE'
  /** Intrusion detected (1) or not (0). A state. */
  | 'INTRUSION'
  /** How much movement the sensor sees, in its maker’s own measure, in `1`, at least 0. */
  | 'MOTION_LEVEL'
  /** Somebody present (1) or not (0). A state. */
  | 'OCCUPANCY'
  /** Relative humidity of the air, in `%`, 0 to 100. */
  | 'RELATIVE_HUMIDITY'
  /** Smoke detected (1) or not (0). A state. */
  | 'SMOKE';

/** A device that is to be retired. */
export type RetireDeviceInput = {
  /** The device. */
  deviceId: string;
};

/** What somebody may do in a tenant. */
export type Role =
  /** Asks questions of what was measured and exports it. */
  | 'ANALYST'
  /** Buildings, rules, and the devices’ configuration. */
  | 'MANAGER'
  /** Runs the platform; sees no telemetry unless granted for a limited time. */
  | 'OPERATOR'
  /** Everything, the administration of access included. */
  | 'OWNER'
  /** Provisions and replaces devices and sees their health. */
  | 'TECHNICIAN'
  /** Reads. */
  | 'VIEWER';

/** What kind of place a space is, in RealEstateCore’s words. */
export type SpaceKind =
  /** A storey. */
  | 'LEVEL'
  /** A room. */
  | 'ROOM'
  /** A part of a room or several rooms that are treated alike. */
  | 'ZONE';

/** Why a mutation was refused. Further codes may come; treat one you do not know as a refusal. */
export type UserErrorCode =
  /** Something else changed the object at the same time, or holds what must be unique. */
  | 'CONFLICT'
  /** You can see the object but may not change it in this way. */
  | 'FORBIDDEN'
  /** The idempotency key was used before with another input. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** A part of the input is not acceptable; `path` says which. */
  | 'INVALID_INPUT'
  /** More than may be asked for at once, or more than the tenant may have. */
  | 'LIMIT_EXCEEDED'
  /** There is no such object, or it is not yours to see; the two are not told apart. */
  | 'NOT_FOUND'
  /** Too many attempts went wrong: wait before the next. */
  | 'TOO_MANY_ATTEMPTS'
  /** The object is in a state that does not admit this; the message names it. */
  | 'WRONG_STATE';

export type BuildingHistoryQueryVariables = Exact<{
  id: string;
  quantity: Quantity;
  from: string;
  to: string;
  first?: number;
  after?: string | null | undefined;
}>;


export type BuildingHistoryQuery = { building: { id: string, name: string, averageHistory: { nodes: Array<{ quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, position: { incarnation: string, partition: number, sequence: number } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type BuildingNowQueryVariables = Exact<{
  id: string;
}>;


export type BuildingNowQuery = { building: { id: string, name: string, timeZone: string, averages: Array<{ quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, position: { incarnation: string, partition: number, sequence: number } }> } | null };

export type BuildingsQueryVariables = Exact<{
  first?: number;
  after?: string | null | undefined;
  tenant?: string | null | undefined;
}>;


export type BuildingsQuery = { buildings: { nodes: Array<{ id: string, name: string, timeZone: string, tenant: { id: string, name: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateBuildingMutationVariables = Exact<{
  input: CreateBuildingInput;
}>;


export type CreateBuildingMutation = { createBuilding:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'CreateBuildingSuccess', building: { id: string, name: string, timeZone: string }, spaces: Array<{ id: string, name: string, kind: SpaceKind }> }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type DeviceDetailQueryVariables = Exact<{
  id: string;
}>;


export type DeviceDetailQuery = { device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState, createdAt: string, retiredAt: string | null, building: { id: string, name: string, timeZone: string }, space: { id: string, name: string, kind: SpaceKind }, assignments: Array<{ channel: string, quantity: Quantity, unit: string, from: string, to: string | null, point: { id: string, unit: string, space: { id: string, name: string } } }> } | null };

export type OnBuildingAverageSubscriptionVariables = Exact<{
  building: string;
  quantity?: Quantity | null | undefined;
}>;


export type OnBuildingAverageSubscription = { buildingAverage: { quantity: Quantity, unit: string, mean: number | null, minimum: number | null, maximum: number | null, readings: number, devicesReporting: number, devicesExpected: number, windowStart: string, windowEnd: string, asOf: string, lastReadingAt: string | null, revision: number, position: { incarnation: string, partition: number, sequence: number } } };

export type ProvisionDevicesMutationVariables = Exact<{
  input: ProvisionDevicesInput;
}>;


export type ProvisionDevicesMutation = { provisionDevices:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ProvisionDevicesSuccess', devices: Array<{ connectionString: string | null, secretsAlreadyShown: boolean, device: { id: string, name: string, model: string, serialNumber: string | null, state: DeviceState } }> }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type RetireDeviceMutationVariables = Exact<{
  input: RetireDeviceInput;
}>;


export type RetireDeviceMutation = { retireDevice:
    | { __typename: 'ConflictError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'ForbiddenError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'IdempotencyKeyReusedError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'InvalidInputError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'LimitExceededError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'NotFoundError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'RetireDeviceSuccess', device: { id: string, name: string, state: DeviceState, retiredAt: string | null } }
    | { __typename: 'TooManyAttemptsError', code: UserErrorCode, message: string, path: Array<string> | null }
    | { __typename: 'WrongStateError', code: UserErrorCode, message: string, path: Array<string> | null }
   };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, email: string | null, tenants: Array<{ role: Role, tenant: { id: string, name: string } }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const BuildingHistoryDocument = new TypedDocumentString(`
    query BuildingHistory($id: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!, $first: Int! = 50, $after: String) {
  building(id: $id) {
    id
    name
    averageHistory(
      quantity: $quantity
      from: $from
      to: $to
      first: $first
      after: $after
    ) {
      nodes {
        quantity
        unit
        mean
        minimum
        maximum
        readings
        devicesReporting
        devicesExpected
        windowStart
        windowEnd
        asOf
        lastReadingAt
        position {
          incarnation
          partition
          sequence
        }
        revision
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:c3b12a4c3be8071a0186520e237dd05878d4b02a19113803b031cac015c7856b"}) as unknown as TypedDocumentString<BuildingHistoryQuery, BuildingHistoryQueryVariables>;
export const BuildingNowDocument = new TypedDocumentString(`
    query BuildingNow($id: ID!) {
  building(id: $id) {
    id
    name
    timeZone
    averages {
      quantity
      unit
      mean
      minimum
      maximum
      readings
      devicesReporting
      devicesExpected
      windowStart
      windowEnd
      asOf
      lastReadingAt
      position {
        incarnation
        partition
        sequence
      }
      revision
    }
  }
}
    `, {"hash":"sha256:a347af200d1f52275d9ee4056484e087f6b0b726eafef739cbcc139db8cd7dec"}) as unknown as TypedDocumentString<BuildingNowQuery, BuildingNowQueryVariables>;
export const BuildingsDocument = new TypedDocumentString(`
    query Buildings($first: Int! = 50, $after: String, $tenant: ID) {
  buildings(first: $first, after: $after, tenant: $tenant) {
    nodes {
      id
      name
      timeZone
      tenant {
        id
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:e8d81d78677cc9a742e77ee900ed4d507301b8136607b4f25f31cb0fe71d02cc"}) as unknown as TypedDocumentString<BuildingsQuery, BuildingsQueryVariables>;
export const CreateBuildingDocument = new TypedDocumentString(`
    mutation CreateBuilding($input: CreateBuildingInput!) {
  createBuilding(input: $input) {
    __typename
    ... on CreateBuildingSuccess {
      building {
        id
        name
        timeZone
      }
      spaces {
        id
        name
        kind
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:35ed2a77f3b136e21c45a4aa1e5ff552d4fa4e34aadc3152428cb516022a7ce6"}) as unknown as TypedDocumentString<CreateBuildingMutation, CreateBuildingMutationVariables>;
export const DeviceDetailDocument = new TypedDocumentString(`
    query DeviceDetail($id: ID!) {
  device(id: $id) {
    id
    name
    model
    serialNumber
    state
    createdAt
    retiredAt
    building {
      id
      name
      timeZone
    }
    space {
      id
      name
      kind
    }
    assignments {
      channel
      quantity
      unit
      from
      to
      point {
        id
        unit
        space {
          id
          name
        }
      }
    }
  }
}
    `, {"hash":"sha256:34f8bc867982ad6e1a580cf88d24af263928c3284cdd270a87af83ea0d8f001c"}) as unknown as TypedDocumentString<DeviceDetailQuery, DeviceDetailQueryVariables>;
export const OnBuildingAverageDocument = new TypedDocumentString(`
    subscription OnBuildingAverage($building: ID!, $quantity: Quantity) {
  buildingAverage(building: $building, quantity: $quantity) {
    quantity
    unit
    mean
    minimum
    maximum
    readings
    devicesReporting
    devicesExpected
    windowStart
    windowEnd
    asOf
    lastReadingAt
    position {
      incarnation
      partition
      sequence
    }
    revision
  }
}
    `, {"hash":"sha256:995ab31f627321f625ca87ef34eea0b000dd5cb2292bf1ea7071d5bba3385a27"}) as unknown as TypedDocumentString<OnBuildingAverageSubscription, OnBuildingAverageSubscriptionVariables>;
export const ProvisionDevicesDocument = new TypedDocumentString(`
    mutation ProvisionDevices($input: ProvisionDevicesInput!) {
  provisionDevices(input: $input) {
    __typename
    ... on ProvisionDevicesSuccess {
      devices {
        device {
          id
          name
          model
          serialNumber
          state
        }
        connectionString
        secretsAlreadyShown
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:b8e888cbe2b95a176c397e4c0978bb24834cd2ad2205bcd79f2a309fae7749ca"}) as unknown as TypedDocumentString<ProvisionDevicesMutation, ProvisionDevicesMutationVariables>;
export const RetireDeviceDocument = new TypedDocumentString(`
    mutation RetireDevice($input: RetireDeviceInput!) {
  retireDevice(input: $input) {
    __typename
    ... on RetireDeviceSuccess {
      device {
        id
        name
        state
        retiredAt
      }
    }
    ... on UserError {
      code
      message
      path
    }
  }
}
    `, {"hash":"sha256:61ca9fb7f63c98a0182cbe4de2d14dac40232bd70c65d07635da576db265693b"}) as unknown as TypedDocumentString<RetireDeviceMutation, RetireDeviceMutationVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query Viewer {
  viewer {
    id
    email
    tenants {
      role
      tenant {
        id
        name
      }
    }
  }
}
    `, {"hash":"sha256:986c1fb1e1e54afd31257767dabd6178066d7c098f0e5fbf8ef0ad63ae948fa2"}) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;