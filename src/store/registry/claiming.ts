import { allows, type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import {
  type BuildingDocument,
  type ClaimDocument,
  type DepartedDocument,
  type SagaDocument,
  type SpaceDocument,
  type StockDocument,
  stockOf,
} from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { notFound, refused, visible } from './access';
import { type ClaimAttempts } from './claim-attempts';
import { claimKeyOf } from './claim-code';
import { type Attempt, attemptOf, claim } from './idempotency';
import { type Sagas } from './saga';
import { keyReused, type ReceivedDevice, resumed, shownOnce } from './shown-once';
import { notToBeClaimed } from './stock-saga';
import { keyProblem, nameProblem } from './validation';

export interface Claiming {
  /**
   * A device from its manufacturer's stock into a space, by what is printed on it. The code is used up. Safe to repeat
   * with the same key wherever a try stopped. Unknown serial number, foreign one, wrong code and used code are one
   * answer after the same store calls; attempts that go wrong are delayed by caller and tenant (TOO_MANY_ATTEMPTS), and
   * one that is delayed looks nothing up, so that a right code is not used up either.
   */
  claimDevice(
    scope: TenantScope,
    input: { serialNumber: string; claimCode: string; buildingId: string; spaceId: string; name: string },
    idempotencyKey: string,
  ): Promise<Outcome<ReceivedDevice>>;
}

/** What is claimed, and what for. */
export interface StockClaim {
  kind: 'claim' | 'replacement';
  attempt: Attempt;
  serialNumber: string;
  claimCode: string;
  to: SagaDocument['to'];
  replaces?: string;
}

/** Takes a device from stock by its code: what a claim and a replacement from stock have in common. */
export type ClaimFromStock = (scope: TenantScope, asked: StockClaim) => Promise<Outcome<ReceivedDevice>>;

export function createClaimFromStock({
  cosmos,
  keyring,
  sagas,
  attempts,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  sagas: Sagas;
  attempts: ClaimAttempts;
}): ClaimFromStock {
  /** The stock that the code stands for: one point read for what does not exist, whatever is wrong with it. */
  async function found(key: string): Promise<StockDocument | null> {
    const document = await cosmos.read<ClaimDocument>('directory', key, 'claim');
    if (!document || document.ttl !== undefined) return null;
    const { tenantId, deviceId } = document;
    const stock = await cosmos.read<StockDocument | DepartedDocument>(
      'registry',
      stockOf(tenantId),
      deviceId,
    );
    if (stock?.type !== 'stock' || stock.claim !== key) return null;
    return stock.state === 'REGISTERED' && stock.claimedBy === undefined ? stock : null;
  }

  return async (scope, { kind, attempt, serialNumber, claimCode, to, replaces }) => {
    const { buildingId } = to;
    const before = await resumed({ cosmos, sagas }, attempt, buildingId);
    if (!before.ok) return before;
    if (!before.value) {
      const charge = await attempts.charge(scope.principal.id, to.tenantId);
      if (!charge.ok) return charge;
      const key = claimKeyOf(serialNumber, claimCode);
      const stock = await found(key);
      if (!stock) {
        // A call that was sent twice, as a phone does that lost its connection: the other has taken it meanwhile.
        const since = await resumed({ cosmos, sagas }, attempt, buildingId);
        if (!since.ok) return since;
        if (!since.value) return notToBeClaimed();
        await charge.value.refund();
        return shownOnce({ cosmos, keyring }, scope, attempt, buildingId);
      }
      if (!(await claim(cosmos, attempt))) {
        await charge.value.refund();
        return keyReused();
      }
      const saga = await sagas.begin({
        id: attempt.hash,
        kind,
        actor: scope.principal.id,
        ...(scope.from && { origin: scope.from }),
        fingerprint: attempt.fingerprint,
        deviceId: stock.id,
        from: { tenantId: stock.tenantId, buildingId: stock.buildingId },
        to,
        claim: key,
        ...(replaces !== undefined && { replaces }),
      });
      const outcome = await sagas.run(saga);
      if (!outcome.ok && outcome.refusal.code === 'NOT_FOUND') return outcome;
      await charge.value.refund();
      if (!outcome.ok) return outcome;
    }
    return shownOnce({ cosmos, keyring }, scope, attempt, buildingId);
  };
}

export function createClaiming({
  cosmos,
  claimFromStock,
}: {
  cosmos: Cosmos;
  claimFromStock: ClaimFromStock;
}): Claiming {
  return {
    async claimDevice(scope, input, idempotencyKey) {
      const { serialNumber, claimCode, buildingId, spaceId, name } = input;
      const building = visible(
        scope,
        'building.read',
        await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
      );
      if (!building) return notFound('building', buildingId, 'buildingId');
      const { tenantId } = building;
      if (!allows(scope, 'device.claim', building)) {
        return refused('FORBIDDEN', 'your role may not claim devices here');
      }
      const problem =
        keyProblem(idempotencyKey) ??
        nameProblem('name', name) ??
        nameProblem('serialNumber', serialNumber) ??
        nameProblem('claimCode', claimCode);
      if (problem) return { ok: false, refusal: problem };
      const space = await spaceOf(cosmos, building, spaceId);
      if (!space) return notFound('space', spaceId, 'spaceId');
      const variables = [buildingId, spaceId, name, claimKeyOf(serialNumber, claimCode)];
      return claimFromStock(scope, {
        kind: 'claim',
        attempt: attemptOf(scope, tenantId, 'claimDevice', idempotencyKey, variables),
        serialNumber,
        claimCode,
        to: { tenantId, buildingId, spaceId, name },
      });
    },
  };
}

/** A space of the building, or null for what is none of its. */
export async function spaceOf(
  cosmos: Cosmos,
  { id, tenantId }: BuildingDocument,
  spaceId: string,
): Promise<SpaceDocument | null> {
  const space = await cosmos.read<SpaceDocument>('registry', id, spaceId);
  return space?.type === 'space' && space.tenantId === tenantId ? space : null;
}
