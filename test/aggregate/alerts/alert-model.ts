import { type AlertCondition } from '../../../src/domain/alert';

/** A reading of one point. */
export interface ModelReading {
  observedAt: number;
  value: number;
}

/** Something that was out of order for as long as its rule waits: one alert. */
export interface Episode {
  onset: number;
  raisedAt: number;
  /** Null while it holds. */
  clearedAt: number | null;
}

/**
 * What a rule should find in a point's readings, by its definition and over all of them: written for being obviously right.
 *
 * @param readings the first of each instant counts.
 * @param clock until when (ms) what stands last has held.
 */
export function episodesOf(
  condition: AlertCondition,
  readings: readonly ModelReading[],
  clock: number,
): Episode[] {
  const first = new Map<number, ModelReading>();
  for (const each of readings) if (!first.has(each.observedAt)) first.set(each.observedAt, each);
  const sorted = [...first.values()].sort((a, b) => a.observedAt - b.observedAt);
  const forMs = 'forMs' in condition ? condition.forMs : 0;
  const episodes: Episode[] = [];
  let state: 'in order' | 'above' | 'below' = 'in order';
  let onset = 0;
  const end = (at: number, over: boolean): void => {
    if (at - onset < forMs) return;
    const raisedAt = onset + forMs;
    episodes.push({ onset, raisedAt, clearedAt: over ? Math.max(at, raisedAt) : null });
  };
  sorted.forEach((reading, index) => {
    const next = stateAfter(condition, state, sorted, index);
    if (state === 'in order' && next !== 'in order') onset = reading.observedAt;
    if (state !== 'in order' && next === 'in order') end(reading.observedAt, true);
    state = next;
  });
  if (state !== 'in order') end(Math.max(clock, sorted.at(-1)!.observedAt), false);
  return episodes;
}

function stateAfter(
  condition: AlertCondition,
  before: 'in order' | 'above' | 'below',
  sorted: readonly ModelReading[],
  index: number,
): 'in order' | 'above' | 'below' {
  const { value, observedAt } = sorted[index]!;
  if (condition.kind === 'STATE') return value === condition.value ? 'above' : 'in order';
  if (condition.kind === 'RATE_OF_CHANGE') {
    const { change, withinMs, direction } = condition;
    const earlier = sorted.slice(0, index).filter((each) => observedAt - each.observedAt <= withinMs);
    const rises = earlier.some((each) => value - each.value > change);
    const falls = earlier.some((each) => each.value - value > change);
    return (rises && direction !== 'FALLING') || (falls && direction !== 'RISING') ? 'above' : 'in order';
  }
  if (condition.kind !== 'READING' && condition.kind !== 'AVERAGE') return 'in order';
  const { comparison, low, high, hysteresis } = condition;
  if (comparison !== 'BELOW' && value > high!) return 'above';
  if (comparison !== 'ABOVE' && value < low!) return 'below';
  if (before === 'above' && comparison !== 'BELOW' && value > high! - hysteresis) return 'above';
  if (before === 'below' && comparison !== 'ABOVE' && value < low! + hysteresis) return 'below';
  return 'in order';
}
