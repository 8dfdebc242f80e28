/**
 * Who may do what, written by hand and kept apart from `src/auth`: a mistake there must not be a mistake here.
 *
 * Every case asks for something of a tenant by one path. `seen` names the roles that get it where the thing is their own
 * tenant's; `refused` those that are told that they may not, because they can see what is around it; everybody else, and
 * everybody at all for another tenant's thing or an unknown one, gets `otherwise`.
 */
export const ROLES = ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER', 'OPERATOR', 'STRANGER'] as const;
export type Rank = (typeof ROLES)[number];

/** What an answer amounts to: the thing, nothing (null or an empty list), or an error's code. */
export type Verdict = 'seen' | 'nothing' | 'NOT_FOUND' | 'FORBIDDEN';

/** The ids of one tenant's things. */
export interface Things {
  tenant: string;
  building: string;
  space: string;
  /** In its stock. */
  stockDevice: string;
  otherStockDevice: string;
  /** What is printed on devices in its stock, one for each role to claim. */
  claims: Record<Rank, { serialNumber: string; claimCode: string }>;
  /** One for each role to replace. */
  spares: Record<Rank, string>;
  /** The id of an offer to it. */
  transfer: string;
  /** One for each role to retire. */
  devices: Record<Rank, string>;
  /** A registration of devices that its owner started, and a provisioning. */
  job: string;
  provisioningJob: string;
  /** Of its building's readings; in the queue. */
  export: string;
  /** One that is ready, and the name of a part of it. */
  readyExport: string;
  readyPart: string;
  /** Of its building: one of a temperature, and one that tells whether somebody is in. */
  alert: string;
  presenceAlert: string;
  /** One to change, one to delete. */
  alertRule: string;
  spareAlertRule: string;
  /** One with a delivery, one to delete. */
  webhook: string;
  spareWebhook: string;
  delivery: string;
  /** One that it has given, one that it has received, and the code of an offer to it. */
  grant: string;
  receivedGrant: string;
  grantCode: string;
  /** Of the invitation. */
  invitationCode: string;
  /** A member whom it has, one for each role to remove, and an open invitation. */
  member: string;
  spareMembers: Record<Rank, string>;
  invitation: string;
  /** A program's; one to revoke. */
  apiKey: string;
  spareApiKey: string;
  /** Somebody whose access to the cold store is approved there; each role whose may be is approved as well. */
  approved: string;
}

export interface Case {
  name: string;
  /** The fields of the schema that it stands for, as `Type.field`. */
  covers: string[];
  document: string;
  /** `own` is the caller's tenant's, for what is asked for in passing. */
  variables(things: Things, own: Things, rank: Rank, key: string): object;
  /** Where in the data the answer stands. */
  at: string;
  /** Asked for by way of one's own building, so that who may not ask there at all is told so whatever is asked for. */
  throughOwnBuilding?: true;
  seen: Rank[];
  refused?: Rank[];
  otherwise: Verdict;
}

const READERS: Rank[] = ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'];
const WITH_DEVICES: Rank[] = ['OWNER', 'MANAGER', 'TECHNICIAN'];
/** Those who may see what occupants do. */
const WITH_READINGS: Rank[] = ['OWNER', 'MANAGER', 'ANALYST'];
const WITHOUT_READINGS: Rank[] = ['TECHNICIAN', 'VIEWER'];
const ADMINISTRATORS: Rank[] = ['OWNER', 'MANAGER'];

const byId = (id: (things: Things, rank: Rank) => string) => (things: Things, _own: Things, rank: Rank) => ({
  id: id(things, rank),
});
const LAST_HOUR = () => ({
  from: new Date(Date.now() - 3_600_000).toISOString(),
  to: new Date(Date.now() + 60_000).toISOString(),
});

const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();

/** Each tenant's client `app` has it. */
export const DOCUMENT = {
  id: 'sha256:afdc2859bb38708aec093237b238f87830691772a3a2da2cd9e4c265f8e3e880',
  text: 'query Me { viewer { id } }',
};

export const CASES: Case[] = [
  {
    name: 'a tenant by id',
    covers: ['Query.tenant'],
    document: 'query ($id: ID!) { tenant(id: $id) { id name } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'a tenant as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Tenant { name } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'node',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'the buildings of a tenant',
    covers: ['Query.buildings'],
    document: 'query ($id: ID!) { buildings(tenant: $id) { nodes { id name tenant { id } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'buildings.nodes',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'a building by id',
    covers: ['Query.building'],
    document: 'query ($id: ID!) { building(id: $id) { id name timeZone createdAt tenant { id name } } }',
    variables: byId(({ building }) => building),
    at: 'building',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'a building as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Building { name devices { nodes { id } } } } }',
    variables: byId(({ building }) => building),
    at: 'node',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the spaces of a building',
    covers: ['Building.spaces'],
    document: 'query ($id: ID!) { building(id: $id) { spaces { id name parent { id } building { id } } } }',
    variables: byId(({ building }) => building),
    at: 'building.spaces',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'the devices of a building',
    covers: ['Building.devices'],
    document: 'query ($id: ID!) { building(id: $id) { devices { nodes { id name space { id } } } } }',
    variables: byId(({ building }) => building),
    at: 'building.devices.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the devices of a space, asked for in one’s own building',
    covers: ['Building.devices'],
    document:
      'query ($id: ID!, $space: ID!) { building(id: $id) { devices(space: $space) { nodes { id } } } }',
    variables: (things, own) => ({ id: own.building, space: things.space }),
    throughOwnBuilding: true,
    at: 'building.devices.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the silent devices of a building',
    covers: ['Building.devices'],
    document: `query ($id: ID!) { building(id: $id) {
      devices(silentSince: "2100-01-01T00:00:00.000Z") { nodes { id lastSeenAt lastProtocol } } } }`,
    variables: byId(({ building }) => building),
    at: 'building.devices.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the audit log of a building',
    covers: ['Building.auditLog'],
    document:
      'query ($id: ID!) { building(id: $id) { auditLog { nodes { id at actor from { address transport } action subject before after } } } }',
    variables: byId(({ building }) => building),
    at: 'building.auditLog.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'what a building’s audit log says of a device, asked for in one’s own building',
    covers: ['Building.auditLog'],
    document:
      'query ($id: ID!, $device: ID!) { building(id: $id) { auditLog(subject: $device) { nodes { id } } } }',
    variables: (things, own, rank) => ({ id: own.building, device: things.devices[rank] }),
    throughOwnBuilding: true,
    at: 'building.auditLog.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the audit log of a tenant',
    covers: ['Tenant.auditLog'],
    document: 'query ($id: ID!) { tenant(id: $id) { auditLog { nodes { id } pageInfo { hasNextPage } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.auditLog',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the averages of a building',
    covers: ['Building.averages'],
    document: 'query ($id: ID!) { building(id: $id) { averages { quantity mean position { sequence } } } }',
    variables: byId(({ building }) => building),
    at: 'building.averages',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'the averages of a space',
    covers: ['Space.averages'],
    document: 'query ($id: ID!) { building(id: $id) { spaces { averages { quantity mean deviceMean } } } }',
    variables: byId(({ building }) => building),
    at: 'building.spaces.0.averages',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'whether there is smoke in a building',
    covers: ['Building.states'],
    document: 'query ($id: ID!) { building(id: $id) { states { quantity active clear } } }',
    variables: byId(({ building }) => building),
    at: 'building.states.0',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'whether somebody is in a building',
    covers: ['Building.states'],
    document: 'query ($id: ID!) { building(id: $id) { states { quantity active clear } } }',
    variables: byId(({ building }) => building),
    at: 'building.states.1',
    seen: WITH_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'whether there is smoke in a space',
    covers: ['Space.states'],
    document: 'query ($id: ID!) { building(id: $id) { spaces { states { quantity active clear } } } }',
    variables: byId(({ building }) => building),
    at: 'building.spaces.0.states.0',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'whether somebody is in a space',
    covers: ['Space.states'],
    document: 'query ($id: ID!) { building(id: $id) { spaces { states { quantity active clear } } } }',
    variables: byId(({ building }) => building),
    at: 'building.spaces.0.states.1',
    seen: WITH_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the rolling record of a building',
    covers: ['Building.averageHistory'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      averageHistory(quantity: AIR_TEMPERATURE, from: $from, to: $to) { nodes { mean } } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.averageHistory.nodes',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'the readings of a building',
    covers: ['Building.readings'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to) { nodes { value deviceId spaceId pointId } } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.readings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the readings in a space, asked for in one’s own building',
    covers: ['Building.readings'],
    document: `query ($id: ID!, $space: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to, space: $space) { nodes { value } } } }`,
    variables: ({ space }, own) => ({ id: own.building, space, ...LAST_HOUR() }),
    throughOwnBuilding: true,
    at: 'building.readings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the readings of a device, asked for in one’s own building',
    covers: ['Building.readings'],
    document: `query ($id: ID!, $device: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      readings(from: $from, to: $to, device: $device) { nodes { value } } } }`,
    variables: ({ spares }, own) => ({ id: own.building, device: spares.OWNER, ...LAST_HOUR() }),
    throughOwnBuilding: true,
    at: 'building.readings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the latest readings of a building',
    covers: ['Building.latestReadings'],
    document: `query ($id: ID!) { building(id: $id) {
      latestReadings { nodes { pointId spaceId value observedAt } } } }`,
    variables: byId(({ building }) => building),
    at: 'building.latestReadings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the latest readings in a space, asked for in one’s own building',
    covers: ['Building.latestReadings'],
    document: `query ($id: ID!, $space: ID!) { building(id: $id) {
      latestReadings(space: $space) { nodes { value } } } }`,
    variables: ({ space }, own) => ({ id: own.building, space }),
    throughOwnBuilding: true,
    at: 'building.latestReadings.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the latest readings of a device',
    covers: ['Device.latestReadings'],
    document: 'query ($id: ID!) { device(id: $id) { latestReadings { pointId value } } }',
    variables: byId(({ devices }, rank) => devices[rank]),
    at: 'device.latestReadings',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'nothing',
  },
  {
    name: 'the latest reading of a point',
    covers: ['Point.latestReading'],
    document:
      'query ($id: ID!) { device(id: $id) { assignments { point { latestReading { value observedAt } } } } }',
    variables: byId(({ devices }, rank) => devices[rank]),
    at: 'device.assignments.0.point.latestReading',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'nothing',
  },
  {
    name: 'the history of a building',
    covers: ['Building.history'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      history(quantity: AIR_TEMPERATURE, from: $from, to: $to, step: "PT2H") { count average } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.history',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the history of the spaces of a building',
    covers: ['Space.history'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
      spaces { history(quantity: AIR_TEMPERATURE, from: $from, to: $to, step: "PT2H") { count } } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.spaces',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the excursions of a building',
    covers: ['Building.excursions'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) { excursions(
      quantity: AIR_TEMPERATURE, high: 20, longerThan: "PT1S", from: $from, to: $to) { nodes { peak } } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.excursions.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the excursions of the spaces of a building',
    covers: ['Space.excursions'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) { spaces { excursions(
      quantity: AIR_TEMPERATURE, high: 20, longerThan: "PT1S", from: $from, to: $to) { count } } } }`,
    variables: ({ building }) => ({ id: building, ...LAST_HOUR() }),
    at: 'building.spaces',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the excursions of a tenant',
    covers: ['Tenant.excursions'],
    document: `query ($id: ID!, $from: DateTime!, $to: DateTime!) { tenant(id: $id) { excursions(
      quantity: AIR_TEMPERATURE, high: 20, longerThan: "PT1S", from: $from, to: $to) { nodes { buildingId } } } }`,
    variables: ({ tenant }) => ({ id: tenant, ...LAST_HOUR() }),
    at: 'tenant.excursions.nodes',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'a device by id',
    covers: ['Query.device', 'Device.assignments', 'Device.configuration', 'Device.parent'],
    document:
      'query ($id: ID!) { device(id: $id) { id name serialNumber building { id } space { id } assignments { point { id } } configuration { desired } parent { id } } }',
    variables: byId(({ devices }, rank) => devices[rank]),
    at: 'device',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'a device as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Device { name } } }',
    variables: byId(({ devices }, rank) => devices[rank]),
    at: 'node',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'the averages of a building, live',
    covers: ['Subscription.buildingAverage'],
    document: 'subscription ($id: ID!) { buildingAverage(building: $id) { quantity mean } }',
    variables: byId(({ building }) => building),
    at: 'buildingAverage',
    seen: READERS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the averages of several buildings, live',
    covers: ['Subscription.buildingAverages'],
    document: 'subscription ($id: ID!) { buildingAverages(buildingIds: [$id]) { buildingId quantity mean } }',
    variables: byId(({ building }) => building),
    at: 'buildingAverages',
    seen: READERS,
    otherwise: 'nothing',
  },
  {
    name: 'the states of a building’s devices, live',
    covers: ['Subscription.deviceStatus'],
    document: 'subscription ($id: ID!) { deviceStatus(building: $id) { state lastSeenAt } }',
    variables: byId(({ building }) => building),
    at: 'deviceStatus',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the states of devices, live',
    covers: ['Subscription.deviceStatus'],
    document: 'subscription ($id: ID!) { deviceStatus(deviceIds: [$id]) { deviceId state lastSeenAt } }',
    variables: byId(({ devices }, rank) => devices[rank]),
    at: 'deviceStatus',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'the dead letters of a building',
    covers: ['Building.deadLetters'],
    document: `query ($id: ID!) { building(id: $id) {
      deadLetters { nodes { id code raw payload device { name } } } } }`,
    variables: byId(({ building }) => building),
    at: 'building.deadLetters.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'how many dead letters of a building are not kept',
    covers: ['Building.deadLettersOmitted'],
    document: 'query ($id: ID!) { building(id: $id) { deadLettersOmitted { minute count } } }',
    variables: byId(({ building }) => building),
    at: 'building.deadLettersOmitted',
    seen: ADMINISTRATORS,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the dead letters of a tenant’s devices without a place',
    covers: ['Tenant.deadLetters'],
    document: 'query ($id: ID!) { tenant(id: $id) { deadLetters { nodes { id code raw payload } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.deadLetters.nodes',
    seen: ADMINISTRATORS,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'how many dead letters of a tenant are not kept',
    covers: ['Tenant.deadLettersOmitted'],
    document: 'query ($id: ID!) { tenant(id: $id) { deadLettersOmitted { minute count } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.deadLettersOmitted',
    seen: ADMINISTRATORS,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'what became of a tenant’s readings',
    covers: ['Tenant.ingestionReport'],
    document: `query ($id: ID!) { tenant(id: $id) { ingestionReport { hour expected accepted unanswered landed tooLate
      curated repeated deadLettered deadLetteredByCode { code count } inFlight notYetCurated untold unexplained settled
      partitions { partition accepted } } } }`,
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.ingestionReport',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the replay of a building’s dead letters',
    covers: ['Mutation.replayDeadLetters'],
    document: `mutation ($input: ReplayDeadLettersInput!) { replayDeadLetters(input: $input) {
      ... on ReplayDeadLettersSuccess { job { total } } ... on UserError { code message path } } }`,
    variables: ({ building }, _own, _rank, idempotencyKey) => ({
      input: { buildingId: building, idempotencyKey },
    }),
    at: 'replayDeadLetters',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the replay of a tenant’s dead letters',
    covers: ['Mutation.replayDeadLetters'],
    document: `mutation ($input: ReplayDeadLettersInput!) { replayDeadLetters(input: $input) {
      ... on ReplayDeadLettersSuccess { job { total } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, idempotencyKey },
    }),
    at: 'replayDeadLetters',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new building',
    covers: ['Mutation.createBuilding'],
    document: `mutation ($input: CreateBuildingInput!) { createBuilding(input: $input) {
      ... on CreateBuildingSuccess { building { id } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, name: 'New', timeZone: 'Europe/Berlin', spaces: [], idempotencyKey },
    }),
    at: 'createBuilding',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'new devices in a building',
    covers: ['Mutation.provisionDevices'],
    document: `mutation ($input: ProvisionDevicesInput!) { provisionDevices(input: $input) {
      ... on ProvisionDevicesSuccess { devices { connectionString } } ... on UserError { code message path } } }`,
    variables: ({ building, space }, _own, _rank, idempotencyKey) => ({
      input: {
        buildingId: building,
        devices: [{ name: 'New', model: 'thermometer', spaceId: space }],
        idempotencyKey,
      },
    }),
    at: 'provisionDevices',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'new devices in a space, asked for in one’s own building',
    covers: ['Mutation.provisionDevices'],
    document: `mutation ($input: ProvisionDevicesInput!) { provisionDevices(input: $input) {
      ... on ProvisionDevicesSuccess { devices { connectionString } } ... on UserError { code message path } } }`,
    variables: ({ space }, own, _rank, idempotencyKey) => ({
      input: {
        buildingId: own.building,
        devices: [{ name: 'New', model: 'thermometer', spaceId: space }],
        idempotencyKey,
      },
    }),
    throughOwnBuilding: true,
    at: 'provisionDevices',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'what tells of presence in a building',
    covers: ['Mutation.setPresenceRevealing'],
    document: `mutation ($input: SetPresenceRevealingInput!) { setPresenceRevealing(input: $input) {
      ... on SetPresenceRevealingSuccess { building { presenceRevealing } } ... on UserError { code message path } } }`,
    variables: ({ building }) => ({ input: { buildingId: building, quantities: ['ILLUMINANCE'] } }),
    at: 'setPresenceRevealing',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s suspension',
    covers: ['Mutation.suspendDevice'],
    document: `mutation ($input: SuspendDeviceInput!) { suspendDevice(input: $input) {
      ... on SuspendDeviceSuccess { device { state } } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank) => ({ input: { deviceId: devices[rank], reason: 'cleaning' } }),
    at: 'suspendDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s return into service',
    covers: ['Mutation.resumeDevice'],
    document: `mutation ($input: ResumeDeviceInput!) { resumeDevice(input: $input) {
      ... on ResumeDeviceSuccess { device { state } } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank) => ({ input: { deviceId: devices[rank] } }),
    at: 'resumeDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a credential for a device',
    covers: ['Mutation.issueDeviceCredential'],
    document: `mutation ($input: IssueDeviceCredentialInput!) { issueDeviceCredential(input: $input) {
      ... on IssueDeviceCredentialSuccess { connectionString } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank, idempotencyKey) => ({
      input: { deviceId: devices[rank], credential: { kind: 'SYMMETRIC_KEY' }, idempotencyKey },
    }),
    at: 'issueDeviceCredential',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the rotation of a device’s credential',
    covers: ['Mutation.rotateDeviceCredential'],
    document: `mutation ($input: RotateDeviceCredentialInput!) { rotateDeviceCredential(input: $input) {
      ... on RotateDeviceCredentialSuccess { connectionString } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank, idempotencyKey) => ({
      input: { deviceId: devices[rank], idempotencyKey },
    }),
    at: 'rotateDeviceCredential',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s configuration',
    covers: ['Mutation.setDeviceConfiguration'],
    document: `mutation ($input: SetDeviceConfigurationInput!) { setDeviceConfiguration(input: $input) {
      ... on SetDeviceConfigurationSuccess { configuration { desired } } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank) => ({
      input: { deviceId: devices[rank], desired: { interval: 60 } },
    }),
    at: 'setDeviceConfiguration',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s field gateway',
    covers: ['Mutation.setDeviceParent'],
    document: `mutation ($input: SetDeviceParentInput!) { setDeviceParent(input: $input) {
      ... on SetDeviceParentSuccess { device { parent { id } } } ... on UserError { code message path } } }`,
    variables: ({ devices }, own, rank) => ({
      input: { deviceId: devices[rank], parentId: own.devices.STRANGER },
    }),
    at: 'setDeviceParent',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a field gateway, asked for a device of one’s own',
    covers: ['Mutation.setDeviceParent'],
    document: `mutation ($input: SetDeviceParentInput!) { setDeviceParent(input: $input) {
      ... on SetDeviceParentSuccess { device { parent { id } } } ... on UserError { code message path } } }`,
    variables: ({ devices }, own, rank) => ({
      input: { deviceId: own.devices[rank], parentId: devices.VIEWER },
    }),
    throughOwnBuilding: true,
    at: 'setDeviceParent',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the stock of a tenant',
    covers: ['Tenant.registeredDevices'],
    document: 'query ($id: ID!) { tenant(id: $id) { registeredDevices { nodes { id serialNumber } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.registeredDevices.nodes',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'what a tenant is offered',
    covers: ['Tenant.deviceTransfers'],
    document: 'query ($id: ID!) { tenant(id: $id) { deviceTransfers { nodes { id deviceName } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.deviceTransfers.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'a new claim code',
    covers: ['Mutation.reissueClaimCode'],
    document: `mutation ($input: ReissueClaimCodeInput!) { reissueClaimCode(input: $input) {
      ... on ReissueClaimCodeSuccess { claimText } ... on UserError { code message path } } }`,
    variables: ({ stockDevice }, _own, _rank, idempotencyKey) => ({
      input: { deviceId: stockDevice, idempotencyKey },
    }),
    at: 'reissueClaimCode',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the retirement of a device in stock',
    covers: ['Mutation.retireRegisteredDevice'],
    document: `mutation ($input: RetireRegisteredDeviceInput!) { retireRegisteredDevice(input: $input) {
      ... on RetireRegisteredDeviceSuccess { device { state } } ... on UserError { code message path } } }`,
    variables: ({ stockDevice }) => ({ input: { deviceId: stockDevice } }),
    at: 'retireRegisteredDevice',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new enrollment group',
    covers: ['Mutation.createEnrollmentGroup'],
    document: `mutation ($input: CreateEnrollmentGroupInput!) { createEnrollmentGroup(input: $input) {
      ... on CreateEnrollmentGroupSuccess { primaryKey } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, name: 'New', idempotencyKey },
    }),
    at: 'createEnrollmentGroup',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a claim into a space',
    covers: ['Mutation.claimDevice'],
    document: `mutation ($input: ClaimDeviceInput!) { claimDevice(input: $input) {
      ... on ClaimDeviceSuccess { connectionString } ... on UserError { code message path } } }`,
    variables: ({ building, space }, own, rank, idempotencyKey) => ({
      input: { ...own.claims[rank], buildingId: building, spaceId: space, name: 'New', idempotencyKey },
    }),
    at: 'claimDevice',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the move of a device',
    covers: ['Mutation.moveDevice'],
    document: `mutation ($input: MoveDeviceInput!) { moveDevice(input: $input) {
      ... on MoveDeviceSuccess { device { id } } ... on UserError { code message path } } }`,
    variables: ({ spares, space }, _own, rank) => ({ input: { deviceId: spares[rank], spaceId: space } }),
    at: 'moveDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the move of one’s own device into a building',
    covers: ['Mutation.moveDevice'],
    document: `mutation ($input: MoveDeviceInput!) { moveDevice(input: $input) {
      ... on MoveDeviceSuccess { device { id } } ... on UserError { code message path } } }`,
    variables: ({ building, space }, own, rank) => ({
      input: { deviceId: own.spares[rank], buildingId: building, spaceId: space },
    }),
    at: 'moveDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an offer of a device',
    covers: ['Mutation.offerDeviceTransfer'],
    document: `mutation ($input: OfferDeviceTransferInput!) { offerDeviceTransfer(input: $input) {
      ... on OfferDeviceTransferSuccess { transferId } ... on UserError { code message path } } }`,
    variables: ({ spares }, _own, rank) => ({
      input: { deviceId: spares[rank], toTenantId: 'ten_elsewhere', expiresInHours: 1 },
    }),
    at: 'offerDeviceTransfer',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the withdrawal of an offer',
    covers: ['Mutation.withdrawDeviceTransfer'],
    document: `mutation ($input: WithdrawDeviceTransferInput!) { withdrawDeviceTransfer(input: $input) {
      ... on WithdrawDeviceTransferSuccess { device { id } } ... on UserError { code message path } } }`,
    variables: ({ spares }, _own, rank) => ({ input: { deviceId: spares[rank] } }),
    at: 'withdrawDeviceTransfer',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the acceptance of an offered device, into one’s own building',
    covers: ['Mutation.acceptDeviceTransfer'],
    document: `mutation ($input: AcceptDeviceTransferInput!) { acceptDeviceTransfer(input: $input) {
      ... on AcceptDeviceTransferSuccess { connectionString } ... on UserError { code message path } } }`,
    variables: ({ transfer }, own, _rank, idempotencyKey) => ({
      input: { transferId: transfer, buildingId: own.building, spaceId: own.space, idempotencyKey },
    }),
    throughOwnBuilding: true,
    at: 'acceptDeviceTransfer',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the replacement of a device',
    covers: ['Mutation.replaceDevice'],
    document: `mutation ($input: ReplaceDeviceInput!) { replaceDevice(input: $input) {
      ... on ReplaceDeviceSuccess { connectionString } ... on UserError { code message path } } }`,
    variables: ({ spares }, _own, rank, idempotencyKey) => ({
      input: { deviceId: spares[rank], newDevice: { model: 'thermometer' }, idempotencyKey },
    }),
    at: 'replaceDevice',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s retirement',
    covers: ['Mutation.retireDevice'],
    document: `mutation ($input: RetireDeviceInput!) { retireDevice(input: $input) {
      ... on RetireDeviceSuccess { device { state } } ... on UserError { code message path } } }`,
    variables: ({ devices }, _own, rank) => ({ input: { deviceId: devices[rank] } }),
    at: 'retireDevice',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a job of registrations by id',
    covers: ['Query.job'],
    document: `query ($id: ID!) { job(id: $id) { id state total
      rows { nodes { index secret { claimCode secretsAlreadyShown } } } } }`,
    variables: byId(({ job }) => job),
    at: 'job',
    seen: ADMINISTRATORS,
    otherwise: 'nothing',
  },
  {
    name: 'a job of provisionings as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Job { state } } }',
    variables: byId(({ provisioningJob }) => provisioningJob),
    at: 'node',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'the jobs of a tenant',
    covers: [],
    document: 'query ($id: ID!) { tenant(id: $id) { jobs { nodes { id kind } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.jobs.nodes',
    // Each role sees those of the kinds that it may start.
    seen: ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST'],
    otherwise: 'nothing',
  },
  {
    name: 'an export by id',
    covers: ['Query.export'],
    document: `query ($id: ID!) { export(id: $id) { id format quantities job { state } parts { name url } } }`,
    variables: ({ export: id }) => ({ id }),
    at: 'export',
    seen: WITH_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'an export as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Export { format } } }',
    variables: ({ export: id }) => ({ id }),
    at: 'node',
    seen: WITH_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'the exports of a tenant',
    covers: [],
    document: 'query ($id: ID!) { tenant(id: $id) { exports { nodes { id format } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.exports.nodes',
    seen: WITH_READINGS,
    otherwise: 'nothing',
  },
  {
    name: 'an export of a building’s readings',
    covers: ['Mutation.exportReadings'],
    document: `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
      ... on ExportReadingsSuccess { export { id } } ... on UserError { code message path } } }`,
    variables: ({ building }, _own, _rank, idempotencyKey) => ({
      input: { buildingId: building, ...LAST_HOUR(), format: 'CSV', idempotencyKey },
    }),
    at: 'exportReadings',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an export of a tenant’s readings',
    covers: ['Mutation.exportReadings'],
    document: `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
      ... on ExportReadingsSuccess { export { id } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, ...LAST_HOUR(), format: 'PARQUET', idempotencyKey },
    }),
    at: 'exportReadings',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a job’s end',
    covers: ['Mutation.cancelJob'],
    document: `mutation ($input: CancelJobInput!) { cancelJob(input: $input) {
      ... on CancelJobSuccess { job { state } } ... on UserError { code message path } } }`,
    variables: ({ job }) => ({ input: { jobId: job } }),
    at: 'cancelJob',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'new devices in stock',
    covers: ['Mutation.registerDevices'],
    document: `mutation ($input: RegisterDevicesInput!) { registerDevices(input: $input) {
      ... on RegisterDevicesSuccess { job { id } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: {
        tenantId: tenant,
        devices: [{ serialNumber: 'S-1', model: 'thermometer' }],
        idempotencyKey,
      },
    }),
    at: 'registerDevices',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a provisioning of many devices',
    covers: ['Mutation.provisionDevicesJob'],
    document: `mutation ($input: ProvisionDevicesInput!) { provisionDevicesJob(input: $input) {
      ... on ProvisionDevicesJobSuccess { job { id } } ... on UserError { code message path } } }`,
    variables: ({ building, space }, _own, _rank, idempotencyKey) => ({
      input: {
        buildingId: building,
        devices: [{ name: 'New', model: 'thermometer', spaceId: space }],
        idempotencyKey,
      },
    }),
    at: 'provisionDevicesJob',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the alerts of a building',
    covers: ['Building.alerts'],
    document: 'query ($id: ID!) { building(id: $id) { alerts { nodes { id severity device { id } } } } }',
    variables: byId(({ building }) => building),
    at: 'building.alerts.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'an alert as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Alert { severity building { id } } } }',
    variables: byId(({ alert }) => alert),
    at: 'node',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'an alert that tells whether somebody is in',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on Alert { severity } } }',
    variables: byId(({ presenceAlert }) => presenceAlert),
    at: 'node',
    seen: ADMINISTRATORS,
    otherwise: 'nothing',
  },
  {
    name: 'the acknowledgement of an alert',
    covers: ['Mutation.acknowledgeAlert'],
    document: `mutation ($input: AcknowledgeAlertInput!) { acknowledgeAlert(input: $input) {
      ... on AcknowledgeAlertSuccess { alert { id } } ... on UserError { code message path } } }`,
    variables: ({ alert }) => ({ input: { alertId: alert } }),
    at: 'acknowledgeAlert',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'alerts as they happen',
    covers: ['Subscription.alerts'],
    document: `subscription ($id: ID!) { alerts(buildingIds: [$id]) { __typename
      ... on ActiveAlert { alert { severity } } } }`,
    variables: byId(({ building }) => building),
    at: 'alerts',
    seen: WITH_DEVICES,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the alert rules of a tenant',
    covers: ['Tenant.alertRules'],
    document: 'query ($id: ID!) { tenant(id: $id) { alertRules { nodes { id name } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.alertRules.nodes',
    seen: WITH_DEVICES,
    refused: ['ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'an alert rule as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on AlertRule { name } } }',
    variables: byId(({ alertRule }) => alertRule),
    at: 'node',
    seen: WITH_DEVICES,
    otherwise: 'nothing',
  },
  {
    name: 'a new alert rule',
    covers: ['Mutation.createAlertRule'],
    document: `mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) {
      ... on CreateAlertRuleSuccess { rule { name } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: {
        tenantId: tenant,
        name: 'New',
        severity: 'MINOR',
        condition: { deviceSilent: { intervals: 3 } },
        idempotencyKey,
      },
    }),
    at: 'createAlertRule',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new alert rule of one’s own for a space',
    covers: ['Mutation.createAlertRule'],
    document: `mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) {
      ... on CreateAlertRuleSuccess { rule { name } } ... on UserError { code message path } } }`,
    variables: ({ building, space }, own, _rank, idempotencyKey) => ({
      input: {
        tenantId: own.tenant,
        name: 'New',
        severity: 'MINOR',
        scope: { buildingId: building, spaceId: space },
        condition: { deviceSilent: { intervals: 3 } },
        idempotencyKey,
      },
    }),
    throughOwnBuilding: true,
    at: 'createAlertRule',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the change of an alert rule',
    covers: ['Mutation.changeAlertRule'],
    document: `mutation ($input: ChangeAlertRuleInput!) { changeAlertRule(input: $input) {
      ... on ChangeAlertRuleSuccess { rule { name } } ... on UserError { code message path } } }`,
    variables: ({ alertRule }) => ({ input: { ruleId: alertRule, name: 'Changed' } }),
    at: 'changeAlertRule',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an alert rule’s end',
    covers: ['Mutation.deleteAlertRule'],
    document: `mutation ($input: DeleteAlertRuleInput!) { deleteAlertRule(input: $input) {
      ... on DeleteAlertRuleSuccess { rule { name } } ... on UserError { code message path } } }`,
    variables: ({ spareAlertRule }) => ({ input: { ruleId: spareAlertRule } }),
    at: 'deleteAlertRule',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a device’s expected interval',
    covers: ['Mutation.setDeviceInterval'],
    document: `mutation ($input: SetDeviceIntervalInput!) { setDeviceInterval(input: $input) {
      ... on SetDeviceIntervalSuccess { device { intervalSeconds } } ... on UserError { code message path } } }`,
    variables: ({ devices }) => ({ input: { deviceId: devices.ANALYST, intervalSeconds: 300 } }),
    at: 'setDeviceInterval',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a webhook as a node, with what it was sent',
    covers: ['Query.node', 'Webhook.deliveries'],
    document:
      'query ($id: ID!) { node(id: $id) { id ... on Webhook { url deliveries { nodes { id body } } } } }',
    variables: byId(({ webhook }) => webhook),
    at: 'node.deliveries.nodes',
    seen: ADMINISTRATORS,
    otherwise: 'nothing',
  },
  {
    name: 'the webhooks of a tenant',
    covers: ['Tenant.webhooks'],
    document: 'query ($id: ID!) { tenant(id: $id) { webhooks { nodes { id url } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.webhooks.nodes',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'an API key as a node',
    covers: ['Query.node'],
    document: 'query ($id: ID!) { node(id: $id) { id ... on ApiKey { name prefix permissions } } }',
    variables: byId(({ apiKey }) => apiKey),
    at: 'node',
    seen: ADMINISTRATORS,
    otherwise: 'nothing',
  },
  {
    name: 'the API keys of a tenant',
    covers: ['Tenant.apiKeys'],
    document: 'query ($id: ID!) { tenant(id: $id) { apiKeys { nodes { id name lastUsedAt } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.apiKeys.nodes',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'a new API key',
    covers: ['Mutation.createApiKey'],
    document: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
      ... on CreateApiKeySuccess { secret } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, name: 'New', permissions: ['READ_AVERAGES'], idempotencyKey },
    }),
    at: 'createApiKey',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new API key of one’s own for a building',
    covers: ['Mutation.createApiKey'],
    document: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
      ... on CreateApiKeySuccess { secret } ... on UserError { code message path } } }`,
    variables: ({ building }, own, _rank, idempotencyKey) => ({
      input: {
        tenantId: own.tenant,
        name: 'New',
        permissions: ['READ_AVERAGES'],
        buildingIds: [building],
        idempotencyKey,
      },
    }),
    throughOwnBuilding: true,
    at: 'createApiKey',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the end of an API key',
    covers: ['Mutation.revokeApiKey'],
    document: `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
      ... on RevokeApiKeySuccess { apiKey { id } } ... on UserError { code message path } } }`,
    variables: ({ spareApiKey }) => ({ input: { apiKeyId: spareApiKey } }),
    at: 'revokeApiKey',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new webhook',
    covers: ['Mutation.createWebhook'],
    document: `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
      ... on CreateWebhookSuccess { secret } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, name: 'New', url: 'https://hook.example.com/', idempotencyKey },
    }),
    at: 'createWebhook',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a new webhook of one’s own for a building',
    covers: ['Mutation.createWebhook'],
    document: `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
      ... on CreateWebhookSuccess { secret } ... on UserError { code message path } } }`,
    variables: ({ building }, own, _rank, idempotencyKey) => ({
      input: {
        tenantId: own.tenant,
        name: 'New',
        url: 'https://hook.example.com/',
        buildingIds: [building],
        idempotencyKey,
      },
    }),
    throughOwnBuilding: true,
    at: 'createWebhook',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the rotation of a webhook’s secret',
    covers: ['Mutation.rotateWebhookSecret'],
    document: `mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) {
      ... on RotateWebhookSecretSuccess { secret } ... on UserError { code message path } } }`,
    variables: ({ webhook }, _own, _rank, idempotencyKey) => ({
      input: { webhookId: webhook, idempotencyKey },
    }),
    at: 'rotateWebhookSecret',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a delivery to a webhook, again',
    covers: ['Mutation.redeliverWebhook'],
    document: `mutation ($input: RedeliverWebhookInput!) { redeliverWebhook(input: $input) {
      ... on RedeliverWebhookSuccess { delivery { id } } ... on UserError { code message path } } }`,
    variables: ({ webhook, delivery }) => ({ input: { webhookId: webhook, deliveryId: delivery } }),
    at: 'redeliverWebhook',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the documents of a tenant’s clients',
    covers: ['Tenant.trustedDocuments'],
    document:
      'query ($id: ID!) { tenant(id: $id) { trustedDocuments(client: "app") { nodes { documentId text } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.trustedDocuments.nodes',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'the registration of a document',
    covers: ['Mutation.registerDocuments'],
    document: `mutation ($input: RegisterDocumentsInput!) { registerDocuments(input: $input) {
      ... on RegisterDocumentsSuccess { documents { documentId clients } } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: {
        tenantId: tenant,
        client: 'another app',
        documents: [{ documentId: DOCUMENT.id, text: DOCUMENT.text }],
        idempotencyKey,
      },
    }),
    at: 'registerDocuments',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the retirement of a document',
    covers: ['Mutation.retireDocuments'],
    document: `mutation ($input: RetireDocumentsInput!) { retireDocuments(input: $input) {
      ... on RetireDocumentsSuccess { documentIds } ... on UserError { code message path } } }`,
    variables: ({ tenant }) => ({
      input: { tenantId: tenant, client: 'another app', documentIds: [DOCUMENT.id] },
    }),
    at: 'retireDocuments',
    seen: ADMINISTRATORS,
    refused: ['TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'what a tenant shares with others',
    covers: ['Tenant.grants'],
    document:
      'query ($id: ID!) { tenant(id: $id) { grants(direction: GIVEN) { nodes { id role granteeId } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.grants.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'what others share with a tenant',
    covers: ['Tenant.grants'],
    document: 'query ($id: ID!) { tenant(id: $id) { grants(direction: RECEIVED) { nodes { id ownerId } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.grants.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'who can see a building',
    covers: ['Building.access'],
    document: `query ($id: ID!) { building(id: $id) {
      access { nodes { personId role spaceIds grant { id } } } } }`,
    variables: byId(({ building }) => building),
    at: 'building.access.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'an offer of a building',
    covers: ['Mutation.offerGrant'],
    document: `mutation ($input: OfferGrantInput!) { offerGrant(input: $input) {
      ... on OfferGrantSuccess { grantCode } ... on UserError { code message path } } }`,
    variables: ({ building }, _own, _rank, idempotencyKey) => ({
      input: { buildingId: building, role: 'VIEWER', to: 'PERSON', idempotencyKey },
    }),
    at: 'offerGrant',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an offer of a space, asked for in one’s own building',
    covers: ['Mutation.offerGrant'],
    document: `mutation ($input: OfferGrantInput!) { offerGrant(input: $input) {
      ... on OfferGrantSuccess { grantCode } ... on UserError { code message path } } }`,
    variables: ({ space }, own, _rank, idempotencyKey) => ({
      input: { buildingId: own.building, spaceId: space, role: 'VIEWER', to: 'PERSON', idempotencyKey },
    }),
    throughOwnBuilding: true,
    at: 'offerGrant',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the acceptance of an offer for a tenant',
    covers: ['Mutation.acceptGrant'],
    document: `mutation ($input: AcceptGrantInput!) { acceptGrant(input: $input) {
      ... on AcceptGrantSuccess { grant { id } } ... on UserError { code message path } } }`,
    variables: ({ tenant, grantCode }, _own, _rank, idempotencyKey) => ({
      input: { grantCode, tenantId: tenant, idempotencyKey },
    }),
    at: 'acceptGrant',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a grant’s end',
    covers: ['Mutation.revokeGrant'],
    document: `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) {
      ... on RevokeGrantSuccess { grant { id } } ... on UserError { code message path } } }`,
    variables: ({ grant }) => ({ input: { grantId: grant } }),
    at: 'revokeGrant',
    seen: ['OWNER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a received grant’s end',
    covers: ['Mutation.revokeGrant'],
    document: `mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) {
      ... on RevokeGrantSuccess { grant { id } } ... on UserError { code message path } } }`,
    variables: ({ receivedGrant }) => ({ input: { grantId: receivedGrant } }),
    at: 'revokeGrant',
    seen: ['OWNER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a tenant’s members',
    covers: ['Tenant.members'],
    document: 'query ($id: ID!) { tenant(id: $id) { members { nodes { personId role displayName } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.members.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'a tenant’s invitations',
    covers: ['Tenant.invitations'],
    document: 'query ($id: ID!) { tenant(id: $id) { invitations { nodes { id role note } } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.invitations.nodes',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'an invitation to a tenant',
    covers: ['Mutation.inviteMember'],
    document: `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
      ... on InviteMemberSuccess { invitationCode } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, role: 'OWNER', idempotencyKey },
    }),
    at: 'inviteMember',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an invitation of a resident of a building, to one’s own tenant',
    covers: ['Mutation.inviteMember'],
    document: `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
      ... on InviteMemberSuccess { invitationCode } ... on UserError { code message path } } }`,
    variables: ({ building, space }, own, _rank, idempotencyKey) => ({
      input: {
        tenantId: own.tenant,
        role: 'VIEWER',
        spaces: [{ buildingId: building, spaceIds: [space] }],
        idempotencyKey,
      },
    }),
    throughOwnBuilding: true,
    at: 'inviteMember',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'an invitation’s end',
    covers: ['Mutation.revokeInvitation'],
    document: `mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) {
      ... on RevokeInvitationSuccess { invitation { id } } ... on UserError { code message path } } }`,
    variables: ({ invitation }) => ({ input: { invitationId: invitation } }),
    at: 'revokeInvitation',
    seen: ['OWNER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'what a member is, changed',
    covers: ['Mutation.changeMemberRole'],
    document: `mutation ($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) {
      ... on ChangeMemberRoleSuccess { member { personId } } ... on UserError { code message path } } }`,
    variables: ({ tenant, member }) => ({ input: { tenantId: tenant, personId: member, role: 'ANALYST' } }),
    at: 'changeMemberRole',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'what somebody else’s member is, changed in one’s own tenant',
    covers: ['Mutation.changeMemberRole'],
    document: `mutation ($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) {
      ... on ChangeMemberRoleSuccess { member { personId } } ... on UserError { code message path } } }`,
    variables: ({ member }, own) => ({
      input: { tenantId: own.tenant, personId: member, role: 'ANALYST' },
    }),
    throughOwnBuilding: true,
    at: 'changeMemberRole',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the removal of a member',
    covers: ['Mutation.removeMember'],
    document: `mutation ($input: RemoveMemberInput!) { removeMember(input: $input) {
      ... on RemoveMemberSuccess { personId } ... on UserError { code message path } } }`,
    variables: ({ tenant, spareMembers }, _own, rank) => ({
      input: { tenantId: tenant, personId: spareMembers[rank] },
    }),
    at: 'removeMember',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'a webhook’s end',
    covers: ['Mutation.deleteWebhook'],
    document: `mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) {
      ... on DeleteWebhookSuccess { webhook { id } } ... on UserError { code message path } } }`,
    variables: ({ spareWebhook }) => ({ input: { webhookId: spareWebhook } }),
    at: 'deleteWebhook',
    seen: ADMINISTRATORS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'who may have access to a tenant’s cold store',
    covers: ['Tenant.coldStoreApprovals'],
    document: 'query ($id: ID!) { tenant(id: $id) { coldStoreApprovals { personId until openUntil } } }',
    variables: byId(({ tenant }) => tenant),
    at: 'tenant.coldStoreApprovals',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'nothing',
  },
  {
    name: 'a credential to a tenant’s cold store',
    covers: ['Mutation.issueColdStoreAccess'],
    document: `mutation ($input: IssueColdStoreAccessInput!) { issueColdStoreAccess(input: $input) {
      ... on IssueColdStoreAccessSuccess { folder } ... on UserError { code message path } } }`,
    variables: ({ tenant }, _own, _rank, idempotencyKey) => ({
      input: { tenantId: tenant, reason: 'A report', idempotencyKey },
    }),
    at: 'issueColdStoreAccess',
    seen: WITH_READINGS,
    refused: WITHOUT_READINGS,
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the approval of access to a tenant’s cold store',
    covers: ['Mutation.approveColdStoreAccess'],
    document: `mutation ($input: ApproveColdStoreAccessInput!) { approveColdStoreAccess(input: $input) {
      ... on ApproveColdStoreAccessSuccess { approval { until } } ... on UserError { code message path } } }`,
    variables: ({ tenant, approved }) => ({
      input: { tenantId: tenant, personId: approved, until: TOMORROW },
    }),
    at: 'approveColdStoreAccess',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the approval of somebody else’s person for one’s own cold store',
    covers: ['Mutation.approveColdStoreAccess'],
    document: `mutation ($input: ApproveColdStoreAccessInput!) { approveColdStoreAccess(input: $input) {
      ... on ApproveColdStoreAccessSuccess { approval { until } } ... on UserError { code message path } } }`,
    variables: ({ approved }, own) => ({
      input: { tenantId: own.tenant, personId: approved, until: TOMORROW },
    }),
    throughOwnBuilding: true,
    at: 'approveColdStoreAccess',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
  {
    name: 'the revocation of access to a tenant’s cold store',
    covers: ['Mutation.revokeColdStoreAccess'],
    document: `mutation ($input: RevokeColdStoreAccessInput!) { revokeColdStoreAccess(input: $input) {
      ... on RevokeColdStoreAccessSuccess { approval { revokedAt } } ... on UserError { code message path } } }`,
    variables: ({ tenant, approved }) => ({ input: { tenantId: tenant, personId: approved } }),
    at: 'revokeColdStoreAccess',
    seen: ['OWNER'],
    refused: ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'],
    otherwise: 'NOT_FOUND',
  },
];

export interface Download {
  name: string;
  path(things: Things): string;
  seen: Rank[];
}

/** Paths that are not GraphQL; everybody else, and everybody of another tenant's thing or an unknown one, gets NOT_FOUND. */
export const DOWNLOADS: Download[] = [
  {
    name: 'a part of an export',
    path: ({ readyExport, readyPart }) => `/exports/${readyExport}/${readyPart}`,
    seen: WITH_READINGS,
  },
  { name: 'a part that is not ready', path: ({ export: id }) => `/exports/${id}/001.csv`, seen: [] },
];

/** Operations that name nobody's thing: what they tell is the caller's own. */
export const WITHOUT_TARGET = ['Query.viewer', 'Mutation.createTenant', 'Mutation.acceptInvitation'];
