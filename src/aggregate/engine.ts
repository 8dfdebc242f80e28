import { type QuantityName } from '../domain/quantity';
import { type BuildingAverage, isTooLate, slotOf, WINDOW_SECONDS } from '../domain/window';
import { type Frame } from '../stream/frame';
import { createAgenda, due, note } from './agenda';
import { type Aggregation, createAggregations, FURTHER } from './aggregations';
import { type Cells, change, clearChanged, createCells, forget, touch } from './cells';
import { createChunks, insert, longer, NONE } from './chunks';
import { EMPTY_SECONDS, FURTHEST_AHEAD_SECONDS, type Horizons, KNOWN_AFTER_MS } from './horizons';
import { addUndated, expireUndated, identityOf, ORDINAL_LIMIT } from './identities';
import { createNodes, type SpaceNode } from './nodes';
import { countOf, freeze, packFrozen, type PackedPart, unpackPlaces } from './packed';
import { type BuildingState, createPlaces, type Series } from './places';
import { STATE_REACH_SECONDS } from './state-point';
import { createStates, type StateLeaf, type StateValue } from './states';
import { createSummaries, DEVICES, NEWEST, READINGS } from './summaries';
import { FLAT, type SpaceTree } from './tree';
import { createWindowGatherer } from './window';

export { type BuildingState } from './places';

/** What became of the readings applied so far. Their sum is the number of rows. */
export interface EngineCounts {
  applied: number;
  duplicates: number;
  /** Observed before what is held: counted from the stored recent readings instead. */
  late: number;
  /** Later than the record allows. */
  tooLate: number;
  /** Of a quantity that this release does not know. */
  notAveraged: number;
  /** Readings that no gateway of ours lets in: an ordinal, time or value that can not be. */
  impossible: number;
}

/** What became of a frame's rows, a byte each. */
export const APPLIED = 0;
export const DUPLICATE = 1;
export const LATE = 2;
export const TOO_LATE = 3;
export const NOT_AVERAGED = 4;
export const IMPOSSIBLE = 5;

/** A value of the rolling average before the stream position is put to it. */
export type LiveValue = Omit<BuildingAverage, 'position' | 'asOf' | 'windowEnd'>;

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
   * Windows that begin before this instant (ms) may lack readings of events that were never seen, or count a message that
   * repeats one of those, and are never computed. -Infinity when the stream was read from its first event.
   */
  readonly knownFrom: number;
  /** Moves T forward, never back; minutes that end on the way are marked for computing. */
  advance(second: number): void;
  /**
   * Counts a frame's readings. Events must come in stream order; the caller drops those it has applied before.
   *
   * @returns what became of each row; it holds until the next frame is applied.
   */
  apply(frame: Frame, sequence: number, enqueuedAt: number): Uint8Array;
  /** An event that holds no readings for us (damaged, of a later release) still moves the position. */
  skip(sequence: number, enqueuedAt: number): void;
  /** The values at T that changed since they were last taken; with `all`, of every active building and quantity. */
  takeValues(all: boolean): LiveValue[];
  /**
   * At T of a building and quantity, over the spaces for which `within` holds, or all; undefined where T's window is not
   * known. Not within a `pack`.
   */
  placeValue(
    of: { tenantId: string; buildingId: string; code: number },
    within: ((spaceId: string) => boolean) | null,
  ): { mean: number | null; devicesReporting: number } | undefined;
  /** The states at T of every place whose state changed since they were last taken; with `all`, of every active one. */
  takeStates(all: boolean): StateValue[];
  /** Where spaces of a building lie has become known. */
  regroup(buildingId: string): void;
  /** Buildings with minutes to compute. */
  dirtyBuildings(): Iterable<BuildingState>;
  /** Computes a building's marked minutes as they are known now. */
  takeMinutes(building: BuildingState, asOf: number): BuildingAverage[];
  /** The oldest minute that is marked and not computed; Infinity for none. */
  oldestDirtyMinute(): number;
  /** What is held at this instant, as it stands in a snapshot: it may be read through while the engine goes on. */
  pack(): Iterable<PackedPart>;
}

/** Where an engine goes on: as the one that was packed was, but that nothing counts as told yet. */
export interface RestoredState {
  second: number;
  sequence: number;
  knownFrom: number;
  parts: readonly PackedPart[];
}

export function createEngine(options: {
  incarnation: string;
  partition: number;
  horizons: Horizons;
  expected: DevicesExpected;
  /** Where spaces lie. Left out, each lies directly in its building. */
  tree?: SpaceTree;
  /** Takes the points of minutes that can not change any more and whose readings are about to be given up. */
  onFinal(building: BuildingState, points: BuildingAverage[]): void;
  /**
   * A reading touches minutes (since 1970, both included) that are final, or that began before what is known: they are to
   * be computed from the stored recent readings.
   */
  onLate?(building: BuildingState, code: number, firstMinute: number, lastMinute: number): void;
  /** What is told by name beside the values that have a field. Default `FURTHER`. */
  aggregations?: readonly Aggregation[];
  /** Left out, it begins with nothing. */
  restored?: RestoredState;
  now(): number;
}): Engine {
  const { horizons, expected } = options;
  const chunks = createChunks(countOf(options.restored?.parts ?? []));
  const tree = options.tree ?? FLAT;
  const nodes = createNodes(tree);
  const places = createPlaces(chunks, (series, leaf, spaceId) => {
    nodes.attach(series, leaf, spaceId);
    for (const { number } of nodes.of(leaf)) touch(levels, number);
  });
  const states = createStates(tree);
  const agenda = createAgenda();
  const gatherer = createWindowGatherer();
  const named = createAggregations();
  const [mean, , , deviceMean] = named;
  const further = options.aggregations ?? FURTHER;
  const summaries = createSummaries([...named, ...further]);
  const { width } = summaries;
  const next = new Float64Array(width);
  const leaves = createCells(width);
  const serieses = createCells(width);
  /** Of spaces that others lie in. */
  const levels = createCells(width);
  /** By number of a series: the slot of its newest reading up to T. */
  let newestSlot = new Uint32Array(0);
  const dirty = new Set<BuildingState>();
  let second = 0;
  let sequence = -1;
  let knownFrom: number | undefined;
  let verdicts = new Uint8Array(0);
  /** When the last event was enqueued. */
  let enqueuedUpTo = 0;
  const counts: EngineCounts = {
    applied: 0,
    duplicates: 0,
    late: 0,
    tooLate: 0,
    notAveraged: 0,
    impossible: 0,
  };

  const isKnown = (windowEnd: number, reach = WINDOW_SECONDS): boolean =>
    knownFrom !== undefined && (windowEnd - reach) * 1000 >= knownFrom;

  /** An empty window names its last reading: one in an unseen event may be newer than any we know from before. */
  const isWholeTruth = (readings: number, newestAt: number): boolean =>
    readings > 0 || (newestAt >= 0 && newestAt >= knownFrom!);

  /** Whether a reading in `slot` is recent enough at a second for its place to be told of. */
  const isActive = (slot: number, at: number): boolean => slot > at - WINDOW_SECONDS - EMPTY_SECONDS;

  const newestOf = (series: Series): number => newestSlot[series.number] ?? 0;

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
    const first = Math.ceil(slot / 60) * 60;
    let end = first;
    while (end <= last && isForTheStore(end)) end += 60;
    if (end > first) options.onLate?.(series.building, series.code, first / 60, end / 60 - 1);
    for (; end <= last; end += 60) markMinute(series, end);
  };

  /**
   * Whether a minute is to be computed from the stored readings. Of one that began before what is known the owner before
   * has counted what came in time: it stored that before its checkpoint passed it. What came about when that owner held
   * the minute for final, by a clock that may have been ahead of the stream, is computed anew.
   */
  const isForTheStore = (windowEnd: number): boolean =>
    windowEnd <= second - horizons.finalAfter ||
    (!isKnown(windowEnd) && windowEnd <= second - horizons.finalAfter + UNKNOWN_MARGIN_SECONDS);

  /** A reading stands in the window of T. */
  const reach = (leaf: number, slot: number): void => {
    touch(leaves, leaf);
    const number = places.seriesOf[leaf]!;
    if (number >= newestSlot.length) newestSlot = longer(newestSlot, Math.ceil((number + 1) * 1.5));
    if (slot > newestSlot[number]!) newestSlot[number] = slot;
  };

  /** As `schedule`, of one that comes back from a snapshot: what no window of T or later holds is not looked at again. */
  const scheduleAgain = (leaf: number, slot: number): void => {
    if (slot > second - WINDOW_SECONDS) schedule(leaf, slot);
    else reach(leaf, slot);
  };

  /** Notes when a reading enters and leaves the window of T. */
  const schedule = (leaf: number, slot: number): void => {
    if (slot > second) note(agenda, slot, 2 * leaf + 1);
    else reach(leaf, slot);
    if (slot + WINDOW_SECONDS > second) note(agenda, slot + WINDOW_SECONDS, 2 * leaf);
  };

  const step = (to: number): void => {
    while (second < to) {
      second++;
      for (const entry of due(agenda, second)) {
        const leaf = entry >>> 1;
        if (entry & 1) reach(leaf, second);
        else touch(leaves, leaf);
      }
    }
  };

  const summariseAt = (of: readonly number[], at: number): void => {
    gatherer.begin();
    for (const leaf of of) gatherer.add(chunks, leaf, at);
    summaries.summarise(gatherer.readings, next, 0);
  };

  /** Brings up to date what is kept of every window that changed. Those that differ from what was told stay to be told. */
  const settle = (): void => {
    const { seriesOf } = places;
    const { readings } = gatherer;
    for (const leaf of leaves.touched) {
      leaves.isTouched[leaf] = 0;
      if (places.isFree(leaf)) continue;
      gatherer.begin();
      gatherer.add(chunks, leaf, second);
      summaries.summarise(readings, next, 0);
      if (!summaries.replace(next, leaves.cells, leaf * width)) continue;
      if (nodes.standsAlone(leaf)) change(leaves, leaf);
      for (const { number } of nodes.of(leaf)) touch(levels, number);
      touch(serieses, seriesOf[leaf]!);
    }
    leaves.touched.length = 0;
    for (const number of levels.touched) {
      levels.isTouched[number] = 0;
      const node = nodes.nodes[number];
      if (node === undefined) continue;
      if (node.series.building.shared || !mergeLeaves(node.leaves)) summariseAt(node.leaves, second);
      if (summaries.replace(next, levels.cells, number * width)) change(levels, number);
    }
    levels.touched.length = 0;
    for (const number of serieses.touched) {
      serieses.isTouched[number] = 0;
      const series = places.series[number];
      if (series === undefined) continue;
      // Where a device was seen in two spaces, devices cannot be added up.
      if (series.building.shared || !mergeLeaves(series.leaves)) summariseAt(series.leaves, second);
      if (series.evictedAt > next[NEWEST]!) next[NEWEST] = series.evictedAt;
      if (summaries.replace(next, serieses.cells, number * width)) change(serieses, number);
    }
    serieses.touched.length = 0;
  };

  /** @returns false where none of them was summarised yet. */
  const mergeLeaves = (of: readonly number[]): boolean => {
    const { cells } = leaves;
    let first = true;
    for (const leaf of of) {
      const at = leaf * width;
      // Of a leaf whose readings all lie beyond T nothing is kept yet.
      if (!(cells[at + READINGS]! >= 0)) continue;
      if (first) for (let i = 0; i < width; i++) next[i] = cells[at + i]!;
      else summaries.merge(cells, at, next, 0);
      first = false;
    }
    return !first;
  };

  const takeMinutes = (building: BuildingState, asOf: number, through = Infinity): BuildingAverage[] => {
    const points: BuildingAverage[] = [];
    const { incarnation, partition } = options;
    for (const [minute, marked] of building.dirty) {
      if (minute > through) continue;
      building.dirty.delete(minute);
      for (const series of marked) {
        summariseAt(series.leaves, minute * 60);
        if (series.evictedAt > next[NEWEST]!) next[NEWEST] = series.evictedAt;
        if (!isWholeTruth(next[READINGS]!, next[NEWEST]!)) continue;
        points.push({
          ...liveValue(series, null, next, 0),
          windowEnd: minute * 60,
          asOf,
          position: { incarnation, partition, sequence },
        });
      }
    }
    if (building.dirty.size === 0) dirty.delete(building);
    return points;
  };

  const liveValue = (series: Series, spaceId: string | null, cells: Float64Array, at: number): LiveValue => {
    const { tenantId, buildingId } = series.building;
    const readings = cells[at + READINGS]!;
    const devices = cells[at + DEVICES]!;
    const newestAt = cells[at + NEWEST]!;
    const empty = readings === 0;
    const [meanAt, minimumAt, maximumAt, deviceMeanAt] = summaries.offsets as [
      number,
      number,
      number,
      number,
    ];
    const minimum = cells[at + minimumAt]!;
    const maximum = cells[at + maximumAt]!;
    return {
      tenantId,
      buildingId,
      spaceId,
      quantity: series.code,
      mean: empty ? null : within(mean.value(cells, at + meanAt, readings, devices), minimum, maximum),
      minimum: empty ? null : minimum,
      maximum: empty ? null : maximum,
      deviceMean: empty
        ? null
        : within(deviceMean.value(cells, at + deviceMeanAt, readings, devices), minimum, maximum),
      readings,
      devicesReporting: devices,
      // Until the registry has answered, those that report are what is known to be there.
      devicesExpected: (spaceId === null ? expected(buildingId, series.name) : undefined) ?? devices,
      lastReadingAt: newestAt < 0 ? null : newestAt,
      ...(further.length > 0 && { further: furtherOf(cells, at) }),
    };
  };

  const furtherOf = (cells: Float64Array, at: number): Record<string, number | null> => {
    const readings = cells[at + READINGS]!;
    const devices = cells[at + DEVICES]!;
    return Object.fromEntries(
      further.map((aggregation, index) => {
        const kept = at + summaries.offsets[named.length + index]!;
        return [aggregation.name, readings === 0 ? null : aggregation.value(cells, kept, readings, devices)];
      }),
    );
  };

  const regroupSeries = (series: Series | undefined): void => {
    for (const leaf of series?.leaves ?? []) {
      for (const { number } of nodes.detach(leaf)) forget(levels, number);
    }
    for (const leaf of series?.leaves ?? []) {
      nodes.attach(series!, leaf, places.spaceIdOf[leaf]!);
      for (const { number } of nodes.of(leaf)) touch(levels, number);
      if (nodes.standsAlone(leaf) && leaf * width < leaves.cells.length) change(leaves, leaf);
    }
  };

  const forgetLeaf = (leaf: number): void => {
    for (const { number } of nodes.detach(leaf)) forget(levels, number);
    places.freeLeaf(leaf);
    forget(leaves, leaf);
  };

  /** Everything that happens once a minute, at its end. */
  const endMinute = (windowEnd: number): void => {
    const final = Math.floor((windowEnd - horizons.finalAfter) / 60);
    for (const building of [...dirty]) {
      const points = takeMinutes(building, options.now(), final);
      if (points.length > 0) options.onFinal(building, points);
    }
    const gone = windowEnd - horizons.heldFor;
    for (let leaf = 1; leaf < places.leaves; leaf++) {
      if (chunks.newest[leaf]! <= gone && !places.isFree(leaf)) forgetLeaf(leaf);
    }
    for (const series of places.series) {
      if (series === undefined) continue;
      if (isActive(newestOf(series), windowEnd)) markMinute(series, windowEnd);
      if (series.leaves.length > 0 || isMarked(series)) continue;
      places.freeSeries(series);
      forget(serieses, series.number);
      if (series.number < newestSlot.length) newestSlot[series.number] = 0;
    }
    states.expire(windowEnd);
    for (const [buildingId, owners] of places.buildings) {
      for (const building of owners) expireUndated(building.undated, enqueuedUpTo);
      if (owners.every(({ held, undated }) => held === 0 && undated.size === 0))
        places.freeBuilding(buildingId);
    }
  };

  const advance = (to: number): void => {
    if (second === 0) second = to;
    while (second < to && (places.buildings.size > 0 || states.size > 0)) {
      const minuteEnd = (Math.floor(second / 60) + 1) * 60;
      step(Math.min(minuteEnd, to));
      if (minuteEnd <= to) endMinute(minuteEnd);
    }
    if (to > second) second = to;
  };

  if (options.restored) {
    ({ second, sequence, knownFrom } = options.restored);
    for (const part of options.restored.parts) {
      if (part.states) states.restore(part.states);
      for (const building of unpackPlaces(places, part, scheduleAgain)) dirty.add(building);
    }
  }

  const begin = (event: number, enqueuedAt: number): void => {
    // Event Hubs numbers a partition's events from 0: whoever reads that one has missed nothing.
    knownFrom ??= event === 0 ? -Infinity : enqueuedAt + KNOWN_AFTER_MS;
    if (enqueuedAt > enqueuedUpTo) enqueuedUpTo = enqueuedAt;
    sequence = event;
  };

  /** By the frame's points, the leaves of those that measure a state; undefined where none does. */
  const stateLeaves = ({ points, buildings }: Frame): (StateLeaf | undefined)[] | undefined => {
    let leaves: (StateLeaf | undefined)[] | undefined;
    points.forEach(({ building, quantity, spaceId }, index) => {
      const { tenantId, buildingId } = buildings[building]!;
      const leaf = states.leafFor(tenantId, buildingId, quantity, spaceId);
      if (leaf !== undefined) (leaves ??= [])[index] = leaf;
    });
    return leaves;
  };

  const isPossible = (ordinal: number): boolean => ordinal >= 0 && ordinal < ORDINAL_LIMIT;

  return {
    get second() {
      return second;
    },
    get sequence() {
      return sequence;
    },
    get buildings() {
      return places.buildings.size;
    },
    get knownFrom() {
      return knownFrom ?? Infinity;
    },
    counts,
    advance,
    skip: begin,
    apply(frame, event, enqueuedAt) {
      begin(event, enqueuedAt);
      const { point, observedAt, value, points } = frame;
      const buildings = frame.buildings.map((each) => places.buildingOf(each.tenantId, each.buildingId));
      const leafOfPoint = points.map((each) => {
        const building = buildings[each.building]!;
        const { pointOrdinal, deviceOrdinal } = each;
        if (isPossible(pointOrdinal) && isPossible(deviceOrdinal)) {
          return places.leafFor(building, each.quantity, each.spaceId, pointOrdinal, deviceOrdinal) ?? NONE;
        }
        return places.seriesFor(building, each.quantity) === undefined ? NONE : NO_LEAF;
      });
      const stateOfPoint = stateLeaves(frame);
      const undatedRows =
        frame.undated.length === 0 ? undefined : new Map(frame.undated.map((each) => [each.row, each]));
      const furthest = second + FURTHEST_AHEAD_SECONDS;
      const gone = second - horizons.heldFor;
      if (verdicts.length < frame.count) verdicts = new Uint8Array(2 * frame.count);
      for (let row = 0; row < frame.count; row++) {
        const index = point[row]!;
        const instant = observedAt[row]!;
        const leaf = leafOfPoint[index]!;
        const state = leaf === NONE ? stateOfPoint?.[index] : undefined;
        if (isTooLate(instant, enqueuedAt, horizons.recordLatenessMs)) {
          counts.tooLate++;
          verdicts[row] = TOO_LATE;
          continue;
        }
        const slot = slotOf(instant);
        const { building: owner, pointOrdinal, deviceOrdinal } = points[index]!;
        const isImpossible = leaf === NO_LEAF || (state !== undefined && !isPossible(pointOrdinal));
        if (slot > furthest || !Number.isFinite(value[row]) || isImpossible) {
          counts.impossible++;
          verdicts[row] = IMPOSSIBLE;
          continue;
        }
        if (leaf === NONE && state === undefined) {
          counts.notAveraged++;
          verdicts[row] = NOT_AVERAGED;
          continue;
        }
        const undated = undatedRows?.get(row);
        const isNew =
          undated === undefined ||
          addUndated(
            buildings[owner]!.undated,
            pointOrdinal,
            undated.messageId,
            undated.messageIndex,
            enqueuedAt,
          );
        const isDated = undated === undefined;
        if (state !== undefined) {
          const taken = isNew && states.add(state, pointOrdinal, instant, value[row]!, isDated, second);
          counts[taken ? 'applied' : 'duplicates']++;
          // What was not taken may be new all the same, and too old to matter for a state of now.
          verdicts[row] = isNew ? NOT_AVERAGED : DUPLICATE;
          continue;
        }
        if (isNew && slot <= gone) {
          counts.late++;
          verdicts[row] = LATE;
          // An empty window that is still computed from what is held may have it as its last reading.
          if (instant > chunks.evictedAt[leaf]!) chunks.evictedAt[leaf] = instant;
          const first = Math.ceil(slot / 60);
          const last = Math.floor((slot + WINDOW_SECONDS + EMPTY_SECONDS - 1) / 60);
          const series = places.series[places.seriesOf[leaf]!]!;
          options.onLate?.(buildings[owner]!, series.code, first, last);
          continue;
        }
        const identity = identityOf(pointOrdinal, slot, instant, isDated);
        if (!isNew || !insert(chunks, leaf, slot, identity, deviceOrdinal, value[row]!, isDated, gone)) {
          counts.duplicates++;
          verdicts[row] = DUPLICATE;
          continue;
        }
        counts.applied++;
        verdicts[row] = APPLIED;
        schedule(leaf, slot);
        if (Math.ceil(slot / 60) * 60 <= second) {
          markMinutesAfter(places.series[places.seriesOf[leaf]!]!, slot);
        }
      }
      return verdicts;
    },
    takeValues(everything) {
      if (!isKnown(second)) return [];
      settle();
      const values: LiveValue[] = [];
      const tellLeaf = (leaf: number): void => {
        if (places.isFree(leaf) || !nodes.standsAlone(leaf)) return;
        tellSpace(places.series[places.seriesOf[leaf]!]!, places.spaceIdOf[leaf]!, leaves, leaf);
      };
      const tellNode = (node: SpaceNode | undefined): void => {
        if (node !== undefined) tellSpace(node.series, node.spaceId, levels, node.number);
      };
      const tellSpace = (series: Series, spaceId: string, { cells }: Cells, place: number): void => {
        const at = place * width;
        if (at >= cells.length) return;
        const newestAt = cells[at + NEWEST]!;
        // Of a place whose readings all lie beyond T nothing is kept yet: NaN.
        if (!(newestAt >= 0) || !isActive(slotOf(newestAt), second)) return;
        if (isWholeTruth(cells[at + READINGS]!, newestAt)) values.push(liveValue(series, spaceId, cells, at));
      };
      const tellSeries = (series: Series | undefined): void => {
        if (series === undefined || series.number * width >= serieses.cells.length) return;
        const at = series.number * width;
        if (!isActive(newestOf(series), second)) return;
        if (!isWholeTruth(serieses.cells[at + READINGS]!, serieses.cells[at + NEWEST]!)) return;
        values.push(liveValue(series, null, serieses.cells, at));
      };
      if (everything) {
        for (const series of places.series) tellSeries(series);
        for (let leaf = 1; leaf < places.leaves; leaf++) tellLeaf(leaf);
        for (const node of nodes.nodes) tellNode(node);
      } else {
        for (const number of serieses.changed) tellSeries(places.series[number]);
        for (const leaf of leaves.changed) tellLeaf(leaf);
        for (const number of levels.changed) tellNode(nodes.nodes[number]);
      }
      clearChanged(serieses);
      clearChanged(leaves);
      clearChanged(levels);
      return values;
    },
    placeValue({ tenantId, buildingId, code }, within) {
      if (!isKnown(second)) return undefined;
      const owners = places.buildings.get(buildingId);
      const series = owners?.find((each) => each.tenantId === tenantId)?.series[code];
      gatherer.begin();
      for (const leaf of series?.leaves ?? []) {
        if (within === null || within(places.spaceIdOf[leaf]!)) gatherer.add(chunks, leaf, second);
      }
      summaries.summarise(gatherer.readings, next, 0);
      const readings = next[READINGS]!;
      const devicesReporting = next[DEVICES]!;
      if (readings === 0) return { mean: null, devicesReporting: 0 };
      const [meanAt, minimumAt, maximumAt] = summaries.offsets as [number, number, number];
      const of = mean.value(next, meanAt, readings, devicesReporting);
      return { mean: Math.min(next[maximumAt]!, Math.max(next[minimumAt]!, of)), devicesReporting };
    },
    takeStates(everything) {
      return isKnown(second, STATE_REACH_SECONDS) ? states.take(second, everything) : [];
    },
    regroup(buildingId) {
      for (const building of places.buildings.get(buildingId) ?? []) {
        for (const series of building.series) regroupSeries(series);
      }
      states.regroup(buildingId);
    },
    pack: () => packFrozen(freeze(places, states)),
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

/** Of a point whose ordinals can not be. */
const NO_LEAF = 0xffffffff;

/** By how much an owner's clock may have been ahead of the stream's, and a minute's end until it is given up. */
const UNKNOWN_MARGIN_SECONDS = 90;

/** Rounding, or a sum beyond what a double holds, must not carry a mean outside the values it is the mean of. */
function within(mean: number, minimum: number, maximum: number): number {
  return Math.min(maximum, Math.max(minimum, mean));
}
