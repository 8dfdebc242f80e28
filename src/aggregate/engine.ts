import { type QuantityName, quantityOfCode } from '../domain/quantity';
import { type BuildingAverage, isTooLate, slotOf, WINDOW_SECONDS } from '../domain/window';
import { type Frame } from '../stream/frame';
import { type PackedBuilding } from './snapshot';
import { EMPTY_SECONDS, FURTHEST_AHEAD_SECONDS, type Horizons, FUTURE_ALLOWANCE_MS } from './horizons';
import {
  addDated,
  addUndated,
  createIdentities,
  expireIdentities,
  type Identities,
  ORDINAL_LIMIT,
  packIdentities,
  unpackIdentities,
} from './identities';
import {
  addReading,
  advanceWindow,
  createDeviceStamps,
  createRollingWindow,
  evict,
  isHolding,
  newestSlot,
  packWindow,
  type RollingWindow,
  unpackWindow,
  valueAt,
  valueNow,
  type WindowValue,
} from './window';

/** What became of the readings applied so far. Their sum is the number of rows. */
export interface EngineCounts {
  applied: number;
  duplicates: number;
  tooLate: number;
  /** Of a quantity that has no mean, or that this release does not know. */
  notAveraged: number;
  /** Readings that no gateway of ours lets in: an ordinal, time or value that can not be. */
  impossible: number;
  /** Observed before what is held although not too late: the clocks of hub and worker differ by minutes. */
  outOfReach: number;
}

/** A value of the rolling average before the stream position is put to it. */
export type LiveValue = Omit<BuildingAverage, 'position' | 'asOf' | 'windowEnd'>;

/** A building of one tenant: what stands in the stream for two owners is averaged for each alone. */
export interface BuildingState {
  readonly tenantId: string;
  readonly buildingId: string;
  identities: Identities;
  /** By quantity code. */
  readonly series: (Series | undefined)[];
  /** How many there are. */
  held: number;
  /** Minutes (since 1970) whose points must be computed, by series. */
  readonly dirty: Map<number, Set<Series>>;
}

interface Series {
  readonly building: BuildingState;
  readonly code: number;
  readonly name: QuantityName;
  window: RollingWindow;
  touched: boolean;
  told: LiveValue | undefined;
}

export type DevicesExpected = (buildingId: string, quantity: QuantityName) => number | undefined;

/**
 * The rolling averages of one partition of the telemetry stream: pure, driven by what is applied and by the clock it is
 * told. The value of every window is exactly that over the distinct readings of the events applied so far.
 */
export interface Engine {
  /** T, seconds since 1970; 0 before the first advance. */
  readonly second: number;
  /** Sequence number of the last event applied, -1 before the first. */
  readonly sequence: number;
  readonly counts: Readonly<EngineCounts>;
  readonly buildings: number;
  /**
   * Windows that begin before this instant (ms) may lack readings of events that were never seen, and are never
   * computed. -Infinity when the stream was read from its first event.
   */
  readonly knownFrom: number;
  /** Moves T forward, never back; minutes that end on the way are marked for computing. */
  advance(second: number): void;
  /** Counts a frame's readings. Events must come in stream order; the caller drops those it has applied before. */
  apply(frame: Frame, sequence: number, enqueuedAt: number): void;
  /** An event that holds no readings for us (damaged, of a later release) still moves the position. */
  skip(sequence: number, enqueuedAt: number): void;
  /** The values at T that changed since they were last taken; with `all`, of every active building and quantity. */
  takeValues(all: boolean): LiveValue[];
  /** Buildings with minutes to compute. */
  dirtyBuildings(): Iterable<BuildingState>;
  /** Computes a building's marked minutes as they are known now. */
  takeMinutes(building: BuildingState, asOf: number): BuildingAverage[];
  /** The oldest minute that is marked and not computed; Infinity for none. */
  oldestDirtyMinute(): number;
  /** Every building as it stands in a snapshot. Nothing may be applied, advanced or taken until it was read through. */
  pack(): Iterable<PackedBuilding>;
}

/** Where an engine goes on: as the one that was packed was, but that nothing counts as told yet. */
export interface RestoredState {
  second: number;
  sequence: number;
  knownFrom: number;
  buildings: readonly PackedBuilding[];
}

export function createEngine(options: {
  incarnation: string;
  partition: number;
  horizons: Horizons;
  expected: DevicesExpected;
  /** Takes the points of minutes that can not change any more and whose readings are about to be given up. */
  onFinal(building: BuildingState, points: BuildingAverage[]): void;
  /** Left out, it begins with nothing. */
  restored?: RestoredState;
  now(): number;
}): Engine {
  const { horizons, expected } = options;
  const byId = new Map<string, BuildingState[]>();
  const dirty = new Set<BuildingState>();
  const stamps = createDeviceStamps();
  let all: Series[] = [];
  let touched: Series[] = [];
  let second = 0;
  let sequence = -1;
  let knownFrom: number | undefined;
  const counts: EngineCounts = {
    applied: 0,
    duplicates: 0,
    tooLate: 0,
    notAveraged: 0,
    impossible: 0,
    outOfReach: 0,
  };

  const isKnown = (windowEnd: number): boolean =>
    knownFrom !== undefined && (windowEnd - WINDOW_SECONDS) * 1000 >= knownFrom;

  /** An empty window names its last reading: one in an unseen event may be newer than any we know from before. */
  const isWholeTruth = (value: WindowValue): boolean =>
    value.readings > 0 || (value.lastReadingAt !== null && value.lastReadingAt >= knownFrom!);

  const touch = (series: Series): void => {
    if (series.touched) return;
    series.touched = true;
    touched.push(series);
  };

  /** Whether a reading up to `at`, which T has not passed, is recent enough for its series to be told of. */
  const isActive = (series: Series, at: number): boolean => {
    const newest = newestSlot(series.window);
    return newest !== undefined && newest > at - WINDOW_SECONDS - EMPTY_SECONDS;
  };

  const markMinute = (series: Series, windowEnd: number): void => {
    if (!isKnown(windowEnd)) return;
    const { building } = series;
    const minute = windowEnd / 60;
    const marked = building.dirty.get(minute);
    if (marked) marked.add(series);
    else building.dirty.set(minute, new Set([series]));
    dirty.add(building);
  };

  const isMarked = (series: Series): boolean => {
    for (const marked of series.building.dirty.values()) if (marked.has(series)) return true;
    return false;
  };

  /**
   * A minute has a point when a reading lies in its window or in the empty one before: which minutes those are follows
   * from the readings alone, not from when they arrived.
   */
  const markMinutesAfter = (series: Series, slot: number): void => {
    const last = Math.min(second, slot + WINDOW_SECONDS + EMPTY_SECONDS - 1);
    for (let end = Math.ceil(slot / 60) * 60; end <= last; end += 60) markMinute(series, end);
  };

  const buildingOf = (tenantId: string, buildingId: string): BuildingState => {
    const owners = byId.get(buildingId);
    let building = owners?.find((each) => each.tenantId === tenantId);
    if (building === undefined) {
      building = {
        tenantId,
        buildingId,
        identities: createIdentities(),
        series: [],
        held: 0,
        dirty: new Map(),
      };
      if (owners) owners.push(building);
      else byId.set(buildingId, [building]);
    }
    return building;
  };

  /** Undefined for a quantity that has no mean. */
  const seriesOf = (building: BuildingState, code: number): Series | undefined => {
    const found = building.series[code];
    if (found !== undefined) return found;
    const quantity = quantityOfCode(code);
    if (quantity?.kind !== 'continuous') return undefined;
    const series: Series = {
      building,
      code,
      name: quantity.name,
      window: createRollingWindow(second),
      touched: false,
      told: undefined,
    };
    building.series[code] = series;
    building.held++;
    all.push(series);
    return series;
  };

  const step = (to: number): void => {
    second = to;
    for (const series of all) if (advanceWindow(series.window, to)) touch(series);
  };

  const takeMinutes = (building: BuildingState, asOf: number, through = Infinity): BuildingAverage[] => {
    const points: BuildingAverage[] = [];
    const { incarnation, partition } = options;
    for (const [minute, marked] of building.dirty) {
      if (minute > through) continue;
      building.dirty.delete(minute);
      for (const series of marked) {
        const value = valueAt(series.window, minute * 60, stamps);
        if (!isWholeTruth(value)) continue;
        points.push({
          ...liveValue(series, value, expected),
          windowEnd: minute * 60,
          asOf,
          position: { incarnation, partition, sequence },
        });
      }
    }
    if (building.dirty.size === 0) dirty.delete(building);
    return points;
  };

  /** Everything that happens once a minute, at its end. */
  const endMinute = (windowEnd: number): void => {
    const final = Math.floor((windowEnd - horizons.finalAfter) / 60);
    for (const building of [...dirty]) {
      const points = takeMinutes(building, options.now(), final);
      if (points.length > 0) options.onFinal(building, points);
    }
    const gone = windowEnd - horizons.heldFor;
    let forgotten = false;
    for (const series of all) {
      if (isActive(series, windowEnd)) markMinute(series, windowEnd);
      evict(series.window, gone);
      if (!isHolding(series.window) && !isMarked(series)) {
        series.building.series[series.code] = undefined;
        series.building.held--;
        forgotten = true;
      }
    }
    if (forgotten) all = all.filter((series) => series.building.series[series.code] === series);
    for (const [buildingId, owners] of byId) {
      for (const building of owners) expireIdentities(building.identities, gone);
      if (owners.every((building) => building.held === 0)) byId.delete(buildingId);
    }
  };

  const advance = (to: number): void => {
    if (second === 0) second = to;
    while (second < to && all.length > 0) {
      const minuteEnd = (Math.floor(second / 60) + 1) * 60;
      step(Math.min(minuteEnd, to));
      if (minuteEnd <= to) endMinute(minuteEnd);
    }
    if (to > second) second = to;
  };

  const restore = (state: RestoredState): void => {
    ({ second, sequence, knownFrom } = state);
    for (const packed of state.buildings) {
      const building = buildingOf(packed.tenantId, packed.buildingId);
      building.identities = unpackIdentities(packed.identities);
      // Of a quantity that this release does not know nothing can be told.
      for (const { code, window } of packed.series) {
        const series = seriesOf(building, code);
        if (series !== undefined) series.window = unpackWindow(window);
      }
      for (const [minute, codes] of packed.dirty) {
        const marked = codes.flatMap((code) => building.series[code] ?? []);
        if (marked.length === 0) continue;
        building.dirty.set(minute, new Set(marked));
        dirty.add(building);
      }
    }
  };
  if (options.restored) restore(options.restored);

  const begin = (next: number, enqueuedAt: number): void => {
    // Event Hubs numbers a partition's events from 0: whoever reads that one has missed nothing.
    knownFrom ??= next === 0 ? -Infinity : enqueuedAt + FUTURE_ALLOWANCE_MS;
    sequence = next;
  };

  return {
    get second() {
      return second;
    },
    get sequence() {
      return sequence;
    },
    get buildings() {
      return byId.size;
    },
    get knownFrom() {
      return knownFrom ?? Infinity;
    },
    counts,
    advance,
    skip: begin,
    apply(frame, next, enqueuedAt) {
      begin(next, enqueuedAt);
      const { point, observedAt, value, points } = frame;
      const buildings = frame.buildings.map((each) => buildingOf(each.tenantId, each.buildingId));
      const seriesOfPoint = points.map((each) => seriesOf(buildings[each.building]!, each.quantity));
      const undatedRows =
        frame.undated.length === 0 ? undefined : new Map(frame.undated.map((each) => [each.row, each]));
      // Every minute that a reading can touch must still have its whole window.
      const oldest = second - horizons.heldFor + WINDOW_SECONDS;
      const furthest = second + FURTHEST_AHEAD_SECONDS;
      for (let row = 0; row < frame.count; row++) {
        const index = point[row]!;
        const instant = observedAt[row]!;
        const undated = undatedRows?.get(row);
        const series = seriesOfPoint[index];
        if (series === undefined) {
          counts.notAveraged++;
          continue;
        }
        if (isTooLate(instant, enqueuedAt, horizons.allowedLatenessMs)) {
          counts.tooLate++;
          continue;
        }
        const slot = slotOf(instant);
        const { pointOrdinal, deviceOrdinal } = points[index]!;
        if (
          slot > furthest ||
          !Number.isFinite(value[row]) ||
          !(pointOrdinal >= 0 && pointOrdinal < ORDINAL_LIMIT && deviceOrdinal >= 0) ||
          deviceOrdinal >= ORDINAL_LIMIT
        ) {
          counts.impossible++;
          continue;
        }
        if (slot <= oldest) {
          counts.outOfReach++;
          continue;
        }
        const { identities } = series.building;
        const isNew =
          undated === undefined
            ? addDated(identities, pointOrdinal, instant, slot)
            : addUndated(identities, pointOrdinal, undated.messageId, undated.messageIndex, slot);
        if (!isNew) {
          counts.duplicates++;
          continue;
        }
        counts.applied++;
        addReading(series.window, slot, instant, value[row]!, deviceOrdinal);
        if (slot <= second) {
          touch(series);
          if (Math.ceil(slot / 60) * 60 <= second) markMinutesAfter(series, slot);
        }
      }
    },
    takeValues(everything) {
      const values: LiveValue[] = [];
      const candidates = everything ? all : touched;
      for (const series of candidates) {
        if (!isActive(series, second) || !isKnown(second)) continue;
        const windowValue = valueNow(series.window);
        if (!isWholeTruth(windowValue)) continue;
        const value = liveValue(series, windowValue, expected);
        if (!everything && series.told !== undefined && isSame(series.told, value)) continue;
        series.told = value;
        values.push(value);
      }
      if (isKnown(second)) {
        for (const series of touched) series.touched = false;
        touched = [];
      }
      return values;
    },
    *pack() {
      for (const owners of byId.values()) {
        for (const { tenantId, buildingId, identities, series, dirty: minutes } of owners) {
          yield {
            tenantId,
            buildingId,
            identities: packIdentities(identities),
            series: series.flatMap((each) =>
              each === undefined ? [] : [{ code: each.code, window: packWindow(each.window) }],
            ),
            dirty: [...minutes].map(([minute, marked]) => [minute, [...marked].map(({ code }) => code)]),
          };
        }
      }
    },
    dirtyBuildings: () => dirty,
    takeMinutes: (building, asOf) => takeMinutes(building, asOf),
    oldestDirtyMinute() {
      let oldest = Infinity;
      for (const building of dirty)
        for (const minute of building.dirty.keys()) if (minute < oldest) oldest = minute;
      return oldest;
    },
  };
}

function liveValue(series: Series, value: WindowValue, expected: DevicesExpected): LiveValue {
  const { tenantId, buildingId } = series.building;
  return {
    tenantId,
    buildingId,
    quantity: series.code,
    mean: value.mean,
    minimum: value.minimum,
    maximum: value.maximum,
    readings: value.readings,
    devicesReporting: value.devicesReporting,
    // Until the registry has answered, those that report are what is known to be there.
    devicesExpected: expected(buildingId, series.name) ?? value.devicesReporting,
    lastReadingAt: value.lastReadingAt,
  };
}

function isSame(a: LiveValue, b: LiveValue): boolean {
  return (
    a.mean === b.mean &&
    a.minimum === b.minimum &&
    a.maximum === b.maximum &&
    a.readings === b.readings &&
    a.devicesReporting === b.devicesReporting &&
    a.devicesExpected === b.devicesExpected &&
    a.lastReadingAt === b.lastReadingAt
  );
}
