import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { importJWK, type JWK, SignJWT } from 'jose';
import WebSocket from 'ws';
import { API_RESOURCE } from '../../emulators/identity';
import { tenantScope } from '../../src/auth/scope';
import { newId, personId } from '../../src/domain/id';
import { partitionOf } from '../../src/domain/partition';
import { createCosmos } from '../../src/store/cosmos';
import { createKeyring } from '../../src/store/keyring';
import { createRegistry } from '../../src/store/registry';
import { createFrameBuilder, FRAME_SCHEMA } from '../../src/stream/frame';
import { createStreamProducer, type StreamProducer } from '../../src/stream/producer';
import { encodeStates, STATES_SCHEMA } from '../../src/stream/states';
import { type Answer, freshKey, type Person } from '../api/api.support';
import { eventually } from '../support/eventually';
import { type Platform } from '../support/platform';
import { type World } from './world';

export interface RunningWorld extends World {
  stop(): Promise<void>;
}

const TOKEN_SECONDS = 3_600;

/**
 * A running platform, with tenants of its own in it. People are signed in by the keys of its identity stand-in and put into
 * the registry; readings go into its stream as the gateway sends them, and its own workers make of them what is asked for.
 */
export async function openWorld(platform: Platform): Promise<RunningWorld> {
  const endpoints = platform.endpoints();
  const json = (...path: string[]): unknown =>
    JSON.parse(readFileSync(join(platform.dataDir, ...path), 'utf8'));
  const secrets = json('secrets.json') as { deviceKeyEncryptionKey: string };
  const { jwks } = json('identity', 'keys.json') as {
    jwks: { keys: (JWK & { alg: string; kid: string })[] };
  };
  const jwk = jwks.keys[0]!;
  const key = await importJWK(jwk, jwk.alg);
  const account = Object.fromEntries(
    endpoints.cosmos
      .split(';')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const cosmos = createCosmos(
    { endpoint: account['AccountEndpoint']!, key: account['AccountKey']! },
    'atrium',
  );
  const keyring = createKeyring(Buffer.from(secrets.deviceKeyEncryptionKey, 'base64'));
  const registry = createRegistry({ cosmos, keyring });
  const namespace = { connectionString: endpoints.eventHubs };
  const telemetry = createStreamProducer({ namespace, hub: 'telemetry' });
  const averages = createStreamProducer({ namespace, hub: 'averages' });
  await Promise.all([telemetry.start(), averages.start()]);
  // As long as each other, and as those of no other run.
  const run = newId('ten').slice(-10).toLowerCase();
  const url = new URL(endpoints.api).origin;
  const of = (subject: string): string => `${run}-${subject}`;
  const clients: { dispose(): void | Promise<void> }[] = [];

  const token: World['token'] = async (subject, claims = {}) =>
    new SignJWT({ email: claims.email })
      .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
      .setSubject(of(subject))
      .setIssuer(endpoints.identity)
      .setAudience(claims.audience ?? API_RESOURCE)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + (claims.seconds ?? TOKEN_SECONDS))
      .sign(key);
  const ask: World['ask'] = async (who, document, variables) => {
    for (;;) {
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
      // One caller asks for more here than a client may: it waits as it is told.
      const seconds = Number(response.headers.get('retry-after'));
      if (response.status !== 429) return { status: response.status, headers: response.headers, ...body };
      await new Promise((resolve) => setTimeout(resolve, 1_000 * Math.max(seconds, 1)));
    }
  };

  /** A part of an export that has ended. */
  const ended = (owner: Person, id: string): Promise<string | undefined> =>
    eventually(async () => {
      const { data } = await ask<{ export: { parts: { name: string }[]; job: { state: string } } }, object>(
        owner,
        'query ($id: ID!) { export(id: $id) { job { state } parts { name } } }',
        { id },
      );
      const { parts, job } = data!.export;
      if (job.state !== 'SUCCEEDED') throw new Error(`the export is ${job.state}`);
      return parts[0]?.name;
    });

  return {
    ...{ url, registry, cosmos, keyring, token, ask },
    north: `ten_${run}_n`,
    south: `ten_${run}_s`,
    async person(subject, tenantId, role, spaces) {
      await registry.seedTenants({
        tenants: [{ id: tenantId, name: `Tenant ${tenantId}` }],
        members: [
          { issuer: endpoints.identity, subject: of(subject), tenantId, role, ...(spaces && { spaces }) },
        ],
      });
      const id = personId(endpoints.identity, of(subject));
      const principal = {
        kind: 'person' as const,
        id,
        email: null,
        expiresAt: Date.now() + TOKEN_SECONDS * 1_000,
      };
      return {
        subject: of(subject),
        token: await token(subject, { email: `${of(subject)}@example.org` }),
        scope: tenantScope(principal, await registry.memberships(id)),
      };
    },
    subscriber(who) {
      const client = createClient({
        url: endpoints.subscriptions,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazyCloseTimeout: 0,
        ...(who === null ? {} : { connectionParams: { Authorization: `Bearer ${who.token}` } }),
      });
      clients.push(client);
      return client;
    },
    async hear(readings) {
      const builder = createFrameBuilder();
      for (const reading of readings) builder.add(reading);
      const partition = partitionOf(readings[0]!.buildingId, telemetry.partitionCount);
      await telemetry.send(partition, FRAME_SCHEMA, [builder.take()]);
    },
    // The worker tells those of the readings.
    publish: async () => undefined,
    async publishStates(...values) {
      for (const value of values) await tellState(averages, value);
    },
    async exported(owner, _tenantId, buildingId) {
      // One that was made before the readings arrived holds none, and is not made anew.
      return eventually(
        async () => {
          const now = Date.now();
          const input = {
            ...{ buildingId, format: 'CSV', idempotencyKey: freshKey() },
            ...{ from: new Date(now - 3_600_000).toISOString(), to: new Date(now).toISOString() },
          };
          const { data, errors } = await ask<{ exportReadings: { export: { id: string } } }, object>(
            owner,
            `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
              ... on ExportReadingsSuccess { export { id } } ... on UserError { message } } }`,
            { input },
          );
          if (errors !== undefined) throw new Error(errors[0]!.message);
          const { id } = data!.exportReadings.export;
          const part = await ended(owner, id);
          if (part === undefined) throw new Error('the export holds no readings yet');
          return { readyExport: id, readyPart: part };
        },
        { within: 120_000, every: 2_000 },
      );
    },
    storeCalls: () => [],
    async stop() {
      for (const client of clients) await client.dispose();
      await Promise.all([telemetry.stop(), averages.stop()]);
      cosmos.stop();
    },
  };
}

async function tellState(
  producer: StreamProducer,
  { position, windowEnd, asOf, ...value }: Parameters<World['publishStates']>[number],
): Promise<void> {
  await producer.send(0, STATES_SCHEMA, [encodeStates({ ...position, windowEnd, asOf, values: [value] })]);
}
