/** Documents of some tenants, kept current by the change feed that their holder follows. */
export interface HeldOfTenants<Document> {
  /** As held; undefined for a tenant that was not read yet. */
  held(tenantId: string): Iterable<Document> | undefined;
  /** Makes sure that a tenant's are held, and as current as the feed, or just read. Throws where the store is away. */
  ensure(tenantId: string): Promise<void>;
  /** Whether the feed keeps them current: not, where they were read before the feed had its position. */
  followed(tenantId: string): boolean;
  /** A change of the feed; undefined where it is of no tenant's, else whose. */
  take(document: Document): string | undefined;
}

interface Held<Document> {
  byId: Map<string, Document>;
  followed: boolean;
}

interface Reading {
  done: Promise<void>;
  startedAt: number;
  /** Whether the feed has told of the tenant since the store was asked. */
  brought: boolean;
}

/** While reading through, a tenant is asked for this often at most. */
const FRESH_MS = 1_000;
/** A tenant's may change while they are read; more often than this is no coincidence. */
const MAXIMUM_TRIES = 3;
/** Beyond it the one read longest ago goes, and is read again when something of it changes or somebody of it asks. */
const MAXIMUM_TENANTS = 20_000;

export function createHeldOfTenants<Document extends { id: string; key: string }>(options: {
  read(tenantId: string): Promise<Document[]>;
  /** The tenant whose partition it is; undefined for another partition. */
  tenantOf(key: string): string | undefined;
  /** Whether the feed has its position. */
  following(): boolean;
  /** Whether the feed is where the store is. */
  current(): boolean;
  /** A tenant's were read: what was made of them before is stale. */
  onRead(tenantId: string): void;
}): HeldOfTenants<Document> {
  const { following, current, onRead } = options;
  const tenants = new Map<string, Held<Document>>();
  const readings = new Map<string, Reading>();

  async function load(tenantId: string, reading: Reading): Promise<void> {
    for (let tries = 1; ; tries++) {
      reading.brought = false;
      const followed = following();
      const documents = await options.read(tenantId);
      if (reading.brought && tries < MAXIMUM_TRIES) continue;
      tenants.delete(tenantId);
      tenants.set(tenantId, { byId: new Map(documents.map((each) => [each.id, each])), followed });
      if (tenants.size > MAXIMUM_TENANTS) tenants.delete(tenants.keys().next().value!);
      onRead(tenantId);
      return;
    }
  }

  return {
    held: (tenantId) => tenants.get(tenantId)?.byId.values(),
    followed: (tenantId) => tenants.get(tenantId)?.followed === true,
    ensure(tenantId) {
      if (tenants.get(tenantId)?.followed === true && current()) return Promise.resolve();
      const under = readings.get(tenantId);
      if (under && Date.now() - under.startedAt < FRESH_MS) return under.done;
      const reading: Reading = { done: undefined!, startedAt: Date.now(), brought: false };
      reading.done = load(tenantId, reading).finally(() => {
        if (readings.get(tenantId) === reading) readings.delete(tenantId);
      });
      readings.set(tenantId, reading);
      return reading.done;
    },
    take(document) {
      const tenantId = options.tenantOf(document.key);
      if (tenantId === undefined) return undefined;
      const reading = readings.get(tenantId);
      if (reading) reading.brought = true;
      tenants.get(tenantId)?.byId.set(document.id, document);
      return tenantId;
    },
  };
}
