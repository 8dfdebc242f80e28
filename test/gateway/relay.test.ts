import { eventually } from '../support/eventually';
import { buildAssignment, buildDevice } from './devices.support';
import { post, startPlatform } from './gateway.support';
import { connectDevice, eventsTopic, publishPacket, rawDevice } from './mqtt.support';

const SENML = { headers: { 'content-type': 'application/senml+json' } };

describe('a field gateway that relays for its children', () => {
  const tenantId = 'ten_north';
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  beforeAll(async () => {
    platform = await startPlatform({ devices: [], limits: { strangers: { perSecond: 0.001, burst: 8 } } });
  });
  afterAll(() => platform.stop());

  const newDevice = (parts: Parameters<typeof buildDevice>[0] = {}) => {
    const device = buildDevice({ tenantId, ...parts });
    platform.directory.put(device);
    return device;
  };
  const newFamily = () => {
    const gateway = newDevice();
    const child = newDevice({ parentId: gateway.deviceId });
    return { gateway, child };
  };
  const readingsOf = ({ deviceId }: { deviceId: string }): number[] =>
    platform.stream.readings.filter((each) => each.deviceId === deviceId).map((each) => each.value);
  const refusedOf = ({ deviceId }: { deviceId: string }) =>
    platform.stream.refused.filter((each) => each.deviceId === deviceId);
  const pack = (...records: [string, string, number][]) =>
    records.map(([deviceId, n, v]) => ({ bn: deviceId === '' ? '' : `${deviceId}/`, n, v }));

  test('names them in the base names of a pack, beside itself, and each reading stands with its child’s place', async () => {
    const { gateway, child } = newFamily();
    const other = newDevice({ parentId: gateway.deviceId });
    const body = pack(
      [child.deviceId, 'light', 1],
      [other.deviceId, 'light', 2],
      [gateway.deviceId, 'light', 3],
      ['', 'light', 4],
    );
    const again = body.map((record, i) => ({ ...record, bt: Math.floor(Date.now() / 1000) - i }));
    expect((await post(platform, gateway, again, SENML)).status).toBe(204);
    await eventually(() => {
      expect(readingsOf(child)).toEqual([1]);
      expect(readingsOf(other)).toEqual([2]);
      expect(readingsOf(gateway)).toEqual([3, 4]);
    });
    const light = child.assignments.find((each) => each.channel === 'light')!;
    expect(platform.stream.readings.find((each) => each.deviceId === child.deviceId)).toMatchObject({
      pointId: light.pointId,
      buildingId: light.buildingId,
      deviceOrdinal: light.deviceOrdinal,
    });
  });

  test('names one for a whole message, in a header, in a batch and in an MQTT property bag', async () => {
    const { gateway, child } = newFamily();
    const headers = { 'iothub-app-childDeviceId': child.deviceId };
    expect((await post(platform, gateway, { light: 11 }, { headers })).status).toBe(204);
    const batch = [
      { body: btoa('{"light": 12}'), properties: { 'iothub-app-childDeviceId': child.deviceId } },
      { body: btoa('{"light": 13}') },
    ];
    const type = { headers: { 'content-type': 'application/vnd.microsoft.iothub.json' } };
    expect((await post(platform, gateway, batch, type)).status).toBe(204);
    const client = await connectDevice(platform.mqttPort, gateway);
    const bag = `childDeviceId=${child.deviceId}&room=5`;
    await client.publishAsync(eventsTopic(gateway, bag), '{"light": 14}', { qos: 1 });
    await client.endAsync();
    await eventually(() => {
      expect(readingsOf(child)).toEqual([11, 12, 14]);
      expect(readingsOf(gateway)).toEqual([13]);
    });
  });

  test('is refused for everybody else’s device with one answer, filed as its own dead letter, and its own part is taken', async () => {
    const { gateway, child } = newFamily();
    const strangers = {
      'another gateway’s': newDevice({ parentId: newDevice().deviceId }),
      'nobody’s': newDevice(),
      'another tenant’s': newDevice({ parentId: gateway.deviceId, tenantId: 'ten_south' }),
      suspended: newDevice({ parentId: gateway.deviceId, state: 'SUSPENDED' }),
      retired: newDevice({ parentId: gateway.deviceId, state: 'RETIRED' }),
      unknown: buildDevice({ parentId: gateway.deviceId }),
    };
    const answers = [];
    for (const { deviceId } of Object.values(strangers)) {
      const body = pack([child.deviceId, 'light', 21], [deviceId, 'light', 22]);
      const { status, body: answer } = await post(platform, gateway, body, SENML);
      expect({ status, accepted: answer.accepted }).toEqual({ status: 200, accepted: 1 });
      expect(answer.refused![0]!.channel).toBe(`${deviceId}/light`);
      answers.push(JSON.stringify(answer.refused).replaceAll(deviceId, ''));
      const headers = { 'iothub-app-childDeviceId': deviceId };
      const whole = await post(platform, gateway, { light: 23 }, { headers });
      expect(whole.status).toBe(400);
      answers.push(JSON.stringify(whole.body.refused).replaceAll(deviceId, ''));
      const nonsense = await post(platform, gateway, '{oops', { headers });
      expect(nonsense.body).toMatchObject({ refused: [{ code: 'CHILD_NOT_YOURS' }] });
    }
    expect(JSON.parse(answers[0]!)).toMatchObject([{ code: 'CHILD_NOT_YOURS' }]);
    expect(new Set(answers.filter((_, i) => i % 2 === 0)).size).toBe(1);
    expect(new Set(answers.filter((_, i) => i % 2 === 1)).size).toBe(1);
    await eventually(() => expect(refusedOf(gateway)).toHaveLength(18));
    expect(new Set(refusedOf(gateway).map((each) => `${each.tenantId} ${each.code}`))).toEqual(
      new Set(['ten_north CHILD_NOT_YOURS']),
    );
    for (const stranger of Object.values(strangers)) {
      expect(readingsOf(stranger)).toEqual([]);
      expect(refusedOf(stranger)).toEqual([]);
    }
    expect(readingsOf(child)).toEqual(Array(6).fill(21));
  });

  test('what is wrong with a child’s reading is the child’s dead letter, and says who brought it', async () => {
    const { gateway, child } = newFamily();
    await post(platform, gateway, pack([child.deviceId, 'temperature', 394]), SENML);
    const headers = { 'iothub-app-childDeviceId': child.deviceId };
    await post(platform, gateway, '{oops', { headers });
    await eventually(() =>
      expect(refusedOf(child)).toMatchObject([
        { code: 'VALUE_OUT_OF_RANGE', channel: 'temperature', letter: { relayedBy: gateway.deviceId } },
        { code: 'PAYLOAD_INVALID', letter: { relayedBy: gateway.deviceId } },
      ]),
    );
    expect(refusedOf(gateway)).toEqual([]);
  });

  test('a child’s message that cannot be decoded is not kept as the gateway’s own, to be taken for it when judged again', async () => {
    const { gateway, child } = newFamily();
    const stranger = newDevice();
    const client = await connectDevice(platform.mqttPort, gateway);
    for (const { deviceId } of [child, stranger]) {
      const headers = { 'iothub-app-childDeviceId': deviceId, 'content-type': 'application/x-later' };
      await post(platform, gateway, '{"light": 1}', { headers });
      const compressed = { 'iothub-app-childDeviceId': deviceId, 'content-encoding': 'gzip' };
      await post(platform, gateway, '{"light": 1}', { headers: compressed });
      const bag = `childDeviceId=${deviceId}&%24.ct=application%2Fx-later`;
      await client.publishAsync(eventsTopic(gateway, bag), '{"light": 1}', { qos: 1 });
    }
    await client.endAsync();
    await eventually(() => {
      expect(refusedOf(child).map((each) => each.letter?.payload?.toString())).toEqual(
        Array(3).fill('{"light": 1}'),
      );
      expect(refusedOf(gateway)).toHaveLength(3);
    });
    for (const { code, letter } of refusedOf(gateway)) {
      expect({ code, payload: letter?.payload }).toEqual({ code: 'CHILD_NOT_YOURS', payload: null });
    }
  });

  test('relays what was observed before its child was moved to where it stood then', async () => {
    const gateway = newDevice();
    const now = Date.now();
    const before = buildAssignment({
      channel: 'light',
      quantity: 'ILLUMINANCE',
      unit: 'lx',
      to: now - 5_000,
    });
    const after = { ...before, pointId: 'pnt_after', from: now - 5_000, to: null };
    const child = newDevice({ parentId: gateway.deviceId, assignments: [before, after] });
    const records = [-10, -1].map((t) => ({ bn: `${child.deviceId}/`, n: 'light', v: t + 100, t }));
    expect((await post(platform, gateway, records, SENML)).status).toBe(204);
    await eventually(() =>
      expect(
        platform.stream.readings
          .filter((each) => each.deviceId === child.deviceId)
          .map(({ pointId, value }) => [pointId, value]),
      ).toEqual([
        [before.pointId, 90],
        ['pnt_after', 99],
      ]),
    );
  });

  test('known children cost no look into the registry, unknown ones one for a message, and then it is in order', async () => {
    const { gateway, child } = newFamily();
    const other = newDevice({ parentId: gateway.deviceId });
    const asked = platform.directory.lookups.length;
    const body = pack([child.deviceId, 'light', 31], [other.deviceId, 'light', 32]);
    await post(platform, gateway, body, SENML);
    expect(platform.directory.lookups.length).toBe(asked);

    platform.directory.forget(child.deviceId);
    const raw = await rawDevice(platform.mqttPort, gateway);
    await raw.connect();
    const bag = eventsTopic(gateway, `childDeviceId=${child.deviceId}`);
    raw.send(
      publishPacket(gateway, 1, { light: 33 }, { topic: bag }),
      publishPacket(gateway, 2, { light: 34 }, { topic: bag }),
      publishPacket(gateway, 3, { light: 35 }),
    );
    await eventually(() => expect(raw.acknowledged()).toEqual([1, 2, 3]));
    await eventually(() => expect(readingsOf(child)).toEqual([31, 33, 34]));
    expect(platform.directory.lookups.slice(asked)).toEqual([child.deviceId]);
    raw.socket.destroy();
  });

  test('while the registry cannot be asked about a child, nothing of the message is taken, and all of it afterwards', async () => {
    const { gateway, child } = newFamily();
    const body = pack([child.deviceId, 'light', 41], ['', 'light', 42]);
    const raw = await rawDevice(platform.mqttPort, gateway);
    await raw.connect();
    platform.directory.forget(child.deviceId);
    platform.directory.failing = true;
    const answer = await post(platform, gateway, body, SENML);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'DIRECTORY_UNAVAILABLE' } } });
    const topic = eventsTopic(gateway, '$.ct=application%2Fsenml%2Bjson');
    raw.send(publishPacket(gateway, 1, body, { topic }));
    const asked = platform.directory.lookups.length;
    await eventually(() => expect(platform.directory.lookups.length).toBeGreaterThan(asked + 2));
    expect(raw.acknowledged()).toEqual([]);
    platform.directory.failing = false;
    await eventually(() => expect(raw.acknowledged()).toEqual([1]));
    await eventually(() => expect([...readingsOf(child), ...readingsOf(gateway)]).toEqual([41, 42]));
    raw.socket.destroy();
  });

  test('who names many that are not its own is soon refused without a look into the registry', async () => {
    const { gateway, child } = newFamily();
    const asked = platform.directory.lookups.length;
    for (let i = 0; i < 20; i++) {
      const { deviceId } = buildDevice();
      const answer = await post(platform, gateway, pack([deviceId, 'light', 51]), SENML);
      expect(answer.body.refused).toMatchObject([{ code: 'CHILD_NOT_YOURS' }]);
    }
    expect(platform.directory.lookups.length - asked).toBeLessThan(12);
    // What it may relay for is known, and is not harmed.
    expect((await post(platform, gateway, pack([child.deviceId, 'light', 52]), SENML)).status).toBe(204);
  });
});
