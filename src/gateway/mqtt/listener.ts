import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
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
import { createMqttMetrics } from './metrics';
import { createPacketReader } from './packets';
import { createTurns } from './turns';

/** Where MQTT is listened for. */
export interface MqttPorts {
  /** Without TLS; 0 for a free one. */
  port: number;
  /** MQTTS beside it. */
  tls?: { port: number } & ServerCertificate;
}

export interface MqttListener {
  /** @throws OperatorError when a port cannot be had. */
  start(): Promise<{ port: number; tlsPort?: number }>;
  /** Takes no further message, answers those it took, closes every connection. */
  stop(): Promise<void>;
  /** Bytes that were read and not yet taken. */
  bytesHeld(): number;
  handshakes?: Handshakes;
}

/**
 * MQTT 3.1.1 as IoT Hub speaks it with its devices: takes telemetry in, and is no broker.
 * @throws OperatorError where the certificate and key are none or do not belong together.
 */
export function createMqttListener(options: {
  logger: Logger;
  registry: Registry;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  limits: GatewayLimits;
  bytesInFlight: () => number;
  host: string;
  ports: MqttPorts;
}): MqttListener {
  const { logger, limits, host, gatewayMetrics, authentication, reception, twins, bytesInFlight } = options;
  const { port, tls } = options.ports;
  const ofMqtt = {
    logger,
    metrics: createMqttMetrics(options.registry, () => listener.devices()),
    ...{ gatewayMetrics, authentication, reception, twins, bytesInFlight },
    reader: createPacketReader(),
    turns: createTurns(),
  };
  let handshakes: Handshakes | undefined;
  const listener = createDeviceListener<Connection>({
    host,
    limits,
    endpoints(open) {
      const plain = { server: createServer(open), port, what: 'the device gateway’s MQTT' };
      if (tls === undefined) return [plain];
      const secure = createSecureServer(
        tls,
        { handshakes: limits.handshakes, metrics: gatewayMetrics },
        (secureOptions) => createTlsServer(secureOptions, open),
      );
      // Whoever does not speak TLS, or does not trust us, is closed by Node; nobody is to be told.
      secure.server.on('tlsClientError', (_error, socket) => socket.destroy());
      handshakes = secure.handshakes;
      return [plain, { server: secure.server, port: tls.port, what: 'the device gateway’s MQTTS' }];
    },
    connections(shared) {
      const context: ConnectionContext = Object.assign(shared, ofMqtt);
      return (socket) => createConnection(socket, context);
    },
  });

  return {
    async start() {
      const [plainPort, tlsPort] = (await listener.start()) as [number, number?];
      logger.info({ host, port: plainPort, tlsPort }, 'MQTT is listened for');
      return { port: plainPort, ...(tlsPort === undefined ? {} : { tlsPort }) };
    },
    stop: listener.stop,
    bytesHeld: listener.bytesHeld,
    ...(handshakes && { handshakes }),
  };
}
