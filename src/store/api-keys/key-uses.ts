import { type KeyPrincipal } from '../../auth/principal';
import { explain, type Logger } from '../../observability/logger';
import { ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { apiKeysOf, type ApiKeyUseDocument, usedId } from './documents';

/** Notes when keys were used, once a minute for all of them together. */
export interface KeyUses {
  note(key: Pick<KeyPrincipal, 'id' | 'tenantId' | 'expiresAt'>): void;
  start(): void;
  /** Writes what is noted. */
  stop(): Promise<void>;
}

const EVERY_MS = 60_000;
const MAXIMUM_NOTED = 20_000;

/** Replicas write the same document, the last one stands: what they differ by is less than a minute. */
export function createKeyUses(options: {
  cosmos: Pick<Cosmos, 'bulkUpsert'>;
  logger: Logger;
  everyMs?: number;
}): KeyUses {
  const { cosmos, logger, everyMs = EVERY_MS } = options;
  let noted = new Map<string, ApiKeyUseDocument>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    const uses = noted;
    if (uses.size === 0) return;
    noted = new Map();
    try {
      await cosmos.bulkUpsert('directory', [...uses.values()]);
    } catch (error) {
      logger.debug({ error: explain(error) }, 'when API keys were used cannot be noted');
      // Unless they were used since.
      for (const [id, use] of uses) if (!noted.has(id) && noted.size < MAXIMUM_NOTED) noted.set(id, use);
    }
  }

  return {
    note({ id, tenantId, expiresAt }) {
      if (noted.size >= MAXIMUM_NOTED && !noted.has(id)) return;
      const at = Date.now();
      noted.set(id, {
        ...{ id: usedId(id), key: apiKeysOf(tenantId), kind: 'apiKeyUse', tenantId, at },
        ttl: Math.max(1, Math.ceil((expiresAt - at) / 1_000)) + ENDED_SECONDS,
      });
    },
    start() {
      timer ??= setInterval(() => (writing ??= write().finally(() => (writing = undefined))), everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await writing;
      await write();
    },
  };
}
