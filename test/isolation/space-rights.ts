/**
 * What a right to single spaces of a building shows, written by hand and kept apart from `src/auth`, as `rights.ts` is for
 * whole tenants. Everybody here has a right to one space of the same building and to nothing else: what is asked for is in
 * that space, in a neighbour's space of the building, or nowhere; the last two must not be told apart.
 */
export const RANKS = [
  // Rooms of their own, as members of the tenant.
  'RESIDENT',
  'ROOM_ANALYST',
  'ROOM_TECHNICIAN',
  'ROOM_MANAGER',
  // The level in which the room lies.
  'LEVEL_VIEWER',
  'LEVEL_ANALYST',
  // The room, shared by another tenant: with a person as an ANALYST, and with a tenant as a MANAGER, of whose people one is
  // a technician.
  'GUEST_ANALYST',
  'GUEST_TECHNICIAN',
] as const;
export type SpaceRank = (typeof RANKS)[number];

/**
 * All of the building, shared: as a MANAGER with a tenant, of whose people one is an analyst; as a TECHNICIAN with a tenant,
 * whose owner it is; as a VIEWER with a person.
 */
export const GUESTS = ['ANALYST_AT_HOME', 'OWNER_AT_HOME', 'VIEWER_HERE'] as const;
export type Guest = (typeof GUESTS)[number];
/** Nothing any more. */
export const FORMER = ['EXPIRED', 'REVOKED', 'LEFT'] as const;
export type Former = (typeof FORMER)[number];

/** The ids of what is in one space, and values that nothing else has. */
export interface Place {
  building: string;
  space: string;
  device: string;
  deviceToSuspend: string;
  alert: string;
  /** What its sensor reads, and its average: numbers as JSON writes them. */
  value: number;
}

export interface SpaceCase {
  name: string;
  document: string;
  variables(place: Place, key: string): object;
  /** Where in the data the answer stands. */
  at: string;
  /** Who is told of what is in their own space. */
  seen: readonly SpaceRank[];
  /** Who is told that they may not, wherever it is. */
  refused?: readonly SpaceRank[];
  /** Who is told that they may not of their own, because they can see what is around it. */
  refusedOwn?: readonly SpaceRank[];
  /** What everybody else gets, and everybody of a neighbour's space. */
  otherwise: 'nothing' | 'NOT_FOUND';
}

const ALL = RANKS;
const WITH_READINGS: readonly SpaceRank[] = [
  'ROOM_ANALYST',
  'ROOM_MANAGER',
  'LEVEL_ANALYST',
  'GUEST_ANALYST',
];
const WITHOUT_READINGS: readonly SpaceRank[] = [
  'RESIDENT',
  'ROOM_TECHNICIAN',
  'LEVEL_VIEWER',
  'GUEST_TECHNICIAN',
];
const WITH_DEVICES: readonly SpaceRank[] = ['ROOM_TECHNICIAN', 'ROOM_MANAGER', 'GUEST_TECHNICIAN'];
const WITHOUT_DEVICES: readonly SpaceRank[] = [
  'RESIDENT',
  'ROOM_ANALYST',
  'LEVEL_VIEWER',
  'LEVEL_ANALYST',
  'GUEST_ANALYST',
];

export const RANGE = () => ({
  from: new Date(Date.now() - 3_600_000).toISOString(),
  to: new Date(Date.now() + 60_000).toISOString(),
});
const ofBuilding = ({ building }: Place) => ({ id: building });
const ofBuildingInRange = ({ building }: Place) => ({ id: building, ...RANGE() });
const ofSpaceInRange = ({ building, space }: Place) => ({ id: building, space, ...RANGE() });

/** What is asked for by its own id. */
export const BY_ID: readonly SpaceCase[] = [
  {
    name: 'the devices of a space',
    document:
      'query ($id: ID!, $space: ID!) { building(id: $id) { devices(space: $space) { nodes { id name } } } }',
    variables: ({ building, space }) => ({ id: building, space }),
    at: 'building.devices.nodes',
    seen: WITH_DEVICES,
    refused: WITHOUT_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'a device',
    document:
      'query ($id: ID!) { device(id: $id) { id space { id parent { id } } building { name } lastSeenAt configuration { desired } assignments { point { id } } } }',
    variables: ({ device }) => ({ id: device }),
    at: 'device',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'a device as a node, with what it reads',
    document: 'query ($id: ID!) { node(id: $id) { id ... on Device { latestReadings { value } } } }',
    variables: ({ device }) => ({ id: device }),
    at: 'node.latestReadings',
    seen: ['ROOM_MANAGER'],
    refusedOwn: ['ROOM_TECHNICIAN', 'GUEST_TECHNICIAN'],
    otherwise: 'nothing',
  },
  {
    name: 'the readings in a space',
    document: `query ($id: ID!, $space: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to, space: $space) { nodes { value spaceId } } } }`,
    variables: ofSpaceInRange,
    at: 'building.readings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the readings of a device',
    document: `query ($id: ID!, $device: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to, device: $device) { nodes { value spaceId } } } }`,
    variables: ({ building, device }) => ({ id: building, device, ...RANGE() }),
    at: 'building.readings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the latest readings in a space',
    document: `query ($id: ID!, $space: ID!) { building(id: $id) {
      latestReadings(space: $space) { nodes { value spaceId } } } }`,
    variables: ({ building, space }) => ({ id: building, space }),
    at: 'building.latestReadings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'an alert',
    document: 'query ($id: ID!) { node(id: $id) { id ... on Alert { severity space { id } } } }',
    variables: ({ alert }) => ({ id: alert }),
    at: 'node',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'the acknowledgement of an alert',
    document: `mutation ($input: AcknowledgeAlertInput!) { acknowledgeAlert(input: $input) {
      ... on AcknowledgeAlertSuccess { alert { id } } ... on UserError { code message path } } }`,
    variables: ({ alert }) => ({ input: { alertId: alert } }),
    at: 'acknowledgeAlert',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s suspension',
    document: `mutation ($input: SuspendDeviceInput!) { suspendDevice(input: $input) {
      ... on SuspendDeviceSuccess { device { id state } } ... on UserError { code message path } } }`,
    variables: ({ deviceToSuspend }) => ({ input: { deviceId: deviceToSuspend, reason: 'cleaning' } }),
    at: 'suspendDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the state of a device, live',
    document: 'subscription ($id: ID!) { deviceStatus(deviceIds: [$id]) { deviceId state } }',
    variables: ({ device }) => ({ id: device }),
    at: 'deviceStatus',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'new devices in a space',
    document: `mutation ($input: ProvisionDevicesInput!) { provisionDevices(input: $input) {
      ... on ProvisionDevicesSuccess { devices { connectionString } } ... on UserError { code message path } } }`,
    variables: ({ building, space }, idempotencyKey) => ({
      input: {
        buildingId: building,
        devices: [{ name: 'New', model: 'thermometer', spaceId: space }],
        idempotencyKey,
      },
    }),
    at: 'provisionDevices',
    seen: [],
    refused: ALL,
    otherwise: 'NOT_FOUND',
  },
];

export interface BuildingCase {
  name: string;
  document: string;
  variables(place: Place, key: string): object;
  at: string;
  /** Who is told of their own space there; nobody ever is of another one's. */
  own: readonly SpaceRank[];
  /** Who is told something of the building as a whole. */
  whole?: readonly SpaceRank[];
  refused: readonly SpaceRank[];
  /** With whom all of the building is shared, and who is told: the others are told that they may not. */
  guests: readonly Guest[];
  /** Of the guests those who may ask and are told of nothing. */
  shownNothing?: readonly Guest[];
}

/** What is asked of the building. */
export const OF_BUILDING: readonly BuildingCase[] = [
  {
    name: 'the building itself, and whose it is',
    document: 'query ($id: ID!) { building(id: $id) { id name timeZone tenant { id name } } }',
    variables: ofBuilding,
    at: 'building',
    own: [],
    whole: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'its averages',
    document: 'query ($id: ID!) { building(id: $id) { averages { quantity mean } } }',
    variables: ofBuilding,
    at: 'building.averages',
    own: [],
    whole: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'its averages, live',
    document: 'subscription ($id: ID!) { buildingAverage(building: $id) { mean } }',
    variables: ofBuilding,
    at: 'buildingAverage',
    own: [],
    whole: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'its rolling record',
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      averageHistory(quantity: AIR_TEMPERATURE, from: $from, to: $to) { nodes { mean } } } }`,
    variables: ofBuildingInRange,
    at: 'building.averageHistory.nodes',
    own: [],
    whole: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'its states',
    document: 'query ($id: ID!) { building(id: $id) { states { active } } }',
    variables: ofBuilding,
    at: 'building.states',
    own: [],
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'its spaces',
    document: 'query ($id: ID!) { building(id: $id) { spaces { id name parent { id } } } }',
    variables: ofBuilding,
    at: 'building.spaces',
    own: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'the averages of its spaces',
    document: 'query ($id: ID!) { building(id: $id) { spaces { averages { mean } } } }',
    variables: ofBuilding,
    at: 'building.spaces',
    own: ALL,
    refused: [],
    guests: GUESTS,
  },
  {
    name: 'the history of its spaces',
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      spaces { history(quantity: AIR_TEMPERATURE, from: $from, to: $to, step: "PT2H") { average } } } }`,
    variables: ofBuildingInRange,
    at: 'building.spaces.0.history',
    own: WITH_READINGS,
    refused: WITHOUT_READINGS,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'its history',
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      history(quantity: AIR_TEMPERATURE, from: $from, to: $to, step: "PT2H") { average } } }`,
    variables: ofBuildingInRange,
    at: 'building.history',
    own: [],
    refused: ALL,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'its excursions',
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) { excursions(
      quantity: AIR_TEMPERATURE, high: 1, longerThan: "PT1S", from: $from, to: $to) { nodes { peak } } } }`,
    variables: ofBuildingInRange,
    at: 'building.excursions',
    own: [],
    refused: ALL,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'its readings',
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to) { nodes { value spaceId deviceId } } } }`,
    variables: ofBuildingInRange,
    at: 'building.readings.nodes',
    own: WITH_READINGS,
    refused: WITHOUT_READINGS,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'its latest readings',
    document: 'query ($id: ID!) { building(id: $id) { latestReadings { nodes { value spaceId } } } }',
    variables: ofBuilding,
    at: 'building.latestReadings.nodes',
    own: WITH_READINGS,
    refused: WITHOUT_READINGS,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'its devices',
    document: 'query ($id: ID!) { building(id: $id) { devices { nodes { id name } } } }',
    variables: ofBuilding,
    at: 'building.devices.nodes',
    own: WITH_DEVICES,
    refused: WITHOUT_DEVICES,
    guests: ['OWNER_AT_HOME'],
  },
  {
    name: 'its silent devices',
    document: `query ($id: ID!) { building(id: $id) {
      devices(silentSince: "2100-01-01T00:00:00.000Z") { nodes { id } } } }`,
    variables: ofBuilding,
    at: 'building.devices.nodes',
    own: WITH_DEVICES,
    refused: WITHOUT_DEVICES,
    guests: ['OWNER_AT_HOME'],
  },
  {
    name: 'its alerts',
    document: 'query ($id: ID!) { building(id: $id) { alerts { nodes { id } } } }',
    variables: ofBuilding,
    at: 'building.alerts.nodes',
    own: WITH_DEVICES,
    refused: WITHOUT_DEVICES,
    guests: ['OWNER_AT_HOME'],
  },
  {
    name: 'its dead letters',
    document: 'query ($id: ID!) { building(id: $id) { deadLetters { nodes { id } } } }',
    variables: ofBuilding,
    at: 'building.deadLetters.nodes',
    own: [],
    refused: ALL,
    guests: ['OWNER_AT_HOME'],
  },
  {
    name: 'how many of its dead letters are not kept',
    document: 'query ($id: ID!) { building(id: $id) { deadLettersOmitted { count } } }',
    variables: ofBuilding,
    at: 'building.deadLettersOmitted',
    own: [],
    refused: ALL,
    guests: [],
    // Counted together with what tells of presence.
    shownNothing: ['OWNER_AT_HOME'],
  },
  {
    name: 'its audit log',
    document: 'query ($id: ID!) { building(id: $id) { auditLog { nodes { id } } } }',
    variables: ofBuilding,
    at: 'building.auditLog.nodes',
    own: [],
    refused: ALL,
    guests: [],
  },
  {
    name: 'an export of its readings',
    document: `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
      ... on ExportReadingsSuccess { export { id } } ... on UserError { code } } }`,
    variables: ({ building }, idempotencyKey) => ({
      input: { buildingId: building, ...RANGE(), format: 'CSV', idempotencyKey },
    }),
    at: 'exportReadings',
    own: [],
    refused: ALL,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'an export of the readings in a neighbour’s space',
    document: `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
      ... on ExportReadingsSuccess { export { id } } ... on UserError { code } } }`,
    variables: ({ building, space }, idempotencyKey) => ({
      input: { buildingId: building, spaces: [space], ...RANGE(), format: 'CSV', idempotencyKey },
    }),
    at: 'exportReadings',
    own: [],
    refused: ALL,
    guests: ['ANALYST_AT_HOME'],
  },
  {
    name: 'who can see it',
    document: 'query ($id: ID!) { building(id: $id) { access { nodes { personId grant { id } } } } }',
    variables: ofBuilding,
    at: 'building.access.nodes',
    own: [],
    refused: ALL,
    guests: [],
  },
  {
    name: 'an offer of it to others',
    document: `mutation ($input: OfferGrantInput!) { offerGrant(input: $input) {
      ... on OfferGrantSuccess { grantCode } ... on UserError { code } } }`,
    variables: ({ building }, idempotencyKey) => ({
      input: { buildingId: building, role: 'VIEWER', to: 'PERSON', idempotencyKey },
    }),
    at: 'offerGrant',
    own: [],
    refused: ALL,
    guests: [],
  },
];
