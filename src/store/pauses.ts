/** Waiting that can be cut short: what a loop does between two rounds. */
export interface Pauses {
  /** Resolves after this long, or when `wake` is called. */
  pause(milliseconds: number): Promise<void>;
  wake(): void;
}

export function createPauses(): Pauses {
  let wake: (() => void) | undefined;
  return {
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    wake: () => wake?.(),
  };
}
