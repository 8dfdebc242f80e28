import { type QuantityName } from '../../domain/quantity';
import { WINDOW_SECONDS } from '../../domain/window';
import { type AlertRuleDocument } from '../../store/alert-documents';
import { type Inventory, type StandingDevice } from '../../store/building-inventory';
import { type Frame } from '../../stream/frame';
import { DUPLICATE } from '../engine';
import { FURTHEST_AHEAD_SECONDS } from '../horizons';
import { type PlaceValue } from './conditions';
import { createDeviceWatch } from './device-watch';
import { type ActiveAlert, type ClearedBecause, type Effect } from './effect';
import { createFindings } from './findings';
import { createLooks } from './looks';
import { type PackedAlerts, packAlerts, unpackBuilding } from './packed-alerts';
import { createPlaceWatch } from './place-watch';
import { createPointWatch, setReplayed } from './point-watch';
import { createProgress, LATE_WITHIN_MS } from './progress';
import { isInForce, isOfPoints } from './rule';
import { createRulebook } from './rulebook';
import { mayLieIn } from './scope';
import { watchedBuilding, type WatchedBuilding } from './watched-building';

export interface AlertEngine {
  /** Whether any rule is in force here: otherwise nothing need be fed. */
  readonly watching: boolean;
  /** Whether places must be looked at in each second of the stream, also while it is caught up with. */
  readonly everySecond: boolean;
  /** A rule as it stands now. What a former revision raised is cleared. */
  setRule(document: AlertRuleDocument): void;
  /**
   * Readings of an event, in stream order. `verdicts`: what the averages say of each row, who remember identities that
   * were never looked at here. What repeats another, with whatever value, is not judged: the first in stream order stands.
   */
  apply(frame: Frame, sequence: number, enqueuedAt: number, verdicts?: Uint8Array): void;
  /** The clock has reached a second. `told`: the partition is current, so that silence means something. */
  advance(second: number, told: boolean): void;
  /** Devices that stood in the building and do no longer: their alerts are cleared. */
  deviceChanged(buildingId: string, deviceId: string, device: StandingDevice | null): void;
  /** A building that may be silent from the start must be named. */
  watch(tenantId: string, buildingId: string): void;
  /**
   * Sets what is active in a building to what is stored, as of the event `decidedBefore`; what is stored of rules that
   * have changed since is cleared.
   */
  adopt(
    buildingId: string,
    stored: readonly (ActiveAlert & { tenantId: string })[],
    decidedBefore: number,
  ): void;
  /** What was out of order before this instant (ms) and has not led to anything yet is needed by a replay; Infinity: nothing. */
  neededSince(): number;
  readonly buildings: ReadonlyMap<string, readonly WatchedBuilding[]>;
  pack(): PackedAlerts;
  /** Goes on as the one that was packed; to be called once the rules are set, and before anything is applied. */
  restore(packed: PackedAlerts, position: { sequence: number; second: number }): void;
}

/** Beyond this many seconds at once there is nothing left in any window to look at. */
const SECONDS_AT_ONCE = 2 * WINDOW_SECONDS;
const MAXIMUM_GONE = 10_000;

export interface AlertEngineOptions {
  /** It goes on in the midst of a stream with nothing that was known before: the first minutes are only learned from. */
  learns: boolean;
  /** Of a building, or of the spaces for which `within` holds. */
  placeValue(
    of: { tenantId: string; buildingId: string; code: number },
    within: ((spaceId: string) => boolean) | null,
  ): PlaceValue | undefined;
  expected(buildingId: string, quantity: QuantityName): number | undefined;
  /** Undefined until it is known. */
  inventoryOf(buildingId: string): Inventory | undefined;
  /** Whether a building is of this partition. */
  owns(buildingId: string): boolean;
  /**
   * Readings of a building came which a rule may look at, and it is not known whether it does: they are not judged by it,
   * and must be applied again once it is.
   */
  notJudged(buildingId: string): void;
  emit(effect: Effect): void;
}

/**
 * Finds in the readings of a partition, and in their absence, what rules look for. Points, places and devices are watched
 * apart; what all of them find is told in one order.
 */
export function createAlertEngine(options: AlertEngineOptions): AlertEngine {
  const { inventoryOf } = options;
  const rules = createRulebook();
  const progress = createProgress(options.learns);
  const looks = createLooks(progress);
  const findings = createFindings(progress, options.emit);
  const watching = { progress, looks, findings, inventoryOf };
  const points = createPointWatch({ ...watching, notJudged: options.notJudged });
  const places = createPlaceWatch({
    ...watching,
    placeValue: options.placeValue,
    expected: options.expected,
  });
  const devices = createDeviceWatch(watching);
  /** By id; several where it has had several owners. */
  const buildings = new Map<string, WatchedBuilding[]>();
  /** Devices that have left the building they sent from: what they still had under way is not looked at. */
  const gone = new Set<string>();
  /** Which rules and places a building was matched with. */
  let generation = 0;

  const isBehind = ({ decidedBefore }: WatchedBuilding): boolean => progress.isDecidedBefore(decidedBefore);

  const watched = (tenantId: string, buildingId: string): WatchedBuilding => {
    const owners = buildings.get(buildingId);
    let building = owners?.find((each) => each.tenantId === tenantId);
    if (building === undefined) {
      building = watchedBuilding(tenantId, buildingId);
      if (owners) owners.push(building);
      else buildings.set(buildingId, [building]);
    }
    if (building.matched !== generation) match(building);
    return building;
  };

  const match = (building: WatchedBuilding): void => {
    building.matched = generation;
    building.rules = rules
      .inForceOf(building.tenantId)
      .filter(({ document }) => mayLieIn(document.scope, building.buildingId));
    building.pointRules = building.rules.filter(isOfPoints);
    points.rematch(building);
    places.rematch(building);
    devices.rematch(building);
  };

  const rematchAll = (): void => {
    generation++;
    for (const owners of buildings.values()) owners.forEach(match);
  };

  const endAlerts = (
    of: Iterable<WatchedBuilding>,
    why: (active: ActiveAlert) => { at: number; because: ClearedBecause } | undefined,
  ): void => {
    for (const building of of) {
      for (const active of [...building.actives.values()]) {
        const ended = why(active);
        if (ended === undefined) continue;
        findings.clear(building, active, Math.max(ended.at, active.raisedAt), ended.because);
        forget(building, active);
      }
    }
  };

  /** What was raised by a rule that has changed or ended is over. */
  const endOutdated = (of: Iterable<WatchedBuilding>, ruleId?: string): void =>
    endAlerts(of, (active) =>
      ruleId === undefined || active.ruleId === ruleId ? rules.outdated(active, progress.clock) : undefined,
    );

  const applyReadings = (frame: Frame, sequence: number, enqueuedAt: number, verdicts?: Uint8Array): void => {
    progress.event(sequence, enqueuedAt);
    if (!rules.inForce) return;
    let any = false;
    const { point: column, observedAt, value, count } = frame;
    const of = frame.buildings.map(({ tenantId, buildingId }) =>
      rules.inForceOf(tenantId).length > 0 ? watched(tenantId, buildingId) : undefined,
    );
    const watchedPoints = frame.points.map((each) => {
      const building = of[each.building];
      if (building === undefined) return undefined;
      devices.hear(building, each, enqueuedAt);
      const found = gone.size > 0 && gone.has(each.deviceId) ? undefined : points.pointFor(building, each);
      any ||= found !== undefined;
      return found;
    });
    if (!any) return;
    const furthest = enqueuedAt + FURTHEST_AHEAD_SECONDS * 1000;
    for (let row = 0; row < count; row++) {
      const index = column[row]!;
      const point = watchedPoints[index];
      if (point === undefined || verdicts?.[row] === DUPLICATE) continue;
      const at = observedAt[row]!;
      if (!Number.isFinite(value[row]) || at > furthest) continue;
      const building = of[frame.points[index]!.building]!;
      points.read(building, point, at, value[row]!, enqueuedAt - at > LATE_WITHIN_MS);
    }
    points.settleTouched();
  };

  return {
    buildings,
    get watching() {
      return rules.inForce || buildings.size > 0;
    },
    get everySecond() {
      return places.everySecond;
    },

    setRule(document) {
      if (!rules.set(document)) return;
      const { buildingId } = document.scope;
      if (isInForce(document) && buildingId !== null && options.owns(buildingId))
        watched(document.tenantId, buildingId);
      for (const owners of buildings.values()) endOutdated(owners, document.id);
      rematchAll();
    },

    apply(frame, sequence, enqueuedAt, verdicts) {
      progress.reading = true;
      try {
        applyReadings(frame, sequence, enqueuedAt, verdicts);
      } finally {
        progress.reading = false;
      }
    },

    advance(to, told) {
      if (to <= progress.second) return;
      if (progress.second === 0 || to - progress.second > SECONDS_AT_ONCE) {
        looks.skipTo(to);
        progress.skipTo(to - 1);
      }
      while (progress.second < to) {
        progress.tick(progress.second + 1, told);
        looks.begin(progress.second);
      }
      places.look();
      if (told) devices.look();
    },

    deviceChanged(buildingId, deviceId, device) {
      const owners = buildings.get(buildingId);
      if (owners === undefined) return;
      for (const building of owners) devices.changed(building, deviceId, device);
      gone.delete(deviceId);
      if (device === null) gone.add(deviceId);
      if (gone.size > MAXIMUM_GONE) gone.delete(gone.values().next().value!);
      endAlerts(owners, ({ subject }) =>
        subject.deviceId === deviceId && isGone(subject, device)
          ? { at: progress.clock, because: 'SUBJECT_GONE' }
          : undefined,
      );
    },

    watch: (tenantId, buildingId) => void watched(tenantId, buildingId),

    pack() {
      const { learnsUntil } = progress;
      return {
        ...packAlerts(buildings.values(), isBehind),
        ...(learnsUntil !== undefined && { learnedAt: learnsUntil }),
        ...(!progress.complete && { beginningMissing: true }),
      };
    },

    restore(packed, position) {
      progress.goOn(position, packed);
      for (const each of packed.buildings) {
        const building = watched(each.tenantId, each.buildingId);
        unpackBuilding(building, each, {
          pointOf: ({ pointId, code, deviceId, spaceId }) =>
            points.newPoint(building, { pointId, code, deviceId, spaceId }),
          heard: (device) => devices.restore(building, device),
        });
        points.resume(building);
        endOutdated([building]);
      }
    },

    adopt(buildingId, stored, decidedBefore) {
      const owners = new Set(stored.map(({ tenantId }) => tenantId));
      for (const tenantId of owners) watched(tenantId, buildingId);
      for (const building of buildings.get(buildingId) ?? []) {
        const wasBehind = isBehind(building);
        building.decidedBefore = decidedBefore;
        if (!wasBehind) setReplayed(building, isBehind(building));
        const standing = new Map(
          stored.filter(({ tenantId }) => tenantId === building.tenantId).map((each) => [each.key, each]),
        );
        for (const active of [...building.actives.values()]) {
          if (standing.has(active.key)) continue;
          building.actives.delete(active.key);
          forget(building, active);
        }
        for (const { tenantId: _, ...active } of standing.values()) {
          const known = building.actives.get(active.key);
          // One object for each: whoever looks at its subject holds it too.
          if (known !== undefined) Object.assign(known, active);
          else building.actives.set(active.key, active);
        }
        for (const watch of [places, points, devices]) watch.hand(building);
        endOutdated([building]);
      }
    },

    neededSince: () => Math.min(points.neededSince(), places.neededSince()),
  };
}

/** What looks at the subject must not clear it again. */
function forget(building: WatchedBuilding, active: ActiveAlert): void {
  for (const track of building.places) if (track.active === active) track.active = null;
  for (const point of building.points) {
    for (const track of point?.tracks ?? []) if (track.active === active) track.active = null;
  }
  for (const device of building.devices.values())
    device.silent = device.silent.filter((each) => each !== active);
}

function isGone({ pointId }: ActiveAlert['subject'], device: StandingDevice | null): boolean {
  if (device === null) return true;
  if (pointId === null) return !device.expected;
  return !device.points.some((each) => each.pointId === pointId);
}
