import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { WEB_CLIENT } from '../../../emulators/identity';
import { type localSettings, handedToApi, inheritedVariables } from '../../config/environment';
import { type DataFolder } from './data-folder';
import { type ProcessPlan } from './supervisor';

export type LocalSettings = ReturnType<typeof localSettings>;
export type LocalPorts = Record<
  | 'api'
  | 'identity'
  | 'gateway'
  | 'gatewayHttps'
  | 'mqtt'
  | 'mqtts'
  | 'amqps'
  | 'eventHubs'
  | 'cosmos'
  | 'blob'
  | 'gatewayHealth'
  | 'ingestHealth'
  | 'aggregateHealth'
  | 'eventHubsHealth'
  | 'cosmosHealth'
  | 'jobsHealth',
  number
>;

/** Where everything of this laptop's Atrium is reached: what `endpoints.json` holds, but for the process ids. */
export interface Endpoints {
  api: string;
  subscriptions: string;
  identity: string;
  gateway: string;
  /** Null where no certificate was given. */
  gatewayHttps: string | null;
  mqtt: string;
  /** Null where no certificate was given. */
  mqtts: string | null;
  /** Null where no certificate was given. */
  amqps: string | null;
  eventHubs: string;
  cosmos: string;
  blob: string;
  metrics: Record<string, string>;
}

/**
 * A message lives for the linger and one round trip. With room for them the young generation is collected when most are
 * done; with V8's default of 16 MB those in flight are copied again and again. More room is memory: 64 MB made 4,000 TLS
 * connections 16 KB larger each.
 */
const GATEWAY_NODE_OPTIONS = '--max-semi-space-size=32';

/**
 * What the cold worker reads is in its columns at once, or garbage. V8's default lets the young generation grow to 128 MB
 * under load, which saves it nothing: with this it is 32 MB, at the same CPU a reading.
 */
export const INGEST_NODE_OPTIONS = '--max-semi-space-size=16';

/** As the cold worker's: what a request makes is garbage when it is answered, and a flood of them would make it much. */
const API_NODE_OPTIONS = '--max-semi-space-size=16';

export const PARTITIONS = 8;
export const LIVE_GROUPS = ['live-0', 'live-1', 'live-2', 'live-3'];
export const HUBS = { telemetry: ['ingest', 'aggregate', 'dead-letters'], averages: LIVE_GROUPS };
// Azurite's own well-known development account, which every Azure tool knows; it opens nothing but a local Azurite.
const AZURITE_ACCOUNT = 'devstoreaccount1';
const AZURITE_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export function endpointsOf(settings: LocalSettings, ports: LocalPorts, folder: DataFolder): Endpoints {
  const host = settings.HOST;
  const http = (port: number): string => `http://${host}:${port}`;
  return {
    api: `${http(ports.api)}/graphql`,
    subscriptions: `ws://${host}:${ports.api}/graphql`,
    identity: http(ports.identity),
    gateway: http(ports.gateway),
    gatewayHttps: settings.TLS_CERT_FILE === undefined ? null : `https://${host}:${ports.gatewayHttps}`,
    mqtt: `mqtt://${host}:${ports.mqtt}`,
    mqtts: settings.TLS_CERT_FILE === undefined ? null : `mqtts://${host}:${ports.mqtts}`,
    amqps: settings.TLS_CERT_FILE === undefined ? null : `amqps://${host}:${ports.amqps}`,
    eventHubs: `Endpoint=sb://${host}:${ports.eventHubs};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${folder.secrets.eventHubsKey};UseDevelopmentEmulator=true`,
    cosmos: `AccountEndpoint=${http(ports.cosmos)};AccountKey=${folder.secrets.cosmosKey}`,
    blob: `DefaultEndpointsProtocol=http;AccountName=${AZURITE_ACCOUNT};AccountKey=${AZURITE_KEY};BlobEndpoint=${http(ports.blob)}/${AZURITE_ACCOUNT};`,
    metrics: {
      api: `${http(ports.api)}/metrics`,
      gateway: `${http(ports.gatewayHealth)}/metrics`,
      ingest: `${http(ports.ingestHealth)}/metrics`,
      aggregate: `${http(ports.aggregateHealth)}/metrics`,
      'event-hubs': `${http(ports.eventHubsHealth)}/metrics`,
      cosmos: `${http(ports.cosmosHealth)}/metrics`,
      jobs: `${http(ports.jobsHealth)}/metrics`,
    },
  };
}

/** The local Azure services, which start first; none needs another. */
export function servicePlans(
  dist: string,
  settings: LocalSettings,
  ports: LocalPorts,
  folder: DataFolder,
): ProcessPlan[] {
  const data = (name: string): string => join(folder.path, name);
  const config = data('event-hubs.json');
  writeFileSync(config, `${JSON.stringify(eventHubsConfig(), null, 2)}\n`);
  const env = inheritedVariables();
  const emulator = (
    name: string,
    args: string[],
    readyPort: number,
    readyPath: string,
    more = {},
  ): ProcessPlan => ({
    name,
    script: join(dist, 'emulators', 'main.js'),
    args: [name, '--host', settings.HOST, ...args],
    env: { ...env, ...more },
    readyUrl: `http://${settings.HOST}:${readyPort}${readyPath}`,
  });
  return [
    emulator(
      'event-hubs',
      [
        ...['--port', String(ports.eventHubs), '--health-port', String(ports.eventHubsHealth)],
        ...['--data', data('event-hubs'), '--config', config],
      ],
      ports.eventHubsHealth,
      '/readyz',
      { EVENT_HUBS_KEY: folder.secrets.eventHubsKey },
    ),
    emulator(
      'cosmos',
      [
        ...['--port', String(ports.cosmos), '--health-port', String(ports.cosmosHealth)],
        ...['--data', data('cosmos')],
      ],
      ports.cosmosHealth,
      '/readyz',
      { COSMOS_KEY: folder.secrets.cosmosKey },
    ),
    {
      ...emulator('blob', ['--port', String(ports.blob), '--data', data('blob')], ports.blob, '/'),
      readyByAnswer: true,
    },
    emulator(
      'identity',
      ['--port', String(ports.identity), '--data', data('identity')],
      ports.identity,
      '/.well-known/openid-configuration',
    ),
  ];
}

/** Atrium's own processes, which need the services. */
export function atriumPlans(
  dist: string,
  settings: LocalSettings,
  ports: LocalPorts,
  folder: DataFolder,
  endpoints: Endpoints,
): ProcessPlan[] {
  const base = {
    ...inheritedVariables(),
    // What is started again after a crash loads in half the time.
    NODE_COMPILE_CACHE: join(folder.path, 'compile-cache'),
    HOST: settings.HOST,
    LOG_LEVEL: settings.LOG_LEVEL,
    EVENT_HUBS_CONNECTION_STRING: endpoints.eventHubs,
  };
  const blobs = { BLOB_CONNECTION_STRING: endpoints.blob };
  const documents = {
    COSMOS_ENDPOINT: `http://${settings.HOST}:${ports.cosmos}`,
    COSMOS_KEY: folder.secrets.cosmosKey,
  };
  const deviceKeys = { DEVICE_KEY_ENCRYPTION_KEY: folder.secrets.deviceKeyEncryptionKey };
  const plan = (name: string, env: Record<string, string>, healthPort: number): ProcessPlan => ({
    name,
    script: join(dist, 'src', 'main', `${name}.js`),
    env: { ...base, ...env },
    readyUrl: `http://${settings.HOST}:${healthPort}/readyz`,
  });
  return [
    plan(
      'gateway',
      {
        ...documents,
        ...deviceKeys,
        GATEWAY_PORT: String(ports.gateway),
        GATEWAY_HTTPS_PORT: String(ports.gatewayHttps),
        MQTT_PORT: String(ports.mqtt),
        MQTTS_PORT: String(ports.mqtts),
        AMQPS_PORT: String(ports.amqps),
        TLS_CERT_FILE: settings.TLS_CERT_FILE ?? '',
        TLS_KEY_FILE: settings.TLS_KEY_FILE ?? '',
        GATEWAY_HEALTH_PORT: String(ports.gatewayHealth),
        GATEWAY_HOST_NAMES: `${settings.HOST},127.0.0.1,localhost`,
        NODE_OPTIONS: nodeOptions(GATEWAY_NODE_OPTIONS),
      },
      ports.gatewayHealth,
    ),
    plan(
      'ingest',
      {
        ...blobs,
        INGEST_HEALTH_PORT: String(ports.ingestHealth),
        INGEST_FLUSH_SECONDS: String(settings.INGEST_FLUSH_SECONDS),
        NODE_OPTIONS: nodeOptions(INGEST_NODE_OPTIONS),
      },
      ports.ingestHealth,
    ),
    plan(
      'aggregate',
      { ...blobs, ...documents, AGGREGATE_HEALTH_PORT: String(ports.aggregateHealth) },
      ports.aggregateHealth,
    ),
    plan(
      'jobs',
      {
        ...blobs,
        ...documents,
        ...deviceKeys,
        JOBS_HEALTH_PORT: String(ports.jobsHealth),
        CURATE_SECONDS: String(settings.CURATE_SECONDS),
        RECONCILE_SECONDS: String(settings.RECONCILE_SECONDS),
      },
      ports.jobsHealth,
    ),
    plan(
      'api',
      {
        ...documents,
        ...blobs,
        ...deviceKeys,
        ...handedToApi(),
        API_PORT: String(ports.api),
        TOKEN_ISSUERS: endpoints.identity,
        GRAPHIQL_CLIENT_ID: WEB_CLIENT,
        CURSOR_KEY: folder.secrets.cursorKey,
        GATEWAY_PUBLIC_HOST: `${settings.HOST}:${ports.gateway}`,
        COLD_CACHE_DIR: join(folder.path, 'cold-cache'),
        NODE_OPTIONS: nodeOptions(API_NODE_OPTIONS),
      },
      ports.api,
    ),
  ];
}

/** Beside those that this process was started with. */
function nodeOptions(more: string): string {
  return `${inheritedVariables().NODE_OPTIONS ?? ''} ${more}`.trim();
}

/** The hubs of the house, in the shape of the official emulator's configuration file. */
function eventHubsConfig(): object {
  return {
    UserConfig: {
      NamespaceConfig: [
        {
          Type: 'EventHub',
          Name: 'emulatorNs1',
          Entities: Object.entries(HUBS).map(([name, groups]) => ({
            Name: name,
            PartitionCount: String(PARTITIONS),
            ConsumerGroups: groups.map((group) => ({ Name: group })),
          })),
        },
      ],
      LoggingConfig: { Type: 'File' },
    },
  };
}
