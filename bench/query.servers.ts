import 'reflect-metadata';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import Fastify, { type FastifyPluginCallback } from 'fastify';
import { type GraphQLSchema } from 'graphql';
import { createContext } from '../src/api/request-context';
import { enforceRules } from '../src/api/rules';
import { createScopes } from '../src/api/scopes';
import { createApi } from '../src/api/server';
import { createThrottle } from '../src/api/throttle';
import { createTokenVerifier } from '../src/auth/token';
import { createLive } from '../src/live/live';
import { createMetrics } from '../src/observability/metrics';
import { type Context, type Services } from '../src/resolvers/context';
import { createCursors } from '../src/resolvers/cursor';
import { createSchema } from '../src/resolvers/schema';
import { createAlertFeed } from '../src/store/alerts/feed';
import { createAlerting } from '../src/store/alerts/alerting';
import { createAveragesReader } from '../src/store/averages-reader';
import { createCosmos } from '../src/store/cosmos';
import { createDeviceStatuses } from '../src/store/device-statuses';
import { createExports } from '../src/store/exports/exports';
import { createJobs } from '../src/store/jobs/jobs';
import { createKeyring } from '../src/store/keyring';
import { createMemberships } from '../src/store/memberships';
import { createRecentReader } from '../src/store/recent-reader';
import { createRegistry } from '../src/store/registry';
import { createRememberedReads } from '../src/store/remembered-reads';
import { createWebhooks } from '../src/store/webhooks/webhooks';
import { AUDIENCE, logger } from '../test/api/api.support';
import { type Kind, type Order, type Setup, untyped } from './query.kinds';

interface Serving {
  schema: GraphQLSchema;
  context: () => Promise<Context>;
}
const { createYoga } = untyped<{ createYoga(serving: Serving & { logging: false }): RequestListener }>(
  'graphql-yoga',
);
const mercurius = untyped<FastifyPluginCallback<Serving>>('mercurius');

// What one client may ask in a minute is not measured here: the count is kept and never reached.
const PLENTY = { capacity: 1e9, restorePerSecond: 1e9 };

/** What stands in the store of the others' answers: nothing of it is asked. */
const unused = (): never => {
  throw new Error('the bench does not ask for this');
};

async function start(
  kind: Kind,
  { account, namespace, issuer, remember, principal }: Setup,
): Promise<string> {
  const store = createCosmos(account, 'atrium');
  const remembered = createRememberedReads({ cosmos: store, container: 'registry', logger });
  const cosmos = remembered.noting(store);
  const metrics = createMetrics({ process: 'api' });
  const keyring = createKeyring(Buffer.alloc(32, 7));
  const registry = createRegistry({ cosmos, keyring, ...(remember && { reads: remembered.reads }) });
  const alertFeed = createAlertFeed({ cosmos, logger });
  const live = createLive({ logger, metrics, namespace, hub: 'averages', group: 'live-0' });
  const memberships = createMemberships({ cosmos, logger });
  const deviceStatuses = createDeviceStatuses({ cosmos, registry, logger });
  const jobs = createJobs({ cosmos, keyring });
  const cursorKey = Buffer.alloc(32, 3);
  const shared = {
    registry,
    jobs,
    exports: createExports({ cosmos, jobs, files: { open: unused }, keepMs: 86_400_000 }),
    averages: createAveragesReader({ cosmos }),
    recent: createRecentReader({ cosmos, keepLatestMs: remember ? 1_000 : 0 }),
    deviceStatuses,
    coldAccess: { approve: unused, revoke: unused, approvals: unused, issue: unused },
    questions: { readings: unused, history: unused, excursions: unused },
    alerting: createAlerting({ cosmos, keepSeconds: 86_400 }),
    alertFeed,
    webhooks: createWebhooks({ cosmos, keyring, allowPrivate: false }),
    live,
    gatewayHostName: 'gateway.example:8443',
  };
  await Promise.all([remembered, live, memberships, deviceStatuses, alertFeed].map((each) => each.start()));

  if (kind === 'atrium') {
    const api = createApi({
      ...shared,
      ...{ logger, metrics, host: '127.0.0.1', port: 0, memberships, cursorKey },
      tokens: createTokenVerifier({ issuers: [{ issuer }], audience: AUDIENCE, clockToleranceSeconds: 5 }),
      throttle: createThrottle({ client: PLENTY, tenant: PLENTY }),
    });
    const { port } = await api.start();
    return `http://127.0.0.1:${port}/graphql`;
  }

  // The rules before the fields are part of the resolvers: without them the others would not answer the same.
  const schema = enforceRules(createSchema());
  const services: Services = {
    ...shared,
    cursors: createCursors({ key: cursorKey }),
    minimumSpaces: 3,
    documentCheck: { problemsOf: unused, registered: unused },
  };
  const scopes = createScopes(memberships);
  const signal = new AbortController().signal;
  const context = (): Promise<Context> =>
    createContext({
      services,
      scopes,
      principal,
      from: { address: '127.0.0.1', transport: 'HTTP' },
      requestId: 'bench',
      signal,
    });
  switch (kind) {
    case 'apollo': {
      const apollo = new ApolloServer<Context>({ schema });
      await apollo.start();
      const app = express();
      app.use('/graphql', express.json(), expressMiddleware(apollo, { context }));
      return listen(createServer(app));
    }
    case 'yoga':
      return listen(createServer(createYoga({ schema, context, logging: false })));
    case 'mercurius': {
      const app = Fastify();
      await app.register(mercurius, { schema, context });
      await app.listen({ host: '127.0.0.1', port: 0 });
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/graphql`;
    }
  }
}

function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`),
    ),
  );
}

/** Seconds, user and system. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function main(): Promise<void> {
  const [kind, setup] = process.argv.slice(2) as [Kind, string];
  const url = await start(kind, JSON.parse(setup) as Setup);
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => {
    process.send!(order === 'cpu' ? cpu() : process.memoryUsage.rss());
  });
  process.send!(url);
}

void main();
