import { type AlertEventDocument } from '../../store/alert-documents';
import { type AlertFeed } from '../../store/alerts/feed';

/** What waits for one subscriber: a bounded number of events, or word that there were more. */
export interface AlertQueue {
  /**
   * What came since the last asking; waits for it, but not longer than so many milliseconds. `overflowed`: more came than
   * can wait, and what is missing is to be read from the store. `closed` after `close`.
   */
  take(milliseconds: number): Promise<{ events: AlertEventDocument[]; overflowed: boolean; closed: boolean }>;
  close(): void;
}

/** Beyond this a reader is given what is stored, when it gets there. */
const MAXIMUM_WAITING = 500;

export function createAlertQueue(feed: AlertFeed, buildingIds: readonly string[]): AlertQueue {
  let events: AlertEventDocument[] = [];
  let overflowed = false;
  let closed = false;
  let wake: (() => void) | undefined;
  const unlisten = feed.listen(buildingIds, (event) => {
    if (overflowed) return;
    if (events.length === MAXIMUM_WAITING) {
      events = [];
      overflowed = true;
    } else events.push(event);
    wake?.();
  });
  return {
    async take(milliseconds) {
      if (events.length === 0 && !overflowed && !closed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      const taken = { events, overflowed, closed };
      events = [];
      overflowed = false;
      return taken;
    },
    close() {
      closed = true;
      events = [];
      unlisten();
      wake?.();
    },
  };
}
