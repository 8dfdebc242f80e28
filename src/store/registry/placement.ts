import { type Assignment, type DeviceModelChannel } from '../../domain/device';
import { derivedId } from '../../domain/id';
import { type BuildingDocument, type DeviceDocument, type PointDocument } from '../documents';
import { type Refusal } from '../registry';

/** Where a device's channels are to feed from an instant on. */
export interface Placement {
  assignments: Assignment[];
  /** Those that are new; the others were there. */
  points: PointDocument[];
  /** With the ordinals taken; its counts are as they were. */
  building: BuildingDocument;
}

/**
 * Gives each channel a point of a space. A point is a quantity of one place, so a device that comes to a new place gets
 * new points; only a replacement goes on with points that are there.
 *
 * @param options.deviceOrdinal the device's in this building; left out, it takes the next.
 * @param options.from milliseconds since 1970: when the assignments begin.
 * @param options.since when a channel's first assignment begins where it gets a new point. Default `from`.
 * @param options.seed what the ids of new points follow from, beside their ordinals, which are never given twice.
 * @param options.takenOver assignments of a device that is replaced: the first free one of the same quantity gives a
 *   channel its point and space.
 */
export function placementOf(
  building: BuildingDocument,
  options: {
    channels: readonly DeviceModelChannel[];
    spaceId: string;
    deviceOrdinal?: number;
    at: number;
    from: number;
    since?: number;
    seed: string;
    takenOver?: readonly Assignment[];
  },
): Placement {
  const { channels, spaceId, at, from, since = from, seed } = options;
  const { id: buildingId, tenantId } = building;
  const deviceOrdinal = options.deviceOrdinal ?? building.nextDeviceOrdinal;
  const free = [...(options.takenOver ?? [])];
  let { nextPointOrdinal } = building;
  const points: PointDocument[] = [];
  const assignments = channels.map(({ name: channel, quantity, unit }): Assignment => {
    const index = free.findIndex((each) => each.quantity === quantity);
    if (index >= 0) {
      const [earlier] = free.splice(index, 1);
      return { ...earlier!, channel, unit, deviceOrdinal, tenantId, buildingId, from, to: null };
    }
    const ordinal = nextPointOrdinal++;
    const pointId = derivedId('pnt', buildingId, seed, String(ordinal));
    points.push({
      id: pointId,
      type: 'point',
      buildingId,
      tenantId,
      spaceId,
      quantity,
      ordinal,
      createdAt: at,
    });
    return {
      channel,
      pointId,
      pointOrdinal: ordinal,
      deviceOrdinal,
      quantity,
      unit,
      tenantId,
      buildingId,
      spaceId,
      from: since,
      to: null,
    };
  });
  return {
    assignments,
    points,
    building: {
      ...building,
      nextPointOrdinal,
      nextDeviceOrdinal: building.nextDeviceOrdinal + (options.deviceOrdinal === undefined ? 1 : 0),
    },
  };
}

/** The channels that a device has in force. */
export function channelsOf({ assignments }: Pick<DeviceDocument, 'assignments'>): DeviceModelChannel[] {
  return assignments
    .filter((each) => each.to === null)
    .map(({ channel, quantity, unit }) => ({ name: channel, quantity, unit }));
}

/**
 * How far ahead a move is set. A gateway may hear of it two seconds late and takes the device's readings meanwhile, so
 * that one observed just after the move would go to the place before it. Set ahead, every gateway knows of it in time.
 */
export const MOVE_AHEAD_MS = 3_000;

/**
 * The instant at which a device's assignments can end and others begin: the one that is wanted, or where they begin
 * later (a clock was ahead, a move is set), their own beginning, because none may end before it has begun.
 */
export function switchInstant({ assignments }: Pick<DeviceDocument, 'assignments'>, wanted: number): number {
  return assignments.reduce((latest, { from, to }) => Math.max(latest, from, to ?? 0), wanted);
}

/** The assignments with none in force from an instant on; one that never held an instant is left out. */
export function ended(assignments: readonly Assignment[], at: number): Assignment[] {
  return assignments
    .map((each) => (each.to === null || each.to > at ? { ...each, to: at } : each))
    .filter((each) => each.from < each.to!);
}

/** Each takes some 300 bytes of the device's document, which every gateway that meets the device reads whole. */
const MAXIMUM_ASSIGNMENTS = 500;

/** Why a device may go to no further place, or undefined. */
export function assignmentsProblem({
  id,
  assignments,
}: Pick<DeviceDocument, 'id' | 'assignments'>): Refusal | undefined {
  if (assignments.length <= MAXIMUM_ASSIGNMENTS) return undefined;
  const message = `device ${id} was assigned ${assignments.length} times and may be so ${MAXIMUM_ASSIGNMENTS} times: replace it`;
  return { code: 'LIMIT_EXCEEDED', message, path: 'deviceId' };
}
