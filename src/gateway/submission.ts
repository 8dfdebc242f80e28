/** It is not known whether Event Hubs took what was submitted: the sender is told to send again. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/** Called once: Event Hubs accepted all of it, or the first error. */
export type Settled = (error: Error | undefined) => void;

/**
 * One request's share in frames. A plain record and no promise: there is one a message, and promises with their
 * reactions cost several times as much as all the rest of it.
 */
export interface Submission {
  /** Frames joined that are not settled, and one for the request itself until it has joined its last. */
  open: number;
  done: boolean;
  error: Error | undefined;
  readonly settled: Settled;
}

/** What all submissions of one packer share. */
export interface Submissions {
  begin(settled: Settled): Submission;
  /** Called once a frame that holds some of this request. */
  join(submission: Submission): void;
  /** Called as often as `join`, and once when no further frame will be joined. */
  leave(submission: Submission, error?: Error): void;
}

export function createSubmissions(): Submissions {
  /** Those whose senders are told after this turn, in order: whoever is told may bring the next message at once. */
  let ended: Submission[] = [];

  const tell = (): void => {
    const told = ended;
    ended = [];
    for (const { settled, error } of told) settled(error);
  };

  return {
    begin: (settled) => ({ open: 1, done: false, error: undefined, settled }),
    join(submission) {
      submission.open++;
    },
    leave(submission, error) {
      submission.open--;
      if (submission.done || (error === undefined && submission.open > 0)) return;
      submission.done = true;
      submission.error = error;
      if (ended.length === 0) void Promise.resolve().then(tell);
      ended.push(submission);
    },
  };
}
