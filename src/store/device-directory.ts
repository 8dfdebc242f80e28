import { setTimeout as pause } from 'node:timers/promises';
import { type DirectoryScope } from '../auth/directory-scope';
import { type Assignment, type DeviceState } from '../domain/device';
import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import {
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  OF_KIND,
  type RegistryDocument,
  stockOf,
  type TwinDocument,
} from './documents';
import { type ErasureDocument, ERASURES } from './erasure/documents';
import { type Keyring } from './keyring';
import { createKnownDevices, opened } from './known-devices';
import { createPlaces } from './places';
import { createTogether } from './together';

/** What the gateway must know of a device to let it in and to place its readings. */
export interface DirectoryDevice {
  deviceId: string;
  /** The owner now; each assignment names the owner of its time. */
  tenantId: string;
  /** Where it is registered now; each assignment names the building of its time. */
  buildingId: string;
  state: DeviceState;
  /** The opened symmetric keys, primary first; empty once destroyed. */
  keys: readonly Buffer[];
  /** X.509 certificates it may present: SHA-256 of their DER form, capital hexadecimal digits. */
  thumbprints: readonly string[];
  /** PEM of the certification authority whose certificates in its name are taken, or null. */
  authority: string | null;
  /** The field gateway that may relay for it, or null. */
  parentId: string | null;
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
  /** Null for a device that does not exist. Throws when the store cannot be asked, or while the device is on its way. */
  lookup(deviceId: string): Promise<DirectoryDevice | null>;
  /**
   * Tells of every twin that changes from now on, at least once and in the order of its changes, by the same feed.
   * @returns what ends it.
   */
  onTwin(listener: (twin: TwinDocument) => void): () => void;
  /**
   * The same number as long as no device changes: what was judged then of any of them still holds. Undefined while this
   * is behind, and nobody can say.
   */
  revision(): number | undefined;
  /** Whether no change can be missed any more, however far behind this is: the feed has a position. */
  following(): boolean;
  /** How far this is behind the registry; infinite before it has once caught up. */
  behindMs(): number;
  readiness(): Readiness;
}

/** Further behind the registry than this, what is held is no longer believed, and what was read is read again. */
const MAXIMUM_BEHIND_MS = 2_000;
/**
 * A feed that is behind is mostly a process that has too much to do: so often a held device's lookup looks whether it has
 * caught up, before it reads through. Counted in turns of the process, not in time, as it is time that it lacks.
 */
const CATCH_UP_TURNS = 10;
const CATCH_UP_PAUSE_MS = 50;
/** Held devices that are read through at once: what thousands of connected ones cost must leave the feed its time. */
const READ_THROUGH_AT_ONCE = 100;
const DEFAULT_LIMIT = 200_000;
const MAXIMUM_LATELY = 20_000;
/** A device may leave a building between two reads; more often than this is no coincidence. */
const MAXIMUM_TRIES = 3;
const STOCK = stockOf('');

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
  /** Devices being read on their own, with whether the feed has brought them since. */
  const reading = new Map<string, { brought: boolean; readers: number }>();
  const listeners = new Set<(twin: TwinDocument) => void>();
  /** Tenants that are erased: whatever is still known of their devices, none of them is let in. */
  const erased = new Set<string>();
  /** Whether those are known that were there before the feed had its position. */
  let tombstonesKnown = false;
  let stopping = false;
  let learning = Promise.resolve();
  /** Of devices, that the feed has brought. */
  let changes = 0;

  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    // What changed earlier is read with its building: nothing is held before the feed has its position.
    from: 'now',
    onChanges(documents) {
      for (const each of documents as (RegistryDocument | ErasureDocument)[]) {
        if (each.type === 'erasure') erase(each.tenantId);
        else if (each.type === 'device' || each.type === 'departed') take(each);
        // One with a time to live was left behind by a device that went elsewhere.
        else if (each.type === 'twin' && each.ttl === undefined) for (const tell of listeners) tell(each);
      }
    },
    logger,
  });

  function take(changed: DeviceDocument | DepartedDocument): void {
    const { id, buildingId } = changed;
    changes++;
    lately.delete(id);
    loading.get(buildingId)?.brought.add(id);
    const asked = reading.get(id);
    if (asked) asked.brought = true;
    const held = known.buildingOf(id);
    // From the moment it is leaving: its places here have ended, and what it sends now belongs to its next ones.
    if (changed.type === 'departed' || changed.departing) {
      if (held === buildingId) known.drop(id);
      return;
    }
    // The feed keeps the order of one building, not that between two: which of them has the device now, only its entry
    // in the directory tells, and the next lookup reads it.
    if (held !== undefined && held !== buildingId) known.drop(id);
    else known.put(changed);
  }

  function erase(tenantId: string): void {
    if (erased.has(tenantId)) return;
    erased.add(tenantId);
    lately.clear();
    changes++;
  }

  const isErased = ({ tenantId }: DirectoryDevice): boolean => erased.has(tenantId);

  const tombstones = (): Promise<ErasureDocument[]> =>
    cosmos.query<ErasureDocument>('registry', ERASURES, "SELECT * FROM c WHERE c.type = 'erasure'");

  /** Only once the feed has its position, so that none is between the two. */
  async function learnTombstones(): Promise<void> {
    if (follower.continuation() === null) return;
    for (const { tenantId } of await tombstones()) erase(tenantId);
    tombstonesKnown = true;
  }

  async function learnUntilKnown(): Promise<void> {
    for (;;) {
      await learnTombstones().catch(() => undefined);
      if (tombstonesKnown || stopping) return;
      await pause(CATCH_UP_PAUSE_MS, undefined, { ref: false });
    }
  }

  const current = (): boolean => tombstonesKnown && follower.behindMs() <= MAXIMUM_BEHIND_MS;

  let catchingUp: Promise<void> | undefined;
  /**
   * Waits a moment for the feed, all who wait together. Without it thousands of connected devices, each read from the
   * store, would keep the process from ever catching up; while they wait nothing more is taken from them.
   */
  function caughtUp(): Promise<void> {
    const wait = async (): Promise<void> => {
      for (let turn = 0; turn < CATCH_UP_TURNS && !current(); turn++) await pause(CATCH_UP_PAUSE_MS);
    };
    return (catchingUp ??= wait().finally(() => (catchingUp = undefined)));
  }

  const places = createPlaces(READ_THROUGH_AT_ONCE);

  const entryOf = createTogether<DeviceEntryDocument | null>((deviceIds) =>
    cosmos.readMany<DeviceEntryDocument>(
      'directory',
      deviceIds.map((deviceId) => ({ partition: `device:${deviceId}`, id: 'device' })),
    ),
  );
  /** By `<building>/<device>`. */
  const documentOf = createTogether<RegistryDocument | null>((keys) =>
    cosmos.readMany<RegistryDocument>(
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
      // Devices that left have documents with ids of devices too.
      const query = `SELECT * FROM c WHERE ${OF_KIND.device} AND c.type = 'device'`;
      for await (const page of cosmos.pages<DeviceDocument>('registry', buildingId, query)) {
        known.makeRoom(page.length);
        // What the feed has brought meanwhile is at least as new, or the feed will bring what this page shows.
        for (const device of page) {
          if (brought.has(device.id) || device.departing) continue;
          const held = known.buildingOf(device.id);
          // On its way from one building to the other: the entry in the directory decides, not this page.
          if (held !== undefined && held !== buildingId) known.drop(device.id);
          else known.put(device);
        }
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
      if (held) return isErased(held) ? null : held;
    }
    const seen = lately.get(deviceId);
    return seen && Date.now() < seen.until ? seen.answer : undefined;
  }

  /** `departed`: the device leaves the building, or left it while it was looked for: its entry is to be read again. */
  async function find(deviceId: string): Promise<DirectoryDevice | null | 'departed'> {
    const askedAt = Date.now();
    const entry = await entryOf(deviceId);
    // In stock it has nothing yet to prove itself by.
    if (!entry || entry.buildingId.startsWith(STOCK)) return remember(deviceId, null, askedAt);
    const { buildingId } = entry;
    if (current()) {
      await loaded(buildingId);
      const held = current() ? known.get(deviceId) : undefined;
      if (held?.buildingId === buildingId) return isErased(held) ? null : held;
    }
    const asked = reading.get(deviceId) ?? { brought: false, readers: 0 };
    asked.readers++;
    reading.set(deviceId, asked);
    let device: RegistryDocument | null;
    try {
      device = await documentOf(`${buildingId}/${deviceId}`);
    } finally {
      if (--asked.readers === 0) reading.delete(deviceId);
    }
    if (device?.type === 'departed' || (device?.type === 'device' && device.departing)) return 'departed';
    if (device?.type !== 'device') return remember(deviceId, null, askedAt);
    // What the feed brought meanwhile is at least as new; what it has yet to bring replaces this.
    if (!asked.brought && current() && !known.has(deviceId)) known.put(device);
    const found = opened(keyring, device, logger);
    // While the feed is behind, nobody has told of the latest tombstones.
    if (!current()) for (const { tenantId } of await tombstones()) erase(tenantId);
    return remember(deviceId, isErased(found) ? null : found, askedAt);
  }

  async function fromStore(deviceId: string): Promise<DirectoryDevice | null> {
    for (let tries = 0; tries < MAXIMUM_TRIES; tries++) {
      const found = await find(deviceId);
      if (found !== 'departed') return found;
    }
    throw new Error(`device ${deviceId} is on its way to another building`);
  }

  return {
    async start() {
      await follower.start();
      await learnTombstones().catch(() => undefined);
      learning = learnUntilKnown();
    },
    async stop() {
      stopping = true;
      await follower.stop();
      await learning;
    },
    peek,

    async lookup(deviceId) {
      const answer = peek(deviceId);
      if (answer !== undefined) return answer;
      // An id is opaque but never holds what would make another key of it.
      if (!/^[\w-]{1,128}$/.test(deviceId)) return null;
      if (known.has(deviceId) && !current()) {
        await caughtUp();
        // It may catch up while this waits its turn.
        return places.take(async () => {
          const held = peek(deviceId);
          return held === undefined ? fromStore(deviceId) : held;
        });
      }
      return fromStore(deviceId);
    },

    onTwin(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    revision: () => (current() ? changes : undefined),
    behindMs: () => follower.behindMs(),
    following: () => follower.continuation() !== null,

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
