import { setTimeout as delay } from 'node:timers/promises';
import { type EventHubConsumerClient } from '@azure/event-hubs';
import { explain, type Logger } from '../observability/logger';
import { incarnationOf } from './incarnation';

/** What was begun for one incarnation of a hub, and must be ended with it. */
export interface HubLife {
  incarnation: string;
  client: EventHubConsumerClient;
}

export interface HubLives<Life extends HubLife> {
  /** Undefined before the start and while one life has ended and the next not yet begun. */
  current(): Life | undefined;
  /** Throws when the first life cannot begin; it may then be called again. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const LIFE_CHECK_EVERY_MS = 5_000;

/** For requests that must not wait for a hub that is away. */
export function withTimeout(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
}

/**
 * Keeps one life running for as long as the hub keeps its incarnation. A hub that was made again under our feet is a new
 * one: nothing of it may be read as the old one's, so that the old life is ended before the next begins.
 */
export function createHubLives<Life extends HubLife>(options: {
  logger: Logger;
  hub: string;
  group: string;
  begin(): Promise<Life>;
  end(life: Life): Promise<void>;
}): HubLives<Life> {
  const { logger, hub, group } = options;
  const stopping = new AbortController();
  let life: Life | undefined;
  let watching: Promise<void> | undefined;

  const endCurrent = async (): Promise<void> => {
    const ended = life;
    life = undefined;
    if (ended !== undefined) await options.end(ended);
  };

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await delay(LIFE_CHECK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        if (life !== undefined) {
          const incarnation = incarnationOf(await life.client.getEventHubProperties(withTimeout()));
          if (incarnation === life.incarnation) continue;
          logger.warn({ group, hub, from: life.incarnation, to: incarnation }, 'the hub was made again');
          await endCurrent();
        }
        life = await options.begin();
      } catch (error) {
        // The hub is away; the subscription has its own retries, and we look again.
        logger.debug({ group, hub, error: explain(error) }, 'the hub cannot be looked at');
      }
    }
  };

  return {
    current: () => life,
    async start() {
      life = await options.begin();
      watching ??= watch();
    },
    async stop() {
      stopping.abort();
      await endCurrent();
      await watching;
      // The watcher may have been beginning one while the last was ended.
      await endCurrent();
    },
  };
}
