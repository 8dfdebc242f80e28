import fc from 'fast-check';
import { tenantScope, type TenantScope } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { type Cosmos } from '../../src/store/cosmos';
import { createDeviceActivation } from '../../src/store/device-activation';
import {
  type AuditDocument,
  type BuildingDocument,
  type DeviceDocument,
  type RegistryDocument,
  stockOf,
  type TwinDocument,
  twinId,
} from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import {
  followersOf,
  type ModelDevice,
  NORTH,
  OPERATIONS,
  type OperationName,
  type Place,
  SOUTH,
  type Step,
  type Told,
  verdictOf,
  type Walker,
  WALKERS,
  type World,
} from './lifecycle.model';
import { createBuilding, freshKey, newDevices, principal, type Store, valueOf } from './store.support';

/** To begin with; each that is replaced adds one. */
const DEVICES = 3;
/** More than a walk ever claims. */
const STOCK = 30;

const ALL = Object.keys(OPERATIONS) as OperationName[];

const OFTEN: OperationName[] = [
  'suspend',
  'resume',
  'configure',
  'offer',
  'accept',
  'issueThumbprint',
  'rotateThumbprint',
  'rotateThumbprint',
];

/** Steps of which many are allowed, so that the walk gets somewhere before all is retired. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc
    .record({
      operation: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...ALL) },
        { weight: 1, arbitrary: fc.constantFrom(...OFTEN) },
      ),
      walker: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Walker>('OWNER') },
        { weight: 3, arbitrary: fc.constantFrom(...WALKERS) },
      ),
      device: fc.oneof(
        { weight: 6, arbitrary: fc.nat(DEVICES - 1) },
        { weight: 1, arbitrary: fc.nat(2 * DEVICES) },
      ),
      other: fc.nat(DEVICES),
      value: fc.nat(3),
    })
    // What was offered is mostly another tenant's to accept.
    .map((step) => (step.operation === 'accept' && step.value > 0 ? { ...step, walker: 'FOREIGNER' } : step)),
  { minLength: 40, maxLength: 60, size: 'max' },
);

export interface Walk {
  /** Takes the steps on devices of their own and throws at the first that does not come out as the model says. */
  take(steps: readonly Step[]): Promise<void>;
  /** Each operation with what was seen to come of it: `changed`, `nothing`, or a refusal's code. */
  outcomes: Set<string>;
}

/** Some partitions, as they are stored. */
interface Seen {
  audits: Map<string, AuditDocument>;
  /** As text, with their etags: what was written with the same content was written all the same. */
  documents: Map<string, string>;
}

/** @param broken stands in for the store that the registry writes through, for what must be found out. */
export async function createWalk(store: Store, broken: Cosmos = store.cosmos): Promise<Walk> {
  const scopes = {} as Record<Walker, TenantScope>;
  for (const walker of WALKERS) {
    if (walker === 'STRANGER') scopes[walker] = tenantScope(principal('stranger'), []);
    else if (walker === 'FOREIGNER') scopes[walker] = await store.member('foreigner', SOUTH, 'OWNER');
    else scopes[walker] = await store.member(walker.toLowerCase(), NORTH, walker);
  }
  const outcomes = new Set<string>();
  const registry = createRegistry({ cosmos: broken, keyring: store.keyring });
  const activation = createDeviceActivation({ cosmos: broken });

  async function buildWorld(): Promise<World> {
    const [first, second, foreign] = await Promise.all([
      createBuilding(store.registry, scopes.OWNER, 'First', 2),
      createBuilding(store.registry, scopes.OWNER, 'Second', 1),
      createBuilding(store.registry, scopes.FOREIGNER, 'Foreign', 1),
    ]);
    const placesOf = (tenantId: string, { buildingId, spaceIds }: typeof first): Place[] =>
      spaceIds.map((spaceId) => ({ tenantId, buildingId, spaceId }));
    const { buildingId, spaceIds } = first;
    const input = { buildingId, devices: newDevices(DEVICES, spaceIds) };
    const provisioned = valueOf(await store.registry.provisionDevices(scopes.OWNER, input, freshKey()));
    const manufacturerId = newId('ten');
    const manufacturer = await store.member('manufacturer', manufacturerId, 'OWNER');
    const rows = Array.from({ length: STOCK }, (_, index) => ({
      index,
      serialNumber: `S-${index}`,
      model: 'thermometer',
      enrollmentGroupId: null,
    }));
    const registered = valueOf(
      await store.registry.registerDevices(manufacturer, manufacturerId, { jobId: newId('job'), rows }),
    );
    return {
      stock: {
        manufacturerId,
        rows: registered.flatMap((row) => (row.outcome === 'registered' ? [row] : [])),
      },
      registry,
      activation,
      freshKey,
      places: [...placesOf(NORTH, first), ...placesOf(NORTH, second), ...placesOf(SOUTH, foreign)],
      devices: provisioned.map(({ device: { id, name, spaceId }, keys }) => ({
        id,
        tenantId: NORTH,
        buildingId,
        spaceId,
        name,
        state: 'PROVISIONED',
        suspended: null,
        keys,
        thumbprints: null,
        parentId: null,
        transfer: null,
        desired: {},
        desiredVersion: 0,
      })),
    };
  }

  async function look({ places, stock }: World): Promise<Seen> {
    const buildings = new Set([stockOf(stock.manufacturerId), ...places.map(({ buildingId }) => buildingId)]);
    const all = await Promise.all(
      [...buildings].map((id) => store.cosmos.query<RegistryDocument>('registry', id, 'SELECT * FROM c')),
    );
    const seen: Seen = { audits: new Map(), documents: new Map() };
    for (const each of all.flat()) {
      if (each.type === 'audit') seen.audits.set(each.id, each);
      // What has a time to live is over: it goes when it goes.
      else if (!('ttl' in each)) {
        seen.documents.set(`${each.buildingId}/${each.id}`, JSON.stringify(each));
      }
    }
    return seen;
  }

  function parsed<T>({ documents }: Seen, buildingId: string, id: string): T | undefined {
    const text = documents.get(`${buildingId}/${id}`);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  /** The stored device, in the words of the model. A key that nobody was told is null where the model says so. */
  function asModel(seen: Seen, model: ModelDevice, told: ReadonlySet<string>): ModelDevice {
    const document = parsed<DeviceDocument>(seen, model.buildingId, model.id);
    if (document?.type !== 'device') throw new Error(`device ${model.id} is not where it should be`);
    const twin = parsed<TwinDocument>(seen, model.buildingId, twinId(model.id));
    const { id, suspended, keys: sealed, transfer } = document;
    const open = (each: string): string => store.keyring.open(id, each).toString('base64');
    const keys = sealed && { primary: open(sealed.primary), secondary: open(sealed.secondary) };
    const unknown = keys !== null && model.keys?.secondary === null;
    if (unknown) {
      expect(told).not.toContain(keys.secondary);
      expect(keys.secondary).not.toBe(keys.primary);
    }
    return {
      id,
      tenantId: document.tenantId,
      buildingId: document.buildingId,
      spaceId: document.spaceId,
      name: document.name,
      state: document.state as ModelDevice['state'],
      suspended: suspended ? { before: suspended.before, reason: suspended.reason } : null,
      keys: keys && { ...keys, ...(unknown && { secondary: null }) },
      thumbprints: document.thumbprints ?? null,
      parentId: document.parentId ?? null,
      transfer: transfer ? { id: transfer.id, to: transfer.to } : null,
      desired: twin?.desired ?? {},
      desiredVersion: twin?.desiredVersion ?? 0,
    };
  }

  /** Each device as the model has it, and each building with as many in force as the model counts. */
  function agree(seen: Seen, { devices, places }: World, told: ReadonlySet<string>): void {
    expect(devices.map((each) => asModel(seen, each, told))).toEqual(devices);
    for (const { buildingId } of places) {
      const inForce = devices.filter((each) => each.buildingId === buildingId && each.state !== 'RETIRED');
      const stored = parsed<BuildingDocument>(seen, buildingId, buildingId)!.devices;
      expect([buildingId, stored]).toEqual([buildingId, inForce.length]);
    }
  }

  return {
    outcomes,

    async take(path) {
      let world = await buildWorld();
      /** Keys that somebody knows or knew. */
      const told = new Set<string>();
      let before = await look(world);

      for (const step of path) {
        const { operation, walker, device: index } = step;
        const device = world.devices[index];
        const deviceId = device?.id ?? 'dev_nowhere';
        const verdict = verdictOf(step, world);
        for (const { keys } of world.devices) {
          for (const key of Object.values(keys ?? {})) if (key !== null) told.add(key);
        }
        const outcome = await OPERATIONS[operation].run(world, scopes[walker], deviceId, step);
        const after = await look(world);

        // Whatever was asked for: what was told of stays as it was told.
        const events = [...after.audits.values()].filter(({ id }) => !before.audits.has(id));
        const earlier = [...after.audits].filter(([id]) => before.audits.has(id));
        expect(JSON.stringify(earlier)).toBe(JSON.stringify([...before.audits]));

        if (verdict === 'nothing' || 'refused' in verdict) {
          const expected = verdict === 'nothing' ? 'nothing' : verdict.refused;
          expect([step, outcome.ok ? 'nothing' : outcome.refusal.code]).toEqual([step, expected]);
          expect([step, [...after.documents]]).toEqual([step, [...before.documents]]);
          expect([step, events]).toEqual([step, []]);
          outcomes.add(`${operation} ${expected}`);
        } else {
          expect([step, outcome]).toEqual([step, expect.objectContaining({ ok: true })]);
          const answer = outcome.ok ? outcome.value : undefined;
          const change = verdict.change(answer);
          const leaves = verdict.leaves?.(answer);
          const followers = leaves && followersOf(world.devices, deviceId, leaves);
          const devices = (followers?.devices ?? world.devices).map((each) =>
            each.id === deviceId ? { ...each, ...change } : each,
          );
          if (verdict.adds) devices.push(verdict.adds(answer));
          world = { ...world, devices };
          const { id: actor } = scopes[walker].principal;
          // What is claimed is no device of the model yet: it tells its own.
          const { tenantId, buildingId } = device ?? { tenantId: '', buildingId: '' };
          const expected = [...verdict.told(answer), ...(followers?.told ?? [])].map(
            (each): Required<Told> => ({ actor, subject: deviceId, tenantId, buildingId, ...each }),
          );
          expect([step, events.map(toldOf).sort(byAction)]).toEqual([step, expected.sort(byAction)]);
          outcomes.add(`${operation} changed`);
        }
        agree(after, world, told);
        before = after;
      }
    },
  };
}

function toldOf({
  action,
  actor,
  subject,
  tenantId,
  buildingId,
  before,
  after,
}: AuditDocument): Required<Told> {
  return { action, actor, subject, tenantId, buildingId, before, after };
}

/** One event may be told of several devices: each has its place, in whichever order they were read. */
const keyOf = (told: Told): string => JSON.stringify([told.action, told.subject, told.buildingId]);
const byAction = (a: Told, b: Told): number => (keyOf(a) < keyOf(b) ? -1 : 1);
