import { STATE_HOLDS_SECONDS } from '../../src/domain/state';
import { type Row } from './plain-model';

export interface ExpectedState {
  active: number;
  clear: number;
  activeMs: number;
  knownMs: number;
  changedAt: number | null;
  lastReadingAt: number | null;
}

const HOLDS = STATE_HOLDS_SECONDS * 1000;
const WINDOW = 300_000;

/**
 * What the points of a place say at second T, by the definition: rows of one place and state quantity from `countedRows`,
 * in stream order.
 */
export function expectedStateAt(counted: readonly Row[], second: number, sequence: number): ExpectedState {
  const end = second * 1000;
  const expected: ExpectedState = {
    active: 0,
    clear: 0,
    activeMs: 0,
    knownMs: 0,
    changedAt: null,
    lastReadingAt: null,
  };
  const seen = counted.filter((row) => row.sequence <= sequence && row.observedAt <= end);
  for (const point of new Set(seen.map((row) => row.pointOrdinal))) {
    const own = seen
      .filter((row) => row.pointOrdinal === point)
      .toSorted((a, b) => a.observedAt - b.observedAt);
    const stateAt = (instant: number): 'active' | 'clear' | 'unknown' => {
      const holding = own.findLast((row) => row.observedAt <= instant);
      if (holding === undefined || instant >= holding.observedAt + HOLDS) return 'unknown';
      return holding.value === 0 ? 'clear' : 'active';
    };
    const now = stateAt(end);
    if (now !== 'unknown') expected[now]++;
    const instants = [end - WINDOW, end, ...own.flatMap((row) => [row.observedAt, row.observedAt + HOLDS])]
      .filter((instant) => instant >= end - WINDOW && instant <= end)
      .sort((a, b) => a - b);
    for (let i = 0; i + 1 < instants.length; i++) {
      const state = stateAt(instants[i]!);
      const length = instants[i + 1]! - instants[i]!;
      if (state !== 'unknown') expected.knownMs += length;
      if (state === 'active') expected.activeMs += length;
    }
    own.forEach((row, index) => {
      const before = own[index - 1];
      expected.lastReadingAt = Math.max(expected.lastReadingAt ?? -1, row.observedAt);
      if (before === undefined || row.observedAt >= before.observedAt + HOLDS) return;
      if (row.observedAt <= end - WINDOW || (before.value === 0) === (row.value === 0)) return;
      expected.changedAt = Math.max(expected.changedAt ?? -1, row.observedAt);
    });
  }
  return expected;
}

/** What of a value is not as expected, in words; undefined when all is. */
export function stateDifferenceFrom(expected: ExpectedState, found: ExpectedState): string | undefined {
  const pick = ({ active, clear, activeMs, knownMs, changedAt, lastReadingAt }: ExpectedState): string =>
    JSON.stringify({ active, clear, activeMs, knownMs, changedAt, lastReadingAt });
  return pick(expected) === pick(found) ? undefined : `${pick(found)} for ${pick(expected)}`;
}
