import { type ActiveAlert } from './effect';
import { IN_ORDER, type Side } from './conditions';
import { type Rule } from './rule';
import { type Track } from './track';
import { type HeardDevice, type PlaceTrack, type WatchedBuilding } from './watched-building';

/** What the engine knows, as it stands in a snapshot. */
export interface PackedAlerts {
  buildings: PackedBuilding[];
  /** While it only learned: until when (ms) it does. */
  learnedAt?: number;
  /** It began in the midst of the stream: a point that it does not know may have been heard before. */
  beginningMissing?: boolean;
}

interface PackedBuilding {
  tenantId: string;
  buildingId: string;
  /** What is told as active: also by events that were still to be replayed. */
  actives: ActiveAlert[];
  /** Where such were: up to which event others have decided. */
  decidedBefore?: number;
  points: PackedPoint[];
  /** Recent readings of all points, one after another. */
  times: Float64Array;
  values: Float64Array;
  places: Pick<PlaceTrack, 'key' | 'side' | 'onset' | 'seenSince'>[];
  devices: Pick<HeardDevice, 'deviceId' | 'spaceId' | 'heardAt'>[];
}

interface PackedPoint {
  ordinal: number;
  pointId: string;
  code: number;
  deviceId: string;
  spaceId: string;
  readings: number;
  /** Where the beginning of the stream was missing. */
  passedOver?: number;
  /** Only those that have more to say than that all was in order. */
  tracks: PackedTrack[];
}

type PackedTrack = Pick<Track, 'sides' | 'baseSide' | 'baseOnset' | 'past' | 'seenSince'> & {
  ruleId: string;
  revision: number;
  replayed?: Track['replayed'];
};

/** @param isBehind whether others have decided on events of the building that are still to be read. */
export function packAlerts(
  buildings: Iterable<readonly WatchedBuilding[]>,
  isBehind: (building: WatchedBuilding) => boolean,
): PackedAlerts {
  return {
    buildings: [...buildings].flatMap((owners) => owners.map((each) => packBuilding(each, isBehind(each)))),
  };
}

function packBuilding(building: WatchedBuilding, isBehind: boolean): PackedBuilding {
  const points: PackedPoint[] = [];
  const times: number[] = [];
  const values: number[] = [];
  building.points.forEach((point, ordinal) => {
    if (!point) return;
    const { pointId, code, deviceId, spaceId } = point;
    points.push({
      ordinal,
      pointId,
      code,
      deviceId,
      spaceId,
      readings: point.times.length,
      ...(point.passedOver > 0 && { passedOver: point.passedOver }),
      tracks: point.tracks
        .filter((track) => isBehind || isTelling(track))
        .map(({ rule, sides, baseSide, baseOnset, past, seenSince, replayed }) => ({
          ruleId: rule.id,
          revision: rule.revision,
          sides,
          baseSide,
          baseOnset,
          past,
          seenSince,
          ...(isBehind && { replayed }),
        })),
    });
    for (const each of point.times) times.push(each);
    for (const each of point.values) values.push(each);
  });
  return {
    tenantId: building.tenantId,
    buildingId: building.buildingId,
    actives: [...building.actives.values()],
    ...(isBehind && { decidedBefore: building.decidedBefore }),
    points,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    places: building.places.map(({ key, side, onset, seenSince }) => ({ key, side, onset, seenSince })),
    devices: [...building.devices.values()].map(({ deviceId, spaceId, heardAt }) => ({
      deviceId,
      spaceId,
      heardAt,
    })),
  };
}

function isTelling({ sides, baseSide, past }: Track): boolean {
  return baseSide !== IN_ORDER || past.length > 0 || sides.some((side) => side !== IN_ORDER);
}

/** Puts what was packed of a building into it. Its rules must be set; of a rule that is gone nothing is taken. */
export function unpackBuilding(
  building: WatchedBuilding,
  packed: PackedBuilding,
  tools: {
    pointOf(point: PackedPoint): NonNullable<WatchedBuilding['points'][number]>;
    heard(device: PackedBuilding['devices'][number]): void;
  },
): void {
  building.decidedBefore = packed.decidedBefore ?? -1;
  for (const active of packed.actives) building.actives.set(active.key, active);
  let at = 0;
  for (const each of packed.points) {
    const end = at + each.readings;
    const point = tools.pointOf(each);
    point.passedOver = each.passedOver ?? 0;
    point.times.push(...packed.times.subarray(at, end));
    point.values.push(...packed.values.subarray(at, end));
    at = end;
    for (const track of point.tracks) {
      const known = each.tracks.find((one) => isOf(track.rule, one));
      if (known === undefined) track.sides = new Array<Side>(each.readings).fill(IN_ORDER);
      else {
        const { ruleId: _, revision: __, ...state } = known;
        Object.assign(track, state);
      }
      track.active = building.actives.get(track.key) ?? null;
    }
    building.points[each.ordinal] = point;
  }
  for (const each of packed.places) {
    const track = building.places.find(({ key }) => key === each.key);
    if (track !== undefined) Object.assign(track, each);
  }
  for (const track of building.places) track.active = building.actives.get(track.key) ?? null;
  for (const each of packed.devices) tools.heard(each);
}

function isOf(rule: Rule, track: PackedTrack): boolean {
  return rule.id === track.ruleId && rule.revision === track.revision;
}
