import { createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { type Faults } from '../../emulators/cosmos/faults';
import { type Principal, type Role, tenantScope, type TenantScope } from '../../src/auth/scope';
import { personId } from '../../src/domain/id';
import { createLogger } from '../../src/observability/logger';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';
import { createKeyring, type Keyring } from '../../src/store/keyring';
import { createRegistry, type NewDevice, type Registry } from '../../src/store/registry';

export const logger = createLogger({ name: 'test', level: 'silent' });
const ISSUER = 'https://identity.test';

export interface Store {
  endpoint: string;
  cosmos: Cosmos;
  keyring: Keyring;
  registry: Registry;
  /** A second client, as another process has. */
  anotherCosmos(): Cosmos;
  /** Makes somebody a member and gives the scope that follows. */
  member(name: string, tenantId: string, role: Role): Promise<TenantScope>;
  stop(): Promise<void>;
}

/** An empty store of its own, with the containers made. */
export async function startStore(options: { faults?: Faults } = {}): Promise<Store> {
  const emulator = createCosmosEmulator({ logger, sync: false, ...options });
  const { endpoint, key } = await emulator.start();
  const clients: Cosmos[] = [];
  const anotherCosmos = (): Cosmos => {
    const client = createCosmos({ endpoint, key }, 'atrium');
    clients.push(client);
    return client;
  };
  const cosmos = anotherCosmos();
  await cosmos.ensureContainers();
  const keyring = createKeyring(Buffer.alloc(32, 7));
  const registry = createRegistry({ cosmos, keyring });
  return {
    endpoint,
    cosmos,
    keyring,
    registry,
    anotherCosmos,
    async member(name, tenantId, role) {
      const seed = { issuer: ISSUER, subject: name, tenantId, role };
      await registry.seedTenants({ tenants: [{ id: tenantId, name: tenantId }], members: [seed] });
      return tenantScope(principal(name), await registry.memberships(personId(ISSUER, name)));
    },
    async stop() {
      for (const client of clients) client.stop();
      await emulator.stop();
    },
  };
}

export function principal(name: string): Principal {
  return { kind: 'person', id: personId(ISSUER, name), email: null, expiresAt: Date.now() + 3_600_000 };
}

/** The value of an outcome that must be one. */
export function valueOf<T>(outcome: { ok: true; value: T } | { ok: false; refusal: { message: string } }): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

let keys = 0;
/** An idempotency key that was not used before. */
export function freshKey(): string {
  return `key ${process.pid} ${++keys}`;
}

export async function createBuilding(
  registry: Registry,
  scope: TenantScope,
  name = 'Building 25',
  rooms = 3,
): Promise<{ buildingId: string; spaceIds: string[] }> {
  const spaces = Array.from({ length: rooms }, (_, i) => ({
    name: `Room ${i + 1}`,
    kind: 'ROOM' as const,
    parent: null,
  }));
  const input = { tenantId: scope.entitlements[0]!.tenantId, name, timeZone: 'Europe/Berlin', spaces };
  const created = valueOf(await registry.createBuilding(scope, input, freshKey()));
  return { buildingId: created.building.id, spaceIds: created.spaces.map((space) => space.id) };
}

export function newDevices(count: number, spaceIds: readonly string[], model = 'thermometer'): NewDevice[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `Device ${String(i).padStart(5, '0')}`,
    model,
    spaceId: spaceIds[i % spaceIds.length]!,
    serialNumber: null,
  }));
}

/**
 * The same store seen through a hook that is called before each call with its number and name: what it throws, the call
 * throws. `after` is called when the call has taken effect.
 */
export function tapped(
  cosmos: Cosmos,
  hooks: {
    before?: (call: number, name: string) => void;
    after?: (call: number, name: string) => void;
    /** Also where the call has failed. */
    ended?: () => void;
  },
): Cosmos {
  let calls = 0;
  const tap =
    <A extends unknown[], R>(name: string, method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const call = ++calls;
      hooks.before?.(call, name);
      try {
        const result = await method(...args);
        hooks.after?.(call, name);
        return result;
      } finally {
        hooks.ended?.();
      }
    };
  return {
    ...cosmos,
    read: tap('read', cosmos.read) as Cosmos['read'],
    readMany: tap('readMany', cosmos.readMany) as Cosmos['readMany'],
    query: tap('query', cosmos.query.bind(cosmos)) as Cosmos['query'],
    batch: tap('batch', cosmos.batch),
    bulkUpsert: tap('bulkUpsert', cosmos.bulkUpsert),
    bulkCreate: tap('bulkCreate', cosmos.bulkCreate),
  };
}
