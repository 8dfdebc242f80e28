import { FUTURE_ALLOWANCE_MS } from '../horizons';

/** A longer break in being current begins a new grace for devices. */
const TOLD_WITHIN_SECONDS = 5;

/**
 * A reading that comes this long after it was observed, and out of its order, is not judged: what follows from an event
 * then follows from it and the five minutes before it, so that a replay which began earlier decides as its first reading.
 */
export const LATE_WITHIN_MS = 300_000;

/**
 * Whoever goes on in the midst of a stream cannot tell whether a reading that was observed before it began, or as far ahead
 * of that as any may be, repeats another from before. Once it has only learned for this long, those are late.
 */
export const LEARNS_FOR_MS = LATE_WITHIN_MS + FUTURE_ALLOWANCE_MS;

/** How far the engine has come in the stream and on the clock. */
export interface Progress {
  /** The clock's, or the stream's while that is caught up with. */
  readonly second: number;
  /** Milliseconds: the later of the second and of when the last event was enqueued. */
  readonly clock: number;
  /** The last event that was read; -1 for none. */
  readonly sequence: number;
  /** Whether what follows now follows from an event's readings, and not from the clock or a change of the rules. */
  reading: boolean;
  /** Nothing that came before the first event is missing. */
  readonly complete: boolean;
  /** While it only learns: until when (ms) it does. */
  readonly learnsUntil: number | undefined;
  /** While it only learns: whether a reading of that instant may repeat one from before the beginning. */
  mayRepeat(at: number): boolean;
  /** Whether others have decided on what is read now, up to the event before which they have decided in the building. */
  isDecidedBefore(event: number): boolean;
  /** Whether silence means something in this second; and since when (s) it has without a break. */
  readonly told: boolean;
  readonly toldSince: number;
  /** An event begins. */
  event(sequence: number, enqueuedAt: number): void;
  /** A second begins. `told`: the partition is current, so that silence means something. */
  tick(second: number, told: boolean): void;
  /** Goes on behind an event, as one that was packed. */
  goOn(
    position: { sequence: number; second: number },
    packed: { learnedAt?: number; beginningMissing?: boolean },
  ): void;
  /** Leaves the seconds up to this one out. */
  skipTo(second: number): void;
}

/** @param learns it goes on in the midst of a stream with nothing that was known before. */
export function createProgress(learns: boolean): Progress {
  let second = 0;
  let clock = 0;
  let sequence = -1;
  let toldAt = 0;
  let toldSince = 0;
  /** What is enqueued before is only learned from; whatever of it was not stored, the checkpoint stayed further before. */
  let learnedAt = learns ? Infinity : -Infinity;
  let complete = !learns;
  const progress: Progress = {
    reading: false,
    get second() {
      return second;
    },
    get clock() {
      return clock;
    },
    get sequence() {
      return sequence;
    },
    get complete() {
      return complete;
    },
    get learnsUntil() {
      return clock < learnedAt ? learnedAt : undefined;
    },
    mayRepeat: (at) => clock < learnedAt && at <= learnedAt - LATE_WITHIN_MS,
    isDecidedBefore: (event) =>
      sequence < event || (progress.reading && sequence === event) || clock < learnedAt,
    get told() {
      return toldAt === second;
    },
    get toldSince() {
      return toldSince;
    },
    event(event, enqueuedAt) {
      sequence = event;
      clock = Math.max(clock, enqueuedAt);
      if (learnedAt !== Infinity) return;
      // Whoever reads a stream from its first event has missed nothing.
      complete = event === 0;
      learnedAt = complete ? -Infinity : enqueuedAt + LEARNS_FOR_MS;
    },
    tick(to, told) {
      second = to;
      clock = Math.max(clock, to * 1000);
      if (!told) return;
      if (toldAt < to - TOLD_WITHIN_SECONDS || toldSince === 0) toldSince = to;
      toldAt = to;
    },
    goOn(position, packed) {
      ({ sequence, second } = position);
      clock = second * 1000;
      learnedAt = packed.learnedAt ?? -Infinity;
      complete = packed.learnedAt === undefined && packed.beginningMissing !== true;
    },
    skipTo(to) {
      second = to;
    },
  };
  return progress;
}
