import { type Entitlements, type Memberships } from '../store/memberships';

/** Who has subscriptions open, and what each person may do now. */
export interface EntitledPeople<Member> {
  /** From now on the member is brought where it belongs whenever its person's rights change, the first time soon. */
  add(personId: string, member: Member): void;
  remove(personId: string, member: Member): void;
}

interface Person<Member> {
  readonly members: Set<Member>;
  /** What was told of them last. */
  entitlements: Entitlements | undefined;
  readonly unwatch: () => void;
  expiry: NodeJS.Timeout | undefined;
}

const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

export function createEntitledPeople<Member>(options: {
  memberships: Pick<Memberships, 'watch' | 'lately'>;
  /** Called before anything more is delivered. */
  place(members: readonly Member[], entitlements: Entitlements): void;
  /** The rights of a new member cannot be read. */
  fail(member: Member, error: unknown): void;
}): EntitledPeople<Member> {
  const { memberships, place, fail } = options;
  const persons = new Map<string, Person<Member>>();

  function watch(id: string): Person<Member> {
    const members = new Set<Member>();
    const unwatch = memberships.watch(id, (entitlements) => {
      // Not known for too long: their connections are closed.
      if (entitlements === null) return;
      person.entitlements = entitlements;
      place([...members], entitlements);
      awaitExpiry(person, entitlements);
    });
    const person: Person<Member> = { members, entitlements: undefined, unwatch, expiry: undefined };
    persons.set(id, person);
    return person;
  }

  /** Rights that end by their date end without anybody telling. */
  function awaitExpiry(person: Person<Member>, entitlements: Entitlements): void {
    clearTimeout(person.expiry);
    if (person.members.size === 0) return;
    const now = Date.now();
    const next = Math.min(
      ...entitlements.map(({ until }) => (until !== null && until > now ? until : Infinity)),
    );
    if (next === Infinity) return;
    person.expiry = setTimeout(
      () => {
        place([...person.members], entitlements);
        awaitExpiry(person, entitlements);
      },
      Math.min(next - now, MAXIMUM_TIMER_MS),
    );
    person.expiry.unref();
  }

  return {
    add(id, member) {
      const person = persons.get(id) ?? watch(id);
      person.members.add(member);
      // Rights are read after the watching began: a change between the two is not missed.
      memberships.lately(id).then(
        (read) => {
          if (!person.members.has(member)) return;
          const entitlements = person.entitlements ?? read;
          place([member], entitlements);
          awaitExpiry(person, entitlements);
        },
        (error: unknown) => fail(member, error),
      );
    },
    remove(id, member) {
      const person = persons.get(id);
      if (person === undefined) return;
      person.members.delete(member);
      if (person.members.size > 0) return;
      clearTimeout(person.expiry);
      person.unwatch();
      persons.delete(id);
    },
  };
}
