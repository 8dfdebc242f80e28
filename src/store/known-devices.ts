import { type Assignment, type DeviceState } from '../domain/device';
import { explain, type Logger } from '../observability/logger';
import { type DirectoryDevice } from './device-directory';
import { type DeviceDocument } from './documents';
import { type Keyring } from './keyring';

interface Building {
  readonly buildingId: string;
  /** Its devices, for when it has to give way. */
  readonly deviceIds: Set<string>;
  /** Whether all of it has been read: only then may it give way. */
  complete: boolean;
  usedAt: number;
}

/**
 * One held device: strings that many devices have in common are in memory once, and the keys are one short string that
 * becomes buffers only where they are asked for.
 */
interface Row {
  building: Building;
  tenantId: string;
  state: DeviceState;
  /** The opened keys, one after another, as latin1; empty once destroyed. */
  keys: string;
  /** Undefined for most devices, which have none of it. */
  further: Further | undefined;
  assignments: readonly Assignment[];
  /** Made when it is asked for: the same object for as long as nothing of the device changes. */
  opened: DirectoryDevice | undefined;
}

type Further = Pick<DirectoryDevice, 'thumbprints' | 'authority' | 'parentId'>;

/** Devices in memory, by id, at most `limit`: whole buildings give way, the longest unused first. */
export interface KnownDevices {
  /** The same object at each call, until the device changes or is long unused: what was judged of it still holds. */
  get(deviceId: string): DirectoryDevice | undefined;
  has(deviceId: string): boolean;
  buildingOf(deviceId: string): string | undefined;
  isComplete(buildingId: string): boolean;
  /** From here on, until `complete` or `forget`, the building's devices may be put and none of them gives way. */
  begin(buildingId: string): void;
  complete(buildingId: string): void;
  forget(buildingId: string): void;
  /** Forgets one device. */
  drop(deviceId: string): void;
  /** Does nothing for a building that is not held, and for a new device where there is no room. */
  put(document: DeviceDocument): void;
  /** Lets buildings go until there is room for so many more devices, as far as that can be had. */
  makeRoom(devices: number): void;
  isFull(): boolean;
  size(): number;
}

const KEY_BYTES = 32;
/** Making room frees this share beyond what is needed, so that it is seldom done. */
const FREED_SHARE = 0.1;
/** Devices whose opened form is kept, of about 700 bytes: more than a gateway has connections. */
const MOST_OPENED = 25_000;

export function createKnownDevices(options: {
  keyring: Keyring;
  limit: number;
  logger: Logger;
}): KnownDevices {
  const { keyring, limit, logger } = options;
  const rows = new Map<string, Row>();
  const buildings = new Map<string, Building>();
  const share = createSharing();
  let uses = 0;
  let opened: Row[] = [];

  function open(deviceId: string, row: Row): DirectoryDevice {
    if (opened.length >= MOST_OPENED) {
      for (const each of opened) each.opened = undefined;
      opened = [];
    }
    opened.push(row);
    return (row.opened = {
      deviceId,
      tenantId: row.tenantId,
      buildingId: row.building.buildingId,
      state: row.state,
      keys: cut(row.keys),
      ...(row.further ?? NOTHING_FURTHER),
      assignments: row.assignments,
    });
  }

  function forget(building: Building): void {
    for (const deviceId of building.deviceIds) rows.delete(deviceId);
    buildings.delete(building.buildingId);
  }

  return {
    get(deviceId) {
      const row = rows.get(deviceId);
      if (!row) return undefined;
      row.building.usedAt = ++uses;
      return row.opened ?? open(deviceId, row);
    },
    has: (deviceId) => rows.has(deviceId),
    buildingOf: (deviceId) => rows.get(deviceId)?.building.buildingId,
    isComplete: (buildingId) => buildings.get(buildingId)?.complete ?? false,
    isFull: () => rows.size >= limit,
    size: () => rows.size,

    begin(buildingId) {
      buildings.set(buildingId, { buildingId, deviceIds: new Set(), complete: false, usedAt: ++uses });
    },
    complete(buildingId) {
      const building = buildings.get(buildingId);
      if (building) building.complete = true;
    },
    forget(buildingId) {
      const building = buildings.get(buildingId);
      if (building) forget(building);
    },
    drop(deviceId) {
      rows.get(deviceId)?.building.deviceIds.delete(deviceId);
      rows.delete(deviceId);
    },

    put(document) {
      const building = buildings.get(document.buildingId);
      const held = rows.get(document.id);
      if (!building || (!held && rows.size >= limit)) return;
      if (held && held.building !== building) held.building.deviceIds.delete(document.id);
      building.deviceIds.add(document.id);
      rows.set(document.id, {
        building,
        tenantId: share(document.tenantId),
        state: share(document.state),
        keys: Buffer.concat(openedKeys(keyring, document, logger)).toString('latin1'),
        further: furtherOf(document, share),
        assignments: document.assignments.map((each) => ({
          channel: share(each.channel),
          pointId: each.pointId,
          pointOrdinal: each.pointOrdinal,
          deviceOrdinal: each.deviceOrdinal,
          quantity: share(each.quantity),
          unit: share(each.unit),
          tenantId: share(each.tenantId),
          buildingId: share(each.buildingId),
          spaceId: share(each.spaceId),
          from: each.from,
          to: each.to,
        })),
        opened: undefined,
      });
    },

    makeRoom(devices) {
      if (rows.size + devices <= limit) return;
      const wanted = limit * (1 - FREED_SHARE) - devices;
      const leastUsedFirst = [...buildings.values()]
        .filter((building) => building.complete)
        .sort((a, b) => a.usedAt - b.usedAt);
      for (const building of leastUsedFirst) {
        if (rows.size <= wanted) break;
        forget(building);
      }
    },
  };
}

/**
 * A device's symmetric keys, primary first; none once they are destroyed, and none where they do not open: that costs the
 * one device, and neither its building's others nor what changes after it.
 */
function openedKeys(keyring: Keyring, { id, keys }: DeviceDocument, logger: Logger): Buffer[] {
  if (!keys) return [];
  try {
    return [keyring.open(id, keys.primary), keyring.open(id, keys.secondary)];
  } catch (error) {
    logger.error({ deviceId: id, error: explain(error) }, 'the keys of a device do not open: it cannot send');
    return [];
  }
}

/** A device as its document tells, with its keys opened. */
export function opened(keyring: Keyring, document: DeviceDocument, logger: Logger): DirectoryDevice {
  const { id, tenantId, buildingId, state, assignments } = document;
  return {
    deviceId: id,
    tenantId,
    buildingId,
    state,
    keys: openedKeys(keyring, document, logger),
    ...(furtherOf(document, (text) => text) ?? NOTHING_FURTHER),
    assignments,
  };
}

const NOTHING_FURTHER: Further = { thumbprints: [], authority: null, parentId: null };

function furtherOf(document: DeviceDocument, share: (text: string) => string): Further | undefined {
  const { thumbprints, authority = null, parentId = null } = document;
  if (!thumbprints && authority === null && parentId === null) return undefined;
  return {
    thumbprints: thumbprints ? [thumbprints.primary, thumbprints.secondary ?? []].flat() : [],
    // Many devices have one authority, and many children one gateway.
    authority: authority === null ? null : share(authority),
    parentId: parentId === null ? null : share(parentId),
  };
}

function cut(keys: string): Buffer[] {
  const all = Buffer.from(keys, 'latin1');
  const buffers: Buffer[] = [];
  for (let start = 0; start < all.length; start += KEY_BYTES) {
    buffers.push(all.subarray(start, start + KEY_BYTES));
  }
  return buffers;
}

/** Gives the same string for equal ones, so that each is in memory once. Forgets all of them when there are many. */
function createSharing(): <T extends string>(text: T) => T {
  const MAXIMUM = 100_000;
  const known = new Map<string, string>();
  return <T extends string>(text: T): T => {
    const shared = known.get(text);
    if (shared !== undefined) return shared as T;
    if (known.size >= MAXIMUM) known.clear();
    known.set(text, text);
    return text;
  };
}
