import { type CheckpointEvent } from '../stream/consumer';

/** Where a replay may begin: some event of each second of the stream, in stream order. */
export interface ReplayMarks {
  note(event: CheckpointEvent, enqueuedAt: number): void;
  /**
   * The last noted event after which a replay misses nothing that was enqueued at or after the instant: the event after
   * the checkpoint, which is the first that a successor sees and reckons its knowledge from, was enqueued by then.
   * Undefined when there is none; earlier marks are forgotten.
   */
  before(instant: number): CheckpointEvent | undefined;
  /** The last noted event before that one; undefined when none is remembered. */
  lastBefore(sequence: number): CheckpointEvent | undefined;
  /** All that are remembered, for a snapshot. */
  all(): Mark[];
}

export interface Mark {
  event: CheckpointEvent;
  enqueuedAt: number;
}

export function createReplayMarks(remembered: readonly Mark[] = []): ReplayMarks {
  let marks: Mark[] = [...remembered];
  return {
    note({ sequenceNumber, offset }, enqueuedAt) {
      const last = marks.at(-1);
      if (last !== undefined && enqueuedAt - last.enqueuedAt < 1000) return;
      marks.push({ event: { sequenceNumber, offset }, enqueuedAt });
    },
    before(instant) {
      let found = -1;
      for (let i = 0; i + 1 < marks.length && marks[i + 1]!.enqueuedAt <= instant; i++) found = i;
      if (found < 0) return undefined;
      if (found > 0) marks = marks.slice(found);
      return marks[0]!.event;
    },
    lastBefore: (sequence) => marks.findLast(({ event }) => event.sequenceNumber < sequence)?.event,
    all: () => marks,
  };
}
