import { EventHubConsumerClient, latestEventPosition } from '@azure/event-hubs';
import { connect as connectSocket } from 'node:net';
import { type Connection, create_container } from 'rhea';
import { eventually } from '../support/eventually';
import { collect, withToken } from '../contract/event-hubs.target';
import { HUB, type Namespace, openNamespace } from './support/namespace';
import { CERTIFICATE, KEY } from './support/certificate';

const portOf = (connectionString: string): number => Number(/:(\d+);/.exec(connectionString)![1]);

/** `AMQP` version 1.0.0 without SASL, then an open frame with the container id `x`. */
const HEADER = Buffer.from('414d515000010000', 'hex');
const OPEN = Buffer.from('0000001102000000005310c00401a10178', 'hex');

interface RawClient {
  received(): Buffer;
  write(bytes: Buffer): void;
  closed: Promise<void>;
}

function rawClient(port: number): RawClient {
  const socket = connectSocket(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  return {
    received: () => Buffer.concat(chunks),
    write: (bytes) => void socket.write(bytes),
    closed: new Promise((resolve) => socket.on('close', () => resolve())),
  };
}

describe('connections', () => {
  let namespace: Namespace | undefined;
  afterEach(async () => {
    await namespace?.stop();
    namespace = undefined;
  });

  test('a link is detached when its token expires: UnauthorizedError', async () => {
    namespace = await openNamespace();
    const connectionString = withToken(namespace.connectionString, {
      path: HUB,
      expires: new Date(Date.now() + 2_000),
    });
    const consumer = new EventHubConsumerClient('$Default', connectionString, HUB, {
      retryOptions: { maxRetries: 0 },
    });
    const reader = collect(consumer, {
      partition: '0',
      startPosition: latestEventPosition,
      maxWaitTimeInSeconds: 10,
    });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'UnauthorizedError' });
    expect(error.message).toMatch(/ExpiredToken/);
    await reader.close();
    await consumer.close();
  });

  test('a link whose token is renewed lives on after the first token has expired', async () => {
    namespace = await openNamespace();
    const { connectionString, producer } = namespace;
    const token = (seconds: number): string =>
      /SharedAccessSignature=(.*?)(?:;|$)/.exec(
        withToken(connectionString, { path: HUB, expires: new Date(Date.now() + seconds * 1_000) }),
      )![1]!;
    /** A client of one connection: a reader on a token of two seconds, which it can replace. */
    async function client(): Promise<{ renew(): Promise<void>; bodies: unknown[]; failed: () => boolean }> {
      const container = create_container();
      for (const event of ['disconnected', 'connection_close', 'receiver_error', 'receiver_close']) {
        container.on(event, () => undefined);
      }
      const connection = container.connect({
        host: '127.0.0.1',
        port: portOf(connectionString),
        reconnect: false,
        username: 'anonymous',
      });
      open.push(connection);
      const answers: unknown[] = [];
      connection
        .open_receiver({ source: { address: '$cbs' }, target: { address: 'cbs' } })
        .on('message', ({ message }) => answers.push(message?.application_properties?.['status-code']));
      const requests = connection.open_sender({ target: { address: '$cbs' } });
      await new Promise((resolve) => requests.once('sendable', resolve));
      async function put(text: string): Promise<void> {
        const before = answers.length;
        requests.send({
          message_id: `m${before}`,
          reply_to: 'cbs',
          application_properties: {
            operation: 'put-token',
            type: 'servicebus.windows.net:sastoken',
            name: `sb://127.0.0.1/${HUB}`,
          },
          body: text,
        });
        await eventually(() => expect(answers.slice(before)).toEqual([202]));
      }
      await put(token(4));
      const bodies: unknown[] = [];
      const reader = connection.open_receiver(`${HUB}/ConsumerGroups/$Default/Partitions/0`);
      reader.on('message', ({ message }) => bodies.push(message?.body));
      await new Promise((resolve) => reader.once('receiver_open', resolve));
      return { renew: () => put(token(600)), bodies, failed: () => reader.error !== undefined };
    }
    const open: Connection[] = [];
    const renewing = await client();
    await renewing.renew();
    const idle = await client();
    await eventually(() => expect(idle.failed()).toBe(true));
    await producer().sendBatch([{ body: 'after' }], { partitionId: '0' });
    await eventually(() => expect(renewing.bodies).toHaveLength(1));
    expect(renewing.failed()).toBe(false);
    expect(idle.bodies).toEqual([]);
    for (const connection of open) connection.close();
  });

  test('a connection that is silent for too long is closed', async () => {
    namespace = await openNamespace({ idleMilliseconds: 150 });
    const client = rawClient(portOf(namespace.connectionString));
    client.write(Buffer.concat([HEADER, OPEN]));
    await client.closed;
    expect(client.received().toString('latin1')).toContain('amqp:resource-limit-exceeded');
  });

  test('a connection that never says anything is closed', async () => {
    namespace = await openNamespace({ idleMilliseconds: 100 });
    await rawClient(portOf(namespace.connectionString)).closed;
  });

  test('the SDK is not idle: it stays connected through a time-out many times over', async () => {
    namespace = await openNamespace({ idleMilliseconds: 1_000 });
    const reader = collect(namespace.consumer(), {
      partition: '0',
      startPosition: latestEventPosition,
      maxWaitTimeInSeconds: 0.8,
    });
    await eventually(() => expect(reader.batches.length).toBeGreaterThan(4));
    expect(reader.errors).toEqual([]);
    await reader.close();
  });

  test.each([
    ['noise', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['another version', Buffer.from('414d515000000901', 'hex')],
    ['a frame larger than announced', Buffer.concat([HEADER, OPEN, Buffer.from('7fffffff02000000', 'hex')])],
    [
      'a frame that is no frame',
      Buffer.concat([HEADER, OPEN, Buffer.from('0000000c00000000deadbeef', 'hex')]),
    ],
  ])('a client that sends %s loses its connection, and others go on', async (_what, bytes) => {
    namespace = await openNamespace();
    const client = rawClient(portOf(namespace.connectionString));
    client.write(bytes);
    await client.closed;
    await namespace.producer().sendBatch([{ body: 1 }]);
  });

  test('a reader over TLS is served as over plain TCP', async () => {
    namespace = await openNamespace({ tls: { key: KEY, cert: CERTIFICATE } });
    const container = create_container();
    container.on('disconnected', () => undefined);
    const connection = container.connect({
      transport: 'tls',
      host: 'localhost',
      port: portOf(namespace.connectionString),
      ca: [CERTIFICATE],
      reconnect: false,
      username: 'anonymous',
    } as never);
    await new Promise((resolve) => connection.once('connection_open', resolve));
    const refused = new Promise((resolve) =>
      connection.once('sender_error', ({ sender }) => resolve(sender?.error)),
    );
    connection.open_sender({ target: { address: HUB } });
    expect(await refused).toMatchObject({ condition: 'amqp:unauthorized-access' });
    connection.close();
  });
});
