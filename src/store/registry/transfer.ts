import { allows, type TenantScope } from '../../auth/scope';
import { newId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import {
  type BuildingDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type TenantDocument,
  type TransferEntryDocument,
} from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome, type Page } from '../registry';
import { notFound, refused, visible } from './access';
import { spaceOf } from './claiming';
import { type DeviceChanges } from './device-change';
import { entryKey } from './devices';
import { attemptOf, claim } from './idempotency';
import { pageOf, sortKeyAfter } from './position';
import { type Sagas } from './saga';
import { keyReused, type ReceivedDevice, resumed, shownOnce } from './shown-once';
import { forgottenOffer, offerEntry, transferEntryKey } from './transfer-offer';
import { keyProblem, nameProblem } from './validation';

export interface Transfers {
  /**
   * Offers a device to another tenant. Whether there is such a tenant is not told: an offer to nobody stands until it
   * expires. Offering again to the same tenant while the offer stands changes nothing; to another one, it takes the
   * earlier offer's place.
   *
   * @param input.expiresInMs an hour to `LONGEST_OFFER_MS`.
   */
  offerDeviceTransfer(
    scope: TenantScope,
    input: { deviceId: string; toTenantId: string; expiresInMs: number },
  ): Promise<Outcome<DeviceDocument>>;
  withdrawDeviceTransfer(scope: TenantScope, deviceId: string): Promise<Outcome<DeviceDocument>>;
  /**
   * Takes an offered device into a space of one's own. It gets fresh credentials, its readings from now on are the new
   * owner's, and the earlier ones stay with the former. Safe to repeat with the same key wherever a try stopped.
   *
   * @param input.name null: as its former owner called it.
   */
  acceptDeviceTransfer(
    scope: TenantScope,
    input: { transferId: string; buildingId: string; spaceId: string; name: string | null },
    idempotencyKey: string,
  ): Promise<Outcome<ReceivedDevice>>;
  /** What a tenant was offered, in the order of the devices' names. */
  deviceTransfers(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<TransferEntryDocument>>;
}

const SHORTEST_OFFER_MS = 3_600_000;
export const LONGEST_OFFER_MS = 30 * 24 * 3_600_000;

export function createTransfers({
  cosmos,
  keyring,
  changes,
  sagas,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  changes: DeviceChanges;
  sagas: Sagas;
}): Transfers {
  async function forget(tenantId: string, transferId: string): Promise<void> {
    await cosmos.bulkUpsert('directory', [forgottenOffer(tenantId, transferId)]);
  }

  /** Where the device that the offer is of stands now, if the offer still does. */
  async function offered(offer: TransferEntryDocument | null): Promise<DeviceDocument | null> {
    if (!offer || offer.sortKey === undefined) return null;
    const { partition, id } = entryKey(offer.deviceId);
    const entry = await cosmos.read<DeviceEntryDocument>('directory', partition, id);
    const device = entry && (await cosmos.read<DeviceDocument>('registry', entry.buildingId, offer.deviceId));
    return device?.type === 'device' && device.transfer?.id === offer.id ? device : null;
  }

  return {
    async offerDeviceTransfer(scope, { deviceId, toTenantId, expiresInMs }) {
      if (!/^[\w-]{1,100}$/.test(toTenantId)) {
        return refused('INVALID_INPUT', 'toTenantId is not the id of a tenant', 'toTenantId');
      }
      if (!(expiresInMs >= SHORTEST_OFFER_MS && expiresInMs <= LONGEST_OFFER_MS)) {
        return refused('INVALID_INPUT', 'expiresIn must be an hour to 30 days', 'expiresIn');
      }
      const before: { transfer?: DeviceDocument['transfer'] } = {};
      const outcome = await changes.apply(scope, deviceId, 'OFFER_TRANSFER', ({ device, now }) => {
        if (toTenantId === device.tenantId) {
          const message = 'the device is this tenant’s own: move it instead';
          return { code: 'INVALID_INPUT', message, path: 'toTenantId' };
        }
        const { transfer } = device;
        if (transfer?.to === toTenantId && transfer.expiresAt > now) return 'unchanged';
        before.transfer = transfer;
        const offer = { id: newId('trf'), to: toTenantId, at: now, expiresAt: now + expiresInMs };
        return {
          device: { ...device, transfer: offer },
          audit: {
            action: 'device.transfer.offer',
            before: transfer ? { to: transfer.to } : null,
            after: { to: toTenantId, expiresAt: offer.expiresAt },
          },
        };
      });
      if (!outcome.ok) return outcome;
      const device = outcome.value;
      const tenant = await cosmos.read<TenantDocument>('directory', `tenant:${device.tenantId}`, 'tenant');
      // Also where the offer stood already: the try that made it may have died before this.
      await cosmos.bulkUpsert('directory', [offerEntry(device, tenant?.name ?? '', Date.now())]);
      if (before.transfer) await forget(before.transfer.to, before.transfer.id);
      return outcome;
    },

    async withdrawDeviceTransfer(scope, deviceId) {
      const before: { transfer?: DeviceDocument['transfer'] } = {};
      const outcome = await changes.apply(scope, deviceId, 'WITHDRAW_TRANSFER', ({ device }) => {
        if (!device.transfer) return 'unchanged';
        before.transfer = device.transfer;
        return {
          device: { ...device, transfer: null },
          audit: { action: 'device.transfer.withdraw', before: { to: device.transfer.to }, after: null },
        };
      });
      if (outcome.ok && before.transfer) await forget(before.transfer.to, before.transfer.id);
      return outcome;
    },

    async acceptDeviceTransfer(scope, { transferId, buildingId, spaceId, name }, idempotencyKey) {
      const building = visible(
        scope,
        'building.read',
        await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
      );
      if (!building) return notFound('building', buildingId, 'buildingId');
      const { tenantId } = building;
      if (!allows(scope, 'device.transfer', building)) {
        return refused('FORBIDDEN', 'your role may not do this to devices here: accept transfer');
      }
      const problem = keyProblem(idempotencyKey) ?? (name === null ? undefined : nameProblem('name', name));
      if (problem) return { ok: false, refusal: problem };
      if (!(await spaceOf(cosmos, building, spaceId))) return notFound('space', spaceId, 'spaceId');

      const variables = [transferId, buildingId, spaceId, name];
      const attempt = attemptOf(scope, tenantId, 'acceptDeviceTransfer', idempotencyKey, variables);
      const before = await resumed({ cosmos, sagas }, attempt, buildingId);
      if (!before.ok) return before;
      if (!before.value) {
        const offer = await cosmos.read<TransferEntryDocument>(
          'directory',
          transferEntryKey(tenantId),
          transferId,
        );
        const device = await offered(offer);
        if (!device) {
          // A call that was sent twice: the other has taken the device meanwhile.
          const since = await resumed({ cosmos, sagas }, attempt, buildingId);
          if (!since.ok) return since;
          if (!since.value) return notFound('transfer', transferId, 'transferId');
          return shownOnce({ cosmos, keyring }, scope, attempt, buildingId);
        }
        if (!(await claim(cosmos, attempt))) return keyReused();
        const saga = await sagas.begin({
          id: attempt.hash,
          kind: 'transfer',
          actor: scope.principal.id,
          ...(scope.from && { origin: scope.from }),
          fingerprint: attempt.fingerprint,
          deviceId: device.id,
          from: { tenantId: device.tenantId, buildingId: device.buildingId },
          to: { tenantId, buildingId, spaceId, name: name ?? device.name },
          transferId,
        });
        const outcome = await sagas.run(saga);
        if (!outcome.ok) return outcome;
      }
      return shownOnce({ cosmos, keyring }, scope, attempt, buildingId);
    },

    async deviceTransfers(scope, tenantId, { first, after }) {
      // Without a right the partition is asked all the same, for nothing: one call, nothing found.
      const mine = allows(scope, 'device.transfer', { tenantId });
      const found = await cosmos.query<TransferEntryDocument>(
        'directory',
        transferEntryKey(tenantId),
        'SELECT * FROM c WHERE c.sortKey > @after AND @mine AND c.expiresAt > @now ORDER BY c.sortKey',
        { after: sortKeyAfter(after), mine, now: Date.now() },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },
  };
}
