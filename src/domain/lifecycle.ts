import { type DeviceState } from './device';

/** What can be done to a device. Those that leave the state as it is stand here too: not every state admits them. */
export type DeviceCommand =
  | 'REGISTER'
  | 'PROVISION'
  | 'CLAIM'
  | 'ACTIVATE'
  | 'SUSPEND'
  | 'RESUME'
  | 'RETIRE'
  | 'REPLACE'
  | 'MOVE'
  | 'SET_PARENT'
  | 'ISSUE_CREDENTIAL'
  | 'ROTATE_CREDENTIAL'
  | 'CONFIGURE'
  | 'OFFER_TRANSFER'
  | 'WITHDRAW_TRANSFER'
  | 'ACCEPT_TRANSFER';

/** The rights that commands need; `auth` says which roles have them. */
export type DevicePermission =
  | 'device.register'
  | 'device.provision'
  | 'device.claim'
  | 'device.suspend'
  | 'device.retire'
  | 'device.replace'
  | 'device.move'
  | 'device.credential'
  | 'device.configure'
  | 'device.transfer';

/** States that a suspended device can come back to. */
export type InService = 'PROVISIONED' | 'ACTIVE';

interface Rule {
  /** Null stands for a device that does not exist yet. */
  readonly from: readonly (DeviceState | null)[];
  /** `same`: the state stays. `before`: what it was before it was suspended. */
  readonly to: DeviceState | 'same' | 'before';
  /** Who may: whoever has the right, or the device itself, by what it does. */
  readonly by: DevicePermission | 'the-device';
}

const IN_SERVICE = ['PROVISIONED', 'ACTIVE'] as const;
const PLACED = [...IN_SERVICE, 'SUSPENDED'] as const;

/**
 * The life of a device. `REGISTERED` is the stock of a manufacturer; `RETIRED` has no way out, because its credentials
 * are destroyed.
 */
export const LIFECYCLE: Readonly<Record<DeviceCommand, Rule>> = {
  REGISTER: { from: [null], to: 'REGISTERED', by: 'device.register' },
  PROVISION: { from: [null], to: 'PROVISIONED', by: 'device.provision' },
  CLAIM: { from: ['REGISTERED'], to: 'PROVISIONED', by: 'device.claim' },
  ACTIVATE: { from: ['PROVISIONED'], to: 'ACTIVE', by: 'the-device' },
  SUSPEND: { from: IN_SERVICE, to: 'SUSPENDED', by: 'device.suspend' },
  RESUME: { from: ['SUSPENDED'], to: 'before', by: 'device.suspend' },
  RETIRE: { from: ['REGISTERED', ...PLACED], to: 'RETIRED', by: 'device.retire' },
  REPLACE: { from: PLACED, to: 'RETIRED', by: 'device.replace' },
  MOVE: { from: PLACED, to: 'same', by: 'device.move' },
  SET_PARENT: { from: PLACED, to: 'same', by: 'device.move' },
  ISSUE_CREDENTIAL: { from: PLACED, to: 'same', by: 'device.credential' },
  ROTATE_CREDENTIAL: { from: PLACED, to: 'same', by: 'device.credential' },
  CONFIGURE: { from: PLACED, to: 'same', by: 'device.configure' },
  OFFER_TRANSFER: { from: PLACED, to: 'same', by: 'device.transfer' },
  WITHDRAW_TRANSFER: { from: PLACED, to: 'same', by: 'device.transfer' },
  // In the hands of its new owner, who has not heard of it yet.
  ACCEPT_TRANSFER: { from: PLACED, to: 'PROVISIONED', by: 'device.transfer' },
};

/**
 * The state after a command, or null where the state does not admit it.
 *
 * @param before what a suspended device was before it was suspended.
 */
export function nextState(
  state: DeviceState | null,
  command: DeviceCommand,
  before: InService = 'PROVISIONED',
): DeviceState | null {
  const { from, to } = LIFECYCLE[command];
  if (!from.includes(state)) return null;
  if (to === 'before') return before;
  return to === 'same' ? state : to;
}
