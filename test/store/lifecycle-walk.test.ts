import fc from 'fast-check';
import { type DeviceCommand, type DevicePermission, LIFECYCLE } from '../../src/domain/lifecycle';
import { type DeviceState } from '../../src/domain/device';
import { type Change, type Cosmos } from '../../src/store/cosmos';
import { type AuditDocument, type DeviceDocument } from '../../src/store/documents';
import { OPERATIONS, type Step } from './lifecycle.model';
import { createWalk, steps } from './lifecycle.walk';
import { startStore, type Store } from './store.support';

describe('the lifecycle of devices', () => {
  let store: Store;
  beforeAll(async () => {
    store = await startStore();
  });
  afterAll(() => store.stop());

  it('walks with random commands by random roles as its model does, and tells of each change and of nothing else', async () => {
    const walk = await createWalk(store);
    await fc.assert(
      fc.asyncProperty(steps, (path) => walk.take(path)),
      { numRuns: 4 },
    );
  });

  it.each<Step>([
    { operation: 'replace', walker: 'OWNER', device: 0, other: 0, value: 0 },
    { operation: 'retire', walker: 'OWNER', device: 0, other: 0, value: 0 },
    { operation: 'move', walker: 'OWNER', device: 0, other: 0, value: 2 },
    { operation: 'accept', walker: 'FOREIGNER', device: 0, other: 0, value: 0 },
  ])('tells of every child that follows or is left on $operation', async (leaving) => {
    const walk = await createWalk(store);
    const owner = { walker: 'OWNER', other: 0, value: 0 } as const;
    await walk.take([
      { ...owner, operation: 'setParent', device: 1 },
      { ...owner, operation: 'setParent', device: 2 },
      { ...owner, operation: 'offer', device: 0 },
      leaving,
      { ...owner, operation: 'clearParent', device: 1 },
    ]);
    expect(walk.outcomes).toContain(`${leaving.operation} changed`);
  });

  describe('its walk finds', () => {
    /** The walk with the same steps each time, over a store that is or behaves otherwise. */
    async function failureOf(broken?: Cosmos): Promise<string> {
      const walk = await createWalk(store, broken);
      const details = await fc.check(
        fc.asyncProperty(steps, (path) => walk.take(path)),
        { numRuns: 12, seed: 4, endOnFailure: true },
      );
      return details.failed ? String(details.errorInstance) : 'nothing';
    }
    /** Each batch of the registry's as `change` makes it. */
    const rewriting = (change: (changes: readonly Change[]) => Change[]): Cosmos => ({
      ...store.cosmos,
      batch: (container, partition, changes) => store.cosmos.batch(container, partition, change(changes)),
    });
    const auditIn = (change: Change): AuditDocument | undefined =>
      'create' in change && (change.create as AuditDocument).type === 'audit'
        ? (change.create as AuditDocument)
        : undefined;
    async function withRule(
      command: DeviceCommand,
      rule: Partial<{ from: DeviceState[]; to: DeviceState; by: DevicePermission }>,
    ): Promise<string> {
      const rules = LIFECYCLE as Record<DeviceCommand, (typeof LIFECYCLE)[DeviceCommand]>;
      const right = rules[command];
      rules[command] = { ...right, ...rule };
      try {
        return await failureOf();
      } finally {
        rules[command] = right;
      }
    }

    it('nothing in the registry as it is, though each operation takes effect and is refused', async () => {
      const walk = await createWalk(store);
      await walk.take([...TOUR, ...TOUR.map((step): Step => ({ ...step, walker: 'STRANGER' }))]);
      for (const operation of Object.keys(OPERATIONS)) {
        const seen = [...walk.outcomes].filter((what) => what.startsWith(`${operation} `));
        const changed = seen.includes(`${operation} changed`);
        expect([operation, changed, seen.length > 1]).toEqual([operation, true, true]);
      }
    });

    it('a way out of retirement', async () => {
      const from: DeviceState[] = ['PROVISIONED', 'ACTIVE', 'RETIRED'];
      expect(await withRule('SUSPEND', { from })).toMatch(/WRONG_STATE/);
    });

    it('a return to another state than the one before', async () => {
      expect(await withRule('RESUME', { to: 'ACTIVE' })).toMatch(/PROVISIONED/);
    });

    it('a right that a role does not have', async () => {
      expect(await withRule('CONFIGURE', { by: 'device.suspend' })).toMatch(/FORBIDDEN/);
    });

    it('a change that nothing tells of', async () => {
      const broken = rewriting((changes) =>
        changes.filter((each) => auditIn(each)?.action !== 'device.set-parent'),
      );
      expect(await failureOf(broken)).toMatch(/device\.set-parent/);
    });

    it('an audit event of another’s doing', async () => {
      const broken = rewriting((changes) =>
        changes.map((each) => (auditIn(each) ? { create: { ...auditIn(each)!, actor: 'per_other' } } : each)),
      );
      expect(await failureOf(broken)).toMatch(/per_other/);
    });

    it('an audit event without its change', async () => {
      const broken = rewriting((changes) =>
        changes.some((each) => auditIn(each)?.action === 'device.retire')
          ? changes.filter((each) => auditIn(each))
          : [...changes],
      );
      expect(await failureOf(broken)).not.toBe('nothing');
    });

    it('a credential that outlives its replacement', async () => {
      const broken: Cosmos = {
        ...store.cosmos,
        async batch(container, partition, changes) {
          const kept = changes.map(async (each) => {
            const next = 'replace' in each ? (each.replace as DeviceDocument) : undefined;
            if (!next?.thumbprints) return each;
            const { keys } = (await store.cosmos.read<DeviceDocument>(container, partition, next.id))!;
            return { ...each, replace: { ...next, keys } };
          });
          return store.cosmos.batch(container, partition, await Promise.all(kept));
        },
      };
      expect(await failureOf(broken)).toMatch(/keys/);
    });
  });
});

/** Once through everything, as an owner. */
const TOUR: Step[] = (
  [
    ['activate', 0, 0, 0],
    ['suspend', 0, 0, 1],
    ['resume', 0, 0, 0],
    ['configure', 0, 0, 0],
    ['setParent', 0, 1, 0],
    ['clearParent', 0, 0, 0],
    ['issueKey', 0, 0, 0],
    ['rotateKey', 0, 0, 1],
    ['issueThumbprint', 0, 0, 0],
    ['rotateThumbprint', 0, 0, 1],
    ['move', 0, 0, 2],
    ['offer', 0, 0, 0],
    ['accept', 0, 0, 0],
    ['offer', 1, 0, 0],
    ['withdraw', 1, 0, 0],
    ['replace', 1, 0, 0],
    ['claim', 0, 0, 0],
    ['retire', 2, 0, 0],
    ['activate', 2, 0, 0],
  ] as const
).map(([operation, device, other, value]) => ({
  operation,
  walker: operation === 'accept' ? 'FOREIGNER' : 'OWNER',
  device,
  other,
  value,
}));
