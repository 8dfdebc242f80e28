import { type Change, type Cosmos } from '../cosmos';
import { type MemberDocument, type MembershipDocument, membersOf } from '../documents';
import { type Outcome } from '../registry';
import { refused } from '../registry/access';
import { type RosterDocument } from './documents';
import { type By, type Rosters } from './roster';
import { type Settling } from './settling';
import { belongs, type Member, memberOf, type Standing, wordsOf } from './standing';

export const MAXIMUM_MEMBERS = 20_000;

interface Who {
  tenantId: string;
  personId: string;
}

/** What somebody is to be from now on. */
export interface MemberChange {
  standing: Standing;
  action: string;
  /** Left out: as it was. */
  displayName?: string | null;
  /** Of the same partition and the same batch. */
  further?: readonly Change[];
}

/** What somebody is in a tenant: decided in the tenant's partition, then made their membership. */
export interface MemberRecords {
  read(who: Who): Promise<Member>;
  /**
   * Null of `work` changes nothing, but makes sure of the membership. `work` is asked again where something of the tenant's
   * people changed meanwhile. Refused as WRONG_STATE where the last owner would be none any more.
   */
  change(
    by: By,
    who: Who,
    work: (
      member: Member,
      now: number,
      roster: RosterDocument,
    ) => Promise<Outcome<MemberChange | null>> | Outcome<MemberChange | null>,
  ): Promise<Outcome<Member>>;
}

export function createMemberRecords({
  cosmos,
  rosters,
  settling,
}: {
  cosmos: Cosmos;
  rosters: Rosters;
  settling: Settling;
}): MemberRecords {
  async function read(who: Who): Promise<Member> {
    const [entry, membership] = await Promise.all([
      cosmos.read<MemberDocument>('directory', membersOf(who.tenantId), who.personId),
      cosmos.read<MembershipDocument>('directory', `person:${who.personId}`, who.tenantId),
    ]);
    return memberOf(who, entry, membership);
  }

  return {
    read,

    async change(by, who, work) {
      const { tenantId, personId } = who;
      const pending = await settling.announce(tenantId, personId);
      const outcome = await rosters.change<Member>(by, tenantId, async (roster, now) => {
        const member = await read(who);
        const worked = await work(member, now, roster);
        if (!worked.ok) return worked;
        if (worked.value === null) return { ok: true, value: { value: member } };
        const { standing, action, displayName = member.displayName, further = [] } = worked.value;
        const others = roster.owners.filter((each) => each !== personId);
        const owners = standing.role === 'OWNER' ? [...others, personId] : others;
        // The roster is replaced in the same batch, under its etag: two who would leave the tenant without an owner together
        // cannot both find the other one here.
        if (owners.length === 0 && roster.owners.length > 0) {
          return refused(
            'WRONG_STATE',
            'the last owner can neither go nor become less: make somebody else an owner first',
            'personId',
          );
        }
        const members = roster.members + Number(belongs(standing)) - Number(belongs(member));
        if (members > MAXIMUM_MEMBERS) {
          return refused('LIMIT_EXCEEDED', `a tenant may have ${MAXIMUM_MEMBERS} members`);
        }
        const joinedAt = belongs(member) ? member.joinedAt : now;
        const next: Member = { ...who, ...standing, displayName, joinedAt, version: member.version + 1 };
        const audit = { action, subject: personId, before: wordsOf(member), after: wordsOf(standing) };
        return {
          ok: true,
          value: {
            value: next,
            documents: [{ upsert: entryOf(next) }, ...further],
            audit: [audit],
            roster: { owners, members: Math.max(0, members) },
          },
        };
      });
      await settling.settle(pending);
      return outcome;
    },
  };
}

export function entryOf({ tenantId, personId, ...member }: Member): MemberDocument {
  return { id: personId, key: membersOf(tenantId), kind: 'member', tenantId, ...member };
}
