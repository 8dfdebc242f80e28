import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { type DeviceAuthentication } from '../authentication';
import { createDeviceListener } from '../device-listener';
import { type Handshakes } from '../handshakes';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createSecureServer, type ServerCertificate } from '../tls';
import { type TwinService } from '../twin-service';
import { type Connection, type ConnectionContext, createConnection } from './connection';
import { createAmqpMetrics } from './metrics';
import { createProtocolContainer } from './protocol';

/** Where AMQP is listened for: over TLS only, as IoT Hub does. */
export type AmqpPorts = { port: number } & ServerCertificate;

export interface AmqpListener {
  /** @throws OperatorError when the port cannot be had. */
  start(): Promise<{ port: number }>;
  /** Takes no further message, settles those it took, closes every connection. */
  stop(): Promise<void>;
  /** Bytes that were read and not yet taken. */
  bytesHeld(): number;
  handshakes: Handshakes;
}

/** What AMQP keeps of a connection from its first frame on is much. */
const MOST_UNPROVED = 4_096;

/**
 * AMQP 1.0 as IoT Hub speaks it with its devices: telemetry in, twins both ways.
 * @throws OperatorError where the certificate and key are none or do not belong together.
 */
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
  const { logger, limits, host, ports, gatewayMetrics, authentication, reception, twins, bytesInFlight } =
    options;
  const ofAmqp = {
    logger,
    container: createProtocolContainer(),
    metrics: createAmqpMetrics(options.registry, () => listener.devices()),
    ...{ gatewayMetrics, authentication, reception, twins, bytesInFlight },
  };
  let handshakes!: Handshakes;
  const listener = createDeviceListener<Connection>({
    host,
    limits,
    mostUnproved: MOST_UNPROVED,
    endpoints(open) {
      const secure = createSecureServer(
        ports,
        { handshakes: limits.handshakes, metrics: gatewayMetrics },
        (secureOptions) => createTlsServer(secureOptions, open),
      );
      // Whoever does not speak TLS, or does not trust us, is closed by Node; nobody is to be told.
      secure.server.on('tlsClientError', (_error, socket) => socket.destroy());
      handshakes = secure.handshakes;
      return [{ server: secure.server, port: ports.port, what: 'the device gateway’s AMQPS' }];
    },
    connections(shared) {
      const context: ConnectionContext = Object.assign(shared, ofAmqp);
      return (socket) => createConnection(socket as TLSSocket, context);
    },
  });

  return {
    async start() {
      const [port] = (await listener.start()) as [number];
      logger.info({ host, port }, 'AMQP is listened for');
      return { port };
    },
    stop: listener.stop,
    bytesHeld: listener.bytesHeld,
    handshakes,
  };
}
