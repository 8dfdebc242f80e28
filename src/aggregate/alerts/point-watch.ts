import { type Inventory } from '../../store/building-inventory';
import { type FramePoint } from '../../stream/frame';
import { type ActiveAlert } from './effect';
import { type Findings } from './findings';
import { IN_ORDER } from './conditions';
import { type Looks } from './looks';
import { type Progress } from './progress';
import { looksAt } from './scope';
import {
  createTrack,
  decide,
  giveUpOldest,
  judge,
  observe,
  place,
  RECENT_READINGS,
  RECENT_READINGS_AMONG,
  takeCalmly,
  type Track,
} from './track';
import { keyOfPoint, subjectOfPoint, type WatchedBuilding, type WatchedPoint } from './watched-building';

/** Late readings may still say that what the clock is about to raise was over. */
const CLOCK_SETTLES_MS = 1_000;

/** Looks at the readings of points. */
export interface PointWatch {
  /** The building's rules are others: finds which of them look at which of its points. */
  rematch(building: WatchedBuilding): void;
  /** The point that a frame names, where some rule looks at it. */
  pointFor(building: WatchedBuilding, each: FramePoint): WatchedPoint | undefined;
  /** Puts a reading in its place. `late`: it comes too late to be judged, unless it is the newest. */
  read(building: WatchedBuilding, point: WatchedPoint, at: number, value: number, late: boolean): void;
  /** Decides what follows, once all readings of an event are in their places: their order does not matter then. */
  settleTouched(): void;
  /** A point as a snapshot has it, with nothing read yet. */
  newPoint(
    building: WatchedBuilding,
    of: Pick<WatchedPoint, 'pointId' | 'code' | 'deviceId' | 'spaceId'>,
  ): WatchedPoint;
  /** What is still open of a building that was restored is looked at again when it is due. */
  resume(building: WatchedBuilding): void;
  /** The building's active alerts are others: gives each to those who look at its subject. */
  hand(building: WatchedBuilding): void;
  /** Clock (ms) at which what is out of order and not raised yet was first seen; Infinity for nothing. */
  neededSince(): number;
}

export function createPointWatch(options: {
  progress: Progress;
  looks: Looks;
  findings: Findings;
  inventoryOf(buildingId: string): Inventory | undefined;
  /** Readings of a building came which a rule may look at, and nobody knows yet whether it does. */
  notJudged(buildingId: string): void;
}): PointWatch {
  const { progress, looks, findings, inventoryOf, notJudged } = options;
  const open = new Set<Track>();

  const isDecided = ({ decidedBefore }: WatchedBuilding): boolean => progress.isDecidedBefore(decidedBefore);

  const settle = (building: WatchedBuilding, point: WatchedPoint, track: Track): void => {
    const settledUntil = progress.clock - CLOCK_SETTLES_MS;
    if (isDecided(building)) {
      observe(track, point, settledUntil);
      noteOpen(building, point, track);
      return;
    }
    track.replayed = undefined;
    for (const { clear: over, raise: found } of decide(track, point, settledUntil)) {
      if (over !== undefined && track.active !== null) {
        findings.clear(building, track.active, over.at, 'BACK_IN_ORDER');
        track.active = null;
      }
      if (found === undefined) continue;
      const { key, rule, seenSince } = track;
      const raisedAt = found.onset + rule.forMs;
      const subject = subjectOfPoint(building, point, rule);
      const active = findings.raise(building, rule, { key, subject, raisedAt, ...found }, seenSince);
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
    if (track.seenSince === Infinity) track.seenSince = progress.clock;
    open.add(track);
    const { dueAt } = track;
    if (track.scheduledFor === dueAt) return;
    track.scheduledFor = dueAt;
    looks.at(Math.max(dueAt + CLOCK_SETTLES_MS, progress.clock), () => {
      // Another reading may have changed since when, or ended it.
      if (track.scheduledFor !== dueAt) return;
      track.scheduledFor = Infinity;
      if (track.dueAt === dueAt && point.tracks.includes(track)) settle(building, point, track);
    });
  };

  const newPoint: PointWatch['newPoint'] = (building, of) => {
    const state = { tracks: [], undecided: false, passedOver: 0, capacity: RECENT_READINGS, touched: false };
    const point = { ...of, ...state, times: [], values: [] };
    rematchPoint(building, point);
    return point;
  };

  const rematchPoint = (building: WatchedBuilding, point: WatchedPoint): void => {
    const kept: Track[] = [];
    point.undecided = false;
    const inventory = () => inventoryOf(building.buildingId);
    for (const rule of building.pointRules) {
      if (rule.code !== point.code) continue;
      const looks = looksAt(rule, point, inventory);
      if (looks === undefined) point.undecided = true;
      if (!looks) continue;
      const known = point.tracks.find((each) => each.rule === rule);
      if (known !== undefined) {
        kept.push(known);
        continue;
      }
      const track = createTrack(rule, keyOfPoint(rule, point), point.times.length);
      takeOver(building, track);
      kept.push(track);
    }
    for (const track of point.tracks) if (!kept.includes(track)) open.delete(track);
    point.tracks = kept;
    const looksBack = kept.some(({ rule }) => rule.condition.sideAmong !== undefined);
    point.capacity = looksBack ? RECENT_READINGS_AMONG : RECENT_READINGS;
  };

  /** Gives whoever looks at a subject the alert that is told of it. */
  const takeOver = (building: WatchedBuilding, track: Track): void => {
    const active = building.actives.get(track.key) ?? null;
    if (!isDecided(building)) follow(track, active);
    else {
      // A point that is not known yet was not heard before, unless the beginning is missing.
      track.replayed ??= null;
      if (progress.complete) track.active = active;
      else follow(track, active);
    }
  };

  /** Points with something to decide, once all readings of an event are in their places. */
  const touched: [WatchedBuilding, WatchedPoint][] = [];

  return {
    rematch(building) {
      building.points.forEach((point, ordinal) => {
        if (point === null) building.points[ordinal] = undefined;
        else if (point !== undefined) rematchPoint(building, point);
      });
    },

    pointFor(building, each) {
      const { pointOrdinal, deviceId, spaceId, pointId } = each;
      if (building.pointRules.length === 0 || !(pointOrdinal >= 0)) return undefined;
      let point = building.points[pointOrdinal];
      if (point === null) return undefined;
      if (point === undefined || point.pointId !== pointId) {
        point = newPoint(building, { pointId, code: each.quantity, deviceId, spaceId });
        building.points[pointOrdinal] = point;
      } else if (point.deviceId !== deviceId || point.spaceId !== spaceId) {
        Object.assign(point, { deviceId, spaceId });
        rematchPoint(building, point);
      } else if (point.undecided) rematchPoint(building, point);
      if (point.undecided) notJudged(building.buildingId);
      if (point.tracks.length > 0) return point;
      // One of which a rule may look at, once it has moved, is looked at again.
      const { code } = point;
      if (!building.pointRules.some((rule) => rule.code === code)) building.points[pointOrdinal] = null;
      return undefined;
    },

    read(building, point, at, value, late) {
      if (late && (at < (point.times.at(-1) ?? 0) || at <= point.passedOver)) return;
      // What follows from it others have decided, and what stands of that is known: its value, which may not be the one
      // that was read, need not be looked at. A rule of change looks back at values, and takes it for what was read.
      if (progress.mayRepeat(at) && point.capacity === RECENT_READINGS) {
        point.passedOver = Math.max(point.passedOver, at);
        return;
      }
      if (!point.touched && takeCalmly(point, point.tracks, at, value, point.capacity)) return;
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
    },

    settleTouched() {
      if (touched.length === 0) return;
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
    },

    newPoint,

    resume(building) {
      for (const point of building.points) {
        for (const track of point?.tracks ?? []) {
          const { seenSince } = track;
          observe(track, point!, progress.clock - CLOCK_SETTLES_MS);
          noteOpen(building, point!, track);
          if (track.dueAt !== Infinity) track.seenSince = Math.min(seenSince, track.seenSince);
        }
      }
    },

    hand(building) {
      for (const point of building.points) {
        for (const track of point?.tracks ?? []) takeOver(building, track);
      }
    },

    neededSince() {
      let since = Infinity;
      for (const track of open) since = Math.min(since, track.seenSince);
      return since;
    },
  };
}

/** An alert that stands says where its point stood, as long as no reading does. */
function follow(track: Track, active: ActiveAlert | null): void {
  track.active = active;
  if (active === null || track.sides.length > 0 || active.value === null) return;
  track.baseSide = track.rule.condition.sideOf(IN_ORDER, active.value);
  track.baseOnset = active.onset;
}

/** Keeps what is told of each point so far, where what will be told by later events is about to take its place. */
export function setReplayed({ points }: WatchedBuilding, isBehind: boolean): void {
  for (const point of points) {
    for (const track of point?.tracks ?? []) {
      const { active } = track;
      if (!isBehind) track.replayed = undefined;
      else track.replayed = active && { onset: active.onset, raisedAt: active.raisedAt };
    }
  }
}
