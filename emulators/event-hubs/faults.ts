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
  /** How long a delay lasts, unless the fault is called off before. */
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
  /** Resolves when the fault's milliseconds are over, or as soon as it is called off. */
  lasts(fault: Fault): Promise<void>;
  /** What is planned, and what has struck for the last time and still lasts. */
  list(): Fault[];
  /** Calls one off, or all: it strikes no more, and what it delays goes on at once. */
  clear(id?: number): void;
}

export function createFaults(): Faults {
  let faults: Fault[] = [];
  let lastId = 0;
  /** What each delay under way is ended by. */
  const lasting = new Map<() => void, Fault>();
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
    lasts: (fault) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          lasting.delete(end);
          resolve();
        };
        const timer = setTimeout(end, fault.milliseconds);
        // A stand-in that is stopped waits for no delay.
        timer.unref();
        lasting.set(end, fault);
      }),
    list: () => [...new Set([...faults, ...lasting.values()])].sort((a, b) => a.id - b.id),
    clear(id) {
      const isCalledOff = (fault: Fault): boolean => id === undefined || fault.id === id;
      faults = faults.filter((each) => !isCalledOff(each));
      for (const [end, fault] of [...lasting]) if (isCalledOff(fault)) end();
    },
  };
}
