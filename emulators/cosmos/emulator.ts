import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger } from '../../src/observability/logger';
import { type Registry } from '../../src/observability/metrics';
import { createAuthorization } from './authorization';
import { createBatches } from './batch';
import { type Faults } from './faults';
import { createHttpServer } from './http-server';
import { createIndexBuilder } from './index-builder';
import { createItemRequests } from './item-requests';
import { createItems } from './items';
import { createMetering } from './metering';
import { createPurger } from './purger';
import { createAccess } from './query/access';
import { createQueries } from './query/run';
import { createResources } from './resources';
import { createService } from './service';
import { type Container, openCatalog } from './store/catalog';
import { createCommitGroup } from './store/commit-group';
import { openDatabaseFile } from './store/database-file';

/**
 * The key of every local account, for this stand-in alone: it guards nothing but shows that clients sign. Base64 of
 * "atrium local cosmos key, not a secret: use it on this machine on".
 */
export const LOCAL_KEY = Buffer.from(
  'atrium local cosmos key, not a secret: use it on this machine on',
).toString('base64');

export interface CosmosEmulatorOptions {
  logger: Logger;
  /** Where its metrics are registered; none are kept without. */
  metrics?: Registry;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: a free port. */
  port?: number;
  /** The account key, base64. Default `LOCAL_KEY`. */
  key?: string;
  /** The data folder. Without one, a temporary folder that `stop` removes. */
  data?: string;
  /** False leaves flushing to the operating system: quicker, and a power cut may lose acknowledged writes. Default true. */
  sync?: boolean;
  /** Milliseconds since 1970, for tests of expiry. Default the machine's clock. */
  clock?: () => number;
  /** Faults that are met by requests for documents. */
  faults?: Faults;
  /** Told the flushed length of the write-ahead log; for the crash proof. */
  onSynced?: (bytes: number) => void;
  /** The disk refused: the process must end. Default: throws, uncaught. */
  onFatal?: (error: Error) => void;
}

export interface CosmosEmulator {
  /** Resolves when it listens. @throws OperatorError for a port or a folder that cannot be had. */
  start(): Promise<{ endpoint: string; key: string; connectionString: string; port: number }>;
  /** Finishes what is under way, folds the log into the database, closes. */
  stop(): Promise<void>;
}

/** Azure Cosmos DB for NoSQL over HTTP, on one SQLite file: docs/emulators/cosmos.md says what it does and does not. */
export function createCosmosEmulator(options: CosmosEmulatorOptions): CosmosEmulator {
  const { logger, host = '127.0.0.1', port = 0, key = LOCAL_KEY, sync = true, clock = Date.now } = options;
  let running: { stop: () => Promise<void> } | undefined;

  return {
    async start() {
      const temporary = options.data === undefined ? mkdtempSync(join(tmpdir(), 'cosmos-')) : undefined;
      const { db, log } = openDatabaseFile(options.data ?? temporary!);
      const catalog = openCatalog(db);
      const seconds = createSeconds(clock, catalog.containers());
      const group = createCommitGroup({
        db,
        log,
        sync,
        beforeCommit: () => catalog.storePositions(),
        afterRollback: () => catalog.reload(),
        onSynced: options.onSynced,
        onFatal:
          options.onFatal ??
          ((error) => {
            throw error;
          }),
      });
      const items = createItems({ catalog, seconds });
      const builder = createIndexBuilder({ group, catalog });
      const service = createService({
        authorization: createAuthorization(key),
        catalog,
        group,
        resources: createResources({ catalog, seconds }),
        itemRequests: createItemRequests({
          group,
          items,
          batches: createBatches({ db, items }),
          queries: createQueries({ access: createAccess(db), seconds, ensureIndex: builder.ensure }),
          seconds,
        }),
        milliseconds: clock,
        faults: options.faults,
      });
      const metering = options.metrics && createMetering({ registry: options.metrics, group });
      const purger = createPurger({ group, catalog, items, logger });
      const server = createHttpServer({
        host,
        port,
        answer: service,
        observe: (answer, milliseconds) => metering?.observe(answer, milliseconds),
      });
      const close = async (): Promise<void> => {
        await purger.stop();
        await group.stop();
        db.close();
        if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
      };
      let bound: number;
      try {
        bound = await server.start();
      } catch (error) {
        await close();
        throw error;
      }
      purger.start();
      running = {
        stop: async () => {
          await server.stop();
          await close();
        },
      };
      const endpoint = `http://${host}:${bound}/`;
      logger.info({ endpoint, containers: catalog.containers().length }, 'listening');
      return {
        endpoint,
        key,
        connectionString: `AccountEndpoint=${endpoint};AccountKey=${key};`,
        port: bound,
      };
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
  };
}

/** Whole seconds that never go back, also over a restart with a clock that did: the change feed's times rely on it. */
function createSeconds(clock: () => number, containers: Container[]): () => number {
  let last = Math.max(0, ...containers.map((container) => container.documents.lastSecond()));
  return () => {
    const now = Math.floor(clock() / 1000);
    if (now > last) last = now;
    return last;
  };
}
