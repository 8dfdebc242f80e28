/** What is told from the warm side: as it was known a moment ago, not as it is read from where it was stored for good. */
export const WARM_KINDS = ['averages', 'states', 'latestReadings'] as const;
export type WarmKind = (typeof WARM_KINDS)[number];

/** Of one kind: what is oldest of it in an answer. */
export interface Age {
  /** RFC 3339, UTC. */
  asOf: string;
  /** How long ago that was by the server's clock, in milliseconds. */
  ageMs: number;
}

/**
 * How old the warm values are that one answer holds: the oldest of each kind, and so bounded. Noted where values are told,
 * behind everything that hides them, so that it says nothing that the answer does not say.
 */
export interface Freshness {
  /** @param instants milliseconds since 1970: of averages and states when they were computed, of readings when observed. */
  note(kind: WarmKind, instants: readonly number[]): void;
  /** Of what was noted; undefined where nothing was. */
  told(now?: number): Partial<Record<WarmKind, Age>> | undefined;
}

export function createFreshness(): Freshness {
  let oldest: Partial<Record<WarmKind, number>> | undefined;
  return {
    note(kind, instants) {
      for (const instant of instants) {
        oldest ??= {};
        if (instant < (oldest[kind] ?? Infinity)) oldest[kind] = instant;
      }
    },
    told(now = Date.now()) {
      if (oldest === undefined) return undefined;
      const ages: Partial<Record<WarmKind, Age>> = {};
      for (const kind of WARM_KINDS) {
        const instant = oldest[kind];
        if (instant === undefined) continue;
        // A worker's clock may be a little ahead of this one.
        ages[kind] = { asOf: new Date(instant).toISOString(), ageMs: Math.max(0, now - instant) };
      }
      return ages;
    },
  };
}

/** Says in the extensions of a result how old the warm values in it are; a result without such stays as it is. */
export function withFreshness<Result extends { extensions?: Record<string, unknown> }>(
  result: Result,
  freshness: Pick<Freshness, 'told'>,
): Result {
  const told = freshness.told();
  return told === undefined ? result : { ...result, extensions: { ...result.extensions, freshness: told } };
}
