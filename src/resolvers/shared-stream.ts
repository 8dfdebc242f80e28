import { type TenantScope } from '../auth/scope';
import { type Context } from './context';

/**
 * What a subscription delivers, told apart from who asks: the current values, then every change. Whoever has the same
 * document, variables and effective rights is delivered the same, from one execution.
 *
 * A resolver's `subscribe` checks its arguments, throws what the caller did wrong, and returns `subscriberOf(stream)`. All
 * the rest is the server's, over every transport: rights that change, slow readers, pace, budget, sharing.
 *
 * **States** (an average, a device's status) have a slot: the later replaces the earlier, and who comes is given the
 * latest of each. **Events** (an alert that is raised) have an identity, see `eventOf`: each is told, and none replaces
 * another.
 *
 * **Replay, then live**: a stream with `missed` first tells one subscriber what it missed and then goes on as for
 * everybody. Changes are listened to before `missed` is read, and an event that comes from both is told once, so that
 * neither side needs to know where the other begins. For a subscription with `after`:
 *
 * 1. add the argument's name to `startArguments`, so that subscribers who begin elsewhere still share what follows;
 * 2. open the cursor in `subscribe` (throw BAD_USER_INPUT where it is not of this subscription), and bind it to the subject
 *    and not to the caller's replica or connection;
 * 3. yield from `missed` in order, bounded; where something is no longer kept, yield a value that says so.
 */
export interface SharedStream<Value> {
  /**
   * The effective rights as a text: everything that the deliveries depend on beside document and variables. Who gets the
   * same text may be delivered the same; null where nothing may be seen (any more).
   */
  rightsOf(scope: TenantScope): string | null;
  /** The states now, of what the context's scope may see; none for a stream of events alone. */
  current(context: Context): Promise<Value[]>;
  /**
   * Every change from now on, of what the scope may see at this moment: it is not asked again. Ends with `return()`. What
   * waits here for a reader is bounded: of states the latest of each slot; of events those of a few seconds, after which
   * it throws, so that its subscribers come again with `after`.
   */
  changes(scope: TenantScope): AsyncIterableIterator<Value>;
  /** Values of one slot replace one another. Not asked of events. */
  slotOf(value: Value): string;
  /** Milliseconds since 1970. Within a slot a lesser instant is older news. */
  instantOf(value: Value): number;
  /** What makes an event the same one when it comes again; null for a state. Left out: all are states. */
  eventOf?(value: Value): string | null;
  /** Whether a state says what was told of its slot last. Left out: each change is news. */
  isUnchanged?(value: Value, told: Value): boolean;
  /** Milliseconds between two deliveries of a slot, at least; the latest wins. Left out: 0. Events are not held back. */
  minInterval?: number;
  /** Whose budget a delivery is taken from: the owner of what it tells. */
  tenantOf(value: Value): string;
  /** Arguments of the field that only say where one subscriber begins: they are no part of what others share. */
  startArguments?: readonly string[];
  /**
   * What a subscriber missed, in order, ending where nothing more is known: from where it left off by its own arguments, or
   * after `last`, the last value that it was given from here or as an event (a reader that was too slow for events is
   * brought back so, and one whose rights changed meanwhile). Of what the context's scope may see. It is read only as
   * fast as the subscriber takes it. Left out where a subscriber missed nothing: it gets `current` alone.
   */
  missed?(context: Context, last: Value | null): AsyncIterable<Value>;
}

const SHARED = Symbol('shared stream');

type Shareable<Value> = AsyncIterableIterator<Value> & { [SHARED]: SharedStream<Value> };

/** The stream that a subscription's `subscribe` returned. */
export function sharedStreamOf(source: AsyncIterable<unknown>): SharedStream<unknown> | undefined {
  return (source as Partial<Shareable<unknown>>)[SHARED];
}

/** What a subscription's `subscribe` returns: it brings the stream to the server, which delivers it. */
export function subscriberOf<Value>(stream: SharedStream<Value>): AsyncIterableIterator<Value> {
  const iterator: Shareable<Value> = {
    [SHARED]: stream,
    next: () => Promise.reject(new Error('a subscription is delivered by the fan-out, not read from here')),
    return: () => Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

const TENANT_OF = Symbol('whose budget a delivery is taken from');

type Alone<Value> = AsyncIterableIterator<Value> & { [TENANT_OF]: (value: Value) => string | null };

/**
 * What a subscription's `subscribe` returns that tells each subscriber from where it stands: its deliveries wait for
 * nobody's budget, and take from that of the owner of what they tell; null for none.
 */
export function aloneOf<Value>(
  source: AsyncIterableIterator<Value>,
  tenantOf: (value: Value) => string | null,
): AsyncIterableIterator<Value> {
  return Object.assign(source, { [TENANT_OF]: tenantOf });
}

/** Whose budget deliveries of what a subscription's `subscribe` returned take from. */
export function tenantOfAlone(source: AsyncIterable<unknown>): (value: unknown) => string | null {
  return (source as Partial<Alone<unknown>>)[TENANT_OF] ?? (() => null);
}
