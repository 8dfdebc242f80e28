import { quantityOfCode } from '../domain/quantity';
import { type PlaceState } from '../domain/state';
import { type PackedStates } from './packed';
import {
  ACTIVE,
  addPoint,
  emptySummary,
  evictStates,
  insertState,
  STATE_REACH_SECONDS,
  type StatePoint,
  type StateSummary,
  UNDATED,
} from './state-point';
import { type SpaceTree } from './tree';

/** A state before the stream position is put to it. */
export type StateValue = Omit<PlaceState, 'position' | 'asOf' | 'windowEnd'>;

/** The points of one space and state quantity, and the places that they count in: the space, those it lies in, the building. */
export interface StateLeaf {
  readonly building: StateBuilding;
  readonly code: number;
  readonly spaceId: string;
  readonly points: Map<number, StatePoint>;
  places: StatePlace[];
  summary: StateSummary;
  /** The second at which it is looked at again at the latest, where that was noted. */
  wakesAt: number;
}

interface StateBuilding {
  readonly tenantId: string;
  readonly buildingId: string;
  /** By quantity code and space. */
  readonly leaves: Map<string, StateLeaf>;
  readonly places: Map<string, StatePlace>;
}

interface StatePlace {
  readonly building: StateBuilding;
  readonly code: number;
  readonly spaceId: string | null;
  readonly leaves: Set<StateLeaf>;
  /** What was last told. */
  told: StateSummary | undefined;
}

/** What the points of state quantities say at T, by place: pure, driven by what is applied and by the second it is told. */
export interface States {
  readonly size: number;
  /** Undefined for a quantity that is no state. */
  leafFor(tenantId: string, buildingId: string, code: number, spaceId: string): StateLeaf | undefined;
  /** @returns whether it was taken. */
  add(
    leaf: StateLeaf,
    pointOrdinal: number,
    instant: number,
    value: number,
    dated: boolean,
    second: number,
  ): boolean;
  /** What changed by the second since it was last taken; with `all`, of every place that has readings of late. */
  take(second: number, all: boolean): StateValue[];
  /** Gives up what is too old to matter. */
  expire(second: number): void;
  /** Where a building's spaces lie has become known. */
  regroup(buildingId: string): void;
  pack(): Iterable<PackedStates>;
  restore(packed: PackedStates): void;
}

/** So many take a few milliseconds to pack. */
const READINGS_A_PART = 50_000;

export function createStates(tree: SpaceTree): States {
  const buildings = new Map<string, StateBuilding[]>();
  const awake = new Set<StateLeaf>();
  /** By second: whom to look at then. */
  const wakes = new Map<number, StateLeaf[]>();
  let passed = 0;
  let size = 0;

  const buildingOf = (tenantId: string, buildingId: string): StateBuilding => {
    let owners = buildings.get(buildingId);
    if (owners === undefined) buildings.set(buildingId, (owners = []));
    let building = owners.find((each) => each.tenantId === tenantId);
    if (building === undefined) {
      building = { tenantId, buildingId, leaves: new Map(), places: new Map() };
      owners.push(building);
    }
    return building;
  };

  const placeOf = (building: StateBuilding, code: number, spaceId: string | null): StatePlace => {
    const key = `${code} ${spaceId ?? ''}`;
    let place = building.places.get(key);
    if (place === undefined) {
      place = { building, code, spaceId, leaves: new Set(), told: undefined };
      building.places.set(key, place);
    }
    return place;
  };

  const detach = (leaf: StateLeaf): void => {
    for (const place of leaf.places) {
      place.leaves.delete(leaf);
      if (place.leaves.size === 0) place.building.places.delete(`${place.code} ${place.spaceId ?? ''}`);
    }
  };

  const attach = (leaf: StateLeaf): void => {
    const { building, code, spaceId } = leaf;
    const ancestors = tree.ancestors(building.buildingId, spaceId);
    // Until it is known where it lies, the space itself is not told: others may lie in it.
    const ids = ancestors === undefined ? [null] : [spaceId, ...ancestors, null];
    leaf.places = ids.map((id) => placeOf(building, code, id));
    for (const place of leaf.places) place.leaves.add(leaf);
  };

  const leafFor: States['leafFor'] = (tenantId, buildingId, code, spaceId) => {
    if (quantityOfCode(code)?.kind !== 'state') return undefined;
    const building = buildingOf(tenantId, buildingId);
    const key = `${code} ${spaceId}`;
    let leaf = building.leaves.get(key);
    if (leaf === undefined) {
      leaf = {
        building,
        code,
        spaceId,
        points: new Map(),
        places: [],
        summary: emptySummary(),
        wakesAt: 0,
      };
      building.leaves.set(key, leaf);
      size++;
      attach(leaf);
    }
    return leaf;
  };

  const pointOf = (leaf: StateLeaf, ordinal: number): StatePoint => {
    let point = leaf.points.get(ordinal);
    if (point === undefined) leaf.points.set(ordinal, (point = { ordinal, instants: [], marks: [] }));
    return point;
  };

  const noteWake = (leaf: StateLeaf, second: number): void => {
    if (leaf.wakesAt !== 0 && leaf.wakesAt <= second) return;
    leaf.wakesAt = second;
    const list = wakes.get(second);
    if (list) list.push(leaf);
    else wakes.set(second, [leaf]);
  };

  /** Who was to be looked at by the second is awake. */
  const wake = (second: number): void => {
    if (second - passed > wakes.size) {
      for (const at of [...wakes.keys()]) if (at <= second) wakeAll(at);
    } else for (let at = passed + 1; at <= second; at++) wakeAll(at);
    passed = second;
  };
  const wakeAll = (at: number): void => {
    for (const leaf of wakes.get(at) ?? []) {
      if (leaf.wakesAt !== at) continue;
      leaf.wakesAt = 0;
      awake.add(leaf);
    }
    wakes.delete(at);
  };

  const free = (leaf: StateLeaf): void => {
    detach(leaf);
    awake.delete(leaf);
    leaf.wakesAt = 0;
    leaf.building.leaves.delete(`${leaf.code} ${leaf.spaceId}`);
    size--;
  };

  const valueOf = (place: StatePlace, summary: StateSummary): StateValue => ({
    tenantId: place.building.tenantId,
    buildingId: place.building.buildingId,
    spaceId: place.spaceId,
    quantity: place.code,
    active: summary.active,
    clear: summary.clear,
    activeMs: summary.activeMs,
    knownMs: summary.knownMs,
    changedAt: summary.changedAt < 0 ? null : summary.changedAt,
    lastReadingAt: summary.newestAt,
  });

  return {
    get size() {
      return size;
    },
    leafFor,
    add(leaf, pointOrdinal, instant, value, dated, second) {
      const mark = (value === 0 ? 0 : ACTIVE) | (dated ? 0 : UNDATED);
      const gone = (second - STATE_REACH_SECONDS) * 1000;
      const taken = insertState(pointOf(leaf, pointOrdinal), instant, mark, gone);
      if (taken) awake.add(leaf);
      return taken;
    },
    take(second, all) {
      wake(second);
      const touched = new Set<StatePlace>();
      for (const leaf of awake) {
        const summary = emptySummary();
        for (const point of leaf.points.values()) addPoint(point, second, summary);
        leaf.summary = summary;
        for (const place of leaf.places) touched.add(place);
        if (summary.steadyUntil === 0) continue;
        awake.delete(leaf);
        if (summary.steadyUntil !== Infinity) noteWake(leaf, summary.steadyUntil);
      }
      const values: StateValue[] = [];
      const tell = (place: StatePlace): void => {
        const summary = emptySummary();
        for (const leaf of place.leaves) merge(leaf.summary, summary);
        const isNews = place.told === undefined || differs(place.told, summary);
        place.told = summary;
        if (!isNews && !all) return;
        if (summary.newestAt > (second - STATE_REACH_SECONDS) * 1000) values.push(valueOf(place, summary));
      };
      if (all) {
        for (const owners of buildings.values()) {
          for (const { places } of owners) for (const place of places.values()) tell(place);
        }
      } else for (const place of touched) tell(place);
      return values;
    },
    expire(second) {
      const gone = (second - STATE_REACH_SECONDS) * 1000;
      for (const [buildingId, owners] of buildings) {
        for (const building of owners) {
          for (const leaf of building.leaves.values()) {
            for (const point of leaf.points.values()) {
              evictStates(point, gone);
              if (point.instants.length === 0) leaf.points.delete(point.ordinal);
            }
            if (leaf.points.size === 0) free(leaf);
          }
        }
        if (owners.every(({ leaves }) => leaves.size === 0)) buildings.delete(buildingId);
      }
    },
    regroup(buildingId) {
      for (const building of buildings.get(buildingId) ?? []) {
        for (const leaf of building.leaves.values()) {
          detach(leaf);
          attach(leaf);
          awake.add(leaf);
        }
      }
    },
    *pack() {
      let leaves: PackedStates['leaves'] = [];
      let instants: number[] = [];
      let marks: number[] = [];
      const finish = (): PackedStates => ({
        leaves,
        instants: Float64Array.from(instants),
        marks: Uint8Array.from(marks),
      });
      for (const owners of buildings.values()) {
        for (const building of owners) {
          for (const { code, spaceId, points } of building.leaves.values()) {
            const { tenantId, buildingId } = building;
            const held = [...points.values()];
            const counts = held.map((point) => point.instants.length);
            leaves.push({
              tenantId,
              buildingId,
              code,
              spaceId,
              points: held.map(({ ordinal }) => ordinal),
              counts,
            });
            for (const point of held) {
              for (const instant of point.instants) instants.push(instant);
              for (const mark of point.marks) marks.push(mark);
            }
          }
          if (instants.length < READINGS_A_PART) continue;
          yield finish();
          leaves = [];
          instants = [];
          marks = [];
        }
      }
      yield finish();
    },
    restore({ leaves, instants, marks }) {
      let at = 0;
      for (const { tenantId, buildingId, code, spaceId, points, counts } of leaves) {
        const leaf = leafFor(tenantId, buildingId, code, spaceId);
        points.forEach((ordinal, index) => {
          const end = at + counts[index]!;
          if (leaf !== undefined) {
            const point = pointOf(leaf, ordinal);
            for (let i = at; i < end; i++) {
              point.instants.push(instants[i]!);
              point.marks.push(marks[i]!);
            }
          }
          at = end;
        });
        if (leaf !== undefined) awake.add(leaf);
      }
    },
  };
}

function merge(from: StateSummary, into: StateSummary): void {
  into.active += from.active;
  into.clear += from.clear;
  into.activeMs += from.activeMs;
  into.knownMs += from.knownMs;
  if (from.changedAt > into.changedAt) into.changedAt = from.changedAt;
  if (from.newestAt > into.newestAt) into.newestAt = from.newestAt;
}

function differs(a: StateSummary, b: StateSummary): boolean {
  return (
    a.active !== b.active ||
    a.clear !== b.clear ||
    a.activeMs !== b.activeMs ||
    a.knownMs !== b.knownMs ||
    a.changedAt !== b.changedAt ||
    a.newestAt !== b.newestAt
  );
}
