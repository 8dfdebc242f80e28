import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type DeviceDirectory } from '../store/device-directory';
import { type Twins } from '../store/twins';
import { type StreamProducer } from '../stream/producer';
import { type AcceptedCounts, NO_COUNTS } from './accepted-counts';
import { type DeviceActivity, NO_ACTIVITY } from './activity';
import { type AmqpPorts, createAmqpListener } from './amqp/listener';
import { createDeviceAuthentication } from './authentication';
import { createChildren } from './children';
import { createDecoderRegistry, PAYLOAD_DECODERS, type PayloadDecoder } from './decoders';
import { type Handshakes } from './handshakes';
import { createHttpListener, type HttpPorts } from './http-listener';
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
  start(): Promise<{
    port: number;
    httpsPort?: number;
    mqttPort?: number;
    mqttsPort?: number;
    amqpsPort?: number;
  }>;
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
  /** Left out, HTTPS is not spoken. */
  https?: HttpPorts['tls'];
  /** Left out, MQTT is not spoken. */
  mqtt?: MqttPorts;
  /** AMQP over TLS. Left out, AMQP is not spoken. */
  amqps?: AmqpPorts;
  /** Host names that the audience of a SAS token may name, with or without a port. */
  hostNames: readonly string[];
  /** Started and stopped by its owner. */
  directory: DeviceDirectory;
  twins: Twins;
  /** Started by the gateway, as often as it takes; stopped by its owner after the gateway. */
  producer: StreamProducer;
  /** Started and stopped by the gateway. Left out, nobody hears when a device was last seen. */
  activity?: DeviceActivity;
  /** Started and stopped by the gateway. Left out, nobody hears how many readings were accepted. */
  counts?: AcceptedCounts;
  limits?: Partial<GatewayLimits>;
  /** Default: every one that is registered. */
  decoders?: readonly PayloadDecoder[];
}

/** The cloud gateway: authenticates devices, decodes what they send, and packs it into the telemetry stream. */
export function createGateway(options: GatewayOptions): Gateway {
  const { logger, directory, producer, activity = NO_ACTIVITY, counts = NO_COUNTS } = options;
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
    endpoint.bytesHeld() + (mqtt?.bytesHeld() ?? 0) + (amqp?.bytesHeld() ?? 0) + packer.bytesInFlight();
  const metrics = createGatewayMetrics(options.metrics, {
    bytesInFlight,
    handshakesWaiting: () => sumOf((each) => each.waiting()),
    handshakesUnderWay: () => sumOf((each) => each.underWay()),
    lookupsInFlight: () => authentication.lookupsInFlight(),
    directoryBehindMs: () => directory.behindMs(),
  });
  const sumOf = (count: (handshakes: Handshakes) => number): number =>
    [mqtt, amqp, http].reduce((sum, each) => sum + (each?.handshakes ? count(each.handshakes) : 0), 0);
  const authentication = createDeviceAuthentication({
    directory,
    metrics,
    hostNames: options.hostNames,
    limits,
  });
  const reception = createReception({
    logger,
    metrics,
    decoders: createDecoderRegistry(options.decoders ?? PAYLOAD_DECODERS, limits.decodedWithinMilliseconds),
    packer,
    link,
    activity,
    counts,
    children: createChildren({ directory, limits }),
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
  /** What the transports share by which devices stay connected. */
  const connected = (options.mqtt ?? options.amqps) && {
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
  };
  const mqtt = options.mqtt && createMqttListener({ ...connected!, ports: options.mqtt });
  const amqp = options.amqps && createAmqpListener({ ...connected!, ports: options.amqps });

  const http = createHttpListener({
    host: options.host,
    ports: { port: options.port, ...(options.https && { tls: options.https }) },
    limits,
    metrics,
    handle: endpoint.handle,
  });
  let stopping = false;

  return {
    async start() {
      const { port, tlsPort: httpsPort } = await http.start();
      let mqttPorts: { port: number; tlsPort?: number } | undefined;
      let amqpPort: { port: number } | undefined;
      try {
        mqttPorts = await mqtt?.start();
        amqpPort = await amqp?.start();
      } catch (error) {
        await Promise.all([http.finish(), mqtt?.stop()]);
        await http.close();
        throw error;
      }
      link.start();
      activity.start();
      counts.start();
      logger.info({ host: options.host, port, httpsPort }, 'the device gateway listens');
      return {
        port,
        ...(httpsPort !== undefined && { httpsPort }),
        ...(mqttPorts && { mqttPort: mqttPorts.port }),
        ...(mqttPorts?.tlsPort !== undefined && { mqttsPort: mqttPorts.tlsPort }),
        ...(amqpPort && { amqpsPort: amqpPort.port }),
      };
    },
    async stop() {
      stopping = true;
      await Promise.all([http.finish(), mqtt?.stop(), amqp?.stop()]);
      await packer.drain();
      await Promise.all([activity.stop(), counts.stop()]);
      link.stop();
      await http.close();
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
