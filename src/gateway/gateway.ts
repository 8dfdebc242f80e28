import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { listenError } from '../observability/operator-error';
import { type DeviceDirectory } from '../store/device-directory';
import { type Twins } from '../store/twins';
import { type StreamProducer } from '../stream/producer';
import { type DeviceActivity, NO_ACTIVITY } from './activity';
import { bareAnswer, type ErrorCode } from './answers';
import { createDeviceAuthentication } from './authentication';
import { createDecoderRegistry, PAYLOAD_DECODERS } from './decoders';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits';
import { createGatewayMetrics } from './metrics';
import { createMqttListener, type MqttPorts } from './mqtt/listener';
import { createPacker } from './packer';
import { createReception } from './reception';
import { createStreamLink } from './stream-link';
import { createTelemetryEndpoint } from './telemetry-endpoint';
import { createTokenBuckets } from './token-bucket';
import { createTwinService } from './twin-service';

export interface Gateway {
  /**
   * Listens, and connects to Event Hubs in the background: until that stands, devices are answered 503.
   * @throws OperatorError when a port cannot be had.
   */
  start(): Promise<{ port: number; mqttPort?: number; mqttsPort?: number }>;
  /**
   * Takes no further request or message, finishes those it has, and sends every open frame. The producer is its owner's
   * to stop.
   */
  stop(): Promise<void>;
  readiness(): Readiness;
}

export interface GatewayOptions {
  logger: Logger;
  metrics: Registry;
  host: string;
  /** Of HTTP; 0 for a free one. */
  port: number;
  /** Left out, MQTT is not spoken. */
  mqtt?: MqttPorts;
  /** Host names that the audience of a SAS token may name, with or without a port. */
  hostNames: readonly string[];
  /** Started and stopped by its owner. */
  directory: DeviceDirectory;
  twins: Twins;
  /** Started by the gateway, as often as it takes; stopped by its owner after the gateway. */
  producer: StreamProducer;
  /** Started and stopped by the gateway. Left out, nobody hears when a device was last seen. */
  activity?: DeviceActivity;
  limits?: Partial<GatewayLimits>;
}

// Devices that send once a minute keep their connection from one reading to the next.
const KEEP_ALIVE_MS = 75_000;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;
// Shorter than a process is given to drain.
const DRAIN_MS = 6_000;

/** The cloud gateway: authenticates devices, decodes what they send, and packs it into the telemetry stream. */
export function createGateway(options: GatewayOptions): Gateway {
  const { logger, directory, producer, activity = NO_ACTIVITY } = options;
  const limits: GatewayLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const link = createStreamLink({ producer, logger });
  const packer = createPacker({
    producer,
    lingerMilliseconds: limits.lingerMilliseconds,
    acceptedWithinMilliseconds: limits.acceptedWithinMilliseconds,
    observer: {
      sent: (frames, bytes, milliseconds) => metrics.sent(frames, bytes, milliseconds),
      failed: (error) => {
        metrics.sendFailed();
        link.lost(error);
      },
    },
  });
  const bytesInFlight = (): number =>
    endpoint.bytesHeld() + (mqtt?.bytesHeld() ?? 0) + packer.bytesInFlight();
  const metrics = createGatewayMetrics(options.metrics, bytesInFlight);
  const authentication = createDeviceAuthentication({
    directory,
    hostNames: options.hostNames,
    lookupsInFlight: limits.lookupsInFlight,
    lookedUpWithinMilliseconds: limits.lookedUpWithinMilliseconds,
    rememberedTokens: limits.rememberedTokens,
  });
  const reception = createReception({
    logger,
    metrics,
    decoders: createDecoderRegistry(PAYLOAD_DECODERS),
    packer,
    link,
    activity,
    devices: createTokenBuckets(limits.device),
    tenants: createTokenBuckets(limits.tenant),
    limits,
  });
  const endpoint = createTelemetryEndpoint({
    logger,
    metrics,
    authentication,
    reception,
    bytesInFlight,
    limits,
  });
  const mqtt =
    options.mqtt &&
    createMqttListener({
      logger,
      registry: options.metrics,
      gatewayMetrics: metrics,
      authentication,
      reception,
      twins: createTwinService({
        logger,
        registry: options.metrics,
        directory,
        twins: options.twins,
        limits,
      }),
      limits,
      bytesInFlight,
      host: options.host,
      ports: options.mqtt,
    });

  let active = 0;
  let stopping = false;
  let idle: (() => void) | undefined;

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    active++;
    if (stopping) response.setHeader('connection', 'close');
    await endpoint.handle(request, response);
    active--;
    if (active === 0) idle?.();
  };

  // node:http itself, without a framework: one route, and a framework's share of a request's CPU can be measured.
  const server: Server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => void onRequest(request, response),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
    const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? NOT_HTTP;
    socket.end(bareAnswer(code, message));
  });

  const listen = (): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', (error) =>
        reject(listenError(error, 'the device gateway', options.host, options.port)),
      );
      server.listen(options.port, options.host, () => resolve((server.address() as AddressInfo).port));
    });

  const finishRequests = async (): Promise<void> => {
    if (active === 0) return;
    const finished = new Promise<void>((resolve) => (idle = resolve));
    // A client that does not finish its request is cut off: nothing of it was taken.
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await finished;
    clearTimeout(cut);
  };

  return {
    async start() {
      const port = await listen();
      let mqttPorts: { port: number; tlsPort?: number } | undefined;
      try {
        mqttPorts = await mqtt?.start();
      } catch (error) {
        server.close();
        throw error;
      }
      link.start();
      activity.start();
      logger.info({ host: options.host, port }, 'the device gateway listens');
      return {
        port,
        ...(mqttPorts && { mqttPort: mqttPorts.port }),
        ...(mqttPorts?.tlsPort !== undefined && { mqttsPort: mqttPorts.tlsPort }),
      };
    },
    async stop() {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.all([finishRequests(), mqtt?.stop()]);
      await packer.drain();
      await activity.stop();
      link.stop();
      server.closeAllConnections();
      await closed;
    },
    readiness() {
      const reasons = [
        ...(stopping ? ['the gateway is stopping'] : []),
        ...link.readiness().reasons,
        ...directory.readiness().reasons,
      ];
      return { ready: reasons.length === 0, reasons };
    },
  };
}

const NOT_HTTP: [ErrorCode, string] = ['BAD_REQUEST', 'this is no HTTP request'];
const CLIENT_ERRORS: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request took too long to arrive'],
};
