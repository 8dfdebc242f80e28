import { type QuantityName } from '../../domain/quantity';
import { WINDOW_SECONDS } from '../../domain/window';
import { type Inventory } from '../../store/building-inventory';
import { IN_ORDER, type PlaceValue, type PlaceView, type Side } from './conditions';
import { type Findings } from './findings';
import { type Progress } from './progress';
import { isOfPlaces, keyOf } from './rule';
import { type PlaceTrack, type WatchedBuilding } from './watched-building';

/** Looks at buildings and spaces as a whole. */
export interface PlaceWatch {
  /** Whether any rule does, so that each second must be looked at. */
  readonly everySecond: boolean;
  /** The building's rules are others. */
  rematch(building: WatchedBuilding): void;
  /** Looks at every place as it stands in this second. */
  look(): void;
  /** The building's active alerts are others: gives each to those who look at its subject. */
  hand(building: WatchedBuilding): void;
  /** Clock (ms) at which what is out of order and not raised yet was first seen; Infinity for nothing. */
  neededSince(): number;
}

export function createPlaceWatch(options: {
  progress: Progress;
  findings: Findings;
  inventoryOf(buildingId: string): Inventory | undefined;
  /** Of a building, or of the spaces for which `within` holds. */
  placeValue(
    of: { tenantId: string; buildingId: string; code: number },
    within: ((spaceId: string) => boolean) | null,
  ): PlaceValue | undefined;
  /** Devices of a building. */
  expected(buildingId: string, quantity: QuantityName): number | undefined;
}): PlaceWatch {
  const { progress, findings, inventoryOf } = options;
  const placed = new Set<WatchedBuilding>();

  const viewOf = (building: WatchedBuilding, { rule, subject }: PlaceTrack): PlaceView => {
    const { tenantId, buildingId } = building;
    const { spaceId, quantity } = subject;
    return {
      value() {
        const of = { tenantId, buildingId, code: rule.code! };
        if (spaceId === null) return options.placeValue(of, null);
        const inventory = inventoryOf(buildingId);
        return inventory && options.placeValue(of, (each) => inventory.isWithin(each, spaceId));
      },
      expected: () =>
        spaceId === null
          ? options.expected(buildingId, quantity!)
          : devicesIn(inventoryOf(buildingId), spaceId, quantity!),
    };
  };

  const valueOf = (building: WatchedBuilding, track: PlaceTrack): number | undefined =>
    track.rule.condition.valueOf(viewOf(building, track));

  const sideOf = (building: WatchedBuilding, track: PlaceTrack): Side | undefined => {
    const { rule } = track;
    const { second, told, toldSince } = progress;
    if (second * 1000 < rule.since) return undefined;
    if (rule.condition.needsFilledWindows && (!told || second - toldSince < WINDOW_SECONDS)) return undefined;
    const value = valueOf(building, track);
    return value === undefined ? undefined : rule.condition.sideOf(track.side, value);
  };

  const lookAt = (building: WatchedBuilding, track: PlaceTrack): void => {
    const at = progress.second * 1000;
    const side = sideOf(building, track);
    if (side === undefined) return;
    const { rule } = track;
    if (side !== IN_ORDER && track.side === IN_ORDER) {
      track.onset = at;
      track.seenSince = progress.clock;
    }
    track.side = side;
    if (side === IN_ORDER) track.seenSince = Infinity;
    if (progress.isDecidedBefore(building.decidedBefore)) return;
    const { active } = track;
    if (side === IN_ORDER) {
      if (active !== null) findings.clear(building, active, Math.max(at, active.raisedAt), 'BACK_IN_ORDER');
      track.active = null;
    } else if (active === null && at - track.onset >= rule.forMs) {
      const { key, subject, onset } = track;
      const raisedAt = onset + rule.forMs;
      const value = valueOf(building, track) ?? null;
      const found = { key, subject, onset, raisedAt, value, clearedAt: null };
      track.active = findings.raise(building, rule, found, track.seenSince);
    }
  };

  return {
    get everySecond() {
      return placed.size > 0;
    },
    rematch(building) {
      const before = new Map(building.places.map((each) => [each.key, each]));
      building.places = [];
      const { buildingId } = building;
      for (const rule of building.rules) {
        const { scope, quantity } = rule.document;
        const { spaceId } = scope;
        // Of a space the rule says in which building it lies.
        if (!isOfPlaces(rule) || (spaceId !== null && scope.buildingId === null)) continue;
        const subject = { buildingId, spaceId, deviceId: null, pointId: null, quantity };
        const key = keyOf(rule, subject);
        building.places.push(
          before.get(key) ?? {
            rule,
            key,
            subject,
            side: IN_ORDER,
            onset: 0,
            seenSince: Infinity,
            active: building.actives.get(key) ?? null,
          },
        );
      }
      if (building.places.length > 0) placed.add(building);
      else placed.delete(building);
    },
    look() {
      for (const building of placed) for (const track of building.places) lookAt(building, track);
    },
    hand(building) {
      for (const track of building.places) track.active = building.actives.get(track.key) ?? null;
    },
    neededSince() {
      let since = Infinity;
      for (const { places } of placed) {
        for (const track of places) if (track.active === null) since = Math.min(since, track.seenSince);
      }
      return since;
    },
  };
}

function devicesIn(
  inventory: Inventory | undefined,
  spaceId: string,
  quantity: QuantityName,
): number | undefined {
  if (inventory === undefined) return undefined;
  let count = 0;
  for (const { points } of inventory.devices.values()) {
    if (points.some((each) => each.quantity === quantity && inventory.isWithin(each.spaceId, spaceId)))
      count++;
  }
  return count;
}
