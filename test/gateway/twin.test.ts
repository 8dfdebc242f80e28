import { connect, type MqttClient } from 'mqtt';
import { type TwinDocument } from '../../src/store/documents';
import { emptyTwin } from '../../src/store/twins';
import { eventually } from '../support/eventually';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';
import { closed, connectDevice } from './mqtt.support';

const RESPONSES = '$iothub/twin/res/#';
const DESIRED = '$iothub/twin/PATCH/properties/desired/#';

interface Answer {
  status: number;
  version: number | undefined;
  body: { desired?: object; reported?: object; errorCode?: number; message?: string } | undefined;
}

/** The twin as a device speaks of it. */
function twinOf(client: MqttClient) {
  const answers = new Map<string, Answer>();
  const told: ({ $version: number } & Record<string, unknown>)[] = [];
  /** What arrived, in its order: `GET` answers and notifications. */
  const order: string[] = [];
  let requests = 0;
  client.on('message', (topic, payload) => {
    const text = payload.toString();
    const response = /^\$iothub\/twin\/res\/(\d+)\/\?\$rid=([^&]*)(?:&\$version=(\d+))?$/.exec(topic);
    if (response) {
      const [, status, requestId, version] = response;
      order.push(requestId!);
      answers.set(requestId!, {
        status: Number(status),
        version: version === undefined ? undefined : Number(version),
        body: text === '' ? undefined : (JSON.parse(text) as Answer['body']),
      });
      return;
    }
    expect(topic).toMatch(/^\$iothub\/twin\/PATCH\/properties\/desired\/\?\$version=\d+$/);
    told.push(JSON.parse(text) as (typeof told)[number]);
    order.push(`v${told.at(-1)!.$version}`);
  });
  const request = (topic: string, body: string): string => {
    const requestId = `r${++requests}`;
    client.publish(`$iothub/twin/${topic}/?$rid=${requestId}`, body, { qos: 0 });
    return requestId;
  };
  const answerTo = (requestId: string): Promise<Answer> =>
    eventually(() => {
      expect(answers.has(requestId)).toBe(true);
      return answers.get(requestId)!;
    });
  return {
    answers,
    told,
    order,
    request,
    answerTo,
    get: () => answerTo(request('GET', ' ')),
    report: (patch: unknown) =>
      answerTo(
        request('PATCH/properties/reported', typeof patch === 'string' ? patch : JSON.stringify(patch)),
      ),
  };
}

describe('a device twin over MQTT', () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  const clients: MqttClient[] = [];
  beforeAll(async () => {
    platform = await startPlatform({
      devices: [],
      limits: { sweepMilliseconds: 200, twinRequests: { perSecond: 0.001, burst: 20 } },
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
  });
  afterAll(() => platform.stop());

  const open = async (...filters: string[]) => {
    const device = buildDevice();
    platform.directory.put(device);
    const client = await connectDevice(platform.mqttPort, device);
    clients.push(client);
    const twin = twinOf(client);
    if (filters.length > 0) await client.subscribeAsync(filters);
    /** As the registry does it, with the feed behind it. */
    const configure = (desired: object, desiredVersion: number): void => {
      const before = platform.twins.documents.get(device.deviceId) ?? emptyTwin(device);
      const after: TwinDocument = { ...before, desired: { ...desired }, desiredVersion };
      platform.twins.documents.set(device.deviceId, after);
      platform.directory.tellTwin(after);
    };
    return { device, client, twin, configure };
  };

  test('is empty before anybody said anything', async () => {
    const { twin } = await open(RESPONSES);
    expect(await twin.get()).toEqual({
      status: 200,
      version: undefined,
      body: { desired: { $version: 0 }, reported: { $version: 0 } },
    });
  });

  test('holds what the device reported, each report with its version', async () => {
    const { twin, device } = await open(RESPONSES);
    expect(await twin.report({ firmware: '1.2', led: { on: true } })).toMatchObject({
      status: 204,
      version: 1,
      body: undefined,
    });
    expect(await twin.report({ led: { on: null, colour: 'red' } })).toMatchObject({
      status: 204,
      version: 2,
    });
    expect((await twin.get()).body).toEqual({
      desired: { $version: 0 },
      reported: { firmware: '1.2', led: { colour: 'red' }, $version: 2 },
    });
    expect(platform.twins.documents.get(device.deviceId)?.reported).toEqual({
      firmware: '1.2',
      led: { colour: 'red' },
    });
  });

  test('is told what changed of the desired properties, by whoever asked first and by whoever listened first', async () => {
    const { twin, configure } = await open(RESPONSES, DESIRED);
    configure({ interval: 60, led: { on: true } }, 1);
    await eventually(() => expect(twin.told).toEqual([{ interval: 60, led: { on: true }, $version: 1 }]));
    await twin.get();
    configure({ interval: 30 }, 2);
    await eventually(() => expect(twin.told.at(-1)).toEqual({ interval: 30, led: null, $version: 2 }));
    // A report is a change of the twin too, and none of what it is told to be.
    configure({ interval: 30 }, 2);
    configure({ interval: 20 }, 3);
    await eventually(() => expect(twin.told.at(-1)).toEqual({ interval: 20, $version: 3 }));
    expect(twin.told).toHaveLength(3);
  });

  test('loses no change between the asking and the listening, as the SDK does it', async () => {
    const { twin, client, configure } = await open(RESPONSES);
    configure({ interval: 60 }, 1);
    expect((await twin.get()).body?.desired).toEqual({ interval: 60, $version: 1 });
    configure({ interval: 30 }, 2);
    await client.subscribeAsync(DESIRED);
    await eventually(() => expect(twin.told).toEqual([{ interval: 30, $version: 2 }]));
    await client.unsubscribeAsync(DESIRED);
    configure({ interval: 20 }, 3);
    await client.subscribeAsync(DESIRED);
    await eventually(() => expect(twin.told.at(-1)).toEqual({ interval: 20, $version: 3 }));
  });

  test('never goes back: what changes while it is read comes after the answer, and an old reading is mended', async () => {
    const { twin, device, configure } = await open(RESPONSES, DESIRED);
    configure({ interval: 1 }, 1);
    await eventually(() => expect(twin.told).toHaveLength(1));
    const before = platform.twins.read;
    let read!: () => void;
    const reading = new Promise<void>((resolve) => (read = resolve));
    let go!: () => void;
    const held = new Promise<void>((resolve) => (go = resolve));
    platform.twins.read = async (buildingId, deviceId) => {
      const found = await before(buildingId, deviceId);
      if (deviceId === device.deviceId) {
        read();
        await held;
      }
      return found;
    };
    const requestId = twin.request('GET', ' ');
    await reading;
    configure({ interval: 2 }, 2);
    go();
    const answer = await twin.answerTo(requestId);
    platform.twins.read = before;
    expect(answer.body?.desired).toEqual({ interval: 2, $version: 2 });
    configure({ interval: 3 }, 3);
    await eventually(() => expect(twin.order).toEqual(['v1', requestId, 'v3']));
    // A replica of the store that is behind.
    platform.twins.documents.set(device.deviceId, { ...emptyTwin(device), desiredVersion: 1 });
    expect((await twin.get()).body?.desired).toEqual({ interval: 3, $version: 3 });
  });

  test('is the device’s own and nobody else’s', async () => {
    const mine = await open(RESPONSES, DESIRED);
    const theirs = await open(RESPONSES, DESIRED);
    await mine.twin.report({ secret: 1 });
    mine.configure({ interval: 5 }, 1);
    await eventually(() => expect(mine.twin.told).toHaveLength(1));
    expect((await theirs.twin.get()).body).toEqual({ desired: { $version: 0 }, reported: { $version: 0 } });
    expect(theirs.twin.told).toEqual([]);
    // There is no name by which another's twin could be asked for.
    theirs.client.publish(`$iothub/twin/GET/${mine.device.deviceId}/?$rid=1`, '');
    await closed(theirs.client);
  });

  test('refuses a report that is none with its reason, and goes on', async () => {
    const { twin } = await open(RESPONSES);
    expect(await twin.report('{oops')).toMatchObject({ status: 400, body: { errorCode: 400 } });
    expect(await twin.report({ text: 'x'.repeat(33 * 1024) })).toMatchObject({ status: 400 });
    expect(await twin.report({ good: true })).toMatchObject({ status: 204 });
  });

  test('is limited to a rate, beyond which requests are answered 429', async () => {
    const { twin } = await open(RESPONSES);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429) statuses.push((await twin.report({ i: statuses.length })).status);
    expect(statuses.filter((each) => each === 204).length).toBeGreaterThanOrEqual(20);
    expect(statuses.length).toBeLessThan(25);
    expect(await twin.get()).toMatchObject({ status: 429 });
  });

  test('that the store does not give keeps neither telemetry nor other devices waiting, and few may be asked for', async () => {
    const { twin, client, device } = await open(RESPONSES);
    const before = platform.twins.read;
    let fail!: (error: Error) => void;
    const away = new Promise<never>((_resolve, reject) => (fail = reject));
    platform.twins.read = (buildingId, deviceId) =>
      deviceId === device.deviceId ? away : before(buildingId, deviceId);
    const waiting = Array.from({ length: 8 }, () => twin.request('GET', ' '));
    const ninth = twin.request('GET', ' ');
    expect(await twin.answerTo(ninth)).toMatchObject({ status: 429 });
    await client.publishAsync(`devices/${device.deviceId}/messages/events/`, '{"light": 1}', { qos: 1 });
    const other = await open(RESPONSES);
    expect(await other.twin.get()).toMatchObject({ status: 200 });
    fail(new Error('away'));
    for (const each of waiting) expect(await twin.answerTo(each)).toMatchObject({ status: 503 });
    platform.twins.read = before;
    expect(await twin.get()).toMatchObject({ status: 200 });
  });

  test('is neither read nor told once the device was suspended', async () => {
    const { twin, client, device, configure } = await open(RESPONSES, DESIRED);
    platform.directory.put({ ...device, state: 'SUSPENDED' });
    const gone = closed(client);
    configure({ interval: 5 }, 1);
    await gone;
    expect(twin.told).toEqual([]);
  });

  test('is listened to by a device that comes back without a word, and what changed meanwhile is told it', async () => {
    const device = buildDevice();
    platform.directory.put(device);
    const open = async () => {
      const client = connect(`mqtt://127.0.0.1:${platform.mqttPort}`, {
        clientId: device.deviceId,
        username: `127.0.0.1/${device.deviceId}/?api-version=2021-04-12`,
        password: tokenOf(device),
        protocolVersion: 4,
        clean: false,
        reconnectPeriod: 0,
      });
      clients.push(client);
      // Before it is let in: what it is told may come with the answer to its CONNECT.
      const twin = twinOf(client);
      await new Promise<void>((resolve) => client.once('connect', () => resolve()));
      return { client, twin };
    };
    const set = (desired: object, desiredVersion: number): void => {
      const twin: TwinDocument = { ...emptyTwin(device), desired: { ...desired }, desiredVersion };
      platform.twins.documents.set(device.deviceId, twin);
      platform.directory.tellTwin(twin);
    };
    const first = await open();
    await first.client.subscribeAsync([RESPONSES, DESIRED]);
    set({ interval: 1, led: true }, 1);
    await eventually(() => expect(first.twin.told).toHaveLength(1));
    await first.client.endAsync();
    await eventually(async () =>
      expect(await platform.metrics.metrics()).toMatch(/mqtt_connections\{process="gateway"\} 0/),
    );
    set({ interval: 2 }, 2);
    // As the SDK renews its token: no subscription, no question.
    const second = await open();
    await eventually(() => expect(second.twin.told).toEqual([{ interval: 2, led: null, $version: 2 }]));
    expect(await second.twin.report({ seen: true })).toMatchObject({ status: 204 });
    await second.client.endAsync();

    const clean = await connectDevice(platform.mqttPort, device);
    clients.push(clean);
    const anew = twinOf(clean);
    set({ interval: 3 }, 3);
    await clean.publishAsync(`devices/${device.deviceId}/messages/events/`, '{"light": 1}', { qos: 1 });
    expect(anew.told).toEqual([]);
  });

  test('is another one once the device is another owner’s: nothing of the former is told, and versions begin anew', async () => {
    const device = buildDevice();
    platform.directory.put(device);
    const first = await connectDevice(platform.mqttPort, device, { clean: false });
    clients.push(first);
    const former = twinOf(first);
    await first.subscribeAsync([RESPONSES, DESIRED]);
    const set = (tenantId: string, desired: object, desiredVersion: number): void => {
      const twin = { ...emptyTwin({ ...device, tenantId }), desired: { ...desired }, desiredVersion };
      platform.twins.documents.set(device.deviceId, twin);
      platform.directory.tellTwin(twin);
    };
    set(device.tenantId, { secret: 1 }, 7);
    await eventually(() => expect(former.told).toHaveLength(1));
    const gone = closed(first);
    platform.directory.put({ ...device, keys: [] });
    await gone;

    platform.directory.put({ ...device, tenantId: 'ten_other' });
    const second = await connectDevice(platform.mqttPort, device, { clean: false });
    clients.push(second);
    const latter = twinOf(second);
    platform.twins.documents.delete(device.deviceId);
    expect((await latter.get()).body?.desired).toEqual({ $version: 0 });
    set(device.tenantId, { secret: 2 }, 8);
    set('ten_other', { interval: 1 }, 1);
    await eventually(() => expect(latter.told).toEqual([{ interval: 1, $version: 1 }]));
  });

  test('is not asked for by whoever does not listen for the answer', async () => {
    const { twin, client, device } = await open();
    twin.request('GET', ' ');
    await client.publishAsync(`devices/${device.deviceId}/messages/events/`, '{"light": 1}', { qos: 1 });
    await client.subscribeAsync(RESPONSES);
    expect(await twin.get()).toMatchObject({ status: 200 });
    expect(twin.answers.size).toBe(1);
  });
});
