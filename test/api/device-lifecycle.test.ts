import {
  DeviceConfigurationDocument,
  IssueDeviceCredentialDocument,
  ResumeDeviceDocument,
  RotateDeviceCredentialDocument,
  SetDeviceConfigurationDocument,
  SetDeviceParentDocument,
  SuspendDeviceDocument,
} from '../../simulator/generated/graphql';
import { buildBuilding, freshKey, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('the operations on a device', () => {
  let api: TestApi;
  let owner: Person;
  let deviceId: string;
  let gatewayId: string;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
  });
  beforeEach(async () => {
    const { devices } = await buildBuilding(api, owner, NORTH, { devices: 2 });
    [deviceId, gatewayId] = devices.map(({ id }) => id) as [string, string];
  });
  afterAll(() => api.stop());

  it('suspend it with a reason and resume it', async () => {
    const suspended = await api.ask(owner, SuspendDeviceDocument, {
      input: { deviceId, reason: 'cleaning' },
    });
    expect(suspended.data?.suspendDevice).toMatchObject({
      __typename: 'SuspendDeviceSuccess',
      device: { state: 'SUSPENDED', suspendedAt: expect.any(String), suspensionReason: 'cleaning' },
    });
    const resumed = await api.ask(owner, ResumeDeviceDocument, { input: { deviceId } });
    expect(resumed.data?.resumeDevice).toMatchObject({
      __typename: 'ResumeDeviceSuccess',
      device: { state: 'PROVISIONED', suspendedAt: null },
    });
  });

  it('give it a key, shown once, rotate it, and give it certificates instead', async () => {
    const input = { deviceId, credential: { kind: 'SYMMETRIC_KEY' as const }, idempotencyKey: freshKey() };
    const byKey = new RegExp(
      `^HostName=gateway.example:8443;DeviceId=${deviceId};SharedAccessKey=[A-Za-z0-9+/]{43}=$`,
    );
    const issued = await api.ask(owner, IssueDeviceCredentialDocument, { input });
    expect(issued.data?.issueDeviceCredential).toMatchObject({
      __typename: 'IssueDeviceCredentialSuccess',
      connectionString: expect.stringMatching(byKey),
      secretsAlreadyShown: false,
    });
    const again = await api.ask(owner, IssueDeviceCredentialDocument, { input });
    expect(again.data?.issueDeviceCredential).toMatchObject({
      connectionString: null,
      secretsAlreadyShown: true,
    });
    const rotated = await api.ask(owner, RotateDeviceCredentialDocument, {
      input: { deviceId, idempotencyKey: freshKey() },
    });
    expect(rotated.data?.rotateDeviceCredential).toMatchObject({
      __typename: 'RotateDeviceCredentialSuccess',
      connectionString: expect.stringMatching(byKey),
    });

    const thumbprints = await api.ask(owner, IssueDeviceCredentialDocument, {
      input: {
        deviceId,
        credential: { kind: 'X509_THUMBPRINT', primaryThumbprint: 'ab'.repeat(32) },
        idempotencyKey: freshKey(),
      },
    });
    expect(thumbprints.data?.issueDeviceCredential).toMatchObject({
      connectionString: `HostName=gateway.example:8443;DeviceId=${deviceId};x509=true`,
      secretsAlreadyShown: false,
    });
    const refused = await api.ask(owner, IssueDeviceCredentialDocument, {
      input: {
        deviceId,
        credential: { kind: 'X509_THUMBPRINT', primaryThumbprint: 'ab'.repeat(20) },
        idempotencyKey: freshKey(),
      },
    });
    expect(refused.data?.issueDeviceCredential).toMatchObject({
      __typename: 'InvalidInputError',
      path: ['input', 'credential', 'primaryThumbprint'],
    });
  });

  it('tell it what to be, from variables and from the document’s own text', async () => {
    const before = await api.ask(owner, DeviceConfigurationDocument, { id: deviceId });
    expect(before.data?.device).toMatchObject({ configuration: null, parent: null, activatedAt: null });
    const set = await api.ask(owner, SetDeviceConfigurationDocument, {
      input: { deviceId, desired: { sampling: { seconds: 60 }, levels: [{ high: 30 }] }, expectedVersion: 0 },
    });
    expect(set.data?.setDeviceConfiguration).toMatchObject({
      __typename: 'SetDeviceConfigurationSuccess',
      configuration: {
        desired: { sampling: { seconds: 60 }, levels: [{ high: 30 }] },
        desiredVersion: 1,
        desiredAt: expect.any(String),
        reported: {},
        reportedVersion: 0,
        reportedAt: null,
      },
    });
    const same = await api.ask(
      owner,
      `mutation { setDeviceConfiguration(input: {
        deviceId: "${deviceId}", desired: { levels: [{ high: 30 }] }, expectedVersion: 7
      }) { ... on SetDeviceConfigurationSuccess { configuration { desiredVersion } } } }`,
    );
    expect(same.data).toEqual({ setDeviceConfiguration: { configuration: { desiredVersion: 1 } } });
    const conflict = await api.ask(owner, SetDeviceConfigurationDocument, {
      input: { deviceId, desired: { sampling: null }, expectedVersion: 0 },
    });
    expect(conflict.data?.setDeviceConfiguration).toMatchObject({
      __typename: 'ConflictError',
      path: ['input', 'expectedVersion'],
    });
    const after = await api.ask(owner, DeviceConfigurationDocument, { id: deviceId });
    expect(after.data?.device?.configuration).toMatchObject({ desiredVersion: 1 });
  });

  it('take no configuration that would reach a prototype, or is no object', async () => {
    // As text: an object literal with this key would have another prototype, not the key.
    const desired = JSON.parse('{"sampling":{"__proto__":{"admin":true}}}') as Record<string, unknown>;
    const body = await api.ask(owner, SetDeviceConfigurationDocument, { input: { deviceId, desired } });
    expect(body).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    const inText = await api.ask<object, object>(
      owner,
      `mutation { setDeviceConfiguration(input: { deviceId: "${deviceId}", desired: { __proto__: { admin: true } } }) {
        ... on UserError { code } } }`,
    );
    expect(inText.data).toEqual({ setDeviceConfiguration: { code: 'INVALID_INPUT' } });
    const list = await api.ask(owner, SetDeviceConfigurationDocument, {
      input: { deviceId, desired: [1] as never },
    });
    expect(list.errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
  });

  it('name the field gateway that may relay for it', async () => {
    const set = await api.ask(owner, SetDeviceParentDocument, { input: { deviceId, parentId: gatewayId } });
    expect(set.data?.setDeviceParent).toMatchObject({
      __typename: 'SetDeviceParentSuccess',
      device: { id: deviceId, parent: { id: gatewayId } },
    });
    const chain = await api.ask(owner, SetDeviceParentDocument, {
      input: { deviceId: gatewayId, parentId: deviceId },
    });
    expect(chain.data?.setDeviceParent).toMatchObject({
      __typename: 'InvalidInputError',
      path: ['input', 'parentId'],
    });
  });
});
