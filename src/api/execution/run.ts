import { type FieldNode, type GraphQLError, locatedError } from 'graphql';

/** Where a value that others lie in stands in the answer: what an error's path and a null that spreads follow upwards. */
export interface Place {
  readonly parent: Place | null;
  /** The object or list of the answer that it stands in, and where in it. */
  readonly holder: Record<string, unknown> | unknown[];
  readonly key: string | number;
  readonly nullable: boolean;
  /** Nothing below is answered any more: its late errors and values are nobody's. */
  gone: boolean;
}

/** One execution. */
export interface Run {
  readonly context: unknown;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly root: unknown;
  readonly errors: GraphQLError[];
  /** Nothing of it can be answered. */
  nothing: boolean;
  /** Values that are awaited. */
  pending: number;
  /** Called when the last of them is there. */
  settled: (() => void) | undefined;
}

/** The place's path, and below it that of one of its values. */
export function pathOf(place: Place | null, key: string | number): (string | number)[] {
  const path = [key];
  for (let at = place; at !== null; at = at.parent) path.push(at.key);
  return path.reverse();
}

/** Puts a value in its place, whatever the place is. */
export function put(holder: Record<string, unknown> | unknown[], key: string | number, value: unknown): void {
  (holder as Record<string | number, unknown>)[key] = value;
}

export function located(
  raw: unknown,
  nodes: readonly FieldNode[],
  place: Place | null,
  key: string | number,
): GraphQLError {
  return locatedError(raw, nodes, pathOf(place, key));
}

/**
 * For an error that comes when the answer around it stands already: null takes the place of the value, or of the nearest
 * one around it that may be null.
 *
 * @param place of what the value lies in.
 */
export function failLate(
  run: Run,
  error: GraphQLError,
  place: Place | null,
  value: { holder: Record<string, unknown> | unknown[]; key: string | number; nullable: boolean },
): void {
  for (let at = place; at !== null; at = at.parent) if (at.gone) return;
  if (run.nothing) return;
  run.errors.push(error);
  if (value.nullable) {
    put(value.holder, value.key, null);
    return;
  }
  let at = place;
  for (; at !== null; at = at.parent) {
    at.gone = true;
    if (at.nullable) break;
  }
  if (at === null) run.nothing = true;
  else put(at.holder, at.key, null);
}

/** Goes on with a promised value, and counts it as awaited until then. */
export function awaiting(
  run: Run,
  promise: PromiseLike<unknown>,
  fulfilled: (value: unknown) => void,
  rejected: (reason: unknown) => void,
): void {
  run.pending++;
  promise.then(
    (value) => {
      fulfilled(value);
      if (--run.pending === 0) run.settled?.();
    },
    (reason: unknown) => {
      rejected(reason);
      if (--run.pending === 0) run.settled?.();
    },
  );
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
