/** It is not known whether Event Hubs took what was submitted: the sender is told to send again. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/** One request's share in frames. */
export interface Submission {
  /** Resolves when every frame joined was accepted, rejects with the first that was not. */
  readonly accepted: Promise<void>;
  /** Called once a frame that holds some of this request. */
  join(): void;
  /** Called as often as `join`. */
  settle(error: Error | undefined): void;
  /** No further frame will be joined. */
  complete(): void;
}

export function createSubmission(): Submission {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const accepted = new Promise<void>((onAccepted, onRefused) => {
    resolve = onAccepted;
    reject = onRefused;
  });
  // One for the request itself, so that a frame that is settled early cannot resolve it before the last has been joined.
  let open = 1;
  const leave = (): void => {
    if (--open === 0) resolve();
  };
  return {
    accepted,
    join() {
      open++;
    },
    settle(error) {
      if (error) reject(error);
      else leave();
    },
    complete: leave,
  };
}
