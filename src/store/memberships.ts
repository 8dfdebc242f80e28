import { type Entitlement } from '../auth/scope';
import { type PresenceChoices, UNKNOWN_CHOICES } from '../domain/presence';
import { explain, type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type ApiKeyDocument } from './api-keys/documents';
import { createMadeKeys } from './api-keys/made-keys';
import { type ReceivedGrantDocument } from './grants/documents';
import { createSharedGrants } from './grants/shared-grants';
import { createHeldOfTenants } from './held-of-tenants';
import { inParallel } from './in-parallel';
import { choicesOf, presenceDocuments, type PresenceDocument, tenantOfPresence } from './presence/documents';
import { type ErasedMarkDocument } from './erasure/documents';
import {
  entitlementsOf,
  erasedTenants,
  makersOf,
  ownersOf,
  type RightDocument,
  rightsOf,
  sharingTenantsOf,
  withChoices,
} from './registry/tenants';

export type Entitlements = readonly Entitlement[];

/** `before` is undefined where nothing was held of the person until now. */
export type MembershipListener = (
  entitlements: Entitlements | null,
  before: Entitlements | undefined,
) => void;

/** What people belong to and what is shared with them, kept current by the change feed of the directory instead of being asked each second. */
export interface Memberships {
  /** Resolves also where the store is away: until the feed can be followed, everything is read through. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * At most two seconds old. Empty for a stranger. Throws where the store would have to be asked and is away. Here and
   * below the id may be an API key's: its rights are its maker's, narrowed, and follow them.
   */
  of(personId: string): Promise<Entitlements>;
  /** Whether an API key is there and not revoked; as old, and throwing, as `of`. */
  standing(keyId: string): Promise<boolean>;
  /**
   * For what is open already: as `of`, and where the store is away what was known at most `KNOWN_MS` ago, so that live
   * values outlast an outage of the store. Throws as `of` where that is too long ago.
   */
  lately(personId: string): Promise<Entitlements>;
  /**
   * Tells of every change from now on, before anything else is delivered by this process; null once nothing has been known
   * of the person for `KNOWN_MS`. Returns what ends it.
   */
  watch(personId: string, onChange: MembershipListener): () => void;
  /** How far the feed is behind, in milliseconds; infinite before it has once caught up. */
  behindMs(): number;
}

/** Further behind than this, what is held is not believed any more: a revocation must take effect within it. */
const MAXIMUM_BEHIND_MS = 2_000;
/** While reading through, a person is asked for this often at most. */
const FRESH_MS = 1_000;
/** How long an open subscription goes on by what was known last while the store is away. */
export const KNOWN_MS = 60_000;
const SWEEP_MS = 500;
const READS_AT_ONCE = 8;
const MAXIMUM_PERSONS = 20_000;
/** A person's memberships may change while they are read; more often than this is no coincidence. */
const MAXIMUM_TRIES = 3;

interface Held {
  /** By id: a membership's is its tenant's. */
  rights: Map<string, RightDocument>;
  entitlements: Entitlements;
  /** When the store was last asked; the feed makes it younger. */
  readAt: number;
  /** Read while the feed had its position: one read before that may have missed a change, and is read again. */
  followed: boolean;
}

interface Reading {
  answer: Promise<Held>;
  startedAt: number;
  /** Whether the feed has told of the person since the store was asked. */
  brought: boolean;
}

export function createMemberships(options: {
  cosmos: Pick<Cosmos, 'query' | 'changes' | 'feedRanges'>;
  logger: Logger;
  /** Default `KNOWN_MS`. */
  knownMs?: number;
}): Memberships {
  const { cosmos, logger, knownMs = KNOWN_MS } = options;
  const held = new Map<string, Held>();
  const readings = new Map<string, Reading>();
  const watchers = new Map<string, Set<MembershipListener>>();
  const madeKeys = createMadeKeys();
  /** Never falls: a tombstone stands for ever. */
  const erased = new Set<string>();
  /** Whether those were read since the feed had its position: it tells of those to come. */
  let tombstonesKnown = false;
  let sweeping: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const follower = createChangeFollower({
    cosmos: cosmos as Cosmos,
    container: 'directory',
    // What changed earlier is read with its person: nobody is held before the feed has its position.
    from: 'now',
    onChanges(documents) {
      for (const each of documents as Partial<RightDocument | ErasedMarkDocument | PresenceDocument>[]) {
        if (each.kind === 'membership' || each.kind === 'apiKey') take(each as RightDocument);
        else if (each.kind === 'grant') takeGrant(each as ReceivedGrantDocument);
        else if (each.kind === 'presence') takeChoice(each as PresenceDocument);
        else if (each.kind === 'erasure') erase(each.tenantId!);
      }
    },
    logger,
  });
  const current = (): boolean => follower.behindMs() <= MAXIMUM_BEHIND_MS;
  const following = (): boolean => Number.isFinite(follower.behindMs());

  const shared = createSharedGrants({ cosmos, following, current, onRead: holdAgain });
  /** What owners say of their buildings: it goes with each right to them. */
  const choices = createHeldOfTenants<PresenceDocument>({
    read: (tenantId) => presenceDocuments(cosmos, tenantId),
    tenantOf: tenantOfPresence,
    following,
    current,
    onRead: holdRightsTo,
  });

  const chosen = new Map<string, PresenceChoices>();

  function choicesOfTenant(tenantId: string): PresenceChoices {
    const documents = choices.held(tenantId);
    // What is not known yet is hidden: a grant may come before what its owner chose.
    if (documents === undefined) return UNKNOWN_CHOICES;
    const known = chosen.get(tenantId) ?? choicesOf(documents);
    chosen.set(tenantId, known);
    return known;
  }

  function takeChoice(choice: PresenceDocument): void {
    const tenantId = choices.take(choice);
    if (tenantId !== undefined) holdRightsTo(tenantId);
  }

  function holdRightsTo(tenantId: string): void {
    chosen.delete(tenantId);
    for (const [person, known] of [...held])
      if (known.entitlements.some((each) => each.tenantId === tenantId)) hold(person, known);
  }

  function takeGrant(grant: ReceivedGrantDocument): void {
    const tenantId = shared.take(grant);
    if (tenantId === undefined) return take(grant);
    if (shared.held(tenantId) !== undefined) return holdAgain(tenantId);
    // What was made of them before stays until they are read.
    for (const [, known] of belongingTo(tenantId)) known.followed = false;
  }

  /** What is shared with a tenant has changed, and with it what its people may do. */
  function holdAgain(tenantId: string): void {
    for (const [person, known] of belongingTo(tenantId)) hold(person, known);
  }

  function belongingTo(tenantId: string): [string, Held][] {
    return [...held].filter(([, { rights }]) => sharingTenantsOf(rights.values()).includes(tenantId));
  }

  function take(right: RightDocument): void {
    const person = right.key.slice('person:'.length);
    const reading = readings.get(person);
    if (reading) reading.brought = true;
    const known = held.get(person);
    if (!known) return;
    known.rights.set(right.id, right);
    hold(person, known);
    // Somebody new to a tenant has what is shared with it once that is known; where it cannot be read, they are read again.
    for (const tenantId of sharingTenantsOf([right])) {
      shared.ensure(tenantId).catch(() => {
        known.followed = false;
        const now = held.get(person);
        if (now) now.followed = false;
      });
    }
  }

  /** Nobody has a right in it any more, and nothing is held of it. */
  function erase(tenantId: string): void {
    if (erased.has(tenantId)) return;
    erased.add(tenantId);
    for (const [person, known] of [...held]) {
      const belonged = known.rights.delete(tenantId);
      // What it has shared with others goes with it.
      if (belonged || known.entitlements.some((each) => each.tenantId === tenantId)) hold(person, known);
    }
  }

  /** The tombstones are read where the feed has not told of all of them yet. */
  async function tombstonesRead(followed: boolean): Promise<void> {
    if (tombstonesKnown && current()) return;
    for (const tenantId of await erasedTenants(cosmos)) erase(tenantId);
    tombstonesKnown ||= followed;
  }

  function hold(person: string, { rights, readAt, followed }: Omit<Held, 'entitlements'>): Held {
    const before = held.get(person)?.entitlements;
    const owned = entitlementsOf(
      rights.values(),
      (tenantId) => shared.held(tenantId) ?? [],
      erased,
      (maker) => held.get(maker)?.entitlements ?? [],
    );
    const entitlements = withChoices(owned, choicesOfTenant);
    const changed = before === undefined || !same(before, entitlements);
    const now = { rights, readAt, followed, entitlements: changed ? entitlements : before };
    held.delete(person);
    held.set(person, now);
    for (const maker of makersOf(rights.values())) madeKeys.add(maker, person);
    if (held.size > MAXIMUM_PERSONS) dropOldest();
    for (const tenantId of ownersOf(owned)) {
      // It holds them again once they are read; where they cannot be, they are read again with the person.
      if (choices.held(tenantId) !== undefined) continue;
      choices.ensure(tenantId).catch(() => {
        const known = held.get(person);
        if (known) known.followed = false;
      });
    }
    if (!changed) return now;
    tell(person, entitlements, before);
    for (const keyId of madeKeys.of(person)) {
      const key = held.get(keyId);
      if (key) hold(keyId, key);
    }
    return now;
  }

  /** Whoever is watched stays: there are fewer of them than sockets. So does whoever made a key that is held. */
  function dropOldest(): void {
    for (const person of held.keys()) {
      if (watchers.has(person) || madeKeys.of(person).length > 0) continue;
      for (const maker of makersOf(held.get(person)!.rights.values())) madeKeys.remove(maker, person);
      held.delete(person);
      return;
    }
  }

  function tell(person: string, entitlements: Entitlements | null, before: Entitlements | undefined): void {
    for (const onChange of [...(watchers.get(person) ?? [])]) onChange(entitlements, before);
  }

  /** Asks the store, all who ask within a second together. */
  function read(person: string): Promise<Held> {
    const under = readings.get(person);
    if (under && Date.now() - under.startedAt < FRESH_MS) return under.answer;
    const reading: Reading = { answer: undefined!, startedAt: Date.now(), brought: false };
    reading.answer = load(person, reading);
    readings.delete(person);
    readings.set(person, reading);
    if (readings.size > MAXIMUM_PERSONS) readings.delete(readings.keys().next().value!);
    reading.answer.catch(() => {
      if (readings.get(person) === reading) readings.delete(person);
    });
    return reading.answer;
  }

  async function load(person: string, reading: Reading): Promise<Held> {
    for (let tries = 1; ; tries++) {
      reading.brought = false;
      const followed = following();
      const readAt = Date.now();
      const [rights] = await Promise.all([rightsOf(cosmos, person), tombstonesRead(followed)]);
      const tenants = sharingTenantsOf(rights);
      const [, ...makers] = await Promise.all([
        Promise.all(tenants.map((each) => shared.ensure(each))),
        ...makersOf(rights).map(known),
      ]);
      const owners = ownersOf(
        entitlementsOf(
          rights,
          (tenantId) => shared.held(tenantId) ?? [],
          erased,
          (maker) => held.get(maker)?.entitlements ?? [],
        ),
      );
      await Promise.all(owners.map((each) => choices.ensure(each)));
      if (reading.brought && tries < MAXIMUM_TRIES) continue;
      return hold(person, {
        rights: new Map(rights.map((each) => [each.id, each])),
        readAt,
        followed:
          followed &&
          tenants.every((each) => shared.followed(each)) &&
          owners.every((each) => choices.followed(each)) &&
          makers.every((maker) => maker.followed),
      });
    }
  }

  /** Whether what is held is as the feed tells it, and the feed is where the store is. */
  const believed = (known: Held | undefined): boolean => known?.followed === true && current();

  /** As held, where that is believed; else as read. */
  function known(person: string): Promise<Held> {
    const found = held.get(person);
    if (!found || !believed(found)) return read(person);
    held.delete(person);
    held.set(person, found);
    return Promise.resolve(found);
  }

  /** When what is held of a person was certainly so. */
  const knownAt = (person: string): number => {
    const known = held.get(person);
    if (!known) return -Infinity;
    return known.followed ? Math.max(known.readAt, Date.now() - follower.behindMs()) : known.readAt;
  };

  return {
    async start() {
      timer ??= setInterval(() => (sweeping ??= sweep().finally(() => (sweeping = undefined))), SWEEP_MS);
      timer.unref();
      await follower.start();
      if (following()) await tombstonesRead(true).catch(() => undefined);
    },
    async stop() {
      clearInterval(timer);
      await follower.stop();
      await sweeping;
    },
    of: async (person) => (await known(person)).entitlements,
    async standing(keyId) {
      const key = (await known(keyId)).rights.get(keyId) as ApiKeyDocument | undefined;
      return key?.kind === 'apiKey' && key.endedAt === null;
    },
    async lately(person) {
      const known = held.get(person);
      if (known && believed(known)) return known.entitlements;
      // The sweep asks for who is watched: nobody waits for a store that is away.
      if (known && watchers.has(person) && Date.now() - knownAt(person) <= knownMs) return known.entitlements;
      const answer = await read(person);
      // The feed may have told more since.
      return (held.get(person) ?? answer).entitlements;
    },
    watch(person, onChange) {
      const listeners = watchers.get(person) ?? new Set();
      watchers.set(person, listeners);
      listeners.add(onChange);
      return () => {
        listeners.delete(onChange);
        if (listeners.size === 0 && watchers.get(person) === listeners) watchers.delete(person);
      };
    },
    behindMs: follower.behindMs,
  };

  /** Whoever is watched and is not told of by the feed is read again and again instead. */
  async function sweep(): Promise<void> {
    const persons = [...watchers.keys()].filter((person) => !believed(held.get(person)));
    const now = Date.now();
    for (const person of persons)
      if (held.has(person) && now - knownAt(person) > knownMs)
        tell(person, null, held.get(person)?.entitlements);
    try {
      await inParallel(persons, READS_AT_ONCE, async (person) => {
        await read(person);
      });
    } catch (error) {
      logger.debug({ error: explain(error) }, 'memberships cannot be read');
    }
  }
}

function same(one: Entitlements, other: Entitlements): boolean {
  return JSON.stringify(one.map(comparable)) === JSON.stringify(other.map(comparable));
}

/** What a grant shares never changes, and its spaces may be many: who it is, until when and what its owner chose is enough. */
function comparable(each: Entitlement): unknown {
  const { grantId, role, permissions, until, revealing } = each;
  return grantId === undefined ? each : [grantId, role, permissions, until, revealing];
}
