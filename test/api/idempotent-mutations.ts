import { documentIdOf } from '../../src/domain/document-id';
import { type Things } from '../isolation/rights';

/** A mutation that takes an idempotency key, with what it needs of a tenant's things. */
export interface IdempotentMutation {
  /** The field, whose documented operation has its name. */
  field: string;
  input(things: Things, south: Things): Record<string, unknown>;
  /** Who may: an owner, where left out. */
  by?: 'operator';
  /** What is put in its place for the same key: other variables. */
  /** It changes what is there already, so that two calls of it name the same. */
  changes?: 'in place';
  other(things: Things, south: Things): Record<string, unknown>;
}

const HOT = { deviceSilent: { intervals: 3 } };
const documentOf = (text: string) => ({ documentId: documentIdOf(text), text });
const RANGE = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
const sensors = ({ space }: Things) => [{ name: 'New', model: 'thermometer', spaceId: space }];

/** By hand, and all of them: a test holds the table to the schema. */
export const IDEMPOTENT: IdempotentMutation[] = [
  {
    field: 'createBuilding',
    input: ({ tenant }) => ({ tenantId: tenant, name: 'New', timeZone: 'Europe/Berlin', spaces: [] }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'provisionDevices',
    input: (things) => ({ buildingId: things.building, devices: sensors(things) }),
    other: ({ space }) => ({ devices: [{ name: 'Other', model: 'thermometer', spaceId: space }] }),
  },
  {
    field: 'provisionDevicesJob',
    input: (things) => ({ buildingId: things.building, devices: sensors(things) }),
    other: ({ space }) => ({ devices: [{ name: 'Other', model: 'thermometer', spaceId: space }] }),
  },
  {
    field: 'registerDevices',
    input: ({ tenant }) => ({
      tenantId: tenant,
      devices: [{ serialNumber: 'Once', model: 'thermometer' }],
    }),
    other: () => ({ devices: [{ serialNumber: 'Twice', model: 'thermometer' }] }),
  },
  {
    field: 'claimDevice',
    input: ({ claims, building, space }) => ({
      ...claims.OWNER,
      buildingId: building,
      spaceId: space,
      name: 'New',
    }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'reissueClaimCode',
    changes: 'in place',
    input: ({ stockDevice }) => ({ deviceId: stockDevice }),
    other: ({ otherStockDevice }) => ({ deviceId: otherStockDevice }),
  },
  {
    field: 'createEnrollmentGroup',
    input: ({ tenant }) => ({ tenantId: tenant, name: 'New' }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'issueDeviceCredential',
    changes: 'in place',
    input: ({ devices }) => ({ deviceId: devices.OWNER, credential: { kind: 'SYMMETRIC_KEY' } }),
    other: ({ devices }) => ({ deviceId: devices.ANALYST }),
  },
  {
    field: 'rotateDeviceCredential',
    changes: 'in place',
    input: ({ devices }) => ({ deviceId: devices.MANAGER }),
    other: ({ devices }) => ({ deviceId: devices.ANALYST }),
  },
  {
    field: 'replaceDevice',
    input: ({ spares }) => ({ deviceId: spares.OWNER, newDevice: { model: 'thermometer' } }),
    other: () => ({ newDevice: { model: 'room-sensor' } }),
  },
  {
    field: 'acceptDeviceTransfer',
    input: ({ transfer, building, space }) => ({
      transferId: transfer,
      buildingId: building,
      spaceId: space,
    }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'exportReadings',
    input: ({ building }) => ({ buildingId: building, ...RANGE, format: 'CSV' }),
    other: () => ({ format: 'PARQUET' }),
  },
  {
    field: 'replayDeadLetters',
    input: ({ building }) => ({ buildingId: building }),
    other: () => ({ filter: { from: RANGE.from } }),
  },
  {
    field: 'createAlertRule',
    input: ({ tenant }) => ({ tenantId: tenant, name: 'New', severity: 'MINOR', condition: HOT }),
    other: () => ({ severity: 'MAJOR' }),
  },
  {
    field: 'createWebhook',
    input: ({ tenant }) => ({ tenantId: tenant, name: 'New', url: 'https://hook.example.com/' }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'createApiKey',
    input: ({ tenant }) => ({ tenantId: tenant, name: 'New', permissions: ['CREATE_BUILDINGS'] }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'rotateWebhookSecret',
    changes: 'in place',
    input: ({ webhook }) => ({ webhookId: webhook }),
    other: ({ spareWebhook }) => ({ webhookId: spareWebhook }),
  },
  {
    field: 'offerGrant',
    input: ({ building }) => ({ buildingId: building, role: 'VIEWER', to: 'PERSON' }),
    other: () => ({ role: 'ANALYST' }),
  },
  {
    field: 'inviteMember',
    input: ({ tenant }) => ({ tenantId: tenant, role: 'VIEWER' }),
    other: () => ({ role: 'ANALYST' }),
  },
  {
    field: 'acceptInvitation',
    input: (_things, { invitationCode }) => ({ invitationCode }),
    other: ({ invitationCode }) => ({ invitationCode }),
  },
  {
    field: 'createTenant',
    by: 'operator',
    input: () => ({ name: 'New' }),
    other: () => ({ name: 'Other' }),
  },
  {
    field: 'acceptGrant',
    // Who accepts for the same tenant what was accepted finds it accepted.
    changes: 'in place',
    input: ({ tenant, grantCode }) => ({ grantCode, tenantId: tenant }),
    other: (_things, { grantCode }) => ({ grantCode }),
  },
  {
    field: 'issueColdStoreAccess',
    input: ({ tenant }) => ({ tenantId: tenant, reason: 'A report' }),
    other: () => ({ reason: 'Another' }),
  },
  {
    field: 'registerDocuments',
    // A document is its text's, whoever registers it.
    changes: 'in place',
    input: ({ tenant }) => ({
      tenantId: tenant,
      client: 'a third app',
      documents: [documentOf('{ __typename }')],
    }),
    other: () => ({ client: 'a fourth app' }),
  },
];
