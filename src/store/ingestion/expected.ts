import { DEFAULT_INTERVAL_SECONDS, deviceModelNamed } from '../../domain/device';
import { HOUR_MS } from '../../domain/ingestion';
import { partitionOf } from '../../domain/partition';
import { type Cosmos } from '../cosmos';
import { type BuildingEntryDocument, type DeviceDocument, OF_KIND } from '../documents';

type Counted = Pick<
  DeviceDocument,
  | 'tenantId'
  | 'assignments'
  | 'state'
  | 'model'
  | 'intervalSeconds'
  | 'activatedAt'
  | 'suspended'
  | 'retiredAt'
>;

/**
 * How many readings a tenant's devices should have brought in each hour: for each channel that had a place, the time it
 * had one divided by the interval its device is expected to send at, from the device's first message until it was
 * suspended or retired. By today's intervals, and by where devices stand today: an estimate, and never held against a
 * device.
 *
 * @param hours of UTC, counted from 1970.
 * @returns by hour, readings by partition.
 */
export async function expectedReadings(
  cosmos: Cosmos,
  tenantId: string,
  hours: readonly number[],
  partitionCount: number,
): Promise<Map<number, Record<string, number>>> {
  const expected = new Map<number, Record<string, number>>();
  const buildings = await cosmos.query<Pick<BuildingEntryDocument, 'id'>>(
    'directory',
    tenantPartition(tenantId),
    "SELECT c.id FROM c WHERE c.kind = 'building'",
  );
  for (const { id } of buildings) {
    const partition = String(partitionOf(id, partitionCount));
    const pages = cosmos.pages<Counted>(
      'registry',
      id,
      `SELECT c.tenantId, c.assignments, c.state, c.model, c.intervalSeconds, c.activatedAt, c.suspended, c.retiredAt FROM c WHERE ${OF_KIND.device}`,
    );
    const sums = hours.map(() => 0);
    for await (const devices of pages) {
      for (const device of devices) {
        if (device.tenantId !== tenantId) continue;
        hours.forEach((hour, i) => (sums[i]! += expectedOf(device, hour)));
      }
    }
    hours.forEach((hour, i) => {
      const readings = expected.get(hour) ?? {};
      readings[partition] = (readings[partition] ?? 0) + Math.round(sums[i]!);
      expected.set(hour, readings);
    });
  }
  return expected;
}

/** Of one device in one hour; not whole. */
export function expectedOf(device: Counted, hour: number): number {
  const { activatedAt, suspended, retiredAt, assignments, model } = device;
  if (activatedAt == null) return 0;
  const seconds =
    device.intervalSeconds ?? deviceModelNamed(model)?.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
  const from = Math.max(hour * HOUR_MS, activatedAt);
  const to = Math.min((hour + 1) * HOUR_MS, suspended?.at ?? Infinity, retiredAt ?? Infinity);
  let readings = 0;
  for (const each of assignments) {
    const time = Math.min(to, each.to ?? Infinity) - Math.max(from, each.from);
    if (time > 0) readings += time / (seconds * 1000);
  }
  return readings;
}

function tenantPartition(tenantId: string): string {
  return `tenant:${tenantId}`;
}
