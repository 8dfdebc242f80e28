import { type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { createConfigurationOf, type Configuration, ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { type Outcome } from '../registry';
import { refused } from '../registry/access';
import { retrying } from '../store-error';
import { type GivenGrantDocument, type ReceivedGrantDocument, tenantOfReceived } from './documents';

export const MAXIMUM_GRANTS = 500;
/** Of one person. */
export const MAXIMUM_PERSONAL_GRANTS = 100;
const MAXIMUM_RACES = 20;

/** The two documents of a grant, each written with its audit event where it has a log. */
export interface GrantRecords {
  given: Configuration<GivenGrantDocument>;
  /** Finds it where an earlier try made it: also an ended one. */
  receive(scope: TenantScope, grant: ReceivedGrantDocument): Promise<Outcome<ReceivedGrantDocument>>;
  /** Ends it; where it was never made, it is made as ended, so that no broken-off acceptance brings it about later. */
  end(scope: TenantScope, grant: ReceivedGrantDocument): Promise<Outcome<ReceivedGrantDocument>>;
}

export function createGrantRecords({ cosmos }: { cosmos: Cosmos }): GrantRecords {
  const received = createConfigurationOf<ReceivedGrantDocument>({
    cosmos,
    what: 'grants received',
    maximum: MAXIMUM_GRANTS,
  });
  const isPersonal = ({ key }: ReceivedGrantDocument): boolean => tenantOfReceived(key) === undefined;
  const read = ({ key, id }: ReceivedGrantDocument) =>
    cosmos.read<ReceivedGrantDocument>('directory', key, id);

  async function receivePersonally(grant: ReceivedGrantDocument): Promise<Outcome<ReceivedGrantDocument>> {
    const held = await cosmos.query<{ id: string }>(
      'directory',
      grant.key,
      "SELECT c.id FROM c WHERE c.kind = 'grant' AND c.endedAt = null",
    );
    if (held.length >= MAXIMUM_PERSONAL_GRANTS && !held.some(({ id }) => id === grant.id)) {
      return refused('LIMIT_EXCEEDED', `a person may have ${MAXIMUM_PERSONAL_GRANTS} grants: give one back`);
    }
    const made = await retrying(() => cosmos.batch('directory', grant.key, [{ create: grant }]));
    return { ok: true, value: made.ok ? grant : ((await read(grant)) ?? grant) };
  }

  async function endPersonally(grant: ReceivedGrantDocument): Promise<Outcome<ReceivedGrantDocument>> {
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const found = await read(grant);
      if (found !== null && found.endedAt !== null) return { ok: true, value: found };
      const ended = { ...(found ?? grant), endedAt: Date.now(), ttl: ENDED_SECONDS };
      const change = found ? { replace: ended, etag: found._etag! } : { create: ended };
      const { ok } = await retrying(() => cosmos.batch('directory', grant.key, [change]));
      if (ok) return { ok: true, value: ended };
    }
    return refused('CONFLICT', 'the grant is being changed by others: try again');
  }

  return {
    given: createConfigurationOf<GivenGrantDocument>({ cosmos, what: 'grants', maximum: MAXIMUM_GRANTS }),

    async receive(scope, grant) {
      if (isPersonal(grant)) return receivePersonally(grant);
      const made = await received.create(scope, grant, {
        id: derivedId('aud', grant.id, 'receive'),
        action: 'grant.receive',
        after: wordsOf(grant),
      });
      return made.ok ? { ok: true, value: made.value.document } : made;
    },

    async end(scope, grant) {
      if (isPersonal(grant)) return endPersonally(grant);
      let found = await read(grant);
      if (found === null) {
        const ended = { ...grant, endedAt: Date.now(), ttl: ENDED_SECONDS };
        const { ok } = await retrying(() => cosmos.batch('directory', grant.key, [{ create: ended }]));
        if (ok) return { ok: true, value: ended };
        // The acceptance was quicker.
        found = (await read(grant))!;
      }
      return received.change(scope, found, (current, now) => {
        if (current.endedAt !== null) return { ok: true, value: null };
        const document = { ...current, endedAt: now, ttl: ENDED_SECONDS };
        return {
          ok: true,
          value: { document, audit: { action: 'grant.end', before: wordsOf(current), after: null } },
        };
      });
    },
  };
}

/** For the audit log. */
export function wordsOf(grant: GivenGrantDocument | ReceivedGrantDocument): Record<string, unknown> {
  const { buildingId, spaceId, quantities, role, until, to } = grant;
  const said = { buildingId, spaceId, quantities, role, until, to };
  return grant.kind === 'givenGrant'
    ? { ...said, grantee: grant.grantee }
    : { ...said, owner: grant.ownerId };
}
