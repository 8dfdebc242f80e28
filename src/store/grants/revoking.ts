import { allows, tenantsWith } from '../../auth/scope';
import { ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { notFound } from '../registry/access';
import { receivedGrantOf } from './accepting';
import { type GivenGrantDocument, grantsOf, receivedOf } from './documents';
import { type Grant, type Grants } from './grants';
import { type GrantRecords, wordsOf } from './records';

/**
 * Ends a grant, from either side. The right goes first and the owner's document second: whatever breaks off in between, the
 * right is gone, and the same call finishes the rest.
 */
export function createRevoking({
  cosmos,
  records,
}: {
  cosmos: Cosmos;
  records: GrantRecords;
}): Pick<Grants, 'revokeGrant'> {
  return {
    async revokeGrant(scope, grantId) {
      // An id tells no place: it is looked for wherever the caller may end one, and what is foreign is nowhere.
      const places = [
        ...tenantsWith(scope, 'access.manage')
          .filter((tenantId) => allows(scope, 'access.manage', { tenantId }))
          .flatMap((id) => [grantsOf(id), receivedOf(id)]),
        `person:${scope.principal.id}`,
      ];
      const found = await cosmos.readMany<Grant>(
        'directory',
        places.map((partition) => ({ partition, id: grantId })),
      );
      const mine = found.find((each) => each?.kind === 'givenGrant' || each?.kind === 'grant');
      if (!mine) return notFound('grant', grantId, 'grantId');
      const given =
        mine.kind === 'givenGrant'
          ? mine
          : await cosmos.read<GivenGrantDocument>('directory', grantsOf(mine.ownerId), grantId);
      if (mine.kind === 'grant') {
        const ended = await records.end(scope, mine);
        if (!ended.ok) return ended;
      } else if (mine.acceptedAt !== null) {
        const ended = await records.end(scope, receivedGrantOf(mine));
        if (!ended.ok) return ended;
      }
      if (given === null) return { ok: true, value: mine };

      const outcome = await records.given.change(scope, given, (current, now) => {
        if (current.endedAt !== null) return { ok: true, value: null };
        const document = { ...current, endedAt: now, ttl: ENDED_SECONDS };
        return {
          ok: true,
          value: { document, audit: { action: 'grant.revoke', before: wordsOf(current), after: null } },
        };
      });
      if (!outcome.ok) return outcome;
      // Accepted between the first look and the end.
      if (outcome.value.acceptedAt !== null && given.acceptedAt === null) {
        const ended = await records.end(scope, receivedGrantOf(outcome.value));
        if (!ended.ok) return ended;
      }
      if (mine.kind === 'givenGrant') return outcome;
      return { ok: true, value: { ...mine, endedAt: outcome.value.endedAt } };
    },
  };
}
