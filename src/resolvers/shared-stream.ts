import { type TenantScope } from '../auth/scope';
import { type Context } from './context';

/**
 * What a subscription delivers, told apart from who asks: the current values, then every change. Whoever has the same
 * document, variables and effective rights is delivered the same, from one execution.
 */
export interface SharedStream<Value> {
  /**
   * The effective rights as a text: everything that the deliveries depend on beside document and variables. Who gets the
   * same text may be delivered the same; null where nothing may be seen (any more).
   */
  rightsOf(scope: TenantScope): string | null;
  /** The values now, of what the context's scope may see. */
  current(context: Context): Promise<Value[]>;
  /**
   * Every change from now on, of what the scope may see at this moment: it is not asked again. Latest wins for a slow
   * reader. Ends with `return()`.
   */
  changes(scope: TenantScope): AsyncIterableIterator<Value>;
  /** Values of one slot replace one another. */
  slotOf(value: Value): string;
  /** Within a slot a lesser instant is older news. */
  instantOf(value: Value): number;
}

const SHARED = Symbol('shared stream');

type Shareable<Value> = AsyncIterableIterator<Value> & { [SHARED]: SharedStream<Value> };

/** The stream that a subscription's `subscribe` returned, if it is one that can be shared. */
export function sharedStreamOf(source: AsyncIterable<unknown>): SharedStream<unknown> | undefined {
  return (source as Partial<Shareable<unknown>>)[SHARED];
}

/**
 * The stream for one subscriber alone. Rights are asked for again before each delivery, and it completes when there are
 * none. Nothing is listened to before the first value is asked for, so that whoever shares the stream takes nothing here.
 */
export function subscriberOf<Value>(
  context: Context,
  stream: SharedStream<Value>,
): AsyncIterableIterator<Value> {
  let changes: AsyncIterableIterator<Value> | undefined;
  let ended = false;

  async function* deliver(): AsyncGenerator<Value> {
    const delivered = new Map<string, number>();
    const isNews = (value: Value): boolean => {
      const instant = stream.instantOf(value);
      if (instant < (delivered.get(stream.slotOf(value)) ?? -Infinity)) return false;
      delivered.set(stream.slotOf(value), instant);
      return true;
    };
    let rights: string | null = null;
    try {
      for (let scope = context.scope; ; scope = await context.renew()) {
        const now = stream.rightsOf(scope);
        if (now === null || ended) return;
        if (now !== rights) {
          rights = now;
          await changes?.return?.();
          // Listening begins before the current values are read, so that no change falls between the two.
          changes = stream.changes(scope);
          for (const value of await stream.current(context)) if (isNews(value)) yield value;
        }
        const { done, value } = await changes!.next();
        if (done) return;
        // Waiting took its time: what is delivered was allowed after the change.
        if (stream.rightsOf(await context.renew()) === rights && isNews(value)) yield value;
      }
    } finally {
      await changes?.return?.();
    }
  }
  const delivery = deliver();
  const iterator: Shareable<Value> = {
    [SHARED]: stream,
    next: () => delivery.next(),
    // A generator that waits for a change cannot be told to return; the changes can, and then it does.
    async return() {
      ended = true;
      await changes?.return?.();
      return delivery.return(undefined);
    },
    throw: (error) => delivery.throw(error),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
