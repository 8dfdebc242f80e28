import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { type Client, createClient } from 'graphql-ws';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import WebSocket from 'ws';
import { blobConnectionString } from '../../emulators/blob';
import { createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { type Questions } from '../../src/analytics/questions';
import { type ApiOptions, createApi } from '../../src/api/server';
import { createThrottle } from '../../src/api/throttle';
import { type Role, tenantScope, type TenantScope } from '../../src/auth/scope';
import { createTokenVerifier } from '../../src/auth/token';
import { type CorrectedMinutes } from '../../src/domain/corrected-minutes';
import { personId } from '../../src/domain/id';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { type PlaceState } from '../../src/domain/state';
import { type BuildingAverage } from '../../src/domain/window';
import { createLive } from '../../src/live/live';
import { createLogger } from '../../src/observability/logger';
import { createMetrics, type Registry as Metrics } from '../../src/observability/metrics';
import { createAlertFeed } from '../../src/store/alerts/feed';
import { createCredentials } from '../../src/store/api-keys/credentials';
import { createAlerting } from '../../src/store/alerts/alerting';
import { createAveragesReader } from '../../src/store/averages-reader';
import { createColdAccess } from '../../src/store/cold-access/cold-access';
import { createFolderSigner } from '../../src/store/cold-access/folder-signer';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';
import { type SpacesOfBuilding } from '../../src/store/documents';
import { createDeviceStatuses } from '../../src/store/device-statuses';
import { createExports } from '../../src/store/exports/exports';
import { type PartFiles } from '../../src/store/exports/part-files';
import { createJobs } from '../../src/store/jobs/jobs';
import { createKeyring, type Keyring } from '../../src/store/keyring';
import { type Manifests } from '../../src/store/manifests';
import { createMemberships, type Memberships } from '../../src/store/memberships';
import { createRecentReader } from '../../src/store/recent-reader';
import { createWebhooks } from '../../src/store/webhooks/webhooks';
import { createRegistry, type Registry } from '../../src/store/registry';
import { createRememberedReads } from '../../src/store/remembered-reads';
import {
  AVERAGES_SCHEMA,
  encodeAverages,
  encodeSpaceAverages,
  furtherProperties,
  SPACE_AVERAGES_SCHEMA,
} from '../../src/stream/averages';
import { encodeStates, STATES_SCHEMA } from '../../src/stream/states';
import { CORRECTIONS_SCHEMA, encodeCorrections } from '../../src/stream/corrections';
import { ALERTS_SCHEMA, decodeAlertEvent } from '../../src/stream/alerts';
import { createStreamProducer } from '../../src/stream/producer';
import { type TypedDocumentString } from '../../simulator/generated/graphql';
import { eventually } from '../support/eventually';

export const AUDIENCE = 'https://api.atrium.example/';
export const NORTH = 'ten_north';
export const SOUTH = 'ten_south';
export const logger = createLogger({ name: 'test', level: 'silent' });

/** Most tests ask nothing of the cold store; those that do bring one. */
const asksNothing = (): never => {
  throw new Error('this API has no cold store: give startApi the questions of one');
};
const NO_QUESTIONS: Questions = {
  readings: asksNothing,
  history: asksNothing,
  excursions: asksNothing,
};

/** Where no blobs are: signing asks for none. */
const NOWHERE = BlobServiceClient.fromConnectionString(
  blobConnectionString('http://127.0.0.1:1/devstoreaccount1'),
);

/** Somebody of a tenant, with an access token. */
export interface Person {
  subject: string;
  token: string;
  scope: TenantScope;
}

export interface Answer<Result> {
  status: number;
  headers: Headers;
  data: Result | null;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

export interface TestApi {
  url: string;
  webSocketUrl: string;
  registry: Registry;
  cosmos: Cosmos;
  keyring: Keyring;
  namespace: { connectionString: string };
  /** Of the tokens that `person` and `token` hand out. */
  issuer: string;
  metrics: Metrics;
  /** The store calls that the API made since the last asking, as `method container`. */
  storeCalls(): string[];
  /** With `spaces`: the role in those alone. */
  person(subject: string, tenantId: string, role: Role, spaces?: SpacesOfBuilding[]): Promise<Person>;
  /** A token of the test's issuer; by default for an hour. */
  token(subject: string, claims?: { seconds?: number; audience?: string; email?: string }): Promise<string>;
  ask<Result, Variables>(
    who: { token: string } | null,
    document: TypedDocumentString<Result, Variables> | string,
    variables?: Variables,
  ): Promise<Answer<Result>>;
  /** Publishes values of the rolling average, as the aggregate worker does. */
  publish(...values: BuildingAverage[]): Promise<void>;
  publishStates(...values: PlaceState[]): Promise<void>;
  /** Publishes that minutes of the record were corrected, as the aggregate worker does. */
  publishCorrections(...corrections: CorrectedMinutes[]): Promise<void>;
  /** A client of this replica, or of the one at `url`. */
  subscriber(who: { token: string } | null, url?: string): Client;
  /** Another replica of the same platform; stopped with this one. */
  replica(): Promise<{ webSocketUrl: string }>;
  /** As an outage of Cosmos: nothing is answered any more. */
  cutStore(): Promise<void>;
  stop(): Promise<void>;
}

export type TestApiOptions = Partial<ApiOptions> & {
  issuers?: string[];
  /** Where parts of exports are; nowhere, where left out. */
  exportFiles?: Pick<PartFiles, 'open'>;
  exportKeepMs?: number;
  /** The registry as the API is given it. */
  wrapRegistry?: (registry: Registry) => Registry;
  /** A Cosmos account that runs elsewhere; a stand-in in this process, where left out. */
  account?: { endpoint: string; key: string };
  /** Where the cold store is that access is given to, and its manifests; nowhere, where left out. */
  blobs?: { service: BlobServiceClient; container: string };
  manifests?: Pick<Manifests, 'read'>;
};

/** The API over the stand-ins of Cosmos and Event Hubs, with an issuer of its own; all on free ports. */
export async function startApi(options: TestApiOptions = {}): Promise<TestApi> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-api-'));
  const eventHubs = createEventHubsEmulator({
    dataDir,
    fsync: false,
    logger,
    hubs: { averages: { partitions: 2, consumerGroups: ['live-0'] } },
  });
  const cosmosEmulator = createCosmosEmulator({ logger, sync: false });
  const [{ connectionString }, account, issuer] = await Promise.all([
    eventHubs.start(),
    options.account ?? cosmosEmulator.start(),
    startIssuer(),
  ]);
  const namespace = { connectionString };
  const store = createCosmos(account, 'atrium');
  await store.ensureContainers();
  const calls: string[] = [];
  const recorder = recording(store, calls);
  const remembered = createRememberedReads({
    // It follows by itself: no call of that belongs to a request.
    cosmos: { ...recorder, changes: store.changes, feedRanges: store.feedRanges },
    container: 'registry',
    logger,
  });
  const recorded = remembered.noting(recorder);
  // What the test itself writes is written as by the replica, which reads it from then on.
  const cosmos = remembered.noting(store);
  const keyring = createKeyring(Buffer.alloc(32, 7));
  const registry = createRegistry({ cosmos, keyring });
  const metrics = createMetrics({ process: 'api' });
  const producer = createStreamProducer({ namespace, hub: 'averages' });
  await Promise.all([producer.start(), remembered.start()]);
  const verifier = createTokenVerifier({
    issuers: [{ issuer: issuer.url }, ...(options.issuers ?? []).map((url) => ({ issuer: url }))],
    audience: AUDIENCE,
    clockToleranceSeconds: 0,
  });
  const started: { stop(): Promise<void> }[] = [];
  const startReplica = async (own: Metrics): Promise<number> => {
    const alertFeed = createAlertFeed({ cosmos, logger });
    const live = createLive({
      logger,
      metrics: own,
      namespace,
      hub: 'averages',
      group: 'live-0',
      others: {
        [ALERTS_SCHEMA]: ({ body, properties }) => alertFeed.take(decodeAlertEvent(body, properties)),
      },
    });
    const memberships = createMemberships({ cosmos, logger });
    const credentials = createCredentials({
      tokens: verifier,
      // When keys are used is written by a beat of its own: that belongs to no request.
      cosmos: { read: recorded.read, bulkUpsert: cosmos.bulkUpsert },
      memberships,
      logger,
      usesEveryMs: 200,
    });
    const made = createRegistry({ cosmos: recorded, keyring, reads: remembered.reads });
    const ofReplica = options.wrapRegistry?.(made) ?? made;
    // It looks by itself, now and then: no call of it belongs to a request.
    const deviceStatuses = createDeviceStatuses({
      cosmos,
      registry: createRegistry({ cosmos: recorded, keyring }),
      logger,
    });
    const followers = [live, memberships, deviceStatuses, alertFeed];
    await Promise.all(followers.map((each) => each.start()));
    credentials.start();
    started.push(credentials, ...followers);
    const jobs = createJobs({ cosmos: recorded, keyring });
    const api = createApi({
      logger,
      metrics: own,
      host: '127.0.0.1',
      port: 0,
      registry: ofReplica,
      jobs,
      exports: createExports({
        cosmos: recorded,
        jobs,
        files: options.exportFiles ?? { open: asksNothing },
        keepMs: options.exportKeepMs ?? 86_400_000,
      }),
      coldAccess: createColdAccess({
        cosmos: recorded,
        signer: createFolderSigner({
          service: options.blobs?.service ?? NOWHERE,
          container: options.blobs?.container ?? 'nowhere',
        }),
        manifests: options.manifests ?? { read: async () => null },
      }),
      memberships,
      averages: createAveragesReader({ cosmos: recorded }),
      recent: createRecentReader({ cosmos: recorded }),
      deviceStatuses,
      questions: NO_QUESTIONS,
      alerting: createAlerting({ cosmos: recorded, keepSeconds: 86_400 }),
      alertFeed,
      webhooks: createWebhooks({ cosmos: recorded, keyring, allowPrivate: false }),
      live,
      tokens: credentials,
      cursorKey: Buffer.alloc(32, 3),
      gatewayHostName: 'gateway.example:8443',
      throttle: createThrottle({
        client: { capacity: 50_000, restorePerSecond: 5_000 },
        tenant: { capacity: 200_000, restorePerSecond: 20_000 },
      }),
      ...options,
    });
    // What serves is stopped before what it is served by.
    started.unshift(api);
    const { port } = await api.start();
    await eventually(() => {
      const { ready, reasons } = api.readiness();
      if (!ready) throw new Error(reasons.join(', '));
    });
    return port;
  };
  // One that runs elsewhere is stopped by whoever started it.
  let cut = options.account !== undefined;
  const clients: Client[] = [];
  const stop = async (): Promise<void> => {
    for (const client of clients) await client.dispose();
    for (const each of started.splice(0)) await each.stop();
    await Promise.all([producer.stop(), remembered.stop(), issuer.stop()]);
    cosmos.stop();
    await Promise.all([cut ? undefined : cosmosEmulator.stop(), eventHubs.stop()]);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const port = await startReplica(metrics).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const webSocketUrl = `ws://127.0.0.1:${port}/graphql`;

  return {
    url,
    webSocketUrl,
    registry,
    cosmos,
    keyring,
    namespace,
    issuer: issuer.url,
    metrics,
    storeCalls: () => calls.splice(0),
    token: issuer.token,
    async person(subject, tenantId, role, spaces) {
      await registry.seedTenants({
        tenants: [{ id: tenantId, name: `Tenant ${tenantId}` }],
        members: [{ issuer: issuer.url, subject, tenantId, role, ...(spaces && { spaces }) }],
      });
      const id = personId(issuer.url, subject);
      const principal = { kind: 'person' as const, id, email: null, expiresAt: Date.now() + 3_600_000 };
      return {
        subject,
        token: await issuer.token(subject, { email: `${subject}@example.org` }),
        scope: tenantScope(principal, await registry.memberships(id)),
      };
    },
    async ask(who, document, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...(who === null ? {} : { authorization: `Bearer ${who.token}` }),
        },
        body: JSON.stringify({ query: String(document), variables }),
      });
      const body = (await response.json()) as Pick<Answer<never>, 'data' | 'errors'>;
      return { status: response.status, headers: response.headers, ...body };
    },
    async publish(...values) {
      for (const { position, windowEnd, asOf, ...value } of values) {
        const batch = { ...position, windowEnd, asOf, values: [value] };
        if (value.spaceId == null) {
          await producer.send(0, AVERAGES_SCHEMA, [encodeAverages(batch)], [furtherProperties(batch)]);
        } else await producer.send(0, SPACE_AVERAGES_SCHEMA, [encodeSpaceAverages(batch)]);
      }
    },
    async publishStates(...values) {
      for (const { position, windowEnd, asOf, ...value } of values) {
        await producer.send(0, STATES_SCHEMA, [
          encodeStates({ ...position, windowEnd, asOf, values: [value] }),
        ]);
      }
    },
    publishCorrections: (...corrections) =>
      producer.send(0, CORRECTIONS_SCHEMA, [encodeCorrections(corrections)]),
    subscriber(who, at = webSocketUrl) {
      const client = createClient({
        url: at,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazyCloseTimeout: 0,
        ...(who === null ? {} : { connectionParams: { Authorization: `Bearer ${who.token}` } }),
      });
      clients.push(client);
      return client;
    },
    async replica() {
      const at = await startReplica(createMetrics({ process: 'api' }));
      return { webSocketUrl: `ws://127.0.0.1:${at}/graphql` };
    },
    async cutStore() {
      cut = true;
      await cosmosEmulator.stop();
    },
    stop,
  };
}

/** Somebody of no tenant, or a fault in place of an answer. */
export function membershipsOf(of: Memberships['of']): Memberships {
  const watch = () => () => undefined;
  return {
    of,
    lately: of,
    standing: async () => false,
    watch,
    behindMs: () => 0,
    start: async () => undefined,
    stop: async () => undefined,
  };
}

/** A store that tells what was asked of it. */
function recording(cosmos: Cosmos, calls: string[]): Cosmos {
  return new Proxy(cosmos, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        const partition = String(parameters[1]);
        // Who somebody is was asked a moment ago or is asked now: that tells of them, not of what they ask for.
        if (!partition.startsWith('person:') || partition.startsWith('person:key_'))
          calls.push(`${String(name)} ${String(parameters[0])}`);
        return (value as (...given: unknown[]) => unknown).apply(target, parameters);
      };
    },
  });
}

async function startIssuer() {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(pair.publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const discovery = { issuer: url, jwks_uri: `${url}/jwks` };
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [key] } : discovery));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async token(subject: string, claims: { seconds?: number; audience?: string; email?: string } = {}) {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ email: claims.email })
        .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
        .setSubject(subject)
        .setIssuer(url)
        .setAudience(claims.audience ?? AUDIENCE)
        .setExpirationTime(now + (claims.seconds ?? 3_600))
        .sign(pair.privateKey);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

let keys = 0;
export function freshKey(): string {
  return `key ${process.pid} ${++keys}`;
}

/** A building with two rooms and a device in the first, made as its owner. */
export async function buildBuilding(
  { registry }: Pick<TestApi, 'registry'>,
  owner: Person,
  tenantId: string,
  { name = 'Building 25', devices = 1 }: { name?: string; devices?: number } = {},
) {
  const made = await registry.createBuilding(
    owner.scope,
    {
      tenantId,
      name,
      timeZone: 'Europe/Berlin',
      spaces: [
        { name: 'Level 1', kind: 'LEVEL', parent: null },
        { name: 'Room 101', kind: 'ROOM', parent: 0 },
      ],
    },
    freshKey(),
  );
  if (!made.ok) throw new Error(made.refusal.message);
  const { building, spaces } = made.value;
  const spaceId = spaces[1]!.id;
  if (devices === 0) return { building, spaces, spaceId, devices: [], deviceId: '' };
  const provisioned = await registry.provisionDevices(
    owner.scope,
    {
      buildingId: building.id,
      devices: Array.from({ length: devices }, (_, index) => ({
        name: `Sensor ${String(index).padStart(3, '0')}`,
        model: 'room-sensor',
        spaceId,
        serialNumber: null,
      })),
    },
    freshKey(),
  );
  if (!provisioned.ok) throw new Error(provisioned.refusal.message);
  return {
    building,
    spaces,
    spaceId,
    devices: provisioned.value.map(({ device }) => device),
    deviceId: provisioned.value[0]?.device.id ?? '',
  };
}

/** A value of the rolling average whose window ends now. */
export function average(
  building: { id: string; tenantId: string },
  values: Partial<BuildingAverage> & { quantityName?: QuantityName } = {},
): BuildingAverage {
  const { quantityName = 'AIR_TEMPERATURE', ...rest } = values;
  const now = Date.now();
  return {
    tenantId: building.tenantId,
    buildingId: building.id,
    quantity: quantityNamed(quantityName).code,
    windowEnd: Math.floor(now / 1000),
    asOf: now,
    mean: 21.5,
    minimum: 20,
    maximum: 23,
    deviceMean: 21.25,
    readings: 10,
    devicesReporting: 1,
    devicesExpected: 1,
    lastReadingAt: now - 1000,
    position: { incarnation: 'test-2', partition: 0, sequence: 1 },
    ...rest,
  };
}

/** What the points of a state quantity say now. */
export function placeState(
  building: { id: string; tenantId: string },
  values: Partial<PlaceState> & { quantityName?: QuantityName } = {},
): PlaceState {
  const { quantityName = 'SMOKE', ...rest } = values;
  const now = Date.now();
  return {
    tenantId: building.tenantId,
    buildingId: building.id,
    spaceId: null,
    quantity: quantityNamed(quantityName).code,
    windowEnd: Math.floor(now / 1000),
    asOf: now,
    active: 1,
    clear: 2,
    activeMs: 30_000,
    knownMs: 900_000,
    changedAt: now - 30_000,
    lastReadingAt: now - 1000,
    position: { incarnation: 'test-2', partition: 0, sequence: 1 },
    ...rest,
  };
}
