import { OPERATORS_LONGEST_ACCESS_MS, runsPlatform } from '../../auth/platform';
import { allows } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type TenantDocument } from '../documents';
import { type Outcome } from '../registry';
import { notFound, refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { keyProblem } from '../registry/validation';
import {
  codeKeyOf,
  type GivenGrantDocument,
  type GrantCodeDocument,
  grantsOf,
  type ReceivedGrantDocument,
  receivedOf,
} from './documents';
import { type Grants } from './grants';
import { type GrantRecords, wordsOf } from './records';

const MAXIMUM_CODE = 100;

/**
 * Takes an offer up. The owner's document says first who has it, under its etag, so that of two who hold the code one gets
 * it; then the grantee's document is made, which is the right. A try that broke off in between is finished by the same call.
 */
export function createAccepting({
  cosmos,
  records,
}: {
  cosmos: Cosmos;
  records: GrantRecords;
}): Pick<Grants, 'acceptGrant'> {
  return {
    async acceptGrant(scope, { code, tenantId }, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      if (tenantId === null && scope.principal.kind !== 'person') {
        return refused('FORBIDDEN', 'an API key accepts nothing for itself: somebody has to sign in');
      }
      if (code.length > MAXIMUM_CODE) return refused('INVALID_INPUT', 'the code is too long', 'grantCode');
      if (tenantId !== null) {
        if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
        if (!allows(scope, 'access.manage', { tenantId })) {
          return refused('FORBIDDEN', 'your role may not accept what is shared with this tenant');
        }
      }
      const key = codeKeyOf(code);
      const grantee = tenantId ?? scope.principal.id;
      const attempt = attemptOf(scope, grantee, 'acceptGrant', idempotencyKey, { code: key, tenantId });
      if (!(await claim(cosmos, attempt))) {
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      }
      const way = await cosmos.read<GrantCodeDocument>('directory', key, 'code');
      const offer =
        way && (await cosmos.read<GivenGrantDocument>('directory', grantsOf(way.tenantId), way.grantId));
      if (!offer || offer.code !== key || !isOpenTo(offer, grantee, Date.now())) return noOffer();
      if ((offer.to === 'TENANT') !== (tenantId !== null)) {
        const message =
          offer.to === 'TENANT'
            ? 'the offer is to a tenant: name yours'
            : 'the offer is to a person: name none';
        return refused('INVALID_INPUT', message, 'tenantId');
      }
      if (offer.tenantId === tenantId) {
        return refused('INVALID_INPUT', 'the building is this tenant’s own', 'tenantId');
      }
      // Whoever runs the platform sees what is in it for a limited time alone.
      const longest = Date.now() + OPERATORS_LONGEST_ACCESS_MS;
      if (runsPlatform(scope) && (offer.until === null || offer.until > longest)) {
        return refused(
          'INVALID_INPUT',
          'an operator of the platform accepts only what ends within 7 days: ask for an offer with such an end',
          'grantCode',
        );
      }
      const tenant =
        tenantId && (await cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant'));

      const accepted = await records.given.change(scope, offer, (given, now) => {
        if (!isOpenTo(given, grantee, now)) return noOffer();
        if (given.acceptedAt !== null) return { ok: true, value: null };
        const document: GivenGrantDocument = {
          ...given,
          acceptedAt: now,
          acceptedBy: scope.principal.id,
          grantee,
          granteeName: tenant ? tenant.name : null,
        };
        const audit = { action: 'grant.accept', before: wordsOf(given), after: wordsOf(document) };
        return { ok: true, value: { document, audit } };
      });
      if (!accepted.ok) return accepted;
      const received = await records.receive(scope, receivedGrantOf(accepted.value));
      // Revoked before its right was made.
      if (received.ok && received.value.endedAt !== null) return noOffer();
      return received;
    },
  };
}

/** The grantee's document of an accepted grant. */
export function receivedGrantOf(given: GivenGrantDocument): ReceivedGrantDocument {
  const { id, buildingId, spaceId, spaceIds, quantities, role, until, to } = given;
  const { ownerName, offeredAt, sortKey, grantee } = given;
  const toTenant = to === 'TENANT';
  return {
    id,
    key: toTenant ? receivedOf(grantee!) : `person:${grantee}`,
    kind: 'grant',
    tenantId: toTenant ? grantee! : given.tenantId,
    ownerId: given.tenantId,
    ...{ buildingId, spaceId, spaceIds, quantities, role, until, to, ownerName, offeredAt, sortKey },
    acceptedAt: given.acceptedAt!,
    acceptedBy: given.acceptedBy!,
    endedAt: null,
  };
}

/** Nobody's yet and still standing, or this grantee's already. */
function isOpenTo(offer: GivenGrantDocument, grantee: string, now: number): boolean {
  if (offer.kind !== 'givenGrant' || offer.endedAt !== null) return false;
  if (offer.until !== null && offer.until <= now) return false;
  return offer.acceptedAt === null ? now < offer.offerExpiresAt : offer.grantee === grantee;
}

/** The code itself is not repeated: answers are logged. */
function noOffer(): Outcome<never> {
  return refused('NOT_FOUND', 'there is no open offer of this code', 'grantCode');
}
