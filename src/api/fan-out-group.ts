import { setImmediate as turn } from 'node:timers/promises';
import { pace } from '../live/pace';
import { type Context } from '../resolvers/context';
import { type SharedStream } from '../resolvers/shared-stream';
import { type TenantScope } from '../auth/scope';
import { type DeliveryBudget } from './delivery-budget';

/** A value as it is delivered. */
export interface Told {
  /** In UTF-8. */
  text: Buffer;
  value: unknown;
  /** Null for an event. */
  slot: string | null;
  /** Of an event what makes it the same one; of a state its slot. */
  identity: string;
  instant: number;
  /** Of a group's values, later is greater. */
  number: number;
}

/** A subscriber as its group knows it. */
export interface GroupMember {
  /** How much the group had told when this one was given its states: it gets only the later. */
  readonly since: number;
  give(told: Told): void;
  /** The stream ended, or failed. */
  end(failure: { error: unknown } | null): void;
}

/** All who have the same document, variables and effective rights: one listening, one execution and one text for each change. */
export interface Group {
  /** How many values were told until now. */
  told(): number;
  add(member: GroupMember): void;
  /** Closes the group with its last member. */
  remove(member: GroupMember): void;
  /** Brings `latest` to now. What is read by whoever comes first is for all who come within a moment. */
  refresh(context: Context): Promise<void>;
  /** What was told last of each state, and what is known to be so by now. */
  latest(): Iterable<Told>;
}

/**
 * Results sent at a stretch before other work of the process gets its turn: about fifteen milliseconds. At 250 a delivery
 * costs two microseconds more.
 */
const SENT_AT_A_STRETCH = 1_000;
/** Who comes within this after the current values were read is given the same, and what changed since. */
const CURRENT_FOR_MS = 1_000;

export function openGroup(options: {
  stream: SharedStream<unknown>;
  /** Everybody's: they all have its rights. */
  scope: TenantScope;
  textOf(value: unknown): Promise<Buffer>;
  budget: DeliveryBudget;
  onDelivered(results: number): void;
  /** Called once: nobody is to come any more. */
  onClose(): void;
}): Group {
  const { stream, textOf, budget, onDelivered } = options;
  const members = new Set<GroupMember>();
  const latest = new Map<string, Told>();
  /** What everybody here was told; `latest` may be ahead, for who came later. */
  const delivered = new Map<string, Told>();
  let number = 0;
  let refreshed: { at: number; done: Promise<void> } | undefined;
  const slotOf = (value: unknown): string | null =>
    (stream.eventOf?.(value) ?? null) === null ? stream.slotOf(value) : null;
  const changes = pace(stream.changes(options.scope), {
    slotOf,
    intervalAfter: (value) =>
      Math.max(stream.minInterval ?? 0, budget.take(stream.tenantOf(value), members.size)),
  });

  function toldOf(value: unknown, text: Buffer, at: number): Told {
    const slot = slotOf(value);
    const identity = slot ?? stream.eventOf!(value)!;
    return { text, value, slot, identity, instant: stream.instantOf(value), number: at };
  }

  async function follow(): Promise<void> {
    let failure: { error: unknown } | null = null;
    try {
      for await (const value of changes) {
        const slot = slotOf(value);
        if (slot !== null) {
          const before = delivered.get(slot) ?? latest.get(slot);
          if (before !== undefined && isNoNews(value, before)) continue;
        }
        const told = toldOf(value, await textOf(value), ++number);
        if (slot !== null) {
          delivered.set(slot, told);
          if (told.instant >= (latest.get(slot)?.instant ?? -Infinity)) latest.set(slot, told);
        }
        await deliver(told);
      }
    } catch (error) {
      failure = { error };
    }
    options.onClose();
    for (const member of [...members]) member.end(failure);
  }

  const isNoNews = (value: unknown, before: Told): boolean =>
    stream.instantOf(value) < before.instant || (stream.isUnchanged?.(value, before.value) ?? false);

  async function deliver(told: Told): Promise<void> {
    let count = 0;
    // Who leaves meanwhile is not visited any more; who comes has been given what was told before.
    for (const member of members) {
      // An event is in no state: who has just come is told, and knows what it has from elsewhere.
      if (told.slot !== null && member.since >= told.number) continue;
      member.give(told);
      if (++count % SENT_AT_A_STRETCH === 0) await turn();
    }
    onDelivered(count);
  }

  async function readCurrent(context: Context): Promise<void> {
    for (const value of await stream.current(context)) {
      const held = latest.get(stream.slotOf(value));
      if (held !== undefined && stream.instantOf(value) <= held.instant) continue;
      const text = await textOf(value);
      // Those who are here have what it says: that time went by is no news.
      const told = toldOf(value, text, number);
      const since = latest.get(told.slot!);
      if (since === undefined || told.instant > since.instant) latest.set(told.slot!, told);
    }
  }

  void follow();
  return {
    told: () => number,
    add: (member) => void members.add(member),
    remove(member) {
      if (!members.delete(member) || members.size > 0) return;
      options.onClose();
      void changes.return?.();
    },
    refresh(context) {
      if (refreshed && Date.now() - refreshed.at < CURRENT_FOR_MS) return refreshed.done;
      const done = readCurrent(context);
      refreshed = { at: Date.now(), done };
      done.catch(() => (refreshed = undefined));
      return done;
    },
    latest: () => latest.values(),
  };
}
