import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { generate, type Packet, parser as createParser } from 'mqtt-packet';
import { type DirectoryDevice } from '../../src/store/device-directory';
import { eventually } from '../support/eventually';
import { tokenOf } from './devices.support';

export const eventsTopic = ({ deviceId }: DirectoryDevice, propertyBag = ''): string =>
  `devices/${deviceId}/messages/events/${propertyBag}`;

/**
 * Connects as a device does, with a token of its own where `password` gives none; rejects with the return code in `code`
 * where it is refused.
 */
export function connectDevice(
  port: number,
  device: DirectoryDevice | Pick<DirectoryDevice, 'deviceId'>,
  options: IClientOptions & { ttlSeconds?: number } = {},
): Promise<MqttClient> {
  const { ttlSeconds = 3600, ...rest } = options;
  return connectAsync(
    `mqtt://127.0.0.1:${port}`,
    {
      clientId: device.deviceId,
      username: `127.0.0.1/${device.deviceId}/?api-version=2021-04-12`,
      ...('keys' in device && { password: tokenOf(device, { ttlSeconds }) }),
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      ...rest,
    },
    false,
  );
}

/** The CONNACK's code of a refused connection, 0 where it was let in. */
export async function connectCode(...parameters: Parameters<typeof connectDevice>): Promise<number> {
  try {
    const client = await connectDevice(...parameters);
    await client.endAsync(true);
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}

export const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => (client.connected ? client.once('close', () => resolve()) : resolve()));

/** A device that speaks bytes: what a well-behaved client never sends. */
export interface RawDevice {
  socket: Socket;
  received: Packet[];
  send(...packets: Packet[]): void;
  connect(token?: string): Promise<void>;
  closed(): Promise<void>;
  /** The ids of the PUBACKs so far, in their order. */
  acknowledged(): number[];
}

export async function rawDevice(port: number, device: DirectoryDevice): Promise<RawDevice> {
  const socket = connectSocket(port, '127.0.0.1');
  const received: Packet[] = [];
  const parser = createParser({ protocolVersion: 4 });
  parser.on('packet', (packet: Packet) => received.push(packet));
  socket.on('data', (chunk) => void parser.parse(chunk as Buffer));
  socket.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  const send = (...packets: Packet[]): void =>
    void socket.write(Buffer.concat(packets.map((packet) => generate(packet))));
  return {
    socket,
    received,
    send,
    async connect(token = tokenOf(device)) {
      send(connectPacket(device, token));
      await eventually(() => expect(received[0]).toMatchObject({ cmd: 'connack', returnCode: 0 }), {
        every: 5,
      });
    },
    closed: () => gone,
    acknowledged: () => received.flatMap((each) => (each.cmd === 'puback' ? [each.messageId!] : [])),
  };
}

export function connectPacket(device: DirectoryDevice, token: string, keepalive = 60): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: device.deviceId,
    clean: true,
    keepalive,
    username: `127.0.0.1/${device.deviceId}/?api-version=2021-04-12`,
    password: Buffer.from(token),
  };
}

export function publishPacket(
  device: DirectoryDevice,
  messageId: number,
  payload: unknown,
  more: Partial<{ topic: string; qos: 0 | 1 | 2; retain: boolean }> = {},
): Packet {
  return {
    cmd: 'publish',
    topic: eventsTopic(device),
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    qos: 1,
    dup: false,
    retain: false,
    messageId,
    ...more,
  };
}
