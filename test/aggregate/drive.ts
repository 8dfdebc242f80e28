import { type BuildingAverage, WINDOW_SECONDS } from '../../src/domain/window';
import { type createEngine, type Engine } from '../../src/aggregate/engine';
import { EMPTY_SECONDS, horizonsFor, RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { STATE_REACH_SECONDS } from '../../src/aggregate/state-point';
import { type StateValue } from '../../src/aggregate/states';
import { countedRows, differenceFrom, expectedAt, type Row } from './plain-model';
import { expectedStateAt, stateDifferenceFrom } from './plain-states';
import { frameOf, STATES, type StreamEvent } from './random-stream';
import { createTestTree, placesOf } from './test-tree';

/** How late a reading may be to be counted from what is held. */
export const LATENESS_MS = 300_000;
/** Long enough after the last event for every minute to be final and every window to be empty. */
const AFTERWARDS_SECONDS = 1_000;

export interface Drive {
  /** Whether the wall clock ticks every second between events, or the stream alone is the clock. */
  live: boolean;
  /** The first event that is applied; those before it were never seen. */
  from?: number;
  /** The event at which it becomes known where spaces lie; with the first if left out. */
  learnsAt?: number;
}

export interface Outcome {
  differences: string[];
  live: number;
  points: number;
  states: number;
  /** The record at the end, the last point of each series and minute. */
  record: Map<string, BuildingAverage>;
  engine: Engine;
}

/**
 * Drives an engine over a stream and compares with the plain model, as it was known at that position: every value and
 * state told at every tick; at every tick also what was not told, which must still be what was; every minute point whenever it is
 * computed; and at the end the record.
 */
export function drive(
  create: typeof createEngine,
  events: readonly StreamEvent[],
  { live, from = 0, learnsAt = 0 }: Drive,
): Outcome {
  const rows = events.flatMap((event) => event.rows);
  const counted = countedRows(rows, RECORD_LATENESS_MS).filter((row) => !STATES.includes(row.quantity));
  const states = new Map<string, Row[]>();
  const bySeries = new Map<string, Row[]>();
  for (const row of counted) {
    for (const spaceId of placesOf(row)) add(bySeries, keyOf({ ...row, spaceId }), row);
  }
  for (const row of countedRows(rows, RECORD_LATENESS_MS)) {
    if (!STATES.includes(row.quantity)) continue;
    for (const spaceId of placesOf(row)) add(states, keyOf({ ...row, spaceId }), row);
  }
  const differences: string[] = [];
  const told = new Map<string, ReturnType<Engine['takeValues']>[number]>();
  const toldStates = new Map<string, StateValue>();
  const tree = createTestTree();
  let learned = false;
  const record = new Map<string, BuildingAverage>();
  let values = 0;
  let points = 0;
  let stateValues = 0;
  let now = 0;

  const keep = (_: unknown, computed: BuildingAverage[]): void => {
    for (const point of computed) {
      points++;
      const key = keyOf(point);
      const expected = expectedAt(bySeries.get(key) ?? [], point.windowEnd, point.position.sequence);
      const difference = differenceFrom(expected, point);
      if (difference) differences.push(`point ${key} at ${point.windowEnd}: ${difference}`);
      record.set(`${key} ${point.windowEnd}`, point);
    }
  };
  /** Series and minutes that are to be computed from the store: the record need not say what late readings change. */
  const late = new Set<string>();
  const engine = create({
    incarnation: 'test',
    partition: 0,
    horizons: horizonsFor(LATENESS_MS),
    expected: () => 5,
    tree,
    onFinal: keep,
    onLate: ({ buildingId }, quantity, firstMinute, lastMinute) => {
      for (let minute = firstMinute; minute <= lastMinute; minute++) {
        late.add(`${keyOf({ buildingId, quantity, spaceId: null })} ${minute * 60}`);
      }
    },
    now: () => now,
  });

  /** Long after its last reading left, a series is told no more; nor when an unseen event may hold a newer one. */
  const isToldEmpty = (windowEnd: number, lastReadingAt: number | null): boolean =>
    lastReadingAt !== null &&
    Math.ceil(lastReadingAt / 1000) > windowEnd - WINDOW_SECONDS - EMPTY_SECONDS &&
    lastReadingAt >= engine.knownFrom;

  const takeMinutes = (): void => {
    for (const building of [...engine.dirtyBuildings()]) keep(building, engine.takeMinutes(building, now));
  };

  const compareStates = (second: number): void => {
    const isKnown = (second - STATE_REACH_SECONDS) * 1000 >= engine.knownFrom;
    for (const value of engine.takeStates(second % 60 === 0)) {
      stateValues++;
      const key = keyOf(value);
      if (!isKnown) differences.push(`state ${key} at ${second}: told and not known`);
      toldStates.set(key, value);
    }
    if (!isKnown) return;
    for (const [key, own] of states) {
      if (!learned && !key.endsWith('null')) continue;
      const expected = expectedStateAt(own, second, engine.sequence);
      const last = toldStates.get(key);
      // Long after its last reading a place is told no more.
      if (!((expected.lastReadingAt ?? -1) > (second - STATE_REACH_SECONDS) * 1000)) continue;
      const difference = last ? stateDifferenceFrom(expected, last) : 'never told';
      if (difference) differences.push(`state ${key} at ${second}: ${difference}`);
    }
  };

  const tick = (second: number): void => {
    if (!learned && events[learnsAt] !== undefined && second * 1000 >= events[learnsAt].enqueuedAt) {
      learned = true;
      tree.learn();
      for (const buildingId of ['bld_a', 'bld_b']) engine.regroup(buildingId);
    }
    engine.advance(second);
    const known = (second - 300) * 1000 >= engine.knownFrom;
    for (const value of engine.takeValues(second % 60 === 0)) {
      values++;
      const key = keyOf(value);
      told.set(key, value);
      const difference = differenceFrom(expectedAt(bySeries.get(key) ?? [], second, engine.sequence), value);
      if (difference) differences.push(`told ${key} at ${second}: ${difference}`);
    }
    if (known) {
      for (const [key, series] of bySeries) {
        // Until it is known where spaces lie, nothing is told of them.
        if (!learned && !key.endsWith('null')) continue;
        const expected = expectedAt(series, second, engine.sequence);
        const last = told.get(key);
        if (expected.readings === 0 && !isToldEmpty(second, expected.lastReadingAt)) continue;
        if (last === undefined) {
          if (expected.readings > 0) differences.push(`live ${key} at ${second}: never told`);
          continue;
        }
        const difference = differenceFrom(expected, last);
        if (difference) differences.push(`not told ${key} at ${second}: ${difference}`);
      }
    }
    compareStates(second);
    // At odd moments, so that points are computed before, at and after corrections.
    if (second % 47 === 0) takeMinutes();
  };

  for (const event of events.slice(from)) {
    now = live ? event.receivedAt : event.enqueuedAt;
    if (live && engine.second > 0) {
      while (engine.second < Math.floor(now / 1000)) tick(engine.second + 1);
    }
    engine.advance(Math.floor(Math.min(event.enqueuedAt, now) / 1000));
    engine.apply(frameOf(event.rows), event.sequence, event.enqueuedAt);
  }
  const end = Math.floor((events.at(-1)!.receivedAt + AFTERWARDS_SECONDS * 1000) / 1000);
  while (engine.second < end) tick(engine.second + 1);
  takeMinutes();

  for (const [key, series] of bySeries) {
    // Of spaces no minutes are recorded.
    if (!key.endsWith('null')) continue;
    const minutes = new Set<number>();
    for (const { observedAt } of series) {
      const slot = Math.ceil(observedAt / 1000);
      const told = slot + WINDOW_SECONDS + EMPTY_SECONDS;
      for (let windowEnd = Math.ceil(slot / 60) * 60; windowEnd < told; windowEnd += 60) {
        if ((windowEnd - 300) * 1000 >= engine.knownFrom) minutes.add(windowEnd);
      }
    }
    for (const windowEnd of minutes) {
      if (late.has(`${key} ${windowEnd}`)) continue;
      const point = record.get(`${key} ${windowEnd}`);
      const expected = expectedAt(series, windowEnd, Infinity);
      const difference = point ? differenceFrom(expected, point) : 'missing';
      if (expected.readings === 0 && !isToldEmpty(windowEnd, expected.lastReadingAt)) continue;
      if (difference) differences.push(`record ${key} at ${windowEnd}: ${difference}`);
    }
  }
  // The first few say enough.
  return { differences: differences.slice(0, 5), live: values, points, states: stateValues, record, engine };
}

function add(to: Map<string, Row[]>, key: string, row: Row): void {
  const rows = to.get(key);
  if (rows) rows.push(row);
  else to.set(key, [row]);
}

function keyOf(of: { buildingId: string; quantity: number; spaceId?: string | null }): string {
  return `${of.buildingId} ${of.quantity} ${of.spaceId}`;
}
