import { type AlertSubject } from '../../domain/alert';
import { type FramePoint } from '../../stream/frame';
import { type ActiveAlert } from './effect';
import { type Side } from './conditions';
import { type DeviceRule, keyOf, type PlaceRule, type PointRule, type Rule } from './rule';
import { type Recent, type Track } from './track';

/** A point that some rule looks at. */
export interface WatchedPoint extends Recent {
  readonly pointId: string;
  readonly code: number;
  deviceId: string;
  spaceId: string;
  tracks: Track[];
  /** Whether it is not known yet if some rule looks at it, because it is not known what lies in the rule's space. */
  undecided: boolean;
  /** The newest reading that was passed over (ms), because nobody could tell whether it was a repeated one; 0 for none. */
  passedOver: number;
  capacity: number;
  /** While an event is read: whether something is to be decided at its end. */
  touched: boolean;
}

/** A building or space under one rule that looks at it as a whole. */
export interface PlaceTrack {
  readonly rule: PlaceRule;
  readonly key: string;
  readonly subject: AlertSubject;
  side: Side;
  /** Since when (ms) it has been out of order. */
  onset: number;
  seenSince: number;
  active: ActiveAlert | null;
}

/** A device that some rule would hear now and then. */
export interface HeardDevice {
  readonly deviceId: string;
  spaceId: string;
  /** When (ms, the hub's clock) an event with a reading of it was enqueued last. */
  heardAt: number;
  /** Its alerts of silence that are told. */
  silent: ActiveAlert[];
  /** Which looking after it goes on; those that were begun before end. */
  looking: number;
}

/** What the engine knows of a building of one tenant. */
export interface WatchedBuilding {
  readonly tenantId: string;
  readonly buildingId: string;
  /** Those in force that may look at it; `matched` tells of which rules and places this is. */
  rules: Rule[];
  matched: number;
  pointRules: PointRule[];
  /** By point ordinal; null for one that no rule looks at. */
  points: (WatchedPoint | null | undefined)[];
  places: PlaceTrack[];
  deviceRules: DeviceRule[];
  devices: Map<string, HeardDevice>;
  /** What is told as active, by key; also of points that were not heard since the start. */
  actives: Map<string, ActiveAlert>;
  /** Others have decided on everything before this event: until then nothing follows from what is read. */
  decidedBefore: number;
}

export function watchedBuilding(tenantId: string, buildingId: string): WatchedBuilding {
  return {
    tenantId,
    buildingId,
    rules: [],
    matched: -1,
    pointRules: [],
    points: [],
    places: [],
    deviceRules: [],
    devices: new Map(),
    actives: new Map(),
    decidedBefore: -1,
  };
}

export function subjectOfPoint(
  { buildingId }: WatchedBuilding,
  { pointId, spaceId, deviceId }: WatchedPoint,
  rule: Rule,
): AlertSubject {
  return { buildingId, spaceId, deviceId, pointId, quantity: rule.document.quantity };
}

export function keyOfPoint(rule: Rule, { pointId }: Pick<FramePoint, 'pointId'>): string {
  return keyOf(rule, { buildingId: '', spaceId: null, deviceId: null, pointId, quantity: null });
}
