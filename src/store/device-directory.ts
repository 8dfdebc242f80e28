import { type DirectoryScope } from '../auth/directory-scope';
import { type Assignment, type DeviceState } from '../domain/device';
import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type DeviceDocument, type DeviceEntryDocument, OF_KIND, type RegistryDocument } from './documents';
import { type Keyring } from './keyring';
import { createKnownDevices, openedKeys } from './known-devices';
import { createTogether } from './together';

/** What the gateway must know of a device to let it in and to place its readings. */
export interface DirectoryDevice {
  deviceId: string;
  /** The owner now; each assignment names the owner of its time. */
  tenantId: string;
  state: DeviceState;
  /** The opened symmetric keys, primary first; empty once destroyed. */
  keys: readonly Buffer[];
  assignments: readonly Assignment[];
}

/**
 * Devices by id, whoever owns them, kept current by the registry's change feed: a retired device is gone within two
 * seconds, and a directory that is further behind reads through. Known devices cost no call; an unknown id costs one
 * point read and then, where it exists, one query for its whole building.
 */
export interface DeviceDirectory {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What is known and current without asking the store; undefined means `lookup` must be asked. */
  peek(deviceId: string): DirectoryDevice | null | undefined;
  /** Null for a device that does not exist. Throws when the store cannot be asked. */
  lookup(deviceId: string): Promise<DirectoryDevice | null>;
  readiness(): Readiness;
}

/** Further behind the registry than this, what is held is no longer believed, and what was read is read again. */
const MAXIMUM_BEHIND_MS = 2_000;
const DEFAULT_LIMIT = 200_000;
const MAXIMUM_LATELY = 20_000;

export function createDeviceDirectory(options: {
  cosmos: Cosmos;
  keyring: Keyring;
  /** Devices are looked up before anybody is signed in: whoever makes this says why it may. */
  scope: DirectoryScope;
  logger: Logger;
  /** The most devices that are held. Default 200,000. */
  limit?: number;
}): DeviceDirectory {
  const { cosmos, keyring, logger } = options;
  const known = createKnownDevices({ keyring, limit: options.limit ?? DEFAULT_LIMIT, logger });
  /**
   * What single reads found a moment ago, null where there was nothing: so that neither a guesser nor a time of reading
   * through costs a read a message. As old as `known` may be, and bounded.
   */
  const lately = new Map<string, { answer: DirectoryDevice | null; until: number }>();
  /** Buildings being read, with the devices that the feed has brought since the reading began. */
  const loading = new Map<string, { done: Promise<void>; brought: Set<string> }>();

  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    // What changed earlier is read with its building: nothing is held before the feed has its position.
    from: 'now',
    onChanges(documents) {
      for (const each of documents as RegistryDocument[]) {
        if (each.type !== 'device') continue;
        lately.delete(each.id);
        loading.get(each.buildingId)?.brought.add(each.id);
        known.put(each);
      }
    },
    logger,
  });
  const current = (): boolean => follower.behindMs() <= MAXIMUM_BEHIND_MS;

  const entryOf = createTogether<DeviceEntryDocument | null>((deviceIds) =>
    cosmos.readMany<DeviceEntryDocument>(
      'directory',
      deviceIds.map((deviceId) => ({ partition: `device:${deviceId}`, id: 'device' })),
    ),
  );
  /** By `<building>/<device>`. */
  const documentOf = createTogether<DeviceDocument | null>((keys) =>
    cosmos.readMany<DeviceDocument>(
      'registry',
      keys.map((key) => {
        const [partition, id] = key.split('/') as [string, string];
        return { partition, id };
      }),
    ),
  );

  async function load(buildingId: string, brought: ReadonlySet<string>): Promise<void> {
    known.begin(buildingId);
    try {
      const query = `SELECT * FROM c WHERE ${OF_KIND.device}`;
      for await (const page of cosmos.pages<DeviceDocument>('registry', buildingId, query)) {
        known.makeRoom(page.length);
        // What the feed has brought meanwhile is at least as new, or the feed will bring what this page shows.
        for (const device of page) if (!brought.has(device.id)) known.put(device);
        // A building beyond the limit is held in part; its other devices are read one at a time.
        if (known.isFull()) break;
      }
      known.complete(buildingId);
    } catch (error) {
      known.forget(buildingId);
      throw error;
    }
  }

  function loaded(buildingId: string): Promise<void> {
    const under = loading.get(buildingId);
    if (under) return under.done;
    if (known.isComplete(buildingId)) return Promise.resolve();
    const brought = new Set<string>();
    const done = load(buildingId, brought).finally(() => loading.delete(buildingId));
    loading.set(buildingId, { done, brought });
    return done;
  }

  function remember(
    deviceId: string,
    answer: DirectoryDevice | null,
    askedAt: number,
  ): DirectoryDevice | null {
    lately.delete(deviceId);
    lately.set(deviceId, { answer, until: askedAt + MAXIMUM_BEHIND_MS });
    if (lately.size > MAXIMUM_LATELY) lately.delete(lately.keys().next().value!);
    return answer;
  }

  function peek(deviceId: string): DirectoryDevice | null | undefined {
    if (current()) {
      const held = known.get(deviceId);
      if (held) return held;
    }
    const seen = lately.get(deviceId);
    return seen && Date.now() < seen.until ? seen.answer : undefined;
  }

  return {
    start: () => follower.start(),
    stop: () => follower.stop(),
    peek,

    async lookup(deviceId) {
      const answer = peek(deviceId);
      if (answer !== undefined) return answer;
      const askedAt = Date.now();
      // An id is opaque but never holds what would make another key of it.
      if (!/^[\w-]{1,128}$/.test(deviceId)) return null;
      let buildingId = known.buildingOf(deviceId);
      if (buildingId === undefined) {
        const entry = await entryOf(deviceId);
        if (!entry) return remember(deviceId, null, askedAt);
        buildingId = entry.buildingId;
        if (current()) {
          await loaded(buildingId);
          const held = current() ? known.get(deviceId) : undefined;
          if (held) return held;
        }
      }
      const device = await documentOf(`${buildingId}/${deviceId}`);
      if (!device) return remember(deviceId, null, askedAt);
      // Not put among the known: the feed may have passed it already. It brings a new device there itself.
      const { tenantId, state, assignments } = device;
      return remember(
        deviceId,
        { deviceId, tenantId, state, keys: openedKeys(keyring, device, logger), assignments },
        askedAt,
      );
    },

    readiness() {
      if (current()) return { ready: true, reasons: [] };
      const behind = follower.behindMs();
      const how = Number.isFinite(behind)
        ? `is ${Math.round(behind / 1000)} s behind`
        : 'has not yet reached';
      return { ready: false, reasons: [`the device directory ${how} the registry`] };
    },
  };
}
