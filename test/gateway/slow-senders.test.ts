import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { buildDevice, tokenOf } from './devices.support';
import { post, startPlatform } from './gateway.support';
import { connectDevice, connectPacket, publishPacket, rawDevice } from './mqtt.support';

type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** A client that sends what it is told to, when it is told to. */
function client(port: number): { socket: Socket; said: () => string } {
  let said = '';
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  return { socket, said: () => said };
}

const headOf = (device: ReturnType<typeof buildDevice>): string =>
  `POST /devices/${device.deviceId}/messages/events HTTP/1.1\r\nhost: h\r\nauthorization: ${tokenOf(device)}\r\n` +
  'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

async function held(platform: Platform): Promise<number> {
  return Number(/bytes_in_flight\{process="gateway"\} (\d+)/.exec(await platform.metrics.metrics())![1]);
}

describe('a request that takes its time', () => {
  const device = buildDevice();
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform({ devices: [device], limits: { bytesInFlight: 100_000 } });
  });
  afterAll(() => platform.stop());

  test('is not taken from a device that was suspended before it was whole', async () => {
    const slow = client(platform.port);
    slow.socket.write(headOf(device) + chunk('{"temperature":'));
    await eventually(async () => expect(await held(platform)).toBeGreaterThan(0));
    platform.directory.put({ ...device, state: 'SUSPENDED' });
    slow.socket.write(`${chunk('21.5}')}0\r\n\r\n`);
    await eventually(() => expect(slow.said()).toContain('\r\n\r\n'));
    expect(slow.said()).toContain('HTTP/1.1 403');
    expect(slow.said()).toContain('DEVICE_SUSPENDED');
    slow.socket.destroy();
    platform.directory.put(device);
  });

  test('and others like it hold no more together than all requests may', async () => {
    const many = Array.from({ length: 8 }, () => client(platform.port));
    for (const { socket } of many) socket.write(headOf(device));
    for (const { socket } of many) socket.write(chunk(' '.repeat(30_000)));
    await eventually(() =>
      expect(many.filter(({ said }) => said().includes('GATEWAY_BUSY')).length).toBeGreaterThanOrEqual(4),
    );
    expect(await held(platform)).toBeLessThanOrEqual(100_000);
    for (const { socket } of many) socket.destroy();
    await eventually(async () => expect(await held(platform)).toBe(0));
  });

  test('leaves room for others, however many of them one device begins', async () => {
    const greedy = await startPlatform({ devices: [device], limits: { bodyBytes: 10_000 } });
    const many = Array.from({ length: 12 }, () => client(greedy.port));
    try {
      for (const { socket } of many) socket.write(headOf(device) + chunk(' '.repeat(8_000)));
      await eventually(() =>
        expect(
          many.filter(({ said }) => said().includes('DEVICE_RATE_EXCEEDED')).length,
        ).toBeGreaterThanOrEqual(7),
      );
      expect(await held(greedy)).toBeLessThanOrEqual(40_000);
      for (const { socket } of many) socket.destroy();
      await eventually(async () => expect(await held(greedy)).toBe(0));
      expect((await post(greedy, device, { temperature: 20 })).status).toBe(204);
    } finally {
      for (const { socket } of many) socket.destroy();
      await greedy.stop();
    }
  });
});

describe('MQTT connections that have not proved whose they are', () => {
  test('take no room from devices that have, and hold little together', async () => {
    const device = buildDevice();
    const platform = await startPlatform({ devices: [device], limits: { bytesInFlight: 100_000 } });
    const strangers = Array.from({ length: 30 }, () => client(platform.mqttPort));
    try {
      // The beginning of a CONNECT of 8,000 bytes.
      for (const { socket } of strangers) {
        socket.write(Buffer.concat([Buffer.of(0x10, 0xc0, 0x3e), Buffer.alloc(7_000)]));
      }
      // A quarter of it is all that they may hold: three of them, and the others are closed.
      await eventually(() => expect(strangers.filter(({ socket }) => socket.destroyed)).toHaveLength(27));
      expect(await held(platform)).toBe(0);
      expect((await post(platform, device, { temperature: 20 })).status).toBe(204);
      const raw = await rawDevice(platform.mqttPort, device);
      await raw.connect();
      raw.send(publishPacket(device, 1, { temperature: 21 }));
      await eventually(() => expect(raw.acknowledged()).toEqual([1]));
      raw.socket.destroy();
    } finally {
      for (const { socket } of strangers) socket.destroy();
      await platform.stop();
    }
  });
});

describe('AMQP connections that have not proved whose they are', () => {
  test('take no room from devices that have, and hold little together', async () => {
    const device = buildDevice();
    const tls = createCertificates();
    const platform = await startPlatform({ devices: [device], tls, limits: { bytesInFlight: 100_000 } });
    const strangers = Array.from({ length: 30 }, () => {
      const socket = connectTls({ port: platform.amqpsPort, host: '127.0.0.1', ca: tls.ca });
      socket.on('error', () => undefined);
      // Unread, it would not be told of its end.
      socket.resume();
      return socket;
    });
    try {
      // The beginning of a frame of 8,000 bytes.
      for (const socket of strangers) {
        socket.write(
          Buffer.concat([Buffer.from('AMQP\x03\x01\0\0\0\0\x1f\x40\x02\x01\0\0'), Buffer.alloc(7_000)]),
        );
      }
      await eventually(() => expect(strangers.filter(({ destroyed }) => destroyed)).toHaveLength(27));
      expect(await held(platform)).toBe(0);
      expect((await post(platform, device, { temperature: 20 })).status).toBe(204);
    } finally {
      for (const socket of strangers) socket.destroy();
      await platform.stop();
    }
  });
});

describe('an MQTT device behind a message that Event Hubs has not accepted', () => {
  test('may send no more of what needs no Event Hubs than of readings', async () => {
    const device = buildDevice();
    const platform = await startPlatform({
      devices: [device],
      limits: { messagesInFlight: 16, acceptedWithinMilliseconds: 60_000 },
    });
    try {
      const raw = await rawDevice(platform.mqttPort, device);
      raw.send(connectPacket(device, tokenOf(device)));
      await eventually(() => expect(raw.received).toHaveLength(1));
      raw.send(publishPacket(device, 1, { temperature: 20 }));
      await eventually(() => expect(raw.acknowledged()).toEqual([1]));
      // What follows waits behind it.
      platform.eventHubs.faults.add({ kind: 'delayAcknowledgement', milliseconds: 3_600_000, count: 1 });
      raw.send(publishPacket(device, 2, { temperature: 21 }));
      const answers = Array.from({ length: 2_000 }, (_, i) =>
        publishPacket(device, 3 + i, '', { topic: '$iothub/methods/res/200/?$rid=1' }),
      );
      raw.send(...answers);
      // What is not taken stands in the bytes that are held, or was not even read.
      await eventually(async () => expect(await held(platform)).toBeGreaterThan(50_000));
      platform.eventHubs.faults.clear();
      await eventually(() => expect(raw.acknowledged()).toHaveLength(2_002));
      raw.socket.destroy();
    } finally {
      await platform.stop();
    }
  });
});

describe('clients that begin a TLS connection and say nothing', () => {
  test('do not keep devices from theirs, however many they are', async () => {
    const device = buildDevice();
    const tls = createCertificates();
    const platform = await startPlatform({ devices: [device], tls, limits: { handshakes: 4 } });
    const silent = Array.from({ length: 20 }, () => client(platform.mqttsPort));
    try {
      await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
      const taken = startOwnTime();
      const mqtt = await connectDevice(platform.mqttsPort, device, {
        protocol: 'mqtts',
        ca: tls.ca,
        servername: 'localhost',
        connectTimeout: 30_000,
      });
      // In turns of four that had been five handshakes' whole patience of twenty seconds.
      expect(taken()).toBeLessThan(10_000);
      await mqtt.endAsync(true);
    } finally {
      for (const { socket } of silent) socket.destroy();
      await platform.stop();
    }
  });
});
