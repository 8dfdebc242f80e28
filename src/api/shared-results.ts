import { type Sink } from './fan-out';

/**
 * A subscription as the protocol's library knows it, whose results do not pass through it: they are sent by whoever shares
 * them. The library keeps its ids and its end. Joins when the first result is asked for: until then it may be refused.
 */
export function createSharedResults(
  join: (ends: Pick<Sink, 'complete' | 'fail'>) => () => void,
): AsyncIterableIterator<never> {
  let leave: (() => void) | undefined;
  let ended = false;
  let resolve!: (end: IteratorReturnResult<undefined>) => void;
  let reject!: (error: unknown) => void;
  const end = new Promise<IteratorReturnResult<undefined>>((...settle) => ([resolve, reject] = settle));
  // Also where nobody waits for it any more.
  end.catch(() => undefined);
  const done = { done: true, value: undefined } as const;
  const results: AsyncIterableIterator<never> = {
    next() {
      if (leave === undefined && !ended) leave = join({ complete: () => resolve(done), fail: reject });
      return end;
    },
    async return() {
      ended = true;
      leave?.();
      resolve(done);
      return done;
    },
    // What has no `throw` is no generator to graphql-sse, and is not told to return.
    async throw(error: unknown) {
      await results.return!();
      throw error;
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}
