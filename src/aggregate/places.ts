import { type QuantityName, quantityOfCode } from '../domain/quantity';
import { type Chunks, evict, longer, makeRoomForLeaf, NONE } from './chunks';
import { type Undated } from './identities';

/** A building of one tenant: what stands in the stream for two owners is averaged for each alone. */
export interface BuildingState {
  readonly tenantId: string;
  readonly buildingId: string;
  /** By quantity code. */
  readonly series: (Series | undefined)[];
  /** How many there are. */
  held: number;
  readonly undated: Undated;
  /** Numbers of its spaces, from 1 on, in the order in which they came. */
  readonly spaces: Map<string, number>;
  /** By point ordinal: the leaf its readings go to, and its device's ordinal plus 1. */
  leafOf: Uint32Array;
  deviceOf: Uint32Array;
  /** By device ordinal: the number of the space it was seen in. */
  spaceOf: Uint32Array;
  /** Whether a device was seen in two spaces: devices of the spaces must then not be added up. */
  shared: boolean;
  /** Minutes (since 1970) whose points must be computed, by series. */
  readonly dirty: Map<number, Set<Series>>;
}

/** A continuous quantity of a building. Its readings lie in its leaves, one for each space. */
export interface Series {
  readonly building: BuildingState;
  readonly code: number;
  readonly name: QuantityName;
  /** Dense, from 0 on, and given again when it is free. */
  readonly number: number;
  readonly leaves: number[];
  /** observedAt of the newest reading of a leaf that was given up; -1 for none. */
  evictedAt: number;
}

/** What measures where: buildings, their quantities, and the leaves (building, space, quantity) that hold readings. */
export interface Places {
  readonly buildings: ReadonlyMap<string, readonly BuildingState[]>;
  /** By number; undefined where one is free. */
  readonly series: readonly (Series | undefined)[];
  readonly chunks: Chunks;
  /** Leaves are numbers from 1 to `leaves` - 1; some may be free. */
  readonly leaves: number;
  /** By leaf: its series' number, and its space. */
  readonly seriesOf: Uint32Array;
  readonly spaceIdOf: readonly string[];
  isFree(leaf: number): boolean;
  buildingOf(tenantId: string, buildingId: string): BuildingState;
  /** Undefined for a quantity that has no mean. */
  seriesFor(building: BuildingState, code: number): Series | undefined;
  /** Undefined for a quantity that has no mean. Ordinals are valid. */
  leafFor(
    building: BuildingState,
    code: number,
    spaceId: string,
    pointOrdinal: number,
    deviceOrdinal: number,
  ): number | undefined;
  leafOfSpace(series: Series, spaceId: string): number;
  /** Notes that a device was seen in a space, which is named by its number. */
  seen(building: BuildingState, deviceOrdinal: number, space: number): void;
  /** Gives a leaf and all that it holds up. */
  freeLeaf(leaf: number): void;
  freeSeries(series: Series): void;
  freeBuilding(buildingId: string): void;
}

/** @param onLeaf is told of each leaf that is made. */
export function createPlaces(
  chunks: Chunks,
  onLeaf: (series: Series, leaf: number, spaceId: string) => void = () => undefined,
): Places {
  const buildings = new Map<string, BuildingState[]>();
  const series: (Series | undefined)[] = [];
  const freeNumbers: number[] = [];
  const freeLeaves: number[] = [];
  const spaceIdOf: string[] = [''];
  /** By leaf. FREE for one that is given up. */
  let seriesOf = new Uint32Array(64).fill(FREE);
  let codeOf = new Uint8Array(64);
  let leaves = 1;

  const seriesFor = (building: BuildingState, code: number): Series | undefined => {
    const found = building.series[code];
    if (found !== undefined) return found;
    const quantity = quantityOfCode(code);
    if (quantity?.kind !== 'continuous') return undefined;
    const number = freeNumbers.pop() ?? series.length;
    const made: Series = { building, code, name: quantity.name, number, leaves: [], evictedAt: -1 };
    series[number] = made;
    building.series[code] = made;
    building.held++;
    return made;
  };

  const leafOfSpace = (of: Series, spaceId: string): number => {
    for (const leaf of of.leaves) if (spaceIdOf[leaf] === spaceId) return leaf;
    const leaf = freeLeaves.pop() ?? leaves++;
    makeRoomForLeaf(chunks, leaf);
    if (leaf >= seriesOf.length) {
      const length = Math.ceil(leaf * 1.5);
      const larger = new Uint32Array(length).fill(FREE);
      larger.set(seriesOf);
      seriesOf = larger;
      const codes = new Uint8Array(length);
      codes.set(codeOf);
      codeOf = codes;
    }
    seriesOf[leaf] = of.number;
    codeOf[leaf] = of.code;
    spaceIdOf[leaf] = spaceId;
    of.leaves.push(leaf);
    onLeaf(of, leaf, spaceId);
    return leaf;
  };

  const seen = (building: BuildingState, deviceOrdinal: number, space: number): void => {
    if (deviceOrdinal >= building.spaceOf.length) {
      building.spaceOf = longer(building.spaceOf, roomFor(deviceOrdinal));
    }
    const before = building.spaceOf[deviceOrdinal]!;
    if (before !== 0 && before !== space) building.shared = true;
    building.spaceOf[deviceOrdinal] = space;
  };

  return {
    buildings,
    series,
    chunks,
    get leaves() {
      return leaves;
    },
    get seriesOf() {
      return seriesOf;
    },
    spaceIdOf,
    isFree: (leaf) => seriesOf[leaf] === FREE,
    buildingOf(tenantId, buildingId) {
      const owners = buildings.get(buildingId);
      let building = owners?.find((each) => each.tenantId === tenantId);
      if (building === undefined) {
        building = {
          tenantId,
          buildingId,
          series: [],
          held: 0,
          undated: new Map(),
          spaces: new Map(),
          leafOf: new Uint32Array(0),
          deviceOf: new Uint32Array(0),
          spaceOf: new Uint32Array(0),
          shared: false,
          dirty: new Map(),
        };
        if (owners) owners.push(building);
        else buildings.set(buildingId, [building]);
      }
      return building;
    },
    seriesFor,
    leafFor(building, code, spaceId, pointOrdinal, deviceOrdinal) {
      if (pointOrdinal < building.leafOf.length) {
        const known = building.leafOf[pointOrdinal]!;
        if (
          known !== NONE &&
          building.deviceOf[pointOrdinal] === deviceOrdinal + 1 &&
          codeOf[known] === code &&
          spaceIdOf[known] === spaceId
        ) {
          return known;
        }
      }
      const of = seriesFor(building, code);
      if (of === undefined) return undefined;
      const leaf = leafOfSpace(of, spaceId);
      if (pointOrdinal >= building.leafOf.length) {
        const length = roomFor(pointOrdinal);
        building.leafOf = longer(building.leafOf, length);
        building.deviceOf = longer(building.deviceOf, length);
      }
      building.leafOf[pointOrdinal] = leaf;
      building.deviceOf[pointOrdinal] = deviceOrdinal + 1;
      seen(building, deviceOrdinal, spaceNumber(building, spaceId));
      return leaf;
    },
    leafOfSpace,
    seen,
    freeLeaf(leaf) {
      const of = series[seriesOf[leaf]!]!;
      evict(chunks, leaf, Infinity);
      of.evictedAt = Math.max(of.evictedAt, chunks.evictedAt[leaf]!);
      chunks.evictedAt[leaf] = -1;
      chunks.newest[leaf] = 0;
      of.leaves.splice(of.leaves.indexOf(leaf), 1);
      // Its number will be another's.
      const { leafOf } = of.building;
      for (let point = 0; point < leafOf.length; point++) if (leafOf[point] === leaf) leafOf[point] = NONE;
      seriesOf[leaf] = FREE;
      spaceIdOf[leaf] = '';
      freeLeaves.push(leaf);
    },
    freeSeries({ building, code, number }) {
      building.series[code] = undefined;
      building.held--;
      series[number] = undefined;
      freeNumbers.push(number);
    },
    freeBuilding(buildingId) {
      buildings.delete(buildingId);
    },
  };
}

const FREE = 0xffffffff;

/** From 1 on, in the order in which they come. */
export function spaceNumber({ spaces }: BuildingState, spaceId: string): number {
  let number = spaces.get(spaceId);
  if (number === undefined) spaces.set(spaceId, (number = spaces.size + 1));
  return number;
}

function roomFor(index: number): number {
  return Math.ceil((index + 1) * 1.25);
}
