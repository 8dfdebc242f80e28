import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { listenError } from '../../observability/operator-error';
import { type DeviceAuthentication } from '../authentication';
import { createHandshakes } from '../handshakes';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createTls, type ServerCertificate, tlsOptionsOf } from '../tls';
import { createTurnEnd } from '../turn-writes';
import { type TwinService } from '../twin-service';
import { type Connection, type ConnectionContext, createConnection } from './connection';
import { createAmqpMetrics } from './metrics';
import { createProtocolContainer } from './protocol';

/** Where AMQP is listened for: over TLS only, as IoT Hub does. */
export type AmqpPorts = { port: number } & ServerCertificate;

export interface AmqpListener {
  /** @throws OperatorError when the port cannot be had, or the certificate and key are none or do not belong together. */
  start(): Promise<{ port: number }>;
  /** Takes no further message, settles those it took, closes every connection. */
  stop(): Promise<void>;
  /** Bytes that were read and not yet taken. */
  bytesHeld(): number;
  handshakesWaiting(): number;
}

/** How often connections that wait are tried again. */
const TICK_MS = 100;
/** Shorter than a process is given to drain. */
const DRAIN_MS = 6_000;
const BACKLOG = 2_048;
/** Connections at once that have not proved whose they are; a further one is closed. */
const MOST_UNKNOWN = 4_096;

/** AMQP 1.0 as IoT Hub speaks it with its devices: telemetry in, twins both ways. */
export function createAmqpListener(options: {
  logger: Logger;
  registry: Registry;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  limits: GatewayLimits;
  bytesInFlight: () => number;
  host: string;
  ports: AmqpPorts;
}): AmqpListener {
  const { logger, limits, host, ports } = options;
  const connections = new Set<Connection>();
  /** One a device: whoever comes later is the device, and the one before it a connection that nobody has missed yet. */
  const byDevice = new Map<string, Connection>();
  let stalled = new Set<Connection>();
  let held = 0;
  let stopping = false;
  let ticking: NodeJS.Timeout | undefined;
  let sweep = connections.values();

  const context: ConnectionContext = {
    logger,
    container: createProtocolContainer(),
    metrics: createAmqpMetrics(options.registry, () => byDevice.size),
    gatewayMetrics: options.gatewayMetrics,
    authentication: options.authentication,
    reception: options.reception,
    twins: options.twins,
    turnEnd: createTurnEnd(),
    limits,
    bytesInFlight: options.bytesInFlight,
    held: (bytes) => (held += bytes),
    connected(deviceId, connection) {
      byDevice.get(deviceId)?.end('taken-over');
      byDevice.set(deviceId, connection);
    },
    checksUnderWay: 0,
    stalled: (connection) => stalled.add(connection),
    closed(connection, deviceId) {
      connections.delete(connection);
      stalled.delete(connection);
      if (deviceId !== undefined && byDevice.get(deviceId) === connection) byDevice.delete(deviceId);
    },
  };

  const tick = (): void => {
    const waiting = stalled;
    stalled = new Set();
    for (const connection of waiting) connection.proceed();
    // A share of all connections each time, so that ten thousand are looked at without a pause for the others.
    const now = Date.now();
    let share = Math.ceil((connections.size * TICK_MS) / limits.sweepMilliseconds);
    for (; share > 0; share--) {
      const { value, done } = sweep.next();
      if (done) {
        sweep = connections.values();
        return;
      }
      value.check(now);
    }
  };

  const onSocket = (socket: TLSSocket): void => {
    if (stopping || connections.size - byDevice.size >= MOST_UNKNOWN) return void socket.destroy();
    connections.add(createConnection(socket, context));
  };
  const secure = createTls(() => createTlsServer(tlsOptionsOf(ports), onSocket));
  // Whoever does not speak TLS, or does not trust us, is closed by Node; nobody is to be told.
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  const handshakes = createHandshakes(secure, { atOnce: limits.handshakes, metrics: options.gatewayMetrics });
  // Listens bare, so that it can choose how many handshakes are under way.
  const server = createServer({ pauseOnConnect: true }, handshakes.begin);
  server.maxConnections = limits.connections;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  return {
    async start() {
      const port = await new Promise<number>((resolve, reject) => {
        const what = 'the device gateway’s AMQPS';
        server.once('error', (error) => reject(listenError(error, what, host, ports.port)));
        // A storm of devices is queued by the kernel rather than turned away, to try again seconds later.
        server.listen({ port: ports.port, host, backlog: BACKLOG }, () =>
          resolve((server.address() as AddressInfo).port),
        );
      });
      ticking = setInterval(tick, TICK_MS);
      logger.info({ host, port }, 'AMQP is listened for');
      return { port };
    },
    async stop() {
      stopping = true;
      clearInterval(ticking);
      const closed = new Promise<void>((resolve) =>
        server.listening ? server.close(() => resolve()) : resolve(),
      );
      const cut = (): void => {
        for (const socket of sockets) socket.destroy();
      };
      const late = setTimeout(cut, DRAIN_MS);
      await Promise.all([...connections].map((connection) => connection.drain()));
      clearTimeout(late);
      cut();
      await closed;
    },
    bytesHeld: () => held,
    handshakesWaiting: handshakes.waiting,
  };
}
