import { explain, type Logger } from '../../src/observability/logger';
import { type Items } from './items';
import { type Catalog } from './store/catalog';
import { type CommitGroup } from './store/commit-group';

const EVERY_MILLISECONDS = 1000;
const DOCUMENTS_A_STEP = 500;

/** Deletes expired documents in the background. They are invisible from their second on; this gives their space back. */
export function createPurger(options: {
  group: CommitGroup;
  catalog: Catalog;
  items: Items;
  logger: Logger;
}): {
  start(): void;
  stop(): Promise<void>;
} {
  const { group, catalog, items, logger } = options;
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();
  let stopped = false;

  async function round(): Promise<void> {
    for (const container of catalog.containers()) {
      if (container.definition.defaultTtl === undefined) continue;
      for (let more = true; more && !stopped;) {
        // Most rounds find nothing, and a look costs no transaction.
        if (!items.anyExpired(container)) break;
        more = (await group.write(() => items.purge(container, DOCUMENTS_A_STEP))) === DOCUMENTS_A_STEP;
      }
    }
  }

  function again(): void {
    timer = setTimeout(() => {
      working = round()
        .catch((error: unknown) => logger.error({ error: explain(error) }, 'purge failed'))
        .then(() => {
          if (!stopped) again();
        });
    }, EVERY_MILLISECONDS);
    timer.unref();
  }

  return {
    start: again,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await working;
    },
  };
}
