/** A fault that a test asks for. What it does is said where it is taken; see `docs/emulators/event-hubs.md`. */
export type FaultKind =
  | 'throttle'
  | 'delayAcknowledgement'
  | 'loseAcknowledgement'
  | 'slowConsumer'
  | 'refuseTokens'
  | 'refuseLinks'
  | 'diskFull';

export const FAULT_KINDS: readonly FaultKind[] = [
  'throttle',
  'delayAcknowledgement',
  'loseAcknowledgement',
  'slowConsumer',
  'refuseTokens',
  'refuseLinks',
  'diskFull',
];

export interface Fault {
  id: number;
  kind: FaultKind;
  /** Only this event hub, partition or consumer group; all where absent. */
  hub?: string;
  partition?: number;
  group?: string;
  /** How many times more it strikes; for ever where absent. */
  count?: number;
  /** How long a delay lasts. */
  milliseconds: number;
  /** How often it has struck. */
  struck: number;
}

export interface Where {
  hub?: string;
  partition?: number;
  group?: string;
}

export interface Faults {
  add(fault: Omit<Fault, 'id' | 'struck'>): Fault;
  /** The fault that strikes here now, if any; its count goes down by this. */
  takes(kind: FaultKind, where: Where): Fault | undefined;
  list(): Fault[];
  /** Removes one, or all. */
  clear(id?: number): void;
}

export function createFaults(): Faults {
  let faults: Fault[] = [];
  let lastId = 0;
  const matches = (fault: Fault, where: Where): boolean =>
    (fault.hub === undefined || fault.hub.toLowerCase() === where.hub?.toLowerCase()) &&
    (fault.partition === undefined || fault.partition === where.partition) &&
    (fault.group === undefined || fault.group.toLowerCase() === where.group?.toLowerCase());
  return {
    add(asked) {
      lastId += 1;
      const fault = { ...asked, id: lastId, struck: 0 };
      faults.push(fault);
      return fault;
    },
    takes(kind, where) {
      if (faults.length === 0) return undefined;
      const fault = faults.find((each) => each.kind === kind && matches(each, where));
      if (fault === undefined) return undefined;
      fault.struck += 1;
      if (fault.count !== undefined) {
        fault.count -= 1;
        if (fault.count <= 0) faults = faults.filter((each) => each !== fault);
      }
      return fault;
    },
    list: () => [...faults],
    clear(id) {
      faults = id === undefined ? [] : faults.filter((each) => each.id !== id);
    },
  };
}
