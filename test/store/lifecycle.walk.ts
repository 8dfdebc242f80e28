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
  type TwinDocument,
  twinId,
} from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import {
  type ModelDevice,
  OPERATIONS,
  type OperationName,
  type Step,
  verdictOf,
  type Walker,
  WALKERS,
  type World,
} from './lifecycle.model';
import { createBuilding, freshKey, newDevices, principal, type Store, valueOf } from './store.support';

const DEVICES = 3;

/** Steps of which many are allowed, so that the walk gets somewhere. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    operation: fc.constantFrom(...(Object.keys(OPERATIONS) as OperationName[])),
    walker: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Walker>('OWNER') },
      { weight: 4, arbitrary: fc.constantFrom(...WALKERS) },
    ),
    // Few are the last, which does not exist.
    device: fc.oneof(
      { weight: 9, arbitrary: fc.nat(DEVICES - 1) },
      { weight: 1, arbitrary: fc.constant(DEVICES) },
    ),
    other: fc.nat(DEVICES),
    value: fc.nat(2),
  }),
  { minLength: 30, maxLength: 60, size: 'max' },
);

export interface Walk {
  /** Takes the steps on devices of their own and throws at the first that does not come out as the model says. */
  take(steps: readonly Step[]): Promise<void>;
  /** How often each operation was seen to be refused, by its code, to change nothing, and to change something. */
  outcomes: Map<string, number>;
}

/** @param broken stands in for the store that the registry writes through, for what must be found out. */
export async function createWalk(store: Store, broken: Cosmos = store.cosmos): Promise<Walk> {
  const scopes = {} as Record<Walker, TenantScope>;
  for (const walker of WALKERS) {
    if (walker === 'STRANGER') scopes[walker] = tenantScope(principal('stranger'), []);
    else if (walker === 'FOREIGNER') scopes[walker] = await store.member('foreigner', 'ten_south', 'OWNER');
    else scopes[walker] = await store.member(walker.toLowerCase(), 'ten_north', walker);
  }
  const outcomes = new Map<string, number>();
  const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  const world: World = {
    registry: createRegistry({ cosmos: broken, keyring: store.keyring }),
    activation: createDeviceActivation({ cosmos: broken }),
    freshKey,
  };

  /** Everything in the partition, as it is stored. */
  async function look(buildingId: string) {
    const all = await store.cosmos.query<RegistryDocument>('registry', buildingId, 'SELECT * FROM c');
    const audits = all.filter((each): each is AuditDocument => each.type === 'audit');
    const rest = all.filter((each) => each.type !== 'audit' && each.type !== 'idempotency');
    return {
      audits: new Map(audits.map((each) => [each.id, each])),
      // With their etags: what was written with the same content was written all the same.
      rest: new Map<string, RegistryDocument>(rest.map((each) => [each.id, each])),
    };
  }

  function opened({ id, keys }: DeviceDocument): { primary: string; secondary: string } | null {
    const open = (sealed: string): string => store.keyring.open(id, sealed).toString('base64');
    return keys && { primary: open(keys.primary), secondary: open(keys.secondary) };
  }

  /** The stored device, in the words of the model. A key that nobody was told is null where the model says so. */
  function seen(
    documents: Map<string, RegistryDocument>,
    model: ModelDevice,
    told: Set<string>,
  ): ModelDevice {
    const document = documents.get(model.id) as DeviceDocument;
    const twin = documents.get(twinId(model.id)) as TwinDocument | undefined;
    const keys = opened(document);
    if (keys && model.keys?.secondary === null) {
      expect(told).not.toContain(keys.secondary);
      expect(keys.secondary).not.toBe(keys.primary);
    }
    return {
      id: document.id,
      buildingId: document.buildingId,
      state: document.state as ModelDevice['state'],
      suspended: document.suspended
        ? { before: document.suspended.before, reason: document.suspended.reason }
        : null,
      keys: keys && { ...keys, ...(model.keys?.secondary === null && { secondary: null }) },
      thumbprints: document.thumbprints ?? null,
      parentId: document.parentId ?? null,
      desired: twin?.desired ?? {},
      desiredVersion: twin?.desiredVersion ?? 0,
    };
  }

  return {
    outcomes,

    async take(path) {
      const { buildingId, spaceIds } = await createBuilding(store.registry, scopes.OWNER, 'Walk', 1);
      const input = { buildingId, devices: newDevices(DEVICES, spaceIds) };
      const provisioned = valueOf(await store.registry.provisionDevices(scopes.OWNER, input, freshKey()));
      const ids = [buildingId, ...provisioned.map(({ device }) => device.id), newId('dev')];
      let devices = provisioned.map(({ device, keys }): ModelDevice => ({
        id: device.id,
        buildingId,
        state: 'PROVISIONED',
        suspended: null,
        keys,
        thumbprints: null,
        parentId: null,
        desired: {},
        desiredVersion: 0,
      }));
      const told = new Set(provisioned.flatMap(({ keys }) => Object.values(keys!)));
      let before = await look(buildingId);

      for (const step of path) {
        const { operation, walker } = step;
        const deviceId = ids[1 + step.device]!;
        const verdict = verdictOf(step, devices);
        const outcome = await OPERATIONS[operation].run(world, scopes[walker], deviceId, step, ids);
        const after = await look(buildingId);
        const events = [...after.audits.values()].filter(({ id }) => !before.audits.has(id));

        // Whatever was asked for: what was told of stays as it was told.
        for (const [id, event] of before.audits) expect(after.audits.get(id)).toEqual(event);
        if (verdict === 'nothing' || 'refused' in verdict) {
          const expected = verdict === 'nothing' ? 'nothing' : verdict.refused;
          expect([step, outcome.ok ? 'nothing' : outcome.refusal.code]).toEqual([step, expected]);
          expect(after.rest).toEqual(before.rest);
          expect(events).toEqual([]);
          count(`${operation} ${expected}`);
        } else {
          expect([step, outcome]).toEqual([step, expect.objectContaining({ ok: true })]);
          const change = verdict.change(outcome.ok ? outcome.value : undefined);
          devices = devices.map((each) => (each.id === deviceId ? { ...each, ...change } : each));
          const { subject = deviceId, actor = scopes[walker].principal.id, ...audit } = verdict.audit;
          expect(events).toEqual([
            expect.objectContaining({
              type: 'audit',
              tenantId: 'ten_north',
              buildingId,
              subject,
              actor,
              ...audit,
            }),
          ]);
          expect(after.rest).not.toEqual(before.rest);
          count(`${operation} changed`);
        }
        expect(devices.map((each) => seen(after.rest, each, told))).toEqual(devices);
        const inForce = devices.filter(({ state }) => state !== 'RETIRED').length;
        expect((after.rest.get(buildingId) as BuildingDocument).devices).toBe(inForce);
        for (const { keys } of devices) for (const key of Object.values(keys ?? {})) if (key) told.add(key);
        before = after;
      }
    },
  };
}
