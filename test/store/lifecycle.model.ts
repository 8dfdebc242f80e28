import { type TenantScope } from '../../src/auth/scope';
import { type DeviceActivation } from '../../src/store/device-activation';
import { type Outcome, type Registry, type ShownCredential } from '../../src/store/registry';

/**
 * The life of devices, written by hand and kept apart from `src/domain/lifecycle.ts` and `src/auth/scope.ts`: a mistake
 * there must not be a mistake here. A further command is an entry of `OPERATIONS`.
 */
type State = 'PROVISIONED' | 'ACTIVE' | 'SUSPENDED' | 'RETIRED';

/** Who walks: roles of the tenant whose devices they are, the owner of another tenant, and somebody of none. */
export const WALKERS = [
  'OWNER',
  'MANAGER',
  'TECHNICIAN',
  'ANALYST',
  'VIEWER',
  'FOREIGNER',
  'STRANGER',
] as const;
export type Walker = (typeof WALKERS)[number];

/** What is known of a device without looking. */
export interface ModelDevice {
  id: string;
  buildingId: string;
  state: State;
  suspended: { before: State; reason: string | null } | null;
  /** Base64; null for one that nobody was told. */
  keys: { primary: string | null; secondary: string | null } | null;
  thumbprints: { primary: string; secondary: string | null } | null;
  parentId: string | null;
  desired: Record<string, unknown>;
  desiredVersion: number;
}

export interface Step {
  operation: OperationName;
  walker: Walker;
  /** Indexes into the devices; the last names one that does not exist. */
  device: number;
  other: number;
  /** Of a few, so that the same is asked for again. */
  value: number;
}

/** What the model says of a step: refused with a code, nothing left to be done, or a change and its audit event. */
export type Verdict =
  | { refused: string }
  | 'nothing'
  | {
      change(answer: unknown): Partial<ModelDevice>;
      audit: { action: string; before: unknown; after: unknown; actor?: string; subject?: string };
    };

export interface World {
  registry: Registry;
  activation: DeviceActivation;
  freshKey(): string;
}

interface Operation {
  may: readonly Walker[];
  from: readonly State[];
  /** Asked before the state is: what was done already is no fault. */
  done?(device: ModelDevice): boolean;
  verdict(device: ModelDevice, step: Step, devices: readonly ModelDevice[]): Verdict;
  run(world: World, scope: TenantScope, deviceId: string, step: Step, ids: readonly string[]): Run;
}
type Run = Promise<Outcome<unknown>>;

const FIELD: readonly Walker[] = ['OWNER', 'MANAGER', 'TECHNICIAN'];
const OFFICE: readonly Walker[] = ['OWNER', 'MANAGER'];
const LIVING: readonly State[] = ['PROVISIONED', 'ACTIVE', 'SUSPENDED'];

export const reasonOf = (value: number): string | null => [null, 'cleaning', 'new battery'][value % 3]!;
export const thumbprintOf = (value: number): string => 'ABC'[value % 3]!.repeat(64);
export const patchOf = (value: number): Record<string, unknown> =>
  [{ interval: 60 }, { interval: 30, led: true }, { led: null }][value % 3]!;

const kindOf = ({ keys }: ModelDevice): string => (keys ? 'SYMMETRIC_KEY' : 'X509_THUMBPRINT');
const credentialOf = (device: Pick<ModelDevice, 'keys' | 'thumbprints'>): object => ({
  credential: device.keys ? 'SYMMETRIC_KEY' : 'X509_THUMBPRINT',
  ...(device.thumbprints && { thumbprints: device.thumbprints }),
});
const keyOf = (answer: unknown): string | null => (answer as ShownCredential).key;

export const OPERATIONS = {
  activate: {
    // The device itself, by sending: nobody's role is asked.
    may: WALKERS,
    from: ['PROVISIONED'],
    verdict: ({ id, buildingId }) => ({
      change: () => ({ state: 'ACTIVE' }),
      audit: {
        action: 'devices.activate',
        actor: 'gateway',
        subject: buildingId,
        before: { state: 'PROVISIONED' },
        after: { state: 'ACTIVE', devices: [id] },
      },
    }),
    async run({ activation }, _scope, deviceId, _step, [buildingId]) {
      const activated = await activation.activate(buildingId!, [{ deviceId, at: Date.now() }]);
      if (activated === 1) return { ok: true, value: undefined };
      return { ok: false, refusal: { code: 'WRONG_STATE', message: 'nothing was made active' } };
    },
  },
  suspend: {
    may: FIELD,
    from: ['PROVISIONED', 'ACTIVE'],
    done: ({ state }) => state === 'SUSPENDED',
    verdict: ({ state }, { value }) => ({
      change: () => ({ state: 'SUSPENDED', suspended: { before: state, reason: reasonOf(value) } }),
      audit: {
        action: 'device.suspend',
        before: { state },
        after: { state: 'SUSPENDED', reason: reasonOf(value) },
      },
    }),
    run: ({ registry }, scope, id, { value }) => registry.suspendDevice(scope, id, reasonOf(value)),
  },
  resume: {
    may: FIELD,
    from: ['SUSPENDED'],
    done: ({ state }) => state === 'PROVISIONED' || state === 'ACTIVE',
    verdict: ({ suspended }) => ({
      change: () => ({ state: suspended!.before, suspended: null }),
      audit: {
        action: 'device.resume',
        before: { state: 'SUSPENDED', reason: suspended!.reason },
        after: { state: suspended!.before },
      },
    }),
    run: ({ registry }, scope, id) => registry.resumeDevice(scope, id),
  },
  retire: {
    may: OFFICE,
    from: LIVING,
    done: ({ state }) => state === 'RETIRED',
    verdict: ({ state }) => ({
      change: () => ({ state: 'RETIRED', suspended: null, keys: null, thumbprints: null, parentId: null }),
      audit: { action: 'device.retire', before: { state }, after: { state: 'RETIRED' } },
    }),
    run: ({ registry }, scope, id) => registry.retireDevice(scope, id),
  },
  issueKey: {
    may: FIELD,
    from: LIVING,
    verdict: (device) => ({
      change: (answer) => ({ keys: { primary: keyOf(answer), secondary: null }, thumbprints: null }),
      audit: {
        action: 'device.issue-credential',
        before: credentialOf(device),
        after: { credential: 'SYMMETRIC_KEY' },
      },
    }),
    run: ({ registry, freshKey }, scope, deviceId) =>
      registry.issueDeviceCredential(
        scope,
        {
          deviceId,
          credential: {
            kind: 'SYMMETRIC_KEY',
            primaryThumbprint: null,
            secondaryThumbprint: null,
            authority: null,
          },
        },
        freshKey(),
      ),
  },
  issueThumbprint: {
    may: FIELD,
    from: LIVING,
    verdict(device, { value }) {
      const thumbprints = { primary: thumbprintOf(value), secondary: null };
      return {
        change: () => ({ keys: null, thumbprints }),
        audit: {
          action: 'device.issue-credential',
          before: credentialOf(device),
          after: { credential: 'X509_THUMBPRINT', thumbprints },
        },
      };
    },
    run: ({ registry, freshKey }, scope, deviceId, { value }) =>
      registry.issueDeviceCredential(
        scope,
        {
          deviceId,
          credential: {
            kind: 'X509_THUMBPRINT',
            primaryThumbprint: thumbprintOf(value),
            secondaryThumbprint: null,
            authority: null,
          },
        },
        freshKey(),
      ),
  },
  rotateKey: {
    may: FIELD,
    from: LIVING,
    verdict(device, { value }) {
      if (!device.keys) return { refused: 'INVALID_INPUT' };
      const revokeOther = value === 0;
      return {
        change: (answer) => ({
          keys: { primary: keyOf(answer), secondary: revokeOther ? null : device.keys!.primary },
        }),
        audit: {
          action: 'device.rotate-credential',
          before: { credential: kindOf(device) },
          after: { credential: kindOf(device), revokeOther },
        },
      };
    },
    run: ({ registry, freshKey }, scope, deviceId, { value }) =>
      registry.rotateDeviceCredential(
        scope,
        { deviceId, thumbprint: null, revokeOther: value === 0 },
        freshKey(),
      ),
  },
  rotateThumbprint: {
    may: FIELD,
    from: LIVING,
    verdict(device, { value }) {
      const primary = thumbprintOf(value);
      if (!device.thumbprints || device.thumbprints.primary === primary) return { refused: 'INVALID_INPUT' };
      const thumbprints = { primary, secondary: device.thumbprints.primary };
      return {
        change: () => ({ thumbprints }),
        audit: {
          action: 'device.rotate-credential',
          before: credentialOf(device),
          after: { ...credentialOf({ keys: null, thumbprints }), revokeOther: false },
        },
      };
    },
    run: ({ registry, freshKey }, scope, deviceId, { value }) =>
      registry.rotateDeviceCredential(
        scope,
        { deviceId, thumbprint: thumbprintOf(value), revokeOther: false },
        freshKey(),
      ),
  },
  configure: {
    may: OFFICE,
    from: LIVING,
    verdict({ desired, desiredVersion }, { value, other }) {
      const next: Record<string, unknown> = { ...desired };
      for (const [name, each] of Object.entries(patchOf(value))) {
        if (each === null) delete next[name];
        else next[name] = each;
      }
      const same = Object.keys({ ...desired, ...next }).every((name) => desired[name] === next[name]);
      if (same && desiredVersion > 0) return 'nothing';
      // Now and then an expectation, of the version that some other device may be at.
      if (other > 1 && other !== desiredVersion) return { refused: 'CONFLICT' };
      return {
        change: () => ({ desired: next, desiredVersion: desiredVersion + 1 }),
        audit: {
          action: 'device.configure',
          before: { desiredVersion },
          after: { desiredVersion: desiredVersion + 1, properties: Object.keys(patchOf(value)) },
        },
      };
    },
    run: ({ registry }, scope, deviceId, { value, other }) =>
      registry.setDeviceConfiguration(scope, {
        deviceId,
        desired: patchOf(value),
        expectedVersion: other > 1 ? other : null,
      }),
  },
  setParent: {
    may: FIELD,
    from: LIVING,
    verdict(device, { other }, devices) {
      const parent = devices[other];
      if (parent && device.parentId === parent.id) return 'nothing';
      if (!parent) return { refused: 'NOT_FOUND' };
      if (parent.id === device.id) return { refused: 'INVALID_INPUT' };
      if (parent.state === 'RETIRED') return { refused: 'WRONG_STATE' };
      const chained = parent.parentId !== null || devices.some((each) => each.parentId === device.id);
      if (chained) return { refused: 'INVALID_INPUT' };
      return {
        change: () => ({ parentId: parent.id }),
        audit: {
          action: 'device.set-parent',
          before: { parentId: device.parentId },
          after: { parentId: parent.id },
        },
      };
    },
    run: ({ registry }, scope, id, { other }, [, ...ids]) => registry.setDeviceParent(scope, id, ids[other]!),
  },
  clearParent: {
    may: FIELD,
    from: LIVING,
    verdict({ parentId }) {
      if (parentId === null) return 'nothing';
      return {
        change: () => ({ parentId: null }),
        audit: { action: 'device.set-parent', before: { parentId }, after: { parentId: null } },
      };
    },
    run: ({ registry }, scope, id) => registry.setDeviceParent(scope, id, null),
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** What must come of a step. */
export function verdictOf(step: Step, devices: readonly ModelDevice[]): Verdict {
  const operation: Operation = OPERATIONS[step.operation];
  const device = devices[step.device];
  if (step.operation === 'activate') {
    if (!device || !operation.from.includes(device.state)) return { refused: 'WRONG_STATE' };
    return operation.verdict(device, step, devices);
  }
  // Those of the field see devices; to everybody else it is as if there were none.
  if (!device || !FIELD.includes(step.walker)) return { refused: 'NOT_FOUND' };
  if (!operation.may.includes(step.walker)) return { refused: 'FORBIDDEN' };
  if (operation.done?.(device)) return 'nothing';
  if (!operation.from.includes(device.state)) return { refused: 'WRONG_STATE' };
  return operation.verdict(device, step, devices);
}
