import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { directoryScope } from '../auth/directory-scope';
import { gatewaySettings } from '../config/environment';
import { createAcceptedCounts } from '../gateway/accepted-counts';
import { createDeviceActivity } from '../gateway/activity';
import { createGateway } from '../gateway/gateway';
import { type ServerCertificate } from '../gateway/tls';
import { createHealthServer } from '../observability/health';
import { createMetrics } from '../observability/metrics';
import { OperatorError } from '../observability/operator-error';
import { createCosmos } from '../store/cosmos';
import { createDeviceActivation } from '../store/device-activation';
import { createActivityWriter } from '../store/device-activity-writer';
import { createDeviceDirectory } from '../store/device-directory';
import { createErasedTenants } from '../store/erasure/erased-tenants';
import { createGatewayHeartbeat } from '../store/gateway-heartbeats';
import { createAcceptedWriter } from '../store/ingestion/accepted-writer';
import { createKeyring } from '../store/keyring';
import { createTwins } from '../store/twins';
import { createStreamProducer } from '../stream/producer';
import { cosmosAccountOf, namespaceOf } from './connections';
import { run, stopInOrder } from './run';

/** The cloud gateway: devices in, frames out. */
run('gateway', gatewaySettings, async (settings, logger) => {
  const metrics = createMetrics({ process: 'gateway' });
  const certificate = certificateOf(settings);
  const cosmos = createCosmos(cosmosAccountOf(settings), settings.COSMOS_DATABASE);
  const directory = createDeviceDirectory({
    cosmos,
    keyring: createKeyring(settings.DEVICE_KEY_ENCRYPTION_KEY),
    scope: directoryScope('device-authentication'),
    logger,
  });
  const erased = createErasedTenants({ cosmos, logger });
  const producer = createStreamProducer({ namespace: namespaceOf(settings), hub: settings.TELEMETRY_HUB });
  const gateway = createGateway({
    logger,
    metrics,
    host: settings.HOST,
    port: settings.GATEWAY_PORT,
    ...(certificate && { https: { port: settings.GATEWAY_HTTPS_PORT, ...certificate } }),
    mqtt: {
      port: settings.MQTT_PORT,
      ...(certificate && { tls: { port: settings.MQTTS_PORT, ...certificate } }),
    },
    ...(certificate && { amqps: { port: settings.AMQPS_PORT, ...certificate } }),
    hostNames: settings.GATEWAY_HOST_NAMES,
    directory,
    twins: createTwins({ cosmos }),
    producer,
    activity: createDeviceActivity({
      logger,
      metrics,
      writer: createActivityWriter({ cosmos }),
      activation: createDeviceActivation({ cosmos }),
      intervalMilliseconds: settings.LAST_SEEN_SECONDS * 1000,
    }),
    counts: createAcceptedCounts({
      logger,
      writer: createAcceptedWriter({ cosmos, isErased: erased.has }),
      partitionCount: () => producer.partitionCount,
    }),
  });
  const heartbeat = createGatewayHeartbeat({
    cosmos,
    logger,
    id: `gateway-${hostname()}-${settings.GATEWAY_HEALTH_PORT}`,
    connected: () => gateway.readiness().ready,
  });
  const health = createHealthServer({
    what: 'gateway',
    host: settings.HOST,
    port: settings.GATEWAY_HEALTH_PORT,
    metrics,
    readiness: gateway.readiness,
  });
  await health.start();
  await cosmos.ensureContainers();
  await Promise.all([directory.start(), erased.start()]);
  await gateway.start();
  heartbeat.start();
  return {
    stop: () =>
      stopInOrder(
        heartbeat.stop,
        gateway.stop,
        directory.stop,
        erased.stop,
        producer.stop,
        health.stop,
        cosmos.stop,
      ),
  };
});

type Settings = ReturnType<typeof gatewaySettings>;

/** With it HTTPS, MQTTS and AMQPS are spoken. */
function certificateOf({ TLS_CERT_FILE, TLS_KEY_FILE }: Settings): ServerCertificate | undefined {
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return undefined;
  const read = (name: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new OperatorError(`${name} names a file that cannot be read (${why}): ${file}`);
    }
  };
  const cert = read('TLS_CERT_FILE', TLS_CERT_FILE);
  return { cert, key: read('TLS_KEY_FILE', TLS_KEY_FILE) };
}
