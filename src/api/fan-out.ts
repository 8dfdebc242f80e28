import { type GraphQLError, type GraphQLSchema } from 'graphql';
import { type Principal, tenantScope, type TenantScope } from '../auth/scope';
import { type Services } from '../resolvers/context';
import { clientError } from '../resolvers/errors';
import { type SharedStream } from '../resolvers/shared-stream';
import { type Entitlements, type Memberships } from '../store/memberships';
import { type DeliveryBudget } from './delivery-budget';
import { createEntitledPeople } from './entitled-people';
import { createFanOutMember, type FanOutMember } from './fan-out-member';
import { type Group, openGroup } from './fan-out-group';
import { createExecutor, type Operation } from './shared-execution';

/** Where the results of one subscription go. */
export interface Sink {
  /** Sends a result, as JSON in UTF-8; `sent` is called when it has left for the network, or never will. */
  send(result: Buffer, sent: () => void): void;
  /** Ends this subscription alone. */
  complete(): void;
  fail(error: unknown): void;
}

/** One subscription that may share its execution with others. */
export interface Subscription extends Operation {
  principal: Principal;
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

/** A subscriber's place. */
interface Place {
  readonly subscription: Subscription;
  readonly member: FanOutMember;
  rights: string;
  scope: TenantScope | undefined;
  /** Its latest way into a group. */
  entry: object | undefined;
  left: boolean;
}

/**
 * Executes once, and writes one JSON text, for all subscribers of the same document, variables and effective rights. When
 * somebody's rights change, their subscriptions leave the group before its next delivery: they go on in another, or end.
 */
export function createFanOut(options: {
  schema: GraphQLSchema;
  services: Services;
  memberships: Pick<Memberships, 'watch' | 'lately'>;
  budget: DeliveryBudget;
  /** As they are answered. */
  errorsOf(errors: readonly GraphQLError[]): unknown[];
  onDelivered(results: number): void;
}): FanOut {
  const { budget, onDelivered } = options;
  const executor = createExecutor(options);
  const groups = new Map<string, Group>();
  let subscribers = 0;

  const people = createEntitledPeople<Place>({
    memberships: options.memberships,
    place(places, entitlements) {
      for (const place of places) move(place, entitlements);
    },
    fail: (place, error) => end(place, () => place.subscription.sink.fail(error)),
  });

  /** Brings a subscriber to where it belongs by these rights. */
  function move(place: Place, entitlements: Entitlements): void {
    if (place.left) return;
    const { principal, stream, sink } = place.subscription;
    const scope = tenantScope(principal, entitlements);
    const rights = stream.rightsOf(scope);
    if (rights === null) end(place, () => sink.complete());
    else if (rights !== place.rights) void enter(place, scope, rights);
  }

  /** Opens the group with its first member. */
  function open(key: string, subscription: Subscription, scope: TenantScope): Group {
    const group = openGroup({
      stream: subscription.stream,
      scope,
      textOf: (value) => executor.textOf(subscription, value),
      budget,
      onDelivered,
      onClose() {
        if (groups.get(key) === group) groups.delete(key);
      },
    });
    groups.set(key, group);
    return group;
  }

  async function enter(place: Place, scope: TenantScope, rights: string): Promise<void> {
    const { subscription, member } = place;
    member.leave();
    Object.assign(place, { rights, scope });
    const key = subscription.keyOf(rights);
    const entry = (place.entry = {});
    try {
      await member.begin(
        groups.get(key) ?? open(key, subscription, scope),
        executor.contextOf(subscription, scope),
      );
    } catch (error) {
      // Unless its rights changed meanwhile and it is on its way into another.
      if (place.entry === entry) end(place, () => subscription.sink.fail(error));
    }
  }

  function end(place: Place, say?: () => void): void {
    if (place.left) return;
    place.left = true;
    place.entry = undefined;
    place.member.leave();
    subscribers--;
    people.remove(place.subscription.principal.id, place);
    say?.();
  }

  return {
    join(subscription) {
      const { principal, stream, sink } = subscription;
      const member = createFanOutMember({
        stream,
        textOf(value) {
          // What somebody missed waits for nobody's budget, and takes from it.
          budget.take(stream.tenantOf(value), 1);
          return executor.textOf(subscription, value);
        },
        send: sink.send,
        onDelivered,
        onBehind() {
          if (stream.missed === undefined) end(place, () => sink.fail(tooSlow()));
          else void enter(place, place.scope!, place.rights);
        },
        onEnd: (failure) => end(place, () => (failure === null ? sink.complete() : sink.fail(failure.error))),
      });
      const place: Place = {
        subscription,
        member,
        rights: '',
        scope: undefined,
        entry: undefined,
        left: false,
      };
      subscribers++;
      people.add(principal.id, place);
      return () => end(place);
    },
    counts: () => ({ subscribers, groups: groups.size }),
  };
}

function tooSlow(): GraphQLError {
  return clientError('TOO_SLOW', 'results were taken more slowly than they came: subscribe again');
}
