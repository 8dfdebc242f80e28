import { type TenantScope } from '../../auth/scope';
import { newId } from '../../domain/id';
import { type ConfigurationAudit, configurationAuditKey, type Told } from '../alerts/configuration';
import { type Change, type Cosmos } from '../cosmos';
import { type MemberDocument, type MembershipDocument, membersOf } from '../documents';
import { type Outcome, type Refusal } from '../registry';
import { refused } from '../registry/access';
import { auditBy, auditOf } from '../registry/audit';
import { retrying } from '../store-error';
import { type RosterDocument } from './documents';
import { belongs, memberOf } from './standing';

const MAXIMUM_RACES = 50;
const LONGEST_PAUSE_MS = 100;
/** Who changes what by the operator's command line, which asks nobody's name. */
const COMMAND_LINE = 'operator';

/** Who changes something; null: the operator's command line. */
export type By = TenantScope | null;

/** What a change comes to. Without `documents` nothing is written. */
export interface Step<T> {
  value: T;
  documents?: readonly Change[];
  /** What the change tells the log, of what. */
  audit?: readonly (Told & { subject: string; id?: string })[];
  roster?: Partial<Pick<RosterDocument, 'owners' | 'members'>>;
}

/**
 * Refused where whoever administers has ceased to be an owner: a scope is up to two seconds old, and nobody who was removed
 * may use those to come back.
 */
export function administratorProblem(
  { owners }: RosterDocument,
  { principal }: TenantScope,
): Refusal | undefined {
  if (owners.includes(principal.id)) return undefined;
  return { code: 'FORBIDDEN', message: 'you administer the access to this tenant no longer' };
}

export interface Rosters {
  /** Null where nothing of the tenant's people was ever changed, as for a tenant that does not exist. */
  read(tenantId: string): Promise<RosterDocument | null>;
  /**
   * Changes something of a tenant's people, in one batch with its audit events and with the roster, under its etag: what
   * `work` has read since it was called is so when the batch is taken, or `work` is called again. An answer that was lost
   * calls it again, too, so it must know its own change when it sees it.
   */
  change<T>(
    by: By,
    tenantId: string,
    work: (roster: RosterDocument, now: number) => Promise<Outcome<Step<T>>>,
  ): Promise<Outcome<T>>;
}

export function createRosters({ cosmos }: { cosmos: Cosmos }): Rosters {
  const read = (tenantId: string): Promise<RosterDocument | null> =>
    cosmos.read<RosterDocument>('directory', membersOf(tenantId), 'roster');

  /** Of a tenant whose people were seeded, or written by an earlier release. */
  async function derived(tenantId: string): Promise<RosterDocument> {
    const key = membersOf(tenantId);
    const entries = await cosmos.query<MemberDocument>(
      'directory',
      key,
      "SELECT * FROM c WHERE c.kind = 'member'",
    );
    const memberships = await cosmos.readMany<MembershipDocument>(
      'directory',
      entries.map(({ id }) => ({ partition: `person:${id}`, id: tenantId })),
    );
    const members = entries
      .map((entry, i) => memberOf({ tenantId, personId: entry.id }, entry, memberships[i] ?? null))
      .filter(belongs);
    const owners = members.filter(({ role }) => role === 'OWNER').map(({ personId }) => personId);
    return { id: 'roster', key, kind: 'roster', tenantId, owners, members: members.length, changedAt: 0 };
  }

  function eventOf(
    by: By,
    tenantId: string,
    at: number,
    { id = newId('aud'), ...told }: Told & { subject: string; id?: string },
  ): ConfigurationAudit {
    const key = membersOf(tenantId);
    const change = { id, buildingId: key, tenantId, at, ...told };
    const event = by === null ? auditBy(COMMAND_LINE, change) : auditOf(by, change);
    return { ...event, key, sortKey: configurationAuditKey(event.auditKey!) };
  }

  return {
    read,

    async change(by, tenantId, work) {
      const key = membersOf(tenantId);
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const outcome = await retrying(async () => {
          const stored = await read(tenantId);
          const roster = stored ?? (await derived(tenantId));
          const now = Date.now();
          const worked = await work(roster, now);
          if (!worked.ok) return worked;
          const { value, documents, audit = [], roster: changed } = worked.value;
          if (documents === undefined) return { ok: true as const, value };
          const next: RosterDocument = { ...roster, ...changed, changedAt: now };
          const { ok } = await cosmos.batch('directory', key, [
            stored ? { replace: next, etag: stored._etag! } : { create: next },
            ...documents,
            ...audit.map((told) => ({ create: eventOf(by, tenantId, now, told) })),
          ]);
          return ok ? { ok: true as const, value } : undefined;
        });
        if (outcome) return outcome;
        // Whoever loses again and again waits for longer, so that many who come at once all get through.
        const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, 4 * race);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      return refused('CONFLICT', 'the people of this tenant are being changed by others: try again');
    },
  };
}
