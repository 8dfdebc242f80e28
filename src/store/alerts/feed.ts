import { type Logger } from '../../observability/logger';
import { type AlertEventDocument } from '../alert-documents';
import { createChangeFollower } from '../change-follower';
import { type Cosmos } from '../cosmos';

/**
 * What happens to alerts, as it happens. There are two ways here, and what comes by both is told twice: the averages
 * stream, quick and free, and the change feed, a second later, which misses nothing (also what people acknowledge at
 * another replica). Listeners tell repetitions and holes by the events' numbers.
 */
export interface AlertFeed {
  /** Every event of these buildings from now on, by reference; returns what ends it. `heard` must not throw. */
  listen(buildingIds: readonly string[], heard: (event: AlertEventDocument) => void): () => void;
  /** An event that came by the stream. */
  take(event: AlertEventDocument): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 1_000;

export function createAlertFeed({ cosmos, logger }: { cosmos: Cosmos; logger: Logger }): AlertFeed {
  const listeners = new Map<string, Set<(event: AlertEventDocument) => void>>();
  const take = (event: AlertEventDocument): void => {
    for (const heard of listeners.get(event.buildingId) ?? []) heard(event);
  };
  const follower = createChangeFollower({
    cosmos,
    container: 'alerts',
    from: 'now',
    onChanges(documents) {
      for (const each of documents as AlertEventDocument[]) if (each.type === 'alertEvent') take(each);
    },
    logger,
    pollMs: POLL_MS,
  });
  return {
    listen(buildingIds, heard) {
      for (const id of buildingIds) {
        const here = listeners.get(id) ?? new Set();
        listeners.set(id, here.add(heard));
      }
      return () => {
        for (const id of buildingIds) {
          const here = listeners.get(id);
          here?.delete(heard);
          if (here?.size === 0) listeners.delete(id);
        }
      };
    },
    take,
    start: follower.start,
    stop: follower.stop,
  };
}
