import { type TenantScope } from '../../src/auth/scope';
import { type DeviceDocument } from '../../src/store/documents';
import { type DeviceActivation } from '../../src/store/device-activation';
import { type Outcome, type Registry, type ShownCredential } from '../../src/store/registry';
import { type ReceivedDevice } from '../../src/store/registry/shown-once';
import { type ClaimCode } from '../../src/store/registry/stock';

/**
 * The life of devices, written by hand and kept apart from `src/domain/lifecycle.ts` and `src/auth/scope.ts`: a mistake
 * there must not be a mistake here. A further command is an entry of `OPERATIONS`.
 */
type State = 'PROVISIONED' | 'ACTIVE' | 'SUSPENDED' | 'RETIRED';

/** Who walks: the roles of a tenant, the owner of another one, and somebody of none. */
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
export const NORTH = 'ten_north';
export const SOUTH = 'ten_south';

/** What is known of a device without looking. */
export interface ModelDevice {
  id: string;
  tenantId: string;
  buildingId: string;
  spaceId: string;
  name: string;
  state: State;
  suspended: { before: State; reason: string | null } | null;
  /** Base64; null for one that nobody was told. */
  keys: { primary: string | null; secondary: string | null } | null;
  thumbprints: { primary: string; secondary: string | null } | null;
  parentId: string | null;
  transfer: { id: string; to: string } | null;
  desired: Record<string, unknown>;
  desiredVersion: number;
}

export interface Step {
  operation: OperationName;
  walker: Walker;
  /** Indexes into the devices; those beyond name one that does not exist. */
  device: number;
  other: number;
  /** Of a few, so that the same is asked for again. */
  value: number;
}

/** An audit event; what is left out is the device's own, or the walker's. */
export interface Told {
  action: string;
  before: unknown;
  after: unknown;
  actor?: string;
  subject?: string;
  tenantId?: string;
  buildingId?: string;
}

/** What the model says of a step: refused with a code, nothing left to be done, or a change and its audit events. */
export type Verdict =
  | { refused: string }
  | 'nothing'
  | {
      change(answer: unknown): Partial<ModelDevice>;
      adds?(answer: unknown): ModelDevice;
      /** The device relays for its children no longer: whose they are then, and in whose name. */
      leaves?(answer: unknown): { next: string | null; actor?: string };
      /** One of each partition that changes; `answer` for what only it can tell. */
      told(answer: unknown): Told[];
    };

/** A place to be in: two of the same building, one of another, and one of another tenant. */
export interface Place {
  tenantId: string;
  buildingId: string;
  spaceId: string;
}

export interface World {
  registry: Registry;
  activation: DeviceActivation;
  places: readonly Place[];
  devices: readonly ModelDevice[];
  /** What a manufacturer has registered, some of it claimed by now. */
  stock: { manufacturerId: string; rows: readonly ClaimCode[] };
  freshKey(): string;
}

interface Operation {
  may: readonly Walker[];
  from: readonly State[];
  /** Asked before the state is: what was done already is no fault. */
  done?(device: ModelDevice, step: Step, world: World): boolean;
  /** Why it is refused whatever the state is. */
  never?(device: ModelDevice, step: Step, world: World): string | undefined;
  verdict(device: ModelDevice, step: Step, world: World): Verdict;
  run(world: World, scope: TenantScope, deviceId: string, step: Step): Run;
}
type Run = Promise<Outcome<unknown>>;

// The foreigner is an owner, of what is theirs.
const OWNERS: readonly Walker[] = ['OWNER', 'FOREIGNER'];
const OFFICE: readonly Walker[] = [...OWNERS, 'MANAGER'];
const FIELD: readonly Walker[] = [...OFFICE, 'TECHNICIAN'];
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

/** Out of service for good: nothing by which it could come in again is left. */
const RETIRED = {
  state: 'RETIRED',
  suspended: null,
  keys: null,
  thumbprints: null,
  parentId: null,
  transfer: null,
} satisfies Partial<ModelDevice>;

/** As if it had never been another's. */
const FRESH = {
  state: 'PROVISIONED',
  suspended: null,
  thumbprints: null,
  parentId: null,
  transfer: null,
  desired: {},
  desiredVersion: 0,
} satisfies Partial<ModelDevice>;

const homeOf = (walker: Walker): string | null =>
  walker === 'STRANGER' ? null : walker === 'FOREIGNER' ? SOUTH : NORTH;
/** Where somebody takes in what they are given; a stranger tries at another's. */
const ownPlace = ({ places }: World, walker: Walker): Place =>
  places.find(({ tenantId }) => tenantId === homeOf(walker)) ?? places[0]!;
/** There is more in stock than is ever claimed. */
const unclaimed = ({ stock, devices }: World): ClaimCode =>
  stock.rows.find(({ deviceId }) => !devices.some(({ id }) => id === deviceId))!;
const offeredTo = (value: number): string => [SOUTH, SOUTH, NORTH, 'ten_nobody'][value]!;
const receivedFrom = (answer: unknown): Pick<ModelDevice, 'id' | 'keys'> => {
  const { device, keys } = answer as ReceivedDevice;
  return { id: device.id, keys };
};

export const OPERATIONS = {
  activate: {
    // The device itself, by sending: nobody's role is asked.
    may: WALKERS,
    from: ['PROVISIONED'],
    verdict: ({ id, buildingId }) => ({
      change: () => ({ state: 'ACTIVE' }),
      told: () => [
        {
          action: 'devices.activate',
          actor: 'gateway',
          subject: buildingId,
          before: { state: 'PROVISIONED' },
          after: { state: 'ACTIVE', devices: [id] },
        },
      ],
    }),
    async run({ activation, devices, places }, _scope, deviceId) {
      const { buildingId } = devices.find(({ id }) => id === deviceId) ?? places[0]!;
      const activated = await activation.activate(buildingId, [{ deviceId, at: Date.now() }]);
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
      told: () => [
        {
          action: 'device.suspend',
          before: { state },
          after: { state: 'SUSPENDED', reason: reasonOf(value) },
        },
      ],
    }),
    run: ({ registry }, scope, id, { value }) => registry.suspendDevice(scope, id, reasonOf(value)),
  },
  resume: {
    may: FIELD,
    from: ['SUSPENDED'],
    done: ({ state }) => state === 'PROVISIONED' || state === 'ACTIVE',
    verdict: ({ suspended }) => ({
      change: () => ({ state: suspended!.before, suspended: null }),
      told: () => [
        {
          action: 'device.resume',
          before: { state: 'SUSPENDED', reason: suspended!.reason },
          after: { state: suspended!.before },
        },
      ],
    }),
    run: ({ registry }, scope, id) => registry.resumeDevice(scope, id),
  },
  retire: {
    may: OFFICE,
    from: LIVING,
    done: ({ state }) => state === 'RETIRED',
    verdict: ({ state }) => ({
      change: () => RETIRED,
      leaves: () => ({ next: null }),
      told: () => [{ action: 'device.retire', before: { state }, after: { state: 'RETIRED' } }],
    }),
    run: ({ registry }, scope, id) => registry.retireDevice(scope, id),
  },
  issueKey: {
    may: FIELD,
    from: LIVING,
    verdict: (device) => ({
      change: (answer) => ({ keys: { primary: keyOf(answer), secondary: null }, thumbprints: null }),
      told: () => [
        {
          action: 'device.issue-credential',
          before: credentialOf(device),
          after: { credential: 'SYMMETRIC_KEY' },
        },
      ],
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
        told: () => [
          {
            action: 'device.issue-credential',
            before: credentialOf(device),
            after: { credential: 'X509_THUMBPRINT', thumbprints },
          },
        ],
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
        told: () => [
          {
            action: 'device.rotate-credential',
            before: { credential: kindOf(device) },
            after: { credential: kindOf(device), revokeOther },
          },
        ],
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
        told: () => [
          {
            action: 'device.rotate-credential',
            before: credentialOf(device),
            after: { ...credentialOf({ keys: null, thumbprints }), revokeOther: false },
          },
        ],
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
        told: () => [
          {
            action: 'device.configure',
            before: { desiredVersion },
            after: { desiredVersion: desiredVersion + 1, properties: Object.keys(patchOf(value)) },
          },
        ],
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
    verdict(device, { other }, { devices }) {
      const parent = devices[other];
      const beside = devices.filter(({ buildingId }) => buildingId === device.buildingId);
      if (parent && device.parentId === parent.id) return 'nothing';
      if (!parent || !beside.includes(parent)) return { refused: 'NOT_FOUND' };
      if (parent.id === device.id) return { refused: 'INVALID_INPUT' };
      if (parent.state === 'RETIRED') return { refused: 'WRONG_STATE' };
      const chained = parent.parentId !== null || beside.some((each) => each.parentId === device.id);
      if (chained) return { refused: 'INVALID_INPUT' };
      return {
        change: () => ({ parentId: parent.id }),
        told: () => [
          {
            action: 'device.set-parent',
            before: { parentId: device.parentId },
            after: { parentId: parent.id },
          },
        ],
      };
    },
    run: ({ registry, devices }, scope, id, { other }) =>
      registry.setDeviceParent(scope, id, devices[other]?.id ?? 'dev_nowhere'),
  },
  clearParent: {
    may: FIELD,
    from: LIVING,
    verdict({ parentId }) {
      if (parentId === null) return 'nothing';
      return {
        change: () => ({ parentId: null }),
        told: () => [{ action: 'device.set-parent', before: { parentId }, after: { parentId: null } }],
      };
    },
    run: ({ registry }, scope, id) => registry.setDeviceParent(scope, id, null),
  },
  move: {
    may: FIELD,
    from: LIVING,
    never: ({ tenantId }, { value }, { places }) =>
      places[value]!.tenantId === tenantId ? undefined : 'NOT_FOUND',
    done: ({ spaceId, state }, { value }, { places }) =>
      spaceId === places[value]!.spaceId && state !== 'RETIRED',
    verdict({ buildingId, spaceId, parentId, state, name }, { value }, { places }) {
      const { buildingId: toBuilding, spaceId: toSpace } = places[value]!;
      const before = { buildingId, spaceId };
      const after = { buildingId: toBuilding, spaceId: toSpace };
      const across = buildingId !== toBuilding;
      return {
        // A field gateway relays for devices of its own building.
        change: () => ({ ...after, parentId: across ? null : parentId }),
        ...(across && { leaves: () => ({ next: null }) }),
        told: () => [
          { action: 'device.move', buildingId, before, after },
          ...(across
            ? [
                {
                  action: 'device.arrive',
                  buildingId: toBuilding,
                  before: { buildingId },
                  after: { state, spaceId: toSpace, name },
                },
              ]
            : []),
        ],
      };
    },
    run: ({ registry, places }, scope, deviceId, { value }) =>
      registry.moveDevice(scope, {
        deviceId,
        buildingId: places[value]!.buildingId,
        spaceId: places[value]!.spaceId,
      }),
  },
  replace: {
    may: FIELD,
    from: LIVING,
    verdict(device) {
      const { state, name } = device;
      return {
        change: () => RETIRED,
        adds: (answer) => ({ ...device, ...FRESH, ...receivedFrom(answer) }),
        leaves: (answer) => ({ next: receivedFrom(answer).id }),
        told: (answer) => [
          {
            action: 'device.replace',
            before: { state },
            after: { state: 'RETIRED', replacedBy: receivedFrom(answer).id },
          },
          {
            action: 'device.provision',
            subject: receivedFrom(answer).id,
            before: null,
            after: { state: 'PROVISIONED', name, replaces: device.id },
          },
        ],
      };
    },
    run: ({ registry, freshKey }, scope, deviceId) =>
      registry.replaceDevice(
        scope,
        { deviceId, replacement: { from: 'new', model: 'thermometer', serialNumber: null }, name: null },
        freshKey(),
      ),
  },
  offer: {
    may: OWNERS,
    from: LIVING,
    verdict({ tenantId, transfer }, { value }) {
      const to = offeredTo(value);
      if (to === tenantId) return { refused: 'INVALID_INPUT' };
      if (transfer?.to === to) return 'nothing';
      return {
        change: (answer) => ({ transfer: { id: (answer as DeviceDocument).transfer!.id, to } }),
        told: (answer) => [
          {
            action: 'device.transfer.offer',
            before: transfer && { to: transfer.to },
            after: { to, expiresAt: (answer as DeviceDocument).transfer!.expiresAt },
          },
        ],
      };
    },
    run: ({ registry }, scope, deviceId, { value }) =>
      registry.offerDeviceTransfer(scope, {
        deviceId,
        toTenantId: offeredTo(value),
        expiresInMs: 24 * 3_600_000,
      }),
  },
  withdraw: {
    may: OWNERS,
    from: LIVING,
    verdict({ transfer }) {
      if (!transfer) return 'nothing';
      return {
        change: () => ({ transfer: null }),
        told: () => [{ action: 'device.transfer.withdraw', before: { to: transfer.to }, after: null }],
      };
    },
    run: ({ registry }, scope, deviceId) => registry.withdrawDeviceTransfer(scope, deviceId),
  },
  accept: {
    may: OWNERS,
    from: LIVING,
    verdict({ tenantId, buildingId, spaceId, transfer, name }, _step, { places }) {
      const to = places.find((place) => place.tenantId === transfer!.to)!;
      return {
        change: (answer) => ({ ...FRESH, ...to, keys: receivedFrom(answer).keys }),
        // Who of the other tenant it was is not told to the former owner.
        leaves: () => ({ next: null, actor: to.tenantId }),
        told: () => [
          {
            action: 'device.transfer.accept',
            actor: to.tenantId,
            tenantId,
            buildingId,
            before: { buildingId, spaceId },
            after: { to: to.tenantId },
          },
          {
            action: 'device.transfer.receive',
            tenantId: to.tenantId,
            buildingId: to.buildingId,
            before: { from: tenantId },
            after: { state: 'PROVISIONED', spaceId: to.spaceId, name },
          },
        ],
      };
    },
    run(world, scope, deviceId, { walker }) {
      const { registry, devices, freshKey } = world;
      const { buildingId, spaceId } = ownPlace(world, walker);
      const transferId = devices.find(({ id }) => id === deviceId)?.transfer?.id ?? 'trf_nowhere';
      return registry.acceptDeviceTransfer(
        scope,
        { transferId, buildingId, spaceId, name: null },
        freshKey(),
      );
    },
  },
  claim: {
    may: FIELD,
    // One of the stock, whichever device the step names.
    from: [],
    verdict(_device, { walker }, world) {
      const place = ownPlace(world, walker);
      const { manufacturerId } = world.stock;
      const { deviceId: subject } = unclaimed(world);
      return {
        change: () => ({}),
        adds: (answer) => ({ ...FRESH, ...place, ...receivedFrom(answer), name: 'Claimed' }),
        told: () => [
          {
            action: 'device.claim',
            subject,
            tenantId: place.tenantId,
            buildingId: place.buildingId,
            before: { state: 'REGISTERED' },
            after: { state: 'PROVISIONED', spaceId: place.spaceId, name: 'Claimed' },
          },
          {
            action: 'device.claimed',
            subject,
            // Who claimed it is not told to its manufacturer.
            actor: 'claimant',
            tenantId: manufacturerId,
            buildingId: `stock_${manufacturerId}`,
            before: { state: 'REGISTERED' },
            after: { state: 'PROVISIONED' },
          },
        ],
      };
    },
    run(world, scope, _deviceId, { walker }) {
      const { buildingId, spaceId } = ownPlace(world, walker);
      const { serialNumber, claimCode } = unclaimed(world);
      const input = { serialNumber, claimCode, buildingId, spaceId, name: 'Claimed' };
      return world.registry.claimDevice(scope, input, world.freshKey());
    },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** What becomes of those that a device relayed for: their part of the world, and what is told of it. */
export function followersOf(
  devices: readonly ModelDevice[],
  parentId: string,
  { next, actor }: { next: string | null; actor?: string },
): { devices: ModelDevice[]; told: Told[] } {
  const follows = (each: ModelDevice): boolean => each.parentId === parentId;
  return {
    devices: devices.map((each) => (follows(each) ? { ...each, parentId: next } : each)),
    told: devices.filter(follows).map(({ id: subject }) => ({
      ...{ action: 'device.set-parent', subject, ...(actor !== undefined && { actor }) },
      ...{ before: { parentId }, after: { parentId: next } },
    })),
  };
}

/** What must come of a step. */
export function verdictOf(step: Step, world: World): Verdict {
  const operation: Operation = OPERATIONS[step.operation];
  const device = world.devices[step.device];
  const { walker } = step;
  const home = homeOf(walker);
  if (step.operation === 'activate') {
    if (!device || !operation.from.includes(device.state)) return { refused: 'WRONG_STATE' };
  } else if (step.operation === 'accept' || step.operation === 'claim') {
    // Into a building of one's own, of a device that one need not see.
    if (home === null) return { refused: 'NOT_FOUND' };
    if (!operation.may.includes(walker)) return { refused: 'FORBIDDEN' };
    if (step.operation === 'accept' && device?.transfer?.to !== home) return { refused: 'NOT_FOUND' };
  } else {
    // Those of the field see their tenant's devices; to everybody else it is as if there were none.
    if (!device || device.tenantId !== home || !FIELD.includes(walker)) return { refused: 'NOT_FOUND' };
    if (!operation.may.includes(walker)) return { refused: 'FORBIDDEN' };
    const refused = operation.never?.(device, step, world);
    if (refused !== undefined) return { refused };
    if (operation.done?.(device, step, world)) return 'nothing';
    if (!operation.from.includes(device.state)) return { refused: 'WRONG_STATE' };
  }
  return operation.verdict(device!, step, world);
}
