import { type Assignment, deviceModelNamed } from '../../domain/device';
import { derivedId } from '../../domain/id';
import { type QuantityName } from '../../domain/quantity';
import { OLDEST_ACCEPTED_MS } from '../../domain/reading';
import { LARGEST_BATCH } from '../cosmos';
import { type BuildingDocument, type DeviceDocument, type PointDocument, sortKeyOf } from '../documents';
import { type NewDevice } from '../registry';

/** The ordinals that a mutation took, once, from its building; all that it creates follows from them. */
export interface Reservation {
  firstPointOrdinal: number;
  firstDeviceOrdinal: number;
  /** Milliseconds since 1970. */
  at: number;
}

export interface PlannedDevice {
  /** Without keys. */
  device: DeviceDocument;
  points: PointDocument[];
}

/** What the devices add to their building: ordinals taken, and what `devicesExpected` counts. */
export function demandOf(devices: readonly NewDevice[]): {
  points: number;
  byQuantity: Map<QuantityName, number>;
} {
  const byQuantity = new Map<QuantityName, number>();
  let points = 0;
  for (const { model } of devices) {
    const { channels } = deviceModelNamed(model)!;
    points += channels.length;
    for (const quantity of new Set(channels.map((channel) => channel.quantity))) {
      byQuantity.set(quantity, (byQuantity.get(quantity) ?? 0) + 1);
    }
  }
  return { points, byQuantity };
}

/**
 * The documents of every device, the same at each try: ids derive from the attempt and the reserved ordinals, instants
 * from the reservation.
 */
export function planOf(
  building: Pick<BuildingDocument, 'id' | 'tenantId'>,
  devices: readonly NewDevice[],
  reservation: Reservation,
  attemptHash: string,
): PlannedDevice[] {
  const { id: buildingId, tenantId } = building;
  const { at, firstDeviceOrdinal } = reservation;
  let pointOrdinal = reservation.firstPointOrdinal;
  return devices.map(({ name, model, spaceId, serialNumber }, i) => {
    const deviceOrdinal = firstDeviceOrdinal + i;
    const id = derivedId('dev', buildingId, attemptHash, String(deviceOrdinal));
    const assignments: Assignment[] = [];
    const points: PointDocument[] = [];
    for (const { name: channel, quantity, unit } of deviceModelNamed(model)!.channels) {
      const ordinal = pointOrdinal++;
      const pointId = derivedId('pnt', buildingId, attemptHash, String(ordinal));
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
      assignments.push({
        channel,
        pointId,
        pointOrdinal: ordinal,
        deviceOrdinal,
        quantity,
        unit,
        tenantId,
        buildingId,
        spaceId,
        // As far back as a reading is accepted: what the device kept from before it was provisioned has a place.
        from: at - OLDEST_ACCEPTED_MS,
        to: null,
      });
    }
    return {
      points,
      device: {
        id,
        type: 'device',
        buildingId,
        tenantId,
        name,
        sortKey: sortKeyOf(name, id),
        serialNumber,
        model,
        spaceId,
        state: 'PROVISIONED',
        keys: null,
        assignments,
        createdAt: at,
        retiredAt: null,
      },
    };
  });
}

/** The part of a mutation that shares a transactional batch, and the ordinals that fall to it. */
export interface Part {
  devices: readonly NewDevice[];
  reservation: Reservation;
}

/**
 * Cuts a mutation into parts of at most a batch of documents, with room for its audit event. The same at each try, so
 * that a batch either stands whole or not at all.
 */
export function partsOf(devices: readonly NewDevice[], reservation: Reservation): Part[] {
  const parts: Part[] = [];
  let { firstPointOrdinal } = reservation;
  for (let start = 0, end = 0; start < devices.length; start = end) {
    let room = LARGEST_BATCH - 1;
    let points = 0;
    for (; end < devices.length; end++) {
      const { channels } = deviceModelNamed(devices[end]!.model)!;
      room -= 1 + channels.length;
      if (room < 0) break;
      points += channels.length;
    }
    const firstDeviceOrdinal = reservation.firstDeviceOrdinal + start;
    parts.push({
      devices: devices.slice(start, end),
      reservation: { at: reservation.at, firstDeviceOrdinal, firstPointOrdinal },
    });
    firstPointOrdinal += points;
  }
  return parts;
}
