import { allows } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { QUANTITY_NAMES } from '../../domain/quantity';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument, type TenantDocument } from '../documents';
import { type Refusal } from '../registry';
import { notFound, refused, visible } from '../registry/access';
import { newClaimCode } from '../registry/claim-code';
import { attemptOf, claim } from '../registry/idempotency';
import { withThoseWithin } from '../registry/spaces-within';
import { keyProblem, noteProblem } from '../registry/validation';
import {
  codeKeyOf,
  type GivenGrantDocument,
  GRANTED_ROLES,
  type GrantCodeDocument,
  grantsOf,
  grantSortKey,
} from './documents';
import { type Grants, type NewGrant } from './grants';
import { type GrantRecords, wordsOf } from './records';

const HOUR_MS = 3_600_000;
export const LONGEST_OFFER_MS = 30 * 24 * HOUR_MS;
/** Who keeps devices running sees them whole, with all that they measure. */
const OF_QUANTITIES: readonly NewGrant['role'][] = ['ANALYST', 'VIEWER'];

export function createOffering({
  cosmos,
  records,
}: {
  cosmos: Cosmos;
  records: GrantRecords;
}): Pick<Grants, 'offerGrant'> {
  return {
    async offerGrant(scope, input, idempotencyKey) {
      const { buildingId, spaceId, expiresInMs, ...asked } = input;
      const building = visible(
        scope,
        'building.read',
        await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
      );
      if (building?.type !== 'building') return notFound('building', buildingId, 'buildingId');
      const { tenantId } = building;
      if (!allows(scope, 'access.manage', { tenantId, buildingId })) {
        return refused('FORBIDDEN', 'your role may not share this building');
      }
      const problem = keyProblem(idempotencyKey) ?? problemOf(input);
      if (problem) return { ok: false, refusal: problem };
      const within = spaceId === null ? null : await withThoseWithin(cosmos, building, [spaceId]);
      if (within?.missing !== undefined) return notFound('space', within.missing, 'spaceId');
      const spaceIds = within && within.spaceIds;
      const attempt = attemptOf(scope, tenantId, 'offerGrant', idempotencyKey, input);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) {
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      }
      const at = claimed.claimedAt;
      const id = derivedId('gra', tenantId, attempt.hash, String(at));
      const owner = await cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant');
      const code = newClaimCode();
      const grant: GivenGrantDocument = {
        id,
        key: grantsOf(tenantId),
        kind: 'givenGrant',
        tenantId,
        buildingId,
        spaceId,
        spaceIds,
        ...asked,
        ownerName: owner?.name ?? '',
        code: codeKeyOf(code),
        offeredBy: scope.principal.id,
        offeredAt: at,
        offerExpiresAt: at + expiresInMs,
        acceptedAt: null,
        acceptedBy: null,
        grantee: null,
        granteeName: null,
        endedAt: null,
        sortKey: grantSortKey(at, id),
      };
      // First, so that an offer that stands can be accepted. One of a try that found the offer made leads to an offer that
      // another code accepts, and so nowhere.
      const way: GrantCodeDocument = {
        id: 'code',
        key: grant.code,
        tenantId,
        grantId: id,
        ttl: Math.ceil(expiresInMs / 1_000),
      };
      await cosmos.bulkUpsert('directory', [way]);
      const made = await records.given.create(scope, grant, {
        id: derivedId('aud', id, 'offer'),
        action: 'grant.offer',
        after: wordsOf(grant),
      });
      if (!made.ok) return made;
      const { document } = made.value;
      // Also where it was this very try, whose answer was lost, that stored it.
      return { ok: true, value: { grant: document, code: document.code === grant.code ? code : null } };
    },
  };
}

function problemOf({ role, quantities, until, note, expiresInMs }: NewGrant): Refusal | undefined {
  const invalid = (path: string, message: string): Refusal => ({ code: 'INVALID_INPUT', message, path });
  if (!GRANTED_ROLES.includes(role)) return invalid('role', `${role} cannot be shared`);
  if (quantities !== null) {
    if (quantities.length === 0) return invalid('quantities', 'quantities must not be empty: leave it out');
    if (!quantities.every((each) => QUANTITY_NAMES.includes(each)))
      return invalid('quantities', 'a quantity is not known');
    if (!OF_QUANTITIES.includes(role)) {
      return invalid(
        'quantities',
        `a ${role} sees devices with all that they measure: leave quantities out, or share as ${OF_QUANTITIES.join(' or ')}`,
      );
    }
  }
  if (until !== null && !(until > Date.now())) return invalid('until', 'until must lie ahead');
  if (!(expiresInMs >= HOUR_MS && expiresInMs <= LONGEST_OFFER_MS)) {
    return invalid('expiresInHours', 'an offer may stand for an hour to 30 days');
  }
  return note === null ? undefined : noteProblem(note);
}
