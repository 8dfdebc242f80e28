import { type Server, type Socket } from 'node:net';
import { type AmqpError, type Connection, create_container, type EventContext } from 'rhea';
import { explain, type Logger } from '../../../src/observability/logger';
import { listenError } from '../../../src/observability/operator-error';
import { type Policy } from '../configuration';
import { type Faults } from '../faults';
import { type Hubs } from '../hubs';
import { type EventHubsMetrics } from '../metrics';
import { connectionForced, MAX_MESSAGE_BYTES } from './conditions';
import { type AttachedLink, MAX_FRAME_BYTES, serveConnection, type ServedConnection } from './connection';
import { createReaders } from './readers';
import { forgetConnection } from './rhea-hooks';
import { socketOf } from './transfers';

export interface AmqpServer {
  /** Resolves with the port. Rejects with an `OperatorError` where it cannot be had. */
  start(): Promise<number>;
  /** Closes every connection with `amqp:connection:forced`, which clients take as a reason to come back. */
  stop(): Promise<void>;
  counts(): { connections: number; readers: number };
  detach(matches: (link: AttachedLink) => boolean, error?: AmqpError): number;
  drop(): number;
}

/** As Azure announces it. */
const CHANNEL_MAX = 4999;
/** Beyond this much waiting for the disk, sockets are not read: senders feel it as a slow network. */
const PENDING_HIGH_WATER = 64 * 1024 * 1024;
const CLOSE_GRACE = 500;

export function createAmqpServer(options: {
  host: string;
  port: number;
  tls?: { key: string | Buffer; cert: string | Buffer };
  idleMilliseconds: number;
  hubs: Hubs;
  policies: readonly Policy[];
  faults: Faults;
  metrics: EventHubsMetrics;
  logger: Logger;
  now: () => number;
}): AmqpServer {
  const { host, hubs, logger, metrics } = options;
  const readers = createReaders();
  const connections = new Map<Connection, ServedConnection>();
  const container = create_container({ id: 'event-hubs' });
  let server: Server | undefined;
  let paused = false;

  function balance(): void {
    const pending = hubs.pendingBytes();
    if (!paused && pending > PENDING_HIGH_WATER) {
      paused = true;
      metrics.pausedReads.inc();
      for (const connection of connections.keys()) socketOf(connection).pause();
    } else if (paused && pending < PENDING_HIGH_WATER / 2) {
      paused = false;
      for (const connection of connections.keys()) socketOf(connection).resume();
    }
  }

  function served(connection: Connection): ServedConnection {
    const known = connections.get(connection);
    if (known !== undefined) return known;
    const fresh = serveConnection({
      connection,
      hubs,
      policies: options.policies,
      readers,
      faults: options.faults,
      metrics,
      logger,
      now: options.now,
      onPending: balance,
    });
    connections.set(connection, fresh);
    socketOf(connection).once('close', () => {
      connections.delete(connection);
      fresh.dispose();
      forgetConnection(connection);
    });
    return fresh;
  }

  container.on('connection_open', ({ connection }: EventContext) => void served(connection));
  container.on('session_open', ({ connection, session }: EventContext) => {
    served(connection).onSession(session!);
  });
  container.on('sender_open', ({ connection, sender }: EventContext) => served(connection).onSender(sender!));
  container.on('receiver_open', ({ connection, receiver }: EventContext) => {
    served(connection).onReceiver(receiver!);
  });
  // A client that goes, in whatever way, is no fault of ours: what it held is released when its socket closes.
  for (const event of ['disconnected', 'connection_close', 'connection_error', 'session_error']) {
    container.on(event, () => undefined);
  }
  for (const event of ['sender_error', 'receiver_error']) container.on(event, () => undefined);
  for (const event of ['protocol_error', 'error']) {
    container.on(event, (error: unknown) => {
      logger.warn({ error: explain(error) }, 'a connection broke the protocol');
    });
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        const listening = container.listen({
          host,
          port: options.port,
          ...(options.tls ? { transport: 'tls', ...options.tls } : {}),
          noDelay: true,
          idle_time_out: options.idleMilliseconds,
          max_frame_size: MAX_FRAME_BYTES,
          channel_max: CHANNEL_MAX,
          receiver_options: {
            autoaccept: false,
            autosettle: true,
            credit_window: 0,
            max_message_size: MAX_MESSAGE_BYTES,
          },
        } as never) as Server;
        server = listening;
        // A client that never opens, or whose network is gone, does not hold a socket for ever.
        for (const event of ['connection', 'secureConnection']) {
          listening.on(event, (socket: Socket) => {
            socket.setTimeout(3 * options.idleMilliseconds, () => socket.destroy());
          });
        }
        listening.once('error', (error) => reject(listenError(error, 'event-hubs', host, options.port)));
        listening.once('listening', () => {
          const address = listening.address();
          resolve(typeof address === 'object' && address !== null ? address.port : options.port);
        });
      }),
    async stop() {
      const closing = new Promise<void>((resolve) => {
        if (server === undefined) resolve();
        else server.close(() => resolve());
      });
      for (const connection of connections.values()) {
        connection.close(connectionForced('The service is shutting down.'));
      }
      const force = setTimeout(() => {
        for (const connection of connections.values()) connection.drop();
      }, CLOSE_GRACE);
      await closing;
      clearTimeout(force);
    },
    counts: () => ({ connections: connections.size, readers: readers.count() }),
    detach(matches, error) {
      let count = 0;
      for (const connection of connections.values()) count += connection.detach(matches, error);
      return count;
    },
    drop() {
      const all = [...connections.values()];
      for (const connection of all) connection.drop();
      return all.length;
    },
  };
}
