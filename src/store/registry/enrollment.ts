import { randomBytes } from 'node:crypto';
import { allows, type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { type EnrollmentGroupDocument, stockOf } from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused } from './access';
import { auditOf } from './audit';
import { KEY_BYTES } from './device-keys';
import { attemptOf, claim } from './idempotency';
import { keyReused } from './shown-once';
import { keyProblem, nameProblem } from './validation';

export interface Enrollment {
  /**
   * Keys from which a manufacturer derives those of its devices: HMAC-SHA256 of the device's id under the group's key, as
   * for Azure's Device Provisioning Service. The call that creates the group shows them; a repeated key does not.
   */
  createEnrollmentGroup(
    scope: TenantScope,
    input: { tenantId: string; name: string },
    idempotencyKey: string,
  ): Promise<
    Outcome<{
      group: EnrollmentGroupDocument;
      /** Base64. */
      keys: { primary: string; secondary: string } | null;
    }>
  >;
}

export function createEnrollment({ cosmos, keyring }: { cosmos: Cosmos; keyring: Keyring }): Enrollment {
  return {
    async createEnrollmentGroup(scope, { tenantId, name }, idempotencyKey) {
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!allows(scope, 'device.register', { tenantId })) {
        return refused('FORBIDDEN', 'your role may not register devices here');
      }
      const problem = keyProblem(idempotencyKey) ?? nameProblem('name', name);
      if (problem) return { ok: false, refusal: problem };
      const attempt = attemptOf(scope, tenantId, 'createEnrollmentGroup', idempotencyKey, [name]);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) return keyReused();

      const buildingId = stockOf(tenantId);
      const at = claimed.claimedAt;
      const id = derivedId('grp', tenantId, attempt.hash, String(at));
      const [primary, secondary] = [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)];
      const group: EnrollmentGroupDocument = {
        id,
        type: 'enrollmentGroup',
        buildingId,
        tenantId,
        name,
        keys: { primary: keyring.seal(id, primary), secondary: keyring.seal(id, secondary) },
        createdAt: at,
      };
      const audit = auditOf(scope, {
        id: derivedId('aud', id, 'create'),
        buildingId,
        tenantId,
        at,
        action: 'enrollment-group.create',
        subject: id,
        before: null,
        after: { name },
      });
      return retrying(async () => {
        const { ok } = await cosmos.batch('registry', buildingId, [{ create: group }, { create: audit }]);
        const keys = { primary: primary.toString('base64'), secondary: secondary.toString('base64') };
        if (ok) return { ok: true, value: { group, keys } };
        const stored = await cosmos.read<EnrollmentGroupDocument>('registry', buildingId, id);
        if (!stored) throw new Error(`enrollment group ${id} was created and is gone`);
        // It may have been this very try, whose answer was lost.
        const mine = stored.keys.primary === group.keys.primary;
        return { ok: true, value: { group: stored, keys: mine ? keys : null } };
      });
    },
  };
}
