import { explain, type Logger } from '../observability/logger';
import { type ChangeFeed, type ChangeStart, type Cosmos } from './cosmos';
import { type ContainerName } from './containers';

/** Follows the change feed of a whole container by asking again and again. */
export interface ChangeFollower {
  /** Resolves after the first answer, or the first failure: whether it is caught up, `behindMs` tells. */
  start(): Promise<void>;
  /** Resolves when no handler is running and none will run again. */
  stop(): Promise<void>;
  /**
   * Every change that was committed more than this long ago has been handed over. Infinite until it has once caught up;
   * grows while the store is away.
   */
  behindMs(): number;
  /** After which everything is still to come; null before the first answer. */
  continuation(): string | null;
}

const POLL_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
/** Partitions seldom split; how many there are is asked again this often. */
const RANGES_KNOWN_MS = 60_000;

export function createChangeFollower(options: {
  cosmos: Cosmos;
  container: ContainerName;
  /**
   * `now`: only what changes after the first answer. In the order of commits within one partition key; at least once:
   * where the handler throws, the same changes come again.
   */
  from: ChangeStart;
  onChanges: (documents: readonly unknown[]) => void | Promise<void>;
  logger: Logger;
  /** Default 250. */
  pollMs?: number;
}): ChangeFollower {
  const { cosmos, container, onChanges, logger, pollMs = POLL_MS } = options;
  let feed: ChangeFeed | undefined;
  let continuation = typeof options.from === 'object' ? options.from.continuation : null;
  let caughtUpAt = -Infinity;
  let onlyRange = false;
  let rangesKnownAt = -Infinity;
  let stopping = false;
  let wake: (() => void) | undefined;
  let loop: Promise<void> | undefined;

  /** One page; true when nothing was left after it. */
  async function step(): Promise<boolean> {
    const askedAt = Date.now();
    if (!feed || askedAt - rangesKnownAt > RANGES_KNOWN_MS) {
      onlyRange = (await cosmos.feedRanges(container)) === 1;
      rangesKnownAt = askedAt;
    }
    feed ??= cosmos.changes(container, continuation === null ? options.from : { continuation });
    const page = await feed.next();
    if (page.documents.length > 0) await onChanges(page.documents);
    // Only now: a position is never ahead of what was handed over.
    continuation = page.continuation;
    if (page.caughtUp) caughtUpAt = askedAt;
    // Under steady change there may be no empty page. With one range its order is the order of commits, so that the
    // last document's second tells how far this is; with several a page tells nothing about the other ranges.
    else if (onlyRange) caughtUpAt = Math.max(caughtUpAt, Math.min(askedAt, lastChangeAt(page.documents)));
    return page.caughtUp;
  }

  async function run(first: () => void): Promise<void> {
    let failures = 0;
    while (!stopping) {
      let pause = 0;
      try {
        if (await step()) pause = pollMs;
        if (failures > 0) logger.info({ container, failures }, 'following changes again');
        failures = 0;
      } catch (error) {
        // Begin again after the last page that was handed over: the feed's own position may be beyond it.
        feed = undefined;
        if (failures++ === 0) logger.warn({ container, error: explain(error) }, 'changes cannot be followed');
        pause = Math.min(pollMs * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
      }
      first();
      if (stopping || pause === 0) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  return {
    start() {
      return new Promise((resolve) => {
        loop ??= run(resolve);
      });
    },
    async stop() {
      stopping = true;
      wake?.();
      await loop;
    },
    behindMs: () => Date.now() - caughtUpAt,
    continuation: () => continuation,
  };
}

/** Milliseconds since 1970, in whole seconds: what Cosmos notes on each document. */
function lastChangeAt(documents: readonly unknown[]): number {
  const seconds = (documents.at(-1) as { _ts?: unknown } | undefined)?._ts;
  return typeof seconds === 'number' ? seconds * 1000 : -Infinity;
}
