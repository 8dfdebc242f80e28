import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type AmqpError, type Connection, create_container, message, type Receiver, type Sender } from 'rhea';
import { type DirectoryDevice } from '../../src/store/device-directory';
import { eventually } from '../support/eventually';
import { tokenOf } from './devices.support';

/** A client of AMQP that is nobody's SDK, over TLS. */
export interface AmqpClient {
  connection: Connection;
  /** Resolves with the status that the gateway answers. */
  putToken(device: DirectoryDevice, token?: string): Promise<number>;
  sender(address: string): Promise<Sender>;
  receiver(address: string): Promise<Receiver>;
  /** With what the gateway closed the connection; undefined while it stands. */
  closedWith(): AmqpError | undefined;
  /** The socket is gone. */
  gone(): boolean;
  close(): void;
}

export async function connectAmqp(port: number, ca: string): Promise<AmqpClient> {
  const container = create_container();
  let closed: AmqpError | undefined;
  let gone = false;
  for (const event of ['error', 'protocol_error', 'session_error', 'session_close', 'settled', 'accepted']) {
    container.on(event, () => undefined);
  }
  for (const event of ['rejected', 'released', 'sender_close', 'receiver_close', 'sender_error']) {
    container.on(event, () => undefined);
  }
  const connection = container.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    transport: 'tls',
    ca,
    reconnect: false,
    username: 'anonymous',
  } as never);
  connection.on('connection_error', () => (closed = connection.error as AmqpError));
  connection.on('connection_close', () => undefined);
  connection.on('disconnected', () => (gone = true));
  (connection as unknown as { socket: TLSSocket }).socket.once('close', () => (gone = true));
  await eventually(() => {
    if (!connection.is_open()) throw new Error('not open yet');
  });

  const sender = async (address: string): Promise<Sender> => {
    const link = connection.open_sender({ target: { address } });
    await eventually(() => {
      if (!link.is_open() && !gone) throw new Error('not attached yet');
    });
    return link;
  };
  const receiver = async (address: string): Promise<Receiver> => {
    const link = connection.open_receiver({ source: { address } });
    await eventually(() => {
      if (!link.is_open() && !gone) throw new Error('not attached yet');
    });
    return link;
  };

  return {
    connection,
    sender,
    receiver,
    async putToken(device, token = tokenOf(device)) {
      const requests = await sender('$cbs');
      const answers = await receiver('$cbs');
      const status = new Promise<number>((resolve) => {
        answers.on('message', ({ message: answer }) =>
          resolve((answer!.application_properties as { 'status-code': number })['status-code']),
        );
      });
      requests.send({
        message_id: 'token',
        application_properties: {
          operation: 'put-token',
          type: 'servicebus.windows.net:sastoken',
          name: `localhost/devices/${device.deviceId}`,
        },
        body: token,
      });
      return status;
    },
    closedWith: () => closed,
    gone: () => gone,
    close() {
      // As a network breaks it off; of that rhea does not hear.
      const inner = connection as unknown as Record<'heartbeat_in' | 'heartbeat_out', NodeJS.Timeout> & {
        socket: TLSSocket;
        socket_ready: boolean;
      };
      inner.socket_ready = false;
      inner.socket.destroy();
      clearTimeout(inner.heartbeat_in);
      clearTimeout(inner.heartbeat_out);
    },
  };
}

export const eventsOf = ({ deviceId }: { deviceId: string }): string =>
  `/devices/${deviceId}/messages/events`;

/** Sends and resolves with the outcome: `accepted`, `rejected`, `released` or `modified`. */
export function outcomeOf(sender: Sender, body: unknown, properties: object = {}): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const delivery = sender.send({ ...properties, body: message.data_section(Buffer.from(text)) } as never);
  sender.setMaxListeners(0);
  return new Promise((resolve) => {
    for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
      sender.on(outcome, (context: { delivery?: unknown }) => {
        if (context.delivery === delivery) resolve(outcome);
      });
    }
  });
}

/** A TLS connection on which anything can be written. */
export function rawSocket(port: number, ca: string): Promise<TLSSocket & { closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      const ended = new Promise<void>((done) => socket.once('close', () => done()));
      resolve(Object.defineProperty(socket, 'closed', { value: ended }) as never);
    });
    socket.on('data', () => undefined);
    socket.on('error', reject);
  });
}

export const AMQP_HEADER = Buffer.from('AMQP\x00\x01\x00\x00', 'latin1');
export const SASL_HEADER = Buffer.from('AMQP\x03\x01\x00\x00', 'latin1');

export function frameOf(body: Buffer, { channel = 0, type = 0 } = {}): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head[4] = 2;
  head[5] = type;
  head.writeUInt16BE(channel, 6);
  return Buffer.concat([head, body]);
}

const string = (text: string): Buffer => Buffer.concat([Buffer.from([0xa1, text.length]), Buffer.from(text)]);
const list = (code: number, ...fields: Buffer[]): Buffer => {
  const all = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([0x00, 0x53, code, 0xc0, all.length + 1, fields.length]), all]);
};
/** OPEN with a container id. */
export const OPEN = frameOf(list(0x10, string('raw')));
/** BEGIN of a session of which nothing is known yet. */
export const BEGIN = frameOf(
  list(0x11, Buffer.from([0x40]), Buffer.from([0x43]), Buffer.from([0x52, 100]), Buffer.from([0x52, 100])),
);
/** ATTACH of a link by which the client sends to `$cbs`. */
export const ATTACH = frameOf(
  list(
    0x12,
    string('link'),
    Buffer.from([0x43]),
    Buffer.from([0x42]),
    Buffer.from([0x40]),
    Buffer.from([0x40]),
    list(0x28),
    list(0x29, string('$cbs')),
    Buffer.from([0x40]),
    Buffer.from([0x40]),
    Buffer.from([0x43]),
  ),
);
/** TRANSFER of a message on it, settled. */
export const transferOf = (message: Buffer, more = false): Buffer =>
  frameOf(
    Buffer.concat([
      list(
        0x14,
        Buffer.from([0x43]),
        Buffer.from([0x43]),
        Buffer.from([0xa0, 1, 1]),
        Buffer.from([0x43]),
        Buffer.from([0x41]),
        Buffer.from([more ? 0x41 : 0x42]),
      ),
      message,
    ]),
  );
