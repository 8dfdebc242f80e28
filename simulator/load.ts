import { setTimeout as delay } from 'node:timers/promises';
import { type Message, type Sender } from './sender';

/** Where messages come from: an open schedule that does not wait for answers. */
export interface Source {
  /** How many messages it will make in all; null for one that never ends. */
  readonly total: number | null;
  /** Submits what is due by `now`. True once nothing more will come. */
  advance(now: number, submit: (message: Message) => void): boolean;
}

const TICK_MS = 10;
/** More than this many outstanding, and the schedule waits: what it makes later is sent late, not lost. */
const MAXIMUM_OUTSTANDING = 200_000;

/**
 * Runs sources until all have ended or the signal comes, then waits up to `graceMs` for what is outstanding.
 * @returns true when everything was answered for.
 */
export async function runLoad(options: {
  sources: readonly Source[];
  sender: Sender;
  graceMs: number;
  signal?: AbortSignal;
}): Promise<boolean> {
  const { sender, signal } = options;
  const submit = (message: Message): void => sender.submit(message);
  let running = [...options.sources];
  while (running.length > 0 && !signal?.aborted) {
    if (sender.outstanding() < MAXIMUM_OUTSTANDING) {
      const now = Date.now();
      running = running.filter((source) => !source.advance(now, submit));
    }
    await delay(TICK_MS);
  }
  return sender.drained(Date.now() + options.graceMs);
}
