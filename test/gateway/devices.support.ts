import { randomBytes } from 'node:crypto';
import { createSasToken } from '../../simulator/sas-token';
import { type Assignment, deviceModelNamed, type DeviceState } from '../../src/domain/device';
import { newId } from '../../src/domain/id';
import { mergePatch } from '../../src/domain/twin-properties';
import { type DeviceDirectory, type DirectoryDevice } from '../../src/store/device-directory';
import { type TwinDocument } from '../../src/store/documents';
import { emptyTwin, type Twins } from '../../src/store/twins';

/** A device of a model with every channel assigned to a point of its own, from the beginning of time. */
export function buildDevice(
  parts: {
    model?: string;
    state?: DeviceState;
    tenantId?: string;
    buildingId?: string;
    ordinal?: number;
    thumbprints?: string[];
    authority?: string;
    parentId?: string;
    assignments?: Assignment[];
  } = {},
): DirectoryDevice {
  const { ordinal = 0, tenantId = newId('ten'), buildingId = newId('bld') } = parts;
  const channels = deviceModelNamed(parts.model ?? 'room-sensor')!.channels;
  return {
    deviceId: newId('dev'),
    tenantId,
    buildingId,
    state: parts.state ?? 'ACTIVE',
    keys: [randomBytes(32), randomBytes(32)],
    thumbprints: parts.thumbprints ?? [],
    authority: parts.authority ?? null,
    parentId: parts.parentId ?? null,
    assignments:
      parts.assignments ??
      channels.map((channel, index) =>
        buildAssignment({
          channel: channel.name,
          quantity: channel.quantity,
          unit: channel.unit,
          pointOrdinal: ordinal * 10 + index,
          deviceOrdinal: ordinal,
          tenantId,
          buildingId,
        }),
      ),
  };
}

export function buildAssignment(parts: Partial<Assignment> = {}): Assignment {
  return {
    channel: 'temperature',
    pointId: newId('pnt'),
    pointOrdinal: 0,
    deviceOrdinal: 0,
    quantity: 'AIR_TEMPERATURE',
    unit: 'Cel',
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    spaceId: 'spc_a',
    from: 0,
    to: null,
    ...parts,
  };
}

export function connectionStringOf(device: DirectoryDevice, host = '127.0.0.1', key = 0): string {
  return `HostName=${host};DeviceId=${device.deviceId};SharedAccessKey=${device.keys[key]!.toString('base64')}`;
}

export function tokenOf(
  device: DirectoryDevice,
  { host = '127.0.0.1', key = 0, ttlSeconds = 3600 } = {},
): string {
  return createSasToken(connectionStringOf(device, host, key), ttlSeconds);
}

/** A directory over a Map, for what is not about the store. */
export function directoryOf(devices: readonly DirectoryDevice[]): DeviceDirectory & {
  put(device: DirectoryDevice): void;
  /** What `lookup` is asked; such devices are not known beforehand. */
  lookups: string[];
  forget(deviceId: string): void;
  failing: boolean;
  /** As the feed would. */
  tellTwin(twin: TwinDocument): void;
} {
  const all = new Map(devices.map((device) => [device.deviceId, device]));
  const known = new Set(all.keys());
  const lookups: string[] = [];
  const listeners = new Set<(twin: TwinDocument) => void>();
  return {
    lookups,
    tellTwin(twin) {
      for (const listener of listeners) listener(twin);
    },
    failing: false,
    put(device) {
      all.set(device.deviceId, device);
      known.add(device.deviceId);
    },
    forget: (deviceId) => void known.delete(deviceId),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    onTwin(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    following: () => true,
    behindMs: () => 0,
    revision: () => undefined,
    peek: (deviceId) => (known.has(deviceId) ? (all.get(deviceId) ?? null) : undefined),
    lookup(deviceId) {
      lookups.push(deviceId);
      if (this.failing) return Promise.reject(new Error('the store is away'));
      known.add(deviceId);
      return Promise.resolve(all.get(deviceId) ?? null);
    },
    readiness: () => ({ ready: true, reasons: [] }),
  };
}

/** Twins over a Map, for what is not about the store. */
export function twinsOf(): Twins & { documents: Map<string, TwinDocument> } {
  const documents = new Map<string, TwinDocument>();
  return {
    documents,
    read: (_buildingId, deviceId) => Promise.resolve(documents.get(deviceId) ?? null),
    report(device, patch) {
      const twin = documents.get(device.deviceId) ?? emptyTwin(device);
      const reported = mergePatch(twin.reported, patch as TwinDocument['reported']);
      const version = twin.reportedVersion + 1;
      documents.set(device.deviceId, { ...twin, reported, reportedVersion: version });
      return Promise.resolve({ ok: true, value: { version } });
    },
  };
}
