import { type Inventory, type StandingDevice } from '../../store/building-inventory';
import { type FramePoint } from '../../stream/frame';
import { type ActiveAlert } from './effect';
import { type Findings } from './findings';
import { type Looks } from './looks';
import { type Progress } from './progress';
import { type DeviceRule, isOfDevices, keyOf, type Rule } from './rule';
import { looksAt } from './scope';
import { type HeardDevice, type WatchedBuilding } from './watched-building';

/** Looks at whether devices are heard. */
export interface DeviceWatch {
  /** The building's rules are others. */
  rematch(building: WatchedBuilding): void;
  /** An event that was enqueued at an instant (ms) has a reading of the device. */
  hear(building: WatchedBuilding, each: FramePoint, enqueuedAt: number): void;
  /** A device as a snapshot has it. */
  restore(building: WatchedBuilding, device: Pick<HeardDevice, 'deviceId' | 'spaceId' | 'heardAt'>): void;
  /** A second in which silence means something. */
  look(): void;
  /** A device was changed, or has gone. */
  changed(building: WatchedBuilding, deviceId: string, device: StandingDevice | null): void;
  /** The building's active alerts are others: gives each to those who look at its subject. */
  hand(building: WatchedBuilding): void;
}

const LISTED_EVERY_SECONDS = 5;
const SOON_MS = 1_000;
/** What cannot be overdue now may be after a change that nobody tells of. */
const LATER_MS = 60_000;

export function createDeviceWatch(options: {
  progress: Progress;
  looks: Looks;
  findings: Findings;
  inventoryOf(buildingId: string): Inventory | undefined;
}): DeviceWatch {
  const { progress, looks, findings, inventoryOf } = options;
  const watched = new Set<WatchedBuilding>();

  const isDecided = ({ decidedBefore }: WatchedBuilding): boolean => progress.isDecidedBefore(decidedBefore);

  const heard = (building: WatchedBuilding, deviceId: string, spaceId: string, at: number): HeardDevice => {
    const silent = silentOf(building, deviceId);
    const device: HeardDevice = { deviceId, spaceId, heardAt: at, silent, looking: 0 };
    building.devices.set(deviceId, device);
    watch(building, device);
    return device;
  };

  const watch = (building: WatchedBuilding, device: HeardDevice): void => {
    const looking = ++device.looking;
    for (const rule of building.deviceRules) {
      const look = (): void => {
        if (device.looking !== looking || building.devices.get(device.deviceId) !== device) return;
        const again = lookAt(building, device, rule);
        if (again !== undefined) looks.at(again, look);
      };
      looks.at(0, look);
    }
  };

  /** Raises where the device is overdue; otherwise when (ms) to look again, or undefined: once it was heard. */
  const lookAt = (building: WatchedBuilding, device: HeardDevice, rule: DeviceRule): number | undefined => {
    const { buildingId } = building;
    const { deviceId, spaceId } = device;
    const { clock, second, told, toldSince } = progress;
    const inventory = inventoryOf(buildingId);
    if (inventory === undefined) return clock + SOON_MS;
    const known = inventory.devices.get(deviceId);
    if (!known?.expected || known.tenantId !== building.tenantId) return clock + LATER_MS;
    if (!looksAt(rule, device, () => inventory)) return clock + LATER_MS;
    const overdueAt = rule.condition.overdueAt(device.heardAt, known.intervalMs);
    // After an outage of ours everybody has an interval to be heard again.
    const graceUntil = toldSince * 1000 + known.intervalMs;
    const at = second * 1000;
    if (!told || isDecided(building)) return clock + SOON_MS;
    if (at < overdueAt || at < graceUntil) return Math.max(overdueAt, graceUntil, at + SOON_MS);
    const subject = { buildingId, spaceId, deviceId, pointId: null, quantity: null };
    const key = keyOfDevice(rule, deviceId);
    if (building.actives.has(key)) return undefined;
    const raisedAt = Math.max(overdueAt, at);
    const found = { key, subject, onset: overdueAt, raisedAt, value: null, clearedAt: null };
    const active = findings.raise(building, rule, found, Infinity);
    if (active !== null) device.silent.push(active);
    return undefined;
  };

  /** Devices that are expected and were not heard since the worker knows of them have been silent since then. */
  const listDevices = (building: WatchedBuilding): void => {
    for (const each of inventoryOf(building.buildingId)?.devices.values() ?? []) {
      if (!each.expected || building.devices.has(each.deviceId)) continue;
      heard(building, each.deviceId, each.spaceId, Math.max(each.activatedAt, progress.second * 1000));
    }
  };

  return {
    rematch(building) {
      building.deviceRules = building.rules.filter(isOfDevices);
      if (building.deviceRules.length > 0) {
        watched.add(building);
        for (const device of building.devices.values()) watch(building, device);
      } else {
        watched.delete(building);
        building.devices.clear();
      }
    },
    hear(building, { deviceId, spaceId }, at) {
      if (building.deviceRules.length === 0) return;
      const device = building.devices.get(deviceId) ?? heard(building, deviceId, spaceId, at);
      device.spaceId = spaceId;
      if (at > device.heardAt) device.heardAt = at;
      if (device.silent.length === 0 || isDecided(building)) return;
      for (const active of device.silent.splice(0)) {
        findings.clear(building, active, Math.max(at, active.raisedAt), 'BACK_IN_ORDER');
        watch(building, device);
      }
    },
    restore(building, { deviceId, spaceId, heardAt }) {
      if (building.deviceRules.length > 0) heard(building, deviceId, spaceId, heardAt);
    },
    look() {
      if (progress.second % LISTED_EVERY_SECONDS !== 0) return;
      for (const building of watched) listDevices(building);
    },
    changed(building, deviceId, device) {
      const known = building.devices.get(deviceId);
      if (known === undefined) return;
      if (device === null) building.devices.delete(deviceId);
      else {
        // Whatever was changed, its interval or that it should send at all, it has an interval from now on.
        known.heardAt = Math.max(known.heardAt, progress.clock);
        watch(building, known);
      }
    },
    hand(building) {
      for (const device of building.devices.values()) device.silent = silentOf(building, device.deviceId);
    },
  };
}

function silentOf({ actives }: WatchedBuilding, deviceId: string): ActiveAlert[] {
  return [...actives.values()].filter(
    ({ subject }) => subject.pointId === null && subject.deviceId === deviceId,
  );
}

function keyOfDevice(rule: Rule, deviceId: string): string {
  return keyOf(rule, { buildingId: '', spaceId: null, deviceId, pointId: null, quantity: null });
}
