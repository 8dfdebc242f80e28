import {
  AcceptDeviceTransferDocument,
  ClaimDeviceDocument,
  CreateEnrollmentGroupDocument,
  DeviceTransfersDocument,
  MoveDeviceDocument,
  OfferDeviceTransferDocument,
  RegisteredDevicesDocument,
  ReissueClaimCodeDocument,
  ReplaceDeviceDocument,
  RetireRegisteredDeviceDocument,
  WithdrawDeviceTransferDocument,
} from '../../simulator/generated/graphql';
import { buildBuilding, freshKey, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

describe('the ways of a device from hand to hand', () => {
  let api: TestApi;
  let maker: Person;
  let owner: Person;
  let southerner: Person;
  beforeAll(async () => {
    api = await startApi();
    maker = await api.person('maker', 'ten_maker', 'OWNER');
    owner = await api.person('owner', NORTH, 'OWNER');
    southerner = await api.person('southerner', SOUTH, 'OWNER');
  });
  afterAll(() => api.stop());

  let jobs = 0;
  async function inStock(enrollmentGroupId: string | null = null) {
    const rows = [{ index: 0, serialNumber: `SN/${++jobs}`, model: 'thermometer', enrollmentGroupId }];
    const outcome = await api.registry.registerDevices(maker.scope, 'ten_maker', { jobId: `j${jobs}`, rows });
    if (!outcome.ok || outcome.value[0]?.outcome !== 'registered') throw new Error('not registered');
    return outcome.value[0];
  }

  it('lists the stock, reissues a claim code, and takes a device out of it', async () => {
    const { deviceId, serialNumber, claimCode } = await inStock();
    const listed = await api.ask(maker, RegisteredDevicesDocument, { tenant: 'ten_maker' });
    expect(listed.errors).toBeUndefined();
    expect(listed.data!.tenant!.registeredDevices!.nodes).toContainEqual(
      expect.objectContaining({ id: deviceId, serialNumber, state: 'REGISTERED', enrollmentGroupId: null }),
    );
    const reissued = await api.ask(maker, ReissueClaimCodeDocument, {
      input: { deviceId, idempotencyKey: freshKey() },
    });
    const answer = reissued.data!.reissueClaimCode;
    if (answer.__typename !== 'ReissueClaimCodeSuccess') throw new Error('refused');
    expect(answer.claimCode).not.toBe(claimCode);
    expect(answer.claimText).toBe(`ATRIUM:1:${encodeURIComponent(serialNumber)}:${answer.claimCode}`);
    const retired = await api.ask(maker, RetireRegisteredDeviceDocument, { input: { deviceId } });
    expect(retired.data!.retireRegisteredDevice).toMatchObject({ device: { state: 'RETIRED' } });
  });

  it('claims a device, moves it, replaces it, and hands the other over to another tenant', async () => {
    const { building, spaceId } = await buildBuilding(api, owner, NORTH);
    const other = await buildBuilding(api, owner, NORTH);
    const theirs = await buildBuilding(api, southerner, SOUTH);
    const { deviceId, serialNumber, claimCode } = await inStock();

    const input = { serialNumber, claimCode, buildingId: building.id, spaceId, name: 'By the door' };
    const wrong = await api.ask(owner, ClaimDeviceDocument, {
      input: { ...input, claimCode: 'wrong', idempotencyKey: freshKey() },
    });
    expect(wrong.data!.claimDevice).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'claimCode'],
    });
    const idempotencyKey = freshKey();
    const claimed = await api.ask(owner, ClaimDeviceDocument, { input: { ...input, idempotencyKey } });
    expect(claimed.data!.claimDevice).toMatchObject({
      __typename: 'ClaimDeviceSuccess',
      device: { id: deviceId, serialNumber, state: 'PROVISIONED', space: { id: spaceId } },
      secretsAlreadyShown: false,
      keyedByManufacturer: false,
      connectionString: expect.stringMatching(
        new RegExp(`^HostName=gateway.example:8443;DeviceId=${deviceId};SharedAccessKey=.{43}=$`),
      ),
    });
    const again = await api.ask(owner, ClaimDeviceDocument, { input: { ...input, idempotencyKey } });
    expect(again.data!.claimDevice).toMatchObject({ connectionString: null, secretsAlreadyShown: true });

    const moved = await api.ask(owner, MoveDeviceDocument, {
      input: { deviceId, buildingId: other.building.id, spaceId: other.spaceId },
    });
    const move = moved.data!.moveDevice;
    if (move.__typename !== 'MoveDeviceSuccess') throw new Error('refused');
    expect(move.device.building.id).toBe(other.building.id);
    const [before, now] = [...move.device.assignments].sort((a, b) => a.from.localeCompare(b.from));
    expect(before!.to).toBe(now!.from);
    expect(before!.point.id).not.toBe(now!.point.id);

    const replaced = await api.ask(owner, ReplaceDeviceDocument, {
      input: { deviceId, newDevice: { model: 'climate-sensor' }, idempotencyKey: freshKey() },
    });
    const replacement = replaced.data!.replaceDevice;
    if (replacement.__typename !== 'ReplaceDeviceSuccess') throw new Error('refused');
    expect(replacement).toMatchObject({
      device: { name: 'By the door', model: 'climate-sensor', space: { id: other.spaceId } },
      replaced: { id: deviceId, state: 'RETIRED' },
    });
    expect(replacement.connectionString).not.toBeNull();
    const neither = await api.ask(owner, ReplaceDeviceDocument, {
      input: { deviceId, idempotencyKey: freshKey() },
    });
    expect(neither.data!.replaceDevice).toMatchObject({ __typename: 'InvalidInputError' });

    const offer = { deviceId: replacement.device.id, toTenantId: SOUTH, expiresInHours: 24 };
    await api.ask(owner, OfferDeviceTransferDocument, { input: offer });
    const withdrawn = await api.ask(owner, WithdrawDeviceTransferDocument, {
      input: { deviceId: replacement.device.id },
    });
    expect(withdrawn.data!.withdrawDeviceTransfer.__typename).toBe('WithdrawDeviceTransferSuccess');
    const listing = () => api.ask(southerner, DeviceTransfersDocument, { tenant: SOUTH });
    expect((await listing()).data!.tenant!.deviceTransfers!.nodes).toEqual([]);
    const offered = await api.ask(owner, OfferDeviceTransferDocument, { input: offer });
    if (offered.data!.offerDeviceTransfer.__typename !== 'OfferDeviceTransferSuccess')
      throw new Error('refused');
    const { transferId } = offered.data!.offerDeviceTransfer;
    expect((await listing()).data!.tenant!.deviceTransfers!.nodes).toEqual([
      expect.objectContaining({
        id: transferId,
        offeredBy: `Tenant ${NORTH}`,
        deviceName: 'By the door',
        model: 'climate-sensor',
      }),
    ]);
    const accepted = await api.ask(southerner, AcceptDeviceTransferDocument, {
      input: {
        transferId,
        buildingId: theirs.building.id,
        spaceId: theirs.spaceId,
        idempotencyKey: freshKey(),
      },
    });
    const acceptance = accepted.data!.acceptDeviceTransfer;
    if (acceptance.__typename !== 'AcceptDeviceTransferSuccess') throw new Error('refused');
    expect(acceptance.device).toMatchObject({
      id: replacement.device.id,
      building: { id: theirs.building.id },
    });
    expect(acceptance.connectionString).not.toBe(replacement.connectionString);
    // What it measured for its former owner is not the new one's to see.
    const seen = await api.ask<{ device: { assignments: { from: string }[] } | null }, object>(
      southerner,
      'query ($id: ID!) { device(id: $id) { assignments { from } } }',
      { id: acceptance.device.id },
    );
    expect(seen.data!.device!.assignments).toHaveLength(3);
    const gone = await api.ask<{ device: null }, object>(
      owner,
      'query ($id: ID!) { device(id: $id) { id } }',
      {
        id: acceptance.device.id,
      },
    );
    expect(gone.data!.device).toBeNull();
  });

  it('shows no secret of a device whose keys its manufacturer burned in', async () => {
    const created = await api.ask(maker, CreateEnrollmentGroupDocument, {
      input: { tenantId: 'ten_maker', name: 'Batch', idempotencyKey: freshKey() },
    });
    const group = created.data!.createEnrollmentGroup;
    if (group.__typename !== 'CreateEnrollmentGroupSuccess') throw new Error('refused');
    expect(Buffer.from(group.primaryKey!, 'base64')).toHaveLength(32);
    const { serialNumber, claimCode } = await inStock(group.enrollmentGroup.id);
    const { building, spaceId } = await buildBuilding(api, owner, NORTH);
    const claimed = await api.ask(owner, ClaimDeviceDocument, {
      input: {
        serialNumber,
        claimCode,
        buildingId: building.id,
        spaceId,
        name: 'New',
        idempotencyKey: freshKey(),
      },
    });
    expect(claimed.data!.claimDevice).toMatchObject({
      connectionString: null,
      secretsAlreadyShown: false,
      keyedByManufacturer: true,
    });
  });
});
