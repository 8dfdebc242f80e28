import { createHmac } from 'node:crypto';
import { type Connection, create_container, message as messages, type Receiver, type Sender } from 'rhea';

/**
 * A bare AMQP client for load. The SDK spends several times as much CPU on an event as the server does, so a server
 * measured through it is a server that waits; this sends batches that were encoded once, and only counts what comes.
 */
export interface LoadClient {
  /** Sends the same encoded batch `times` times to a partition, `inFlight` at a time. */
  send(options: {
    hub: string;
    partition: number;
    batch: Buffer;
    times: number;
    inFlight: number;
  }): Promise<void>;
  /** Reads a partition from its beginning until `count` events have come. */
  receive(options: { hub: string; partition: number; count: number; group?: string }): Promise<void>;
  close(): void;
}

export const BATCH_FORMAT = 0x80013700;
const PREFETCH = 2000;

export function encodeBatch(bodies: readonly Buffer[]): Buffer {
  const encoded = bodies.map((body) => messages.encode({ body: messages.data_section(body) }));
  return messages.encode({ body: messages.data_sections(encoded) });
}

export async function connectLoad(connectionString: string): Promise<LoadClient> {
  const part = (name: string): string => new RegExp(`${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';
  const { hostname, port } = new URL(part('Endpoint').replace('sb:', 'http:'));
  const container = create_container();
  for (const event of ['disconnected', 'connection_close', 'receiver_close', 'sender_close']) {
    container.on(event, () => undefined);
  }
  const connection = container.connect({
    host: hostname,
    port: Number(port),
    reconnect: false,
    username: 'anonymous',
  });
  await new Promise((resolve) => connection.once('connection_open', resolve));
  const endpoint = `sb://${hostname}:${port}/`;
  await putToken(connection, endpoint, part('SharedAccessKeyName'), part('SharedAccessKey'));

  return {
    async send({ hub, partition, batch, times, inFlight }) {
      const sender = await opened<Sender>(
        connection.open_sender({ target: { address: `${hub}/Partitions/${partition}` } }),
        'sender_open',
      );
      let sent = 0;
      let settled = 0;
      await new Promise<void>((resolve, reject) => {
        const more = (): void => {
          while (sent < times && sent - settled < inFlight && sender.sendable()) {
            sender.send(batch, undefined, BATCH_FORMAT);
            sent += 1;
          }
        };
        sender.on('accepted', () => {
          settled += 1;
          if (settled === times) resolve();
          else more();
        });
        sender.on('rejected', () => reject(new Error('a batch was rejected')));
        sender.on('sendable', more);
        more();
      });
      sender.close();
    },
    async receive({ hub, partition, count, group = '$Default' }) {
      const receiver = await opened<Receiver>(
        connection.open_receiver({
          source: { address: `${hub}/ConsumerGroups/${group}/Partitions/${partition}` },
          credit_window: PREFETCH,
        }),
        'receiver_open',
      );
      let received = 0;
      await new Promise<void>((resolve) => {
        receiver.on('message', () => {
          received += 1;
          if (received === count) resolve();
        });
      });
      receiver.close();
    },
    close: () => connection.close(),
  };
}

function opened<Link extends Sender | Receiver>(link: Link, event: string): Promise<Link> {
  return new Promise((resolve) => link.once(event, () => resolve(link)));
}

async function putToken(
  connection: Connection,
  endpoint: string,
  keyName: string,
  key: string,
): Promise<void> {
  const receiver = await opened<Receiver>(
    connection.open_receiver({
      name: 'cbs-replies',
      source: { address: '$cbs' },
      target: { address: 'cbs-replies' },
    }),
    'receiver_open',
  );
  const sender = await opened<Sender>(connection.open_sender({ target: { address: '$cbs' } }), 'sender_open');
  const audience = encodeURIComponent(endpoint);
  const expiry = Math.floor(Date.now() / 1000) + 3600;
  const signature = createHmac('sha256', key).update(`${audience}\n${expiry}`).digest('base64');
  const accepted = new Promise<void>((resolve, reject) => {
    receiver.once('message', ({ message }) => {
      const status = (message?.application_properties as Record<string, unknown>)?.['status-code'];
      if (status === 202) resolve();
      else reject(new Error(`the token was refused with ${String(status)}`));
    });
  });
  sender.send({
    message_id: 'token',
    reply_to: 'cbs-replies',
    application_properties: {
      operation: 'put-token',
      type: 'servicebus.windows.net:sastoken',
      name: endpoint,
    },
    body: `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${keyName}`,
  } as never);
  await accepted;
}
