import { DEFAULT_INTERVAL_SECONDS, deviceModelNamed, openAssignment } from '../domain/device';
import { type QuantityName } from '../domain/quantity';
import { explain, type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type DepartedDocument, type DeviceDocument, OF_KIND, type SpaceDocument } from './documents';

/** A device as far as it matters where it stands and how often it is heard. */
export interface StandingDevice {
  deviceId: string;
  tenantId: string;
  spaceId: string;
  /** Whether it should be heard: it has sent before, and is neither suspended nor retired nor on its way. */
  expected: boolean;
  /** Milliseconds. */
  intervalMs: number;
  /** Milliseconds since 1970: it has been heard by then. */
  activatedAt: number;
  /** What it measures now, and where. */
  points: { pointId: string; quantity: QuantityName; spaceId: string }[];
}

export interface Inventory {
  /** Another at each change. */
  readonly version: number;
  readonly devices: ReadonlyMap<string, StandingDevice>;
  /** Whether a space is another, or lies in it, however deep. */
  isWithin(spaceId: string, outer: string): boolean;
}

/** What is known of a device after it changed; null where it has gone from the building for good. */
export type DeviceListener = (buildingId: string, deviceId: string, device: StandingDevice | null) => void;

/** The spaces and devices of the buildings that were asked for, kept current by the registry's change feed. */
export interface BuildingInventory {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined until it is read; the first asking starts that, and never blocks. */
  of(buildingId: string): Inventory | undefined;
  /** Resolves once it is read; rejects where the store is away. */
  read(buildingId: string): Promise<Inventory>;
  /** Tells of every device of any building that changes. Returns what ends it. */
  onDevice(listener: DeviceListener): () => void;
}

interface Held {
  version: number;
  devices: Map<string, StandingDevice>;
  parents: Map<string, string | null>;
}

const ASK_AGAIN_MS = 1_000;
const DEFAULT_LIMIT = 20_000;

export function createBuildingInventory(options: {
  cosmos: Cosmos;
  logger: Logger;
  /** The most buildings that are held. Default 20,000. */
  limit?: number;
}): BuildingInventory {
  const { cosmos, logger, limit = DEFAULT_LIMIT } = options;
  const held = new Map<string, Held>();
  const reading = new Map<string, Promise<Inventory>>();
  /** What the feed brought of a building while it was read. */
  const brought = new Map<string, (DeviceDocument | SpaceDocument | DepartedDocument)[]>();
  const askAgainAt = new Map<string, number>();
  const listeners = new Set<DeviceListener>();

  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    from: 'now',
    onChanges(documents) {
      for (const each of documents as (DeviceDocument | SpaceDocument | DepartedDocument)[]) {
        if (each.type !== 'device' && each.type !== 'space' && each.type !== 'departed') continue;
        brought.get(each.buildingId)?.push(each);
        const building = held.get(each.buildingId);
        if (building !== undefined) take(building, each);
        if (each.type === 'space') continue;
        const device = each.type === 'device' ? standing(each) : null;
        for (const listener of listeners) listener(each.buildingId, each.id, device);
      }
    },
    logger,
  });

  async function load(buildingId: string): Promise<Inventory> {
    brought.set(buildingId, []);
    try {
      const query = (kind: 'space' | 'device') =>
        cosmos.query<never>('registry', buildingId, `SELECT * FROM c WHERE ${OF_KIND[kind]}`);
      const [spaces, devices] = await Promise.all([query('space'), query('device')]);
      const building: Held = { version: 0, devices: new Map(), parents: new Map() };
      for (const each of [...spaces, ...devices, ...brought.get(buildingId)!]) take(building, each);
      if (held.size >= limit) held.delete(held.keys().next().value!);
      held.set(buildingId, building);
      return inventoryOf(building);
    } finally {
      brought.delete(buildingId);
    }
  }

  const read = (buildingId: string): Promise<Inventory> => {
    const building = held.get(buildingId);
    if (building !== undefined) return Promise.resolve(inventoryOf(building));
    let under = reading.get(buildingId);
    if (under === undefined) {
      under = load(buildingId).finally(() => reading.delete(buildingId));
      reading.set(buildingId, under);
    }
    return under;
  };

  return {
    start: () => follower.start(),
    stop: () => follower.stop(),
    of(buildingId) {
      const building = held.get(buildingId);
      if (building !== undefined) return inventoryOf(building);
      if (reading.has(buildingId) || Date.now() < (askAgainAt.get(buildingId) ?? 0)) return undefined;
      askAgainAt.delete(buildingId);
      read(buildingId).catch((error: unknown) => {
        if (askAgainAt.size >= limit) askAgainAt.clear();
        askAgainAt.set(buildingId, Date.now() + ASK_AGAIN_MS);
        logger.warn({ buildingId, error: explain(error) }, 'a building’s devices could not be read');
      });
      return undefined;
    },
    read,
    onDevice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function take(building: Held, document: DeviceDocument | SpaceDocument | DepartedDocument): void {
  building.version++;
  if (document.type === 'space') building.parents.set(document.id, document.parentId);
  else if (document.type === 'departed') building.devices.delete(document.id);
  else {
    const device = standing(document);
    if (device === null) building.devices.delete(document.id);
    else building.devices.set(document.id, device);
  }
}

function inventoryOf(building: Held): Inventory {
  return {
    version: building.version,
    devices: building.devices,
    isWithin(spaceId, outer) {
      let each: string | null | undefined = spaceId;
      // As deep as there are spaces: a circle, which nobody can make, would end too.
      for (let depth = 0; each != null && depth <= building.parents.size; depth++) {
        if (each === outer) return true;
        each = building.parents.get(each);
      }
      return false;
    },
  };
}

function standing(document: DeviceDocument): StandingDevice | null {
  const { id, tenantId, state, assignments, departing } = document;
  if (state === 'RETIRED') return null;
  const open = assignments.filter(({ to }) => to === null);
  const seconds =
    document.intervalSeconds ?? deviceModelNamed(document.model)?.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
  return {
    deviceId: id,
    tenantId,
    spaceId: openAssignment(assignments)?.spaceId ?? document.spaceId,
    expected: state === 'ACTIVE' && departing == null && open.length > 0,
    intervalMs: seconds * 1000,
    activatedAt: document.activatedAt ?? document.createdAt,
    points: open.map(({ pointId, quantity, spaceId }) => ({ pointId, quantity, spaceId })),
  };
}
