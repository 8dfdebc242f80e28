import { MAXIMUM_FUTURE_MS, REPEATED_WITHIN_MS } from '../domain/reading';
import { RECORD_LATENESS_MS, WINDOW_SECONDS } from '../domain/window';

export { RECORD_LATENESS_MS };

/**
 * How long what matters, all in seconds, so that every part reckons with the same spans.
 *
 * A minute that ended `finalAfter` before T is final: no more computed from what is held, but from the stored recent
 * readings where a later reading touches it. Until then all readings of its window are held, whenever they came, because
 * none is given up before it is older than that minute's window. So both ways count the same readings, and which one it
 * was says nothing about the value.
 */
export interface Horizons {
  /** What is later than this is in the cold store alone; by the hub's enqueued time. */
  recordLatenessMs: number;
  /** A minute that ended this long before T is no more computed from what is held. */
  finalAfter: number;
  /** Readings observed this long before T are in no window that can still be asked for. */
  heldFor: number;
}

export const CLOCK_SLACK_SECONDS = 30;

/** How far a reading's time may lie ahead of the instant its event was enqueued: the gateway's rule and some skew. */
export const FUTURE_ALLOWANCE_MS = MAXIMUM_FUTURE_MS + 10_000;

/**
 * Whoever begins to read at an event cannot tell for a while whether an undated message repeats one from before it. What
 * was certainly judged right, and certainly not missed, was observed this long after that event was enqueued.
 */
export const KNOWN_AFTER_MS = REPEATED_WITHIN_MS + FUTURE_ALLOWANCE_MS;

/** A reading further ahead of the clock than this is not taken: no gateway lets one in, so clocks are badly wrong. */
export const FURTHEST_AHEAD_SECONDS = 600;

/**
 * A silent building's empty windows are told for this long after its last reading left. A successor must know that last
 * reading to tell them too, so every second of it makes the replay after a restart longer.
 */
export const EMPTY_SECONDS = 120;

/** A minute's windows are marked at the minute and computed up to a minute after they are final. */
const MINUTE_AND_MARGIN = 70;

/** @param heldLatenessMs how late a reading may be to be counted at once, from what is held. */
export function horizonsFor(heldLatenessMs: number, recordLatenessMs = RECORD_LATENESS_MS): Horizons {
  const finalAfter = Math.ceil(heldLatenessMs / 1000) + CLOCK_SLACK_SECONDS;
  return { recordLatenessMs, finalAfter, heldFor: finalAfter + WINDOW_SECONDS + MINUTE_AND_MARGIN };
}
