import { generate, type Packet } from 'mqtt-packet';
import { createGateway } from '../../src/gateway/gateway';
import { DEFAULT_LIMITS } from '../../src/gateway/limits';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { OperatorError } from '../../src/observability/operator-error';
import { createStreamProducer } from '../../src/stream/producer';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { buildDevice, directoryOf, tokenOf, twinsOf } from './devices.support';
import { HUB, post, startPlatform } from './gateway.support';
import {
  closed,
  connectCode,
  connectDevice,
  connectPacket,
  eventsTopic,
  publishPacket,
  rawDevice,
} from './mqtt.support';

/** No test waits for this: the fault is called off. */
const AN_HOUR = 3_600_000;
/** For a gateway whose acknowledgements a test holds back until it has looked. */
const PATIENT = { acceptedWithinMilliseconds: 60_000 };

const bag = (properties: Record<string, string>): string => new URLSearchParams(properties).toString();

describe('the device gateway over MQTT', () => {
  const suspended = buildDevice({ state: 'SUSPENDED' });
  const retired = buildDevice({ state: 'RETIRED' });
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  beforeAll(async () => {
    platform = await startPlatform({
      devices: [suspended, retired],
      limits: { bodyBytes: 64 * 1024, packetWithinMilliseconds: 2_500, sweepMilliseconds: 200 },
    });
  });
  afterAll(() => platform.stop());

  /** A device of its own for each test: one connection a device. */
  const newDevice = () => {
    const device = buildDevice();
    platform.directory.put(device);
    return device;
  };
  const readingsOf = (device: { deviceId: string }): number[] =>
    platform.stream.readings.filter((each) => each.deviceId === device.deviceId).map((each) => each.value);
  const endings = async (reason: string): Promise<number> =>
    Number(
      new RegExp(`mqtt_endings_total\\{reason="${reason}",.*\\} (\\d+)`).exec(
        await platform.metrics.metrics(),
      )?.[1] ?? 0,
    );

  test('a reading that was acknowledged stands in the stream with its place and its message’s properties', async () => {
    const device = newDevice();
    const client = await connectDevice(platform.mqttPort, device);
    const created = new Date(Date.now() - 5_000).toISOString();
    await client.publishAsync(
      eventsTopic(
        device,
        bag({ '$.mid': 'm-1', '$.ct': 'application/json;charset=utf-8', '$.ce': 'utf-8', room: '5 11' }),
      ),
      '{"temperature": 21.125}',
      { qos: 1 },
    );
    await client.publishAsync(eventsTopic(device, bag({ '$.ctime': created })), '{"light": 300}', { qos: 1 });
    await eventually(() => {
      const mine = platform.stream.readings.filter((each) => each.deviceId === device.deviceId);
      expect(mine).toMatchObject([
        { value: 21.125, pointId: device.assignments[0]!.pointId, tenantId: device.tenantId },
        { value: 300, observedAt: Date.parse(created) },
      ]);
      expect(platform.stream.undated).toMatchObject([{ messageId: 'm-1', messageIndex: 0 }]);
    });
    await client.endAsync();
  });

  test('QoS 0, and a retained message, which is not kept as one, are taken as telemetry', async () => {
    const device = newDevice();
    const client = await connectDevice(platform.mqttPort, device);
    await client.publishAsync(eventsTopic(device), '{"light": 10}', { qos: 0 });
    await client.publishAsync(eventsTopic(device), '{"light": 11}', { qos: 1, retain: true });
    await eventually(() => expect(readingsOf(device)).toEqual([10, 11]));
    await client.endAsync();
  });

  test('what is refused is kept with its reason, and acknowledged all the same', async () => {
    const device = newDevice();
    const client = await connectDevice(platform.mqttPort, device);
    const payloads: [string, string][] = [
      ['{"temperature": 394}', 'VALUE_OUT_OF_RANGE'],
      ['{"pressure": 1013}', 'UNKNOWN_CHANNEL'],
      ['', 'PAYLOAD_INVALID'],
      ['{oops', 'PAYLOAD_INVALID'],
    ];
    for (const [payload] of payloads) await client.publishAsync(eventsTopic(device), payload, { qos: 1 });
    const bags = ['$.ct=text%2Fhtml', '$.ce=gzip', '%zz=1', `$.mid=${'x'.repeat(129)}`, '$.ctime=yesterday'];
    for (const each of bags) await client.publishAsync(eventsTopic(device, each), '{"light": 1}', { qos: 1 });
    await eventually(() => {
      const mine = platform.stream.refused.filter((each) => each.deviceId === device.deviceId);
      expect(mine.map((each) => each.code)).toEqual([
        ...payloads.map(([, code]) => code),
        ...bags.map(() => 'PAYLOAD_INVALID'),
      ]);
      expect(mine.at(-1)!.message).toBe('$.ctime is not an RFC 3339 instant such as 2026-03-01T12:00:00Z');
    });
    expect(readingsOf(device)).toEqual([]);
    await client.endAsync();
  });

  test('whoever does not prove to be a device that may send gets one and the same refusal', async () => {
    const device = newDevice();
    const other = newDevice();
    const unknown = buildDevice();
    const code = (who = device, options = {}) => connectCode(platform.mqttPort, who, options);
    expect(await code()).toBe(0);
    expect(await code(suspended)).toBe(5);
    expect(await code(retired)).toBe(5);
    expect(await code(unknown)).toBe(5);
    expect(await code(device, { password: tokenOf(other) })).toBe(5);
    expect(await code(device, { password: tokenOf(device, { host: 'elsewhere.example' }) })).toBe(5);
    expect(await code(device, { ttlSeconds: -10 })).toBe(5);
    expect(await code(device, { password: 'nothing' })).toBe(5);
    expect(await code(device, { username: `127.0.0.1/${other.deviceId}/?api-version=2021-04-12` })).toBe(5);
    expect(await code(device, { username: `127.0.0.1/${device.deviceId}/module/?api-version=1` })).toBe(5);
    expect(await code(device, { username: device.deviceId })).toBe(5);
    expect(await code(device, { protocolVersion: 5, clean: true })).toBe(132);
    expect(await code(device, { protocolVersion: 3, protocolId: 'MQIsdp' })).toBe(1);
    // The directory has never heard of it, and the registry cannot be asked.
    const strange = newDevice();
    platform.directory.forget(strange.deviceId);
    platform.directory.failing = true;
    expect(await code(strange)).toBe(3);
    platform.directory.failing = false;
    expect(await code(strange)).toBe(0);
  });

  test('only the topics of IoT Hub may be subscribed to, and only one’s own', async () => {
    const device = newDevice();
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    const filters = [
      `devices/${device.deviceId}/messages/devicebound/#`,
      '$iothub/twin/res/#',
      '$iothub/twin/PATCH/properties/desired/#',
      '$iothub/methods/POST/#',
      '#',
      `devices/${suspended.deviceId}/messages/devicebound/#`,
      'devices/+/messages/devicebound/#',
    ];
    raw.send({ cmd: 'subscribe', messageId: 7, subscriptions: filters.map((topic) => ({ topic, qos: 2 })) });
    raw.send({ cmd: 'unsubscribe', messageId: 8, unsubscriptions: filters }, { cmd: 'pingreq' });
    await eventually(() =>
      expect(raw.received.slice(1)).toMatchObject([
        { cmd: 'suback', messageId: 7, granted: [1, 1, 1, 1, 128, 128, 128] },
        { cmd: 'unsuback', messageId: 8 },
        { cmd: 'pingresp' },
      ]),
    );
    raw.socket.destroy();
  });

  const violations: [
    string,
    string,
    (device: ReturnType<typeof newDevice>) => Parameters<typeof publishPacket>[3],
  ][] = [
    ['another device’s topic', 'forbidden-topic', () => ({ topic: eventsTopic(suspended) })],
    [
      'a topic that merely begins like its own',
      'forbidden-topic',
      (own) => ({ topic: `devices/${own.deviceId}/messages/eventsX` }),
    ],
    ['a made-up topic', 'forbidden-topic', () => ({ topic: 'hello/world' })],
    ['QoS 2', 'qos-2', () => ({ qos: 2 })],
  ];
  test.each(violations)(
    'a publish to %s closes the connection and is not acknowledged',
    async (_what, reason, more) => {
      const device = newDevice();
      const raw = await rawDevice(platform.mqttPort, device);
      await raw.connect();
      const before = await endings(reason);
      raw.send(publishPacket(device, 1, { light: 1 }, more(device)));
      await raw.closed();
      expect(raw.acknowledged()).toEqual([]);
      expect(await endings(reason)).toBe(before + 1);
      expect(readingsOf(device)).toEqual([]);
    },
  );

  test('a packet too large closes the connection before it has been read', async () => {
    const device = newDevice();
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    // The header alone: 10 MB are to follow.
    raw.socket.write(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x05]));
    await raw.closed();
    const second = await rawDevice(platform.mqttPort, device);
    await second.connect();
    second.send(publishPacket(device, 1, 'x'.repeat(64 * 1024 + 1)));
    await second.closed();
    expect(await endings('too-large')).toBe(2);
  });

  test.each([
    ['pings', { cmd: 'pingreq' } as Packet],
    ['subscribes', { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: 'a', qos: 0 }] } as Packet],
  ])(
    'a device that %s without end is cut off, and one that does so now and then is not',
    async (_, packet) => {
      const device = newDevice();
      const raw = await rawDevice(platform.mqttPort, device);
      await raw.connect();
      const { burst } = DEFAULT_LIMITS.controlPackets;
      raw.send(...Array.from({ length: burst / 2 }, () => packet));
      await eventually(() => expect(raw.received).toHaveLength(1 + burst / 2));
      const ended = await endings('too-many');
      raw.send(...Array.from({ length: 10 * burst }, () => packet));
      await raw.closed();
      expect(await endings('too-many')).toBe(ended + 1);
    },
  );

  test('a message of the greatest size is taken, however its bytes arrive', async () => {
    const device = newDevice();
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    const padding = ' '.repeat(64 * 1024 - '{"light": 77}'.length);
    raw.send(publishPacket(device, 9, `${padding}{"light": 77}`));
    await eventually(() => expect(raw.acknowledged()).toEqual([9]));
    const inPieces = generate(publishPacket(device, 10, { light: 78 }));
    for (const byte of inPieces) {
      await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
    }
    await eventually(() => expect(raw.acknowledged()).toEqual([9, 10]));
    raw.socket.destroy();
  });

  test('the newer connection of a device wins', async () => {
    const device = newDevice();
    const older = await connectDevice(platform.mqttPort, device);
    const gone = closed(older);
    const newer = await connectDevice(platform.mqttPort, device);
    await gone;
    await newer.publishAsync(eventsTopic(device), '{"light": 3}', { qos: 1 });
    expect(await endings('taken-over')).toBe(1);
    await newer.endAsync();
  });

  test('a connection that falls silent is closed after one and a half times its keep-alive', async () => {
    const device = newDevice();
    const silent = await rawDevice(platform.mqttPort, device);
    const other = newDevice();
    const pinging = await rawDevice(platform.mqttPort, other);
    pinging.send(connectPacket(other, tokenOf(other), 2));
    const pings = setInterval(() => pinging.send({ cmd: 'pingreq' }), 200);
    const connectedAt = Date.now();
    silent.send(connectPacket(device, tokenOf(device), 2));
    await silent.closed();
    clearInterval(pings);
    expect(Date.now() - connectedAt).toBeGreaterThan(2_900);
    expect(pinging.socket.destroyed).toBe(false);
    pinging.socket.destroy();
  });

  test('whoever sends no CONNECT, or only half a packet, is closed', async () => {
    const before = await endings('slow');
    const device = newDevice();
    const mute = await rawDevice(platform.mqttPort, device);
    const halting = await rawDevice(platform.mqttPort, device);
    await halting.connect();
    halting.socket.write(Buffer.from([0x32, 20, 0]));
    await Promise.all([mute.closed(), halting.closed()]);
    expect(await endings('slow')).toBe(before + 2);
  });

  test('a token that expires ends its connection', async () => {
    const device = newDevice();
    const client = await connectDevice(platform.mqttPort, device, { ttlSeconds: 5 });
    await closed(client);
    expect(await connectCode(platform.mqttPort, device)).toBe(0);
  });

  test('a device that was suspended, or whose keys were destroyed, is cut off, silent or not', async () => {
    const silent = newDevice();
    const rotated = newDevice();
    const clients = await Promise.all(
      [silent, rotated].map((each) => connectDevice(platform.mqttPort, each)),
    );
    const gone = Promise.all(clients.map(closed));
    platform.directory.put({ ...silent, state: 'SUSPENDED' });
    platform.directory.put({ ...rotated, keys: [] });
    await gone;

    const talking = newDevice();
    const raw = await rawDevice(platform.mqttPort, talking);
    await raw.connect();
    platform.directory.put({ ...talking, state: 'RETIRED' });
    raw.send(publishPacket(talking, 1, { light: 1 }));
    await raw.closed();
    expect(raw.acknowledged()).toEqual([]);
  });

  test('while the directory does not know a device, nothing of it is taken before the registry was asked', async () => {
    const device = newDevice();
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    platform.directory.failing = true;
    platform.directory.forget(device.deviceId);
    raw.send(publishPacket(device, 1, { light: 1 }), publishPacket(device, 2, { light: 2 }));
    const asked = platform.directory.lookups.length;
    await eventually(() => expect(platform.directory.lookups.length).toBeGreaterThan(asked + 3));
    expect(raw.acknowledged()).toEqual([]);
    platform.directory.failing = false;
    await eventually(() => expect(raw.acknowledged()).toEqual([1, 2]));
    await eventually(() => expect(readingsOf(device)).toEqual([1, 2]));
    raw.socket.destroy();
  });
});

describe('acknowledgement and back-pressure over MQTT', () => {
  const start = (limits: Parameters<typeof startPlatform>[0]['limits'] = {}) => {
    const device = buildDevice();
    return startPlatform({ devices: [device], limits }).then((platform) => ({ platform, device }));
  };

  test('nothing is acknowledged before Event Hubs accepted it, and then in the order of the messages', async () => {
    const { platform, device } = await start(PATIENT);
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    platform.eventHubs.faults.add({ kind: 'delayAcknowledgement', milliseconds: AN_HOUR, count: 1 });
    raw.send(publishPacket(device, 5, { light: 1 }));
    // The event is stored, and only its acknowledgement is missing.
    await eventually(() => expect(platform.stream.readings).toHaveLength(1));
    expect(raw.acknowledged()).toEqual([]);
    raw.send(publishPacket(device, 3, { light: 2 }), publishPacket(device, 4, { light: 3 }));
    platform.eventHubs.faults.clear();
    await eventually(() => expect(raw.acknowledged()).toEqual([5, 3, 4]));
    raw.socket.destroy();
    await platform.stop();
  });

  test('what Event Hubs did not accept is never acknowledged: the connection ends, and the device sends again', async () => {
    const { platform, device } = await start({ acceptedWithinMilliseconds: 500 });
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    platform.eventHubs.faults.add({ kind: 'loseAcknowledgement', milliseconds: 0, count: 1 });
    raw.send(publishPacket(device, 1, { light: 1 }));
    await raw.closed();
    expect(raw.acknowledged()).toEqual([]);
    const again = await rawDevice(platform.mqttPort, device);
    await again.connect();
    again.send(publishPacket(device, 1, { light: 1 }));
    await eventually(() => expect(again.acknowledged()).toEqual([1]));
    again.socket.destroy();
    await platform.stop();
  });

  test('a device that sends faster than Event Hubs takes is not read, and loses nothing', async () => {
    const { platform, device } = await start({ ...PATIENT, messagesInFlight: 4 });
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    platform.eventHubs.faults.add({ kind: 'delayAcknowledgement', milliseconds: AN_HOUR, count: 1 });
    const ids = Array.from({ length: 200 }, (_, i) => i + 1);
    raw.send(...ids.map((id) => publishPacket(device, id, { light: id })));
    await eventually(() => expect(platform.stream.readings.length).toBeGreaterThan(0));
    expect(raw.acknowledged()).toEqual([]);
    expect(platform.stream.readings.length).toBeLessThanOrEqual(4);
    platform.eventHubs.faults.clear();
    await eventually(() => expect(raw.acknowledged()).toEqual(ids));
    await eventually(() => expect(platform.stream.readings.map((each) => each.value)).toEqual(ids));
    raw.socket.destroy();
    await platform.stop();
  });

  test('a device over its rate is read no faster than it, and nothing of it is refused', async () => {
    const { platform, device } = await start({ device: { perSecond: 50, burst: 10 } });
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    const ids = Array.from({ length: 30 }, (_, i) => i + 1);
    raw.send(...ids.map((id) => publishPacket(device, id, { light: id })));
    await eventually(() => expect(raw.acknowledged()).toEqual(ids));
    expect(await platform.metrics.metrics()).toMatch(/throttled_total\{reason="device",.*\} [1-9]/);
    raw.socket.destroy();
    await platform.stop();
  });

  test('a full gateway reads no further bytes, and goes on when there is room', async () => {
    const { platform, device } = await start({ bytesInFlight: 20_000, packetWithinMilliseconds: 60_000 });
    const other = buildDevice();
    platform.directory.put(other);
    const hoarder = await rawDevice(platform.mqttPort, other);
    await hoarder.connect();
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    // Thirty thousand bytes of a message whose end does not come.
    hoarder.socket.write(Buffer.concat([Buffer.from([0x32, 0xc0, 0xb8, 0x02]), Buffer.alloc(30_000)]));
    await eventually(async () =>
      expect(await platform.metrics.metrics()).toMatch(/bytes_in_flight\{process="gateway"\} [23]\d{4}/),
    );
    expect((await post(platform, device, { light: 1 })).status).toBe(429);
    hoarder.socket.destroy();
    platform.directory.put({ ...other, state: 'SUSPENDED' });
    raw.send(publishPacket(device, 1, { light: 2 }));
    await eventually(() => expect(raw.acknowledged()).toEqual([1]));
    raw.socket.destroy();
    await platform.stop();
  });

  test('stopping acknowledges what was taken, and takes nothing more', async () => {
    const { platform, device } = await start(PATIENT);
    const raw = await rawDevice(platform.mqttPort, device);
    await raw.connect();
    platform.eventHubs.faults.add({ kind: 'delayAcknowledgement', milliseconds: AN_HOUR, count: 1 });
    raw.send(publishPacket(device, 1, { light: 1 }), publishPacket(device, 2, { light: 2 }));
    await eventually(() => expect(platform.stream.readings.length).toBeGreaterThan(0));
    const mute = await rawDevice(platform.mqttPort, buildDevice());
    const stopped = platform.gateway.stop();
    platform.eventHubs.faults.clear();
    await stopped;
    await Promise.all([raw.closed(), mute.closed()]);
    expect(raw.acknowledged()).toEqual([1, 2]);
    expect(await connectCode(platform.mqttPort, device, { connectTimeout: 500 })).not.toBe(0);
    await platform.stop().catch(() => undefined);
  });
});

describe('an MQTT listener that cannot start', () => {
  const build = (mqtt: Parameters<typeof createGateway>[0]['mqtt']) =>
    createGateway({
      logger: createLogger({ name: 'gateway', level: 'fatal' }),
      metrics: createMetrics({ process: 'gateway' }),
      host: '127.0.0.1',
      port: 0,
      ...(mqtt && { mqtt }),
      hostNames: ['127.0.0.1'],
      directory: directoryOf([]),
      twins: twinsOf(),
      producer: createStreamProducer({
        namespace: {
          connectionString:
            'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=k;SharedAccessKey=a2V5;UseDevelopmentEmulator=true',
        },
        hub: HUB,
      }),
    });

  test('says that its port is in use, and leaves no other port open', async () => {
    const first = build({ port: 0 });
    const { mqttPort } = await first.start();
    const second = build({ port: mqttPort! });
    await expect(second.start()).rejects.toThrow(/MQTT cannot listen on 127.0.0.1:\d+, the port is in use/);
    await first.stop();
  });

  test('says that certificate and key do not belong together', () => {
    const { cert } = createCertificates();
    const { key } = createCertificates();
    expect(() => build({ port: 0, tls: { port: 0, cert, key } })).toThrow(OperatorError);
    expect(() => build({ port: 0, tls: { port: 0, cert: 'none', key } })).toThrow(/cannot be used/);
  });
});
