import { type QuantityName } from '../../domain/quantity';
import { WINDOW_SECONDS } from '../../domain/window';
import { type AlertRuleDocument } from '../../store/alert-documents';
import { type Inventory, type StandingDevice } from '../../store/building-inventory';
import { type Frame, type FramePoint } from '../../stream/frame';
import { FURTHEST_AHEAD_SECONDS } from '../horizons';
import { type ActiveAlert, type ClearedBecause, type Effect } from './effect';
import { type PackedAlerts, packAlerts, unpackBuilding } from './packed-alerts';
import {
  type HeardDevice,
  keyOfPoint,
  type PlaceTrack,
  subjectOfPoint,
  watchedBuilding,
  type WatchedBuilding,
  type WatchedPoint,
} from './places';
import {
  ABOVE,
  IN_ORDER,
  isInForce,
  isOfPlaces,
  isOfPoints,
  keyOf,
  looksBack,
  type Rule,
  ruleOf,
  type Side,
  sideOfValue,
} from './rule';
import {
  createTrack,
  decide,
  giveUpOldest,
  judge,
  observe,
  place,
  RECENT_READINGS,
  RECENT_READINGS_OF_CHANGE,
  type Track,
} from './track';

/** What a rule of a place looks at, at the engine's second; undefined where it is not known. */
export interface PlaceValue {
  mean: number | null;
  devicesReporting: number;
}

export interface AlertEngine {
  /** Whether any rule is in force here: otherwise nothing need be fed. */
  readonly watching: boolean;
  /** Whether places must be looked at in each second of the stream, also while it is caught up with. */
  readonly everySecond: boolean;
  /** A rule as it stands now. What a former revision raised is cleared. */
  setRule(document: AlertRuleDocument): void;
  /** Readings of an event, in stream order. */
  apply(frame: Frame, sequence: number, enqueuedAt: number): void;
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

/** Late readings may still say that what the clock is about to raise was over. */
const CLOCK_SETTLES_MS = 1_000;
/** Beyond this many seconds at once there is nothing left in any window to look at. */
const SECONDS_AT_ONCE = 2 * WINDOW_SECONDS;
/** A longer break in being current begins a new grace for devices. */
const TOLD_WITHIN_SECONDS = 5;
/**
 * A reading that comes this long after it was observed, and out of its order, is not judged: what follows from an event
 * then follows from it and the five minutes before it, so that a replay which began earlier decides as its first reading.
 */
export const LATE_WITHIN_MS = 300_000;
const MAXIMUM_GONE = 10_000;

export function createAlertEngine(options: {
  /** It goes on in the midst of a stream with nothing that was known before: the first minutes are only learned from. */
  learns: boolean;
  /** Of a building, or of the spaces for which `within` holds. */
  valueOf(
    of: { tenantId: string; buildingId: string; code: number },
    within: ((spaceId: string) => boolean) | null,
  ): PlaceValue | undefined;
  expected(buildingId: string, quantity: QuantityName): number | undefined;
  /** Undefined until it is known. */
  inventoryOf(buildingId: string): Inventory | undefined;
  /** Whether a building is of this partition. */
  owns(buildingId: string): boolean;
  emit(effect: Effect): void;
}): AlertEngine {
  const { emit, inventoryOf } = options;
  const rules = new Map<string, Rule>();
  const byTenant = new Map<string, Rule[]>();
  /** By id; several where it has had several owners. */
  const buildings = new Map<string, WatchedBuilding[]>();
  /** By the second at which the clock looks at them. */
  const agenda = new Map<number, (() => void)[]>();
  const placed = new Set<WatchedBuilding>();
  const silenceWatched = new Set<WatchedBuilding>();
  const open = new Set<Track>();
  const gone = new Set<string>();
  let generation = 0;
  let second = 0;
  let sequence = -1;
  let clock = 0;
  let toldAt = 0;
  /** Since when (s) silence has meant something without a break. */
  let toldSince = 0;

  function* everyBuilding(): Iterable<WatchedBuilding> {
    for (const owners of buildings.values()) yield* owners;
  }

  const lookAgain = (at: number, look: () => void): void => {
    const due = Math.max(second + 1, Math.ceil(at / 1000));
    const list = agenda.get(due);
    if (list) list.push(look);
    else agenda.set(due, [look]);
  };

  /** What is enqueued before is only learned from; whatever of it was not stored, the checkpoint stayed further before. */
  let learnedAt = options.learns ? Infinity : -Infinity;

  /** Whether what follows now follows from an event's readings, and not from the clock or a change of the rules. */
  let reading = false;
  /** Nothing that came before the first event is missing. */
  let complete = !options.learns;

  const decidedByOthers = ({ decidedBefore }: WatchedBuilding): boolean =>
    sequence < decidedBefore || (reading && sequence === decidedBefore) || clock < learnedAt;

  // -- what is raised and cleared

  const raise = (
    building: WatchedBuilding,
    rule: Rule,
    effect: Pick<
      Extract<Effect, { kind: 'raise' }>,
      'key' | 'subject' | 'onset' | 'raisedAt' | 'value' | 'clearedAt'
    >,
    seenSince: number,
  ): ActiveAlert | null => {
    const { tenantId, buildingId } = building;
    const { id, revision, document } = rule;
    const { name, severity, condition } = document;
    emit({
      kind: 'raise',
      tenantId,
      buildingId,
      rule: { id, revision, name, severity },
      condition,
      sequence,
      ofEvent: reading,
      neededSince: Math.min(seenSince, clock),
      ...effect,
    });
    if (effect.clearedAt !== null) return null;
    const { subject, onset, raisedAt } = effect;
    const { value } = effect;
    const active = { key: effect.key, ruleId: id, revision, subject, onset, raisedAt, value };
    building.actives.set(effect.key, active);
    return active;
  };

  const clear = (
    building: WatchedBuilding,
    active: ActiveAlert,
    at: number,
    because: ClearedBecause,
  ): void => {
    const { tenantId, buildingId } = building;
    building.actives.delete(active.key);
    const { key } = active;
    const position = { sequence, ofEvent: reading, neededSince: clock };
    emit({ kind: 'clear', tenantId, buildingId, key, at, because, ...position });
  };

  const settle = (building: WatchedBuilding, point: WatchedPoint, track: Track): void => {
    if (decidedByOthers(building)) {
      observe(track, point, clock - CLOCK_SETTLES_MS);
      noteOpen(building, point, track);
      return;
    }
    track.replayed = undefined;
    for (const { clear: over, raise: found } of decide(track, point, clock - CLOCK_SETTLES_MS)) {
      if (over !== undefined && track.active !== null) {
        clear(building, track.active, over.at, 'BACK_IN_ORDER');
        track.active = null;
      }
      if (found === undefined) continue;
      const raisedAt = found.onset + track.rule.forMs;
      const subject = subjectOfPoint(building, point, track.rule);
      const active = raise(
        building,
        track.rule,
        { key: track.key, subject, raisedAt, ...found },
        track.seenSince,
      );
      if (active !== null) track.active = active;
    }
    noteOpen(building, point, track);
  };

  const noteOpen = (building: WatchedBuilding, point: WatchedPoint, track: Track): void => {
    if (track.dueAt === Infinity) {
      track.seenSince = Infinity;
      open.delete(track);
    } else waitFor(building, point, track);
  };

  const waitFor = (building: WatchedBuilding, point: WatchedPoint, track: Track): void => {
    if (track.seenSince === Infinity) track.seenSince = clock;
    open.add(track);
    const { dueAt } = track;
    if (track.scheduledFor === dueAt) return;
    track.scheduledFor = dueAt;
    lookAgain(Math.max(dueAt + CLOCK_SETTLES_MS, clock), () => {
      // Another reading may have changed since when, or ended it.
      if (track.scheduledFor !== dueAt) return;
      track.scheduledFor = Infinity;
      if (track.dueAt === dueAt && point.tracks.includes(track)) settle(building, point, track);
    });
  };

  // -- which rules look at what

  const mayLookAt = ({ document: { scope } }: Rule, { buildingId }: WatchedBuilding): boolean =>
    scope.buildingId === null || scope.buildingId === buildingId;

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
    building.rules = (byTenant.get(building.tenantId) ?? []).filter((rule) => mayLookAt(rule, building));
    building.pointRules = building.rules.filter(isOfPoints);
    building.silenceRules = building.rules.filter(
      ({ document }) => document.condition.kind === 'DEVICE_SILENT',
    );
    building.points.forEach((point, ordinal) => {
      if (point === null) building.points[ordinal] = undefined;
      else if (point !== undefined) rematch(building, point);
    });
    matchPlaces(building);
    if (building.silenceRules.length > 0) {
      silenceWatched.add(building);
      for (const device of building.devices.values()) watchSilence(building, device);
    } else {
      silenceWatched.delete(building);
      building.devices.clear();
    }
  };

  const matchPlaces = (building: WatchedBuilding): void => {
    const before = new Map(building.places.map((each) => [each.key, each]));
    building.places = [];
    for (const rule of building.rules) {
      const { scope, quantity } = rule.document;
      // Of a space the rule says in which building it lies.
      if (!isOfPlaces(rule) || (scope.spaceId !== null && scope.buildingId === null)) continue;
      const subject = {
        buildingId: building.buildingId,
        spaceId: scope.spaceId,
        deviceId: null,
        pointId: null,
        quantity,
      };
      const name = keyOf(rule, subject);
      const known = before.get(name);
      building.places.push(
        known ?? {
          rule,
          key: name,
          subject,
          side: IN_ORDER,
          onset: 0,
          seenSince: Infinity,
          active: building.actives.get(name) ?? null,
        },
      );
    }
    if (building.places.length > 0) placed.add(building);
    else placed.delete(building);
  };

  const looksAt = (
    { document: { scope } }: Rule,
    building: WatchedBuilding,
    { deviceId, spaceId }: { deviceId: string; spaceId: string },
  ): boolean => {
    if (scope.deviceId !== null && scope.deviceId !== deviceId) return false;
    if (scope.spaceId === null || scope.spaceId === spaceId) return true;
    return inventoryOf(building.buildingId)?.isWithin(spaceId, scope.spaceId) ?? false;
  };

  const newPoint = (
    building: WatchedBuilding,
    of: Pick<WatchedPoint, 'pointId' | 'code' | 'deviceId' | 'spaceId'>,
  ): WatchedPoint => {
    const point = { ...of, tracks: [], times: [], values: [], capacity: RECENT_READINGS, touched: false };
    rematch(building, point);
    return point;
  };

  const watch = (building: WatchedBuilding, each: FramePoint): WatchedPoint | null => {
    const { pointId, deviceId, spaceId } = each;
    const point = newPoint(building, { pointId, code: each.quantity, deviceId, spaceId });
    return point.tracks.length > 0 || needsPlaces(building) ? point : null;
  };

  /** Whether it is not yet known which of its points some rule looks at. */
  const needsPlaces = ({ pointRules, buildingId }: WatchedBuilding): boolean =>
    pointRules.some(({ document }) => document.scope.spaceId !== null) &&
    inventoryOf(buildingId) === undefined;

  const rematch = (building: WatchedBuilding, point: WatchedPoint): void => {
    const kept: Track[] = [];
    for (const rule of building.pointRules) {
      if (rule.code !== point.code || !looksAt(rule, building, point)) continue;
      const known = point.tracks.find((each) => each.rule === rule);
      if (known !== undefined) {
        kept.push(known);
        continue;
      }
      const name = keyOfPoint(rule, point);
      const track = createTrack(rule, name, point.times.length);
      takeOver(building, track);
      kept.push(track);
    }
    for (const track of point.tracks) if (!kept.includes(track)) open.delete(track);
    point.tracks = kept;
    const ofChange = kept.some(({ rule }) => looksBack(rule) > 0);
    point.capacity = ofChange ? RECENT_READINGS_OF_CHANGE : RECENT_READINGS;
  };

  // -- readings

  const pointFor = (building: WatchedBuilding, each: FramePoint): WatchedPoint | undefined => {
    const { pointOrdinal, deviceId, spaceId } = each;
    if (building.pointRules.length === 0 || !(pointOrdinal >= 0) || gone.has(deviceId)) return undefined;
    let point = building.points[pointOrdinal];
    if (point === undefined || (point !== null && point.pointId !== each.pointId)) {
      point = building.points[pointOrdinal] = watch(building, each);
    }
    if (point === null) return undefined;
    if (point.deviceId !== deviceId || point.spaceId !== spaceId) {
      Object.assign(point, { deviceId, spaceId });
      rematch(building, point);
    } else if (point.tracks.length === 0 && !needsPlaces(building)) {
      rematch(building, point);
      if (point.tracks.length === 0) building.points[pointOrdinal] = null;
    }
    return point.tracks.length === 0 ? undefined : point;
  };

  /** Points with something to decide, once all readings of an event are in their places. */
  const touched: [WatchedBuilding, WatchedPoint][] = [];

  const read = (
    building: WatchedBuilding,
    point: WatchedPoint,
    at: number,
    value: number,
    late: boolean,
  ): void => {
    if (late && at < (point.times.at(-1) ?? 0)) return;
    const index = place(point, at, value, point.capacity);
    if (index < 0) return;
    const { tracks } = point;
    for (let i = 0; i < tracks.length; i++) {
      const track = tracks[i]!;
      if (judge(track, point, index)) track.touched = point.touched = true;
    }
    if (!point.touched) {
      if (point.times.length > point.capacity) giveUpOldest(point, tracks);
    } else if (touched.at(-1)?.[1] !== point) touched.push([building, point]);
  };

  /** In whatever order an event has its readings, the same follows from them. */
  const settleTouched = (): void => {
    for (const [building, point] of touched) {
      if (!point.touched) continue;
      point.touched = false;
      for (const track of point.tracks) {
        if (!track.touched) continue;
        track.touched = false;
        settle(building, point, track);
      }
      while (point.times.length > point.capacity) giveUpOldest(point, point.tracks);
    }
    touched.length = 0;
  };

  // -- devices that are heard

  const hear = (building: WatchedBuilding, { deviceId, spaceId }: FramePoint, at: number): void => {
    let device = building.devices.get(deviceId);
    if (device === undefined) {
      device = heard(building, deviceId, spaceId, at);
    }
    device.spaceId = spaceId;
    if (at > device.heardAt) device.heardAt = at;
    if (device.silent.length === 0 || decidedByOthers(building)) return;
    for (const active of device.silent.splice(0)) {
      clear(building, active, Math.max(at, active.raisedAt), 'BACK_IN_ORDER');
      watchSilence(building, device);
    }
  };

  const heard = (building: WatchedBuilding, deviceId: string, spaceId: string, at: number): HeardDevice => {
    const silent = silentOf(building, deviceId);
    const device: HeardDevice = { deviceId, spaceId, heardAt: at, silent, looking: 0 };
    building.devices.set(deviceId, device);
    watchSilence(building, device);
    return device;
  };

  const watchSilence = (building: WatchedBuilding, device: HeardDevice): void => {
    const looking = ++device.looking;
    for (const rule of building.silenceRules) {
      const look = (): void => {
        if (device.looking !== looking || building.devices.get(device.deviceId) !== device) return;
        const again = lookForSilence(building, device, rule);
        if (again !== undefined) lookAgain(again, look);
      };
      lookAgain(0, look);
    }
  };

  /** Raises where the device is overdue; otherwise when (ms) to look again, or undefined: once it was heard. */
  const lookForSilence = (building: WatchedBuilding, device: HeardDevice, rule: Rule): number | undefined => {
    const { condition } = rule.document;
    if (condition.kind !== 'DEVICE_SILENT') return undefined;
    const standing = inventoryOf(building.buildingId);
    const known = standing?.devices.get(device.deviceId);
    if (standing === undefined) return clock + 1_000;
    if (known === undefined || !known.expected || known.tenantId !== building.tenantId) return clock + 60_000;
    if (!looksAt(rule, building, device)) return clock + 60_000;
    const overdueAt = device.heardAt + condition.intervals * known.intervalMs;
    // After an outage of ours everybody has an interval to be heard again.
    const graceUntil = toldSince * 1000 + known.intervalMs;
    const at = second * 1000;
    if (toldAt !== second || decidedByOthers(building)) return clock + 1_000;
    if (at < overdueAt || at < graceUntil) return Math.max(overdueAt, graceUntil, at + 1_000);
    const subject = {
      buildingId: building.buildingId,
      spaceId: device.spaceId,
      deviceId: device.deviceId,
      pointId: null,
      quantity: null,
    };
    const name = keyOfDevice(rule, device.deviceId);
    if (building.actives.has(name)) return undefined;
    const found = { key: name, subject, onset: overdueAt, raisedAt: Math.max(overdueAt, at), value: null };
    const active = raise(building, rule, { ...found, clearedAt: null }, Infinity);
    if (active !== null) device.silent.push(active);
    return undefined;
  };

  /** Devices that are expected and were not heard since the worker knows of them have been silent since then. */
  const listDevices = (building: WatchedBuilding): void => {
    const inventory = inventoryOf(building.buildingId);
    if (inventory === undefined) return;
    for (const each of inventory.devices.values()) {
      if (!each.expected || building.devices.has(each.deviceId)) continue;
      heard(building, each.deviceId, each.spaceId, Math.max(each.activatedAt, second * 1000));
    }
  };

  // -- places

  const lookAtPlaces = (building: WatchedBuilding): void => {
    const at = second * 1000;
    for (const track of building.places) {
      const side = sideOfPlace(building, track);
      if (side === undefined) continue;
      const { rule } = track;
      if (side !== IN_ORDER && track.side === IN_ORDER) {
        track.onset = at;
        track.seenSince = clock;
      }
      track.side = side;
      if (side === IN_ORDER) track.seenSince = Infinity;
      if (decidedByOthers(building)) continue;
      if (side === IN_ORDER) {
        if (track.active !== null)
          clear(building, track.active, Math.max(at, track.active.raisedAt), 'BACK_IN_ORDER');
        track.active = null;
      } else if (track.active === null && at - track.onset >= rule.forMs) {
        const raisedAt = track.onset + rule.forMs;
        const { key: name, subject, onset } = track;
        const value = valueOfPlace(building, track) ?? null;
        const found = { key: name, subject, onset, raisedAt, value, clearedAt: null };
        track.active = raise(building, rule, found, track.seenSince);
      }
    }
  };

  const inPlace = (building: WatchedBuilding, { rule }: PlaceTrack): PlaceValue | undefined => {
    const { spaceId } = rule.document.scope;
    const { tenantId, buildingId } = building;
    const of = { tenantId, buildingId, code: rule.code! };
    if (spaceId === null) return options.valueOf(of, null);
    const inventory = inventoryOf(buildingId);
    if (inventory === undefined) return undefined;
    return options.valueOf(of, (each) => inventory.isWithin(each, spaceId));
  };

  /** The mean, or the share of devices that report. */
  const valueOfPlace = (building: WatchedBuilding, track: PlaceTrack): number | undefined => {
    const found = inPlace(building, track);
    if (track.rule.document.condition.kind === 'AVERAGE') return found?.mean ?? undefined;
    const { spaceId } = track.subject;
    const quantity = track.subject.quantity!;
    const expected =
      spaceId === null
        ? options.expected(building.buildingId, quantity)
        : expectedIn(building, spaceId, quantity);
    if (expected === undefined || expected === 0) return undefined;
    return (found?.devicesReporting ?? 0) / expected;
  };

  const expectedIn = (
    { buildingId }: WatchedBuilding,
    spaceId: string,
    quantity: QuantityName,
  ): number | undefined => {
    const inventory = inventoryOf(buildingId);
    if (inventory === undefined) return undefined;
    let count = 0;
    for (const { points } of inventory.devices.values()) {
      if (points.some((each) => each.quantity === quantity && inventory.isWithin(each.spaceId, spaceId)))
        count++;
    }
    return count;
  };

  const sideOfPlace = (building: WatchedBuilding, track: PlaceTrack): Side | undefined => {
    const { condition } = track.rule.document;
    if (second * 1000 < track.rule.since) return undefined;
    if (condition.kind === 'TOO_FEW_REPORTING') {
      // Windows must have filled since the last outage of ours.
      if (toldAt !== second || second - toldSince < WINDOW_SECONDS) return undefined;
      const share = valueOfPlace(building, track);
      return share === undefined ? undefined : share < condition.share ? ABOVE : IN_ORDER;
    }
    const mean = valueOfPlace(building, track);
    return mean === undefined ? undefined : sideOfValue(track.rule, track.side, mean);
  };

  // -- changes

  const endAlerts = (
    concerns: (active: ActiveAlert) => boolean,
    at: number,
    because: ClearedBecause,
    of?: string,
  ): void => {
    for (const building of of === undefined ? everyBuilding() : (buildings.get(of) ?? [])) {
      for (const active of [...building.actives.values()]) {
        if (!concerns(active)) continue;
        clear(building, active, Math.max(at, active.raisedAt), because);
        forget(building, active);
      }
    }
  };

  /** What looks at the subject must not clear it again. */
  const forget = (building: WatchedBuilding, active: ActiveAlert): void => {
    for (const track of building.places) if (track.active === active) track.active = null;
    for (const point of building.points) {
      for (const track of point?.tracks ?? []) if (track.active === active) track.active = null;
    }
    for (const device of building.devices.values())
      device.silent = device.silent.filter((each) => each !== active);
  };

  const regroup = (): void => {
    generation++;
    byTenant.clear();
    for (const rule of rules.values()) {
      if (!isInForce(rule.document)) continue;
      const { tenantId } = rule.document;
      const list = byTenant.get(tenantId);
      if (list) list.push(rule);
      else byTenant.set(tenantId, [rule]);
    }
    for (const building of everyBuilding()) match(building);
  };

  const outdated = ({
    ruleId,
    revision,
  }: ActiveAlert): { because: ClearedBecause; at: number } | undefined => {
    const rule = rules.get(ruleId);
    if (rule === undefined) return { because: 'RULE_ENDED', at: clock };
    const { endedAt, changedAt } = rule.document;
    if (endedAt !== null) return { because: 'RULE_ENDED', at: endedAt };
    if (rule.revision !== revision || !isInForce(rule.document))
      return { because: 'RULE_CHANGED', at: changedAt };
    return undefined;
  };

  const applyReadings = (frame: Frame, event: number, enqueuedAt: number): void => {
    sequence = event;
    clock = Math.max(clock, enqueuedAt);
    // Whoever reads a stream from its first event has missed nothing.
    if (learnedAt === Infinity) {
      complete = event === 0;
      learnedAt = complete ? -Infinity : enqueuedAt + LATE_WITHIN_MS;
    }
    if (byTenant.size === 0) return;
    let any = false;
    const { points, point: column, observedAt, value, count } = frame;
    const of = frame.buildings.map(({ tenantId, buildingId }) =>
      byTenant.has(tenantId) ? watched(tenantId, buildingId) : undefined,
    );
    const watchedPoints = points.map((each) => {
      const building = of[each.building];
      if (building === undefined) return undefined;
      if (building.silenceRules.length > 0) hear(building, each, enqueuedAt);
      const found = pointFor(building, each);
      any ||= found !== undefined;
      return found;
    });
    if (!any) return;
    const furthest = enqueuedAt + FURTHEST_AHEAD_SECONDS * 1000;
    for (let row = 0; row < count; row++) {
      const index = column[row]!;
      const point = watchedPoints[index];
      if (point === undefined) continue;
      const at = observedAt[row]!;
      if (!Number.isFinite(value[row]) || at > furthest) continue;
      read(of[points[index]!.building]!, point, at, value[row]!, enqueuedAt - at > LATE_WITHIN_MS);
    }
    if (touched.length > 0) settleTouched();
  };

  return {
    buildings,
    get watching() {
      return byTenant.size > 0 || buildings.size > 0;
    },
    get everySecond() {
      return placed.size > 0;
    },

    setRule(document) {
      const before = rules.get(document.id);
      if (before !== undefined && before.revision > document.revision) return;
      const same =
        before?.revision === document.revision && isInForce(before.document) === isInForce(document);
      if (same) {
        // Only what it is called has changed.
        before.document = document;
        return;
      }
      rules.set(document.id, ruleOf(document));
      const { buildingId } = document.scope;
      if (isInForce(document) && buildingId !== null && options.owns(buildingId))
        watched(document.tenantId, buildingId);
      endAlerts(
        (active) => active.ruleId === document.id && outdated(active) !== undefined,
        document.endedAt ?? document.changedAt,
        document.endedAt === null ? 'RULE_CHANGED' : 'RULE_ENDED',
      );
      regroup();
    },

    apply(frame, event, enqueuedAt) {
      reading = true;
      try {
        applyReadings(frame, event, enqueuedAt);
      } finally {
        reading = false;
      }
    },

    advance(to, told) {
      if (to <= second) return;
      if (second === 0 || to - second > SECONDS_AT_ONCE) {
        // What was due on the way is due now.
        const looks = [...agenda.entries()]
          .filter(([at]) => at < to)
          .flatMap(([at, list]) => (agenda.delete(at), list));
        second = to - 1;
        if (looks.length > 0) agenda.set(to, [...looks, ...(agenda.get(to) ?? [])]);
      }
      while (second < to) {
        second++;
        clock = Math.max(clock, second * 1000);
        if (told) {
          if (toldAt < second - TOLD_WITHIN_SECONDS || toldSince === 0) toldSince = second;
          toldAt = second;
        }
        const due = agenda.get(second);
        if (due !== undefined) {
          agenda.delete(second);
          for (const look of due) look();
        }
      }
      for (const building of placed) lookAtPlaces(building);
      if (told && second % 5 === 0) for (const building of silenceWatched) listDevices(building);
    },

    deviceChanged(buildingId, deviceId, device) {
      const owners = buildings.get(buildingId);
      if (owners === undefined) return;
      for (const building of owners) {
        const known = building.devices.get(deviceId);
        if (known === undefined) continue;
        if (device === null) building.devices.delete(deviceId);
        else {
          // Whatever was changed, its interval or that it should send at all, it has an interval from now on.
          known.heardAt = Math.max(known.heardAt, clock);
          watchSilence(building, known);
        }
      }
      if (device === null) {
        gone.delete(deviceId);
        gone.add(deviceId);
        if (gone.size > MAXIMUM_GONE) gone.delete(gone.values().next().value!);
      } else gone.delete(deviceId);
      endAlerts(
        ({ subject }) => subject.deviceId === deviceId && isGone(subject, device),
        clock,
        'SUBJECT_GONE',
        buildingId,
      );
    },

    watch: (tenantId, buildingId) => void watched(tenantId, buildingId),

    pack: () => ({
      ...packAlerts(buildings.values(), decidedByOthers),
      ...(clock < learnedAt && { learnedAt }),
    }),

    restore(packed, position) {
      ({ sequence, second } = position);
      clock = second * 1000;
      learnedAt = packed.learnedAt ?? -Infinity;
      complete = packed.learnedAt === undefined;
      for (const each of packed.buildings) {
        const building = watched(each.tenantId, each.buildingId);
        unpackBuilding(building, each, {
          pointOf: ({ pointId, code, deviceId, spaceId }) =>
            newPoint(building, { pointId, code, deviceId, spaceId }),
          heard: ({ deviceId, spaceId, heardAt }) => {
            if (building.silenceRules.length > 0) heard(building, deviceId, spaceId, heardAt);
          },
        });
        for (const point of building.points) {
          for (const track of point?.tracks ?? []) {
            // What is still open is looked at again when it is due.
            const { seenSince } = track;
            observe(track, point!, clock - CLOCK_SETTLES_MS);
            noteOpen(building, point!, track);
            if (track.dueAt !== Infinity) track.seenSince = Math.min(seenSince, track.seenSince);
          }
        }
        for (const active of [...building.actives.values()]) {
          const why = outdated(active);
          if (why === undefined) continue;
          clear(building, active, Math.max(why.at, active.raisedAt), why.because);
          forget(building, active);
        }
      }
    },

    adopt(buildingId, stored, decidedBefore) {
      const owners = new Set(stored.map(({ tenantId }) => tenantId));
      for (const tenantId of owners) watched(tenantId, buildingId);
      for (const building of buildings.get(buildingId) ?? []) {
        const wasBehind = decidedByOthers(building);
        building.decidedBefore = decidedBefore;
        if (!wasBehind) setReplayed(building, decidedByOthers(building));
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
        hand(building);
        for (const active of [...building.actives.values()]) {
          const why = outdated(active);
          if (why === undefined) continue;
          clear(building, active, Math.max(why.at, active.raisedAt), why.because);
          forget(building, active);
        }
      }
    },

    neededSince() {
      let since = Infinity;
      for (const track of open) since = Math.min(since, track.seenSince);
      for (const building of placed) {
        for (const track of building.places)
          if (track.active === null) since = Math.min(since, track.seenSince);
      }
      return since;
    },
  };

  /** Gives whoever looks at a subject the alert that is told of it. */
  function takeOver(building: WatchedBuilding, track: Track): void {
    const active = building.actives.get(track.key) ?? null;
    if (!decidedByOthers(building)) follow(track, active);
    else {
      // A point that is not known yet was not heard before, unless the beginning is missing.
      track.replayed ??= null;
      if (complete) track.active = active;
      else follow(track, active);
    }
  }

  function hand(building: WatchedBuilding): void {
    for (const track of building.places) track.active = building.actives.get(track.key) ?? null;
    for (const point of building.points) {
      for (const track of point?.tracks ?? []) takeOver(building, track);
    }
    for (const device of building.devices.values()) {
      device.silent = silentOf(building, device.deviceId);
    }
  }
}

/** An alert that stands says where its point stood, as long as no reading does. */
function follow(track: Track, active: ActiveAlert | null): void {
  track.active = active;
  if (active === null || track.sides.length > 0 || active.value === null) return;
  track.baseSide = sideOfValue(track.rule, IN_ORDER, active.value);
  track.baseOnset = active.onset;
}

/** Keeps what is told of each point so far, where what will be told by later events is about to take its place. */
function setReplayed({ points }: WatchedBuilding, isBehind: boolean): void {
  for (const point of points) {
    for (const track of point?.tracks ?? []) {
      const { active } = track;
      if (!isBehind) track.replayed = undefined;
      else track.replayed = active && { onset: active.onset, raisedAt: active.raisedAt };
    }
  }
}

function silentOf({ actives }: WatchedBuilding, deviceId: string): ActiveAlert[] {
  return [...actives.values()].filter(
    ({ subject }) => subject.pointId === null && subject.deviceId === deviceId,
  );
}

function keyOfDevice(rule: Rule, deviceId: string): string {
  return keyOf(rule, { buildingId: '', spaceId: null, deviceId, pointId: null, quantity: null });
}

function isGone({ pointId }: ActiveAlert['subject'], device: StandingDevice | null): boolean {
  if (device === null) return true;
  if (pointId === null) return !device.expected;
  return !device.points.some((each) => each.pointId === pointId);
}
