import { execute, type DocumentNode, type GraphQLError, type GraphQLSchema } from 'graphql';
import { setImmediate as turn } from 'node:timers/promises';
import { type Principal, tenantScope, type TenantScope } from '../auth/scope';
import { type Context, type Services } from '../resolvers/context';
import { createLoaders } from '../resolvers/loaders';
import { type SharedStream } from '../resolvers/shared-stream';
import { type Entitlements, type Memberships } from '../store/memberships';

/** Where the results of one subscription go. */
export interface Sink {
  /** Sends a result, as JSON; `sent` is called when it has left for the network, or never will. */
  send(result: string, sent: () => void): void;
  /** Ends this subscription alone. */
  complete(): void;
  fail(error: unknown): void;
}

/** One subscription that may share its execution with others. */
export interface Subscription {
  principal: Principal;
  document: DocumentNode;
  operationName: string | null | undefined;
  variableValues: Readonly<Record<string, unknown>>;
  /** The key of the group for effective rights: see `sharingKey`. */
  keyOf(rights: string): string;
  stream: SharedStream<unknown>;
  requestId: string;
  sink: Sink;
}

export interface FanOut {
  /** Returns what ends it. */
  join(subscription: Subscription): () => void;
  counts(): { subscribers: number; groups: number };
}

interface Member {
  readonly subscription: Subscription;
  group: Group | undefined;
  rights: string;
  /** What the group had told when this one came: it was given that, and gets only what is later. */
  since: number;
  /** The instant of what was given last, by slot: what is moved to another group is not told old news. */
  readonly given: Map<string, number>;
  /** A result is on its way; the next waits, and the latest of each slot replaces what waited. */
  sending: boolean;
  waiting: Map<string, string> | undefined;
  readonly sent: () => void;
  left: boolean;
}

interface Told {
  text: string;
  instant: number;
  number: number;
}

interface Group {
  readonly key: string;
  readonly members: Set<Member>;
  /** Those on their way in: they keep it open. */
  entering: number;
  readonly latest: Map<string, Told>;
  told: number;
  readonly changes: AsyncIterableIterator<unknown>;
  refreshed: { at: number; done: Promise<void> } | undefined;
  ended: boolean;
}

interface Person {
  readonly members: Set<Member>;
  /** What was told of them last. */
  entitlements: Entitlements | undefined;
  readonly unwatch: () => void;
  expiry: NodeJS.Timeout | undefined;
}

/** Results sent at a stretch before other work of the process gets its turn: about five milliseconds. */
const SENT_AT_A_STRETCH = 250;
/** Who comes within this after the current values were read is given the same, and what changed since. */
const CURRENT_FOR_MS = 1_000;
const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/**
 * Executes once, and writes one JSON text, for all subscribers of the same document, variables and effective rights. When
 * somebody's rights change, their subscriptions leave the group before its next delivery: they go on in another, or end.
 */
export function createFanOut(options: {
  schema: GraphQLSchema;
  services: Services;
  memberships: Pick<Memberships, 'watch' | 'lately'>;
  /** As they are answered. */
  errorsOf(errors: readonly GraphQLError[]): unknown[];
  onDelivered(results: number): void;
}): FanOut {
  const { schema, services, memberships, onDelivered } = options;
  const groups = new Map<string, Group>();
  const persons = new Map<string, Person>();
  const context = contextWithoutPrincipal(services);
  let subscribers = 0;

  async function textOf(subscription: Subscription, value: unknown): Promise<string> {
    const { document, operationName, variableValues } = subscription;
    const { errors, ...result } = await execute({
      schema,
      document,
      operationName: operationName ?? null,
      variableValues,
      contextValue: context,
      rootValue: value,
    });
    return JSON.stringify(errors === undefined ? result : { ...result, errors: options.errorsOf(errors) });
  }

  function tell(group: Group, slot: string, told: Omit<Told, 'number'>): Told | undefined {
    const before = group.latest.get(slot);
    if (before !== undefined && told.instant < before.instant) return undefined;
    const entry = { ...told, number: ++group.told };
    group.latest.set(slot, entry);
    return entry;
  }

  /** Opens the group with its first member, whose stream is everybody's: they all have its rights. */
  function open(key: string, subscription: Subscription, scope: TenantScope): Group {
    const group: Group = {
      key,
      members: new Set(),
      entering: 0,
      latest: new Map(),
      told: 0,
      changes: subscription.stream.changes(scope),
      refreshed: undefined,
      ended: false,
    };
    groups.set(key, group);
    void follow(group, subscription);
    return group;
  }

  async function follow(group: Group, subscription: Subscription): Promise<void> {
    const { stream } = subscription;
    let say = ({ sink }: Subscription): void => sink.complete();
    try {
      for await (const value of group.changes) {
        const slot = stream.slotOf(value);
        const told = tell(group, slot, {
          text: await textOf(subscription, value),
          instant: stream.instantOf(value),
        });
        if (told !== undefined) await deliver(group, slot, told);
      }
    } catch (error) {
      say = ({ sink }) => sink.fail(error);
    }
    group.ended = true;
    if (groups.get(group.key) === group) groups.delete(group.key);
    for (const member of [...group.members]) end(member, () => say(member.subscription));
  }

  async function deliver(group: Group, slot: string, told: Told): Promise<void> {
    let delivered = 0;
    // Who leaves meanwhile is not visited any more; who comes has been given what was told before.
    for (const member of group.members) {
      if (member.since >= told.number) continue;
      give(member, slot, told);
      if (++delivered % SENT_AT_A_STRETCH === 0) await turn();
    }
    onDelivered(delivered);
  }

  function give(member: Member, slot: string, { text, instant }: Told): void {
    if (instant < (member.given.get(slot) ?? -Infinity)) return;
    member.given.set(slot, instant);
    if (member.sending) {
      (member.waiting ??= new Map()).set(slot, text);
      return;
    }
    member.sending = true;
    member.subscription.sink.send(text, member.sent);
  }

  /** The current values, read by whoever comes first and for all who come within a moment. */
  function refresh(group: Group, subscription: Subscription, scope: TenantScope): Promise<void> {
    const { refreshed } = group;
    if (refreshed && Date.now() - refreshed.at < CURRENT_FOR_MS) return refreshed.done;
    const read = async (): Promise<void> => {
      const { stream } = subscription;
      for (const value of await stream.current(contextOf(subscription, scope))) {
        const slot = stream.slotOf(value);
        const instant = stream.instantOf(value);
        const held = group.latest.get(slot);
        if (held !== undefined && instant <= held.instant) continue;
        const text = await textOf(subscription, value);
        // Those who are here have what it says: that time went by is no news.
        const latest = group.latest.get(slot);
        if (latest === undefined || instant > latest.instant)
          group.latest.set(slot, { text, instant, number: group.told });
      }
    };
    const done = read();
    group.refreshed = { at: Date.now(), done };
    done.catch(() => (group.refreshed = undefined));
    return done;
  }

  async function enter(member: Member, scope: TenantScope, rights: string): Promise<void> {
    const { subscription } = member;
    depart(member);
    member.rights = rights;
    const key = subscription.keyOf(rights);
    const group = groups.get(key) ?? open(key, subscription, scope);
    member.group = group;
    group.entering++;
    try {
      await refresh(group, subscription, scope);
    } catch (error) {
      if (member.group === group) end(member, () => subscription.sink.fail(error));
    } finally {
      group.entering--;
      // Rights may have changed while the values were read, or the subscriber left.
      if (member.group === group && !member.left) {
        if (group.ended) end(member, () => subscription.sink.complete());
        else welcome(member, group);
      }
      closeIfEmpty(group);
    }
  }

  function welcome(member: Member, group: Group): void {
    group.members.add(member);
    member.since = group.told;
    // Who comes from another group has what that one told.
    const news = [...group.latest].filter(
      ([slot, { instant }]) => instant > (member.given.get(slot) ?? -Infinity),
    );
    for (const [slot, told] of news) give(member, slot, told);
    onDelivered(news.length);
  }

  function depart(member: Member): void {
    const { group } = member;
    if (group === undefined) return;
    member.group = undefined;
    group.members.delete(member);
    // What waits was allowed by rights that are gone.
    member.waiting = undefined;
    closeIfEmpty(group);
  }

  function closeIfEmpty(group: Group): void {
    if (group.members.size > 0 || group.entering > 0) return;
    if (groups.get(group.key) === group) groups.delete(group.key);
    void group.changes.return?.();
  }

  function end(member: Member, say?: () => void): void {
    if (member.left) return;
    member.left = true;
    depart(member);
    subscribers--;
    const { id } = member.subscription.principal;
    const person = persons.get(id);
    person?.members.delete(member);
    if (person?.members.size === 0) {
      clearTimeout(person.expiry);
      person.unwatch();
      persons.delete(id);
    }
    say?.();
  }

  /** Brings everything of a person to where it belongs by these rights, before anything more is delivered. */
  function regroup(members: Iterable<Member>, entitlements: Entitlements): void {
    for (const member of [...members]) {
      const { principal, stream, sink } = member.subscription;
      const scope = tenantScope(principal, entitlements);
      const rights = stream.rightsOf(scope);
      if (rights === null) end(member, () => sink.complete());
      else if (rights !== member.rights) void enter(member, scope, rights);
    }
  }

  function watch(id: string): Person {
    const members = new Set<Member>();
    const unwatch = memberships.watch(id, (entitlements) => {
      // Not known for too long: their connections are closed.
      if (entitlements === null) return;
      person.entitlements = entitlements;
      regroup(members, entitlements);
      awaitExpiry(id, entitlements);
    });
    const person: Person = { members, entitlements: undefined, unwatch, expiry: undefined };
    persons.set(id, person);
    return person;
  }

  /** Rights that end by their date end without anybody telling. */
  function awaitExpiry(id: string, entitlements: Entitlements): void {
    const person = persons.get(id);
    if (person === undefined) return;
    clearTimeout(person.expiry);
    const now = Date.now();
    const next = Math.min(
      ...entitlements.map(({ until }) => (until !== null && until > now ? until : Infinity)),
    );
    if (next === Infinity) return;
    person.expiry = setTimeout(
      () => {
        regroup(person.members, entitlements);
        awaitExpiry(id, entitlements);
      },
      Math.min(next - now, MAXIMUM_TIMER_MS),
    );
    person.expiry.unref();
  }

  return {
    join(subscription) {
      const { principal, sink } = subscription;
      const member: Member = {
        subscription,
        group: undefined,
        rights: '',
        since: 0,
        given: new Map(),
        sending: false,
        waiting: undefined,
        sent: () => {
          member.sending = false;
          const next = member.waiting?.entries().next().value;
          if (next === undefined || member.left) return;
          member.waiting!.delete(next[0]);
          member.sending = true;
          sink.send(next[1], member.sent);
        },
        left: false,
      };
      const person = persons.get(principal.id) ?? watch(principal.id);
      person.members.add(member);
      subscribers++;
      // Rights are read after the watching began: a change between the two is not missed.
      memberships.lately(principal.id).then(
        (entitlements) => {
          if (member.left) return;
          regroup([member], person.entitlements ?? entitlements);
          awaitExpiry(principal.id, person.entitlements ?? entitlements);
        },
        (error: unknown) => end(member, () => sink.fail(error)),
      );
      return () => end(member);
    },
    counts: () => ({ subscribers, groups: groups.size }),
  };

  function contextOf({ principal, requestId }: Subscription, scope: TenantScope): Context {
    const loaders = createLoaders(services, scope);
    return { services, principal, requestId, scope, loaders, renew: async () => scope };
  }
}

/** What a shared execution gets: it serves many, so there is nobody in it. A field that looks for somebody fails. */
function contextWithoutPrincipal(services: Services): Context {
  const nobody = (): never => {
    throw new Error('a field that is marked as independent of the principal looked for one');
  };
  return {
    services,
    requestId: 'shared',
    get principal() {
      return nobody();
    },
    get scope() {
      return nobody();
    },
    get loaders() {
      return nobody();
    },
    renew: nobody,
  };
}
