import { type Context } from '../resolvers/context';
import { type SharedStream } from '../resolvers/shared-stream';
import { type Group, type GroupMember, type Told } from './fan-out-group';
import { createOutbox, type Outgoing } from './outbox';

/** One subscriber: what it was given, what it is still to be given, and in which order. */
export interface FanOutMember extends GroupMember {
  /** Joins a group: what was missed first, then the current values, then what the group is told. */
  begin(group: Group, context: Context): Promise<void>;
  /** Leaves its group: what waits was allowed by rights that may be gone. */
  leave(): void;
}

interface Item extends Outgoing {
  /** Of a state null: nothing goes on behind it. */
  value: unknown;
}

/** Events that came while it was told what it missed. */
const MAXIMUM_HELD = 1_000;
/** An event that was replayed may come live this much later. */
const REPLAYED_FOR_MS = 60_000;
const MAXIMUM_REPLAYED = 5_000;

export function createFanOutMember(options: {
  /** The subscriber's own: its `missed` knows where this one begins. */
  stream: SharedStream<unknown>;
  textOf(value: unknown): Promise<Buffer>;
  send(text: Buffer, sent: () => void): void;
  onDelivered(results: number): void;
  /** More waited than may: it has to begin again in its group, or to end where nothing brings back what was lost. */
  onBehind(): void;
  /** Its group's stream ended, or failed. */
  onEnd(failure: { error: unknown } | null): void;
}): FanOutMember {
  const { stream, textOf, onDelivered, onBehind } = options;
  let group: Group | undefined;
  let since = -1;
  /** The instant of what was given last, by slot: what is moved to another group is not told old news. */
  const given = new Map<string, number>();
  /** It is still to be told what it missed. */
  let owed = stream.missed !== undefined;
  /** While it is: the events that came meanwhile. */
  let held: Told[] | undefined;
  let last: unknown = null;
  let replayed: { identities: Set<string>; until: number } | undefined;
  const outbox = createOutbox<Item>({
    transmit: options.send,
    onGo({ value }) {
      if (value !== null) last = value;
    },
  });

  function give({ text, value, slot, identity, instant }: Told): void {
    if (slot === null) {
      if (wasReplayed(identity)) return;
      if (!outbox.put({ key: `event ${identity}`, text, value, isEvent: true })) fallBehind();
      return;
    }
    if (instant < (given.get(slot) ?? -Infinity)) return;
    given.set(slot, instant);
    if (!outbox.put({ key: slot, text, value: null, isEvent: false })) fallBehind();
  }

  function fallBehind(): void {
    owed = stream.missed !== undefined;
    given.clear();
    onBehind();
  }

  function wasReplayed(identity: string): boolean {
    if (replayed === undefined) return false;
    if (Date.now() > replayed.until) replayed = undefined;
    return replayed?.identities.has(identity) ?? false;
  }

  /** In turn, as fast as it is taken. */
  async function catchUp(context: Context, isHere: () => boolean): Promise<void> {
    const identities = new Set<string>();
    for await (const value of stream.missed!(context, last)) {
      if (!isHere()) return;
      const text = await textOf(value);
      const event = stream.eventOf?.(value) ?? null;
      if (event === null) given.set(stream.slotOf(value), stream.instantOf(value));
      else identities.add(event);
      if (identities.size > MAXIMUM_REPLAYED) identities.delete(identities.values().next().value!);
      await outbox.send({ key: '', text, value, isEvent: event !== null });
      onDelivered(1);
      if (!isHere()) return;
    }
    replayed = { identities, until: Date.now() + REPLAYED_FOR_MS };
    owed = false;
  }

  return {
    get since() {
      return since;
    },
    give(told) {
      if (held === undefined) give(told);
      // States are given from what the group holds once this one has caught up.
      else if (told.slot === null && held.push(told) > MAXIMUM_HELD) {
        held = [];
        fallBehind();
      }
    },
    end: options.onEnd,
    async begin(joined, context) {
      group = joined;
      held = [];
      const isHere = (): boolean => group === joined && held !== undefined;
      joined.add(this);
      const refreshed = joined.refresh(context);
      refreshed.catch(() => undefined);
      if (owed) await catchUp(context, isHere);
      await refreshed;
      if (!isHere()) return;
      // All that is told from here on comes by itself.
      since = joined.told();
      const events = held;
      held = undefined;
      // Who comes from another group has what that one told.
      const news = [...joined.latest()].filter(
        ({ slot, instant }) => instant > (given.get(slot!) ?? -Infinity),
      );
      for (const told of [...news, ...events]) give(told);
      onDelivered(news.length + events.length);
    },
    leave() {
      const left = group;
      group = undefined;
      held = undefined;
      for (const { isEvent } of outbox.clear()) owed ||= isEvent && stream.missed !== undefined;
      left?.remove(this);
    },
  };
}
