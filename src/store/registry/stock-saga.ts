import { deviceModelNamed } from '../../domain/device';
import { derivedId } from '../../domain/id';
import { nextState } from '../../domain/lifecycle';
import { OLDEST_ACCEPTED_MS } from '../../domain/reading';
import { type Change, type Cosmos } from '../cosmos';
import {
  type AuditDocument,
  type BuildingDocument,
  type ClaimDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type EnrollmentGroupDocument,
  type SagaDocument,
  sortKeyOf,
  type StockDocument,
} from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { refused } from './access';
import { auditBy } from './audit';
import { type BuildingLocks } from './building-locks';
import { releaseChildren } from './children';
import { derivedKeys, freshKeys } from './device-keys';
import { entryKey } from './devices';
import { placementOf, switchInstant } from './placement';
import { replacedAt, withDevice, withoutDevice } from './retirement';
import { type SagaSteps, seedOf } from './saga';
import { receivedRecord } from './shown-once';

const MAXIMUM_RACES = 50;
/** Who claimed a device is not its manufacturer's to know. */
const CLAIMANT = 'claimant';

/**
 * A device from its manufacturer's stock into a building, in the place of nobody (a claim) or of another device (a
 * replacement):
 *
 * 1. The stock's document is marked with the saga, under its etag. This is what makes a code single-use: another claim, a
 *    new code and a retirement all need the same document unmarked.
 * 2. One batch in the building: ordinals, counts, points, the device with its keys, the retirement of the one it
 *    replaces, audit events and the idempotency record. Its audit event has a derived id, so that it is written once.
 * 3. The directory tells where the device is. Only created, never changed: what happened to the device since stands.
 * 4. The stock's document gives way to a departed one, with the manufacturer's audit event; the code is void.
 */
export function createStockSaga({
  cosmos,
  keyring,
  locks,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  locks: BuildingLocks;
}): SagaSteps {
  const stockIn = ({ from, deviceId }: SagaDocument): Promise<StockDocument | DepartedDocument | null> =>
    cosmos.read('registry', from.buildingId, deviceId);

  /** The stock's document once it is this saga's; `over` where the last step was taken; null where it is not to be had. */
  async function take(saga: SagaDocument): Promise<StockDocument | 'over' | null> {
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const stock = await stockIn(saga);
      if (stock?.type === 'departed') return stock.saga === saga.id ? 'over' : null;
      if (stock?.type !== 'stock') return null;
      if (stock.claimedBy === saga.id) return stock;
      if (stock.claimedBy !== undefined || stock.claim !== saga.claim) return null;
      if (nextState(stock.state, 'CLAIM') === null) return null;
      const taken: StockDocument = { ...stock, claimedBy: saga.id };
      const { ok } = await cosmos.batch('registry', stock.buildingId, [
        { replace: taken, etag: stock._etag! },
      ]);
      if (ok) return taken;
    }
    return null;
  }

  /** Gives the device back to the stock. Only for a saga whose device can no longer come into the building. */
  async function giveBack(saga: SagaDocument): Promise<void> {
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const stock = await stockIn(saga);
      if (stock?.type !== 'stock' || stock.claimedBy !== saga.id) return;
      const { claimedBy: _, ...free } = stock;
      const { ok } = await cosmos.batch('registry', stock.buildingId, [
        { replace: free, etag: stock._etag! },
      ]);
      if (ok) return;
    }
  }

  async function arrive(saga: SagaDocument, stock: StockDocument): Promise<Outcome<void>> {
    const { to, deviceId } = saga;
    const seed = seedOf(saga);
    const { buildingId } = to;
    const auditId = derivedId('aud', buildingId, seed, 'arrive');
    const arrived = async (): Promise<boolean> =>
      (await cosmos.read<AuditDocument>('registry', buildingId, auditId)) !== null;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      if (await arrived()) return { ok: true, value: undefined };
      const [building, replaced, group] = await Promise.all([
        cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
        saga.replaces === undefined
          ? null
          : cosmos.read<DeviceDocument | DepartedDocument>('registry', buildingId, saga.replaces),
        stock.enrollmentGroupId === null
          ? null
          : cosmos.read<EnrollmentGroupDocument>('registry', stock.buildingId, stock.enrollmentGroupId),
      ]);
      if (!building) throw new Error(`building ${buildingId} is gone`);
      if (stock.enrollmentGroupId !== null && !group) {
        throw new Error(`enrollment group ${stock.enrollmentGroupId} is gone`);
      }
      const old = replaced?.type === 'device' && !replaced.departing ? replaced : null;
      if (saga.replaces !== undefined && (!old || nextState(old.state, 'REPLACE') === null)) {
        // Another try may have done it just now; if not, none ever will: a retired device stays so.
        if (await arrived()) return { ok: true, value: undefined };
        return refused('WRONG_STATE', `device ${saga.replaces} can no longer be replaced`, 'deviceId');
      }

      const now = Date.now();
      const at = old ? switchInstant(old, now) : now;
      const keys = group ? derivedKeys(keyring, group, deviceId) : freshKeys(keyring, deviceId);
      const placement = placementOf(old ? withoutDevice(building, old) : building, {
        channels: deviceModelNamed(stock.model)!.channels,
        spaceId: to.spaceId,
        at,
        from: at,
        since: at - OLDEST_ACCEPTED_MS,
        seed,
        ...(old && { takenOver: old.assignments.filter((each) => each.to === null) }),
      });
      const device: DeviceDocument = {
        id: deviceId,
        type: 'device',
        buildingId,
        tenantId: to.tenantId,
        name: to.name,
        sortKey: sortKeyOf(to.name, deviceId),
        serialNumber: stock.serialNumber,
        model: stock.model,
        spaceId: to.spaceId,
        state: 'PROVISIONED',
        keys,
        assignments: placement.assignments,
        createdAt: at,
        retiredAt: null,
        manufacturerId: stock.tenantId,
      };
      const own = { buildingId, tenantId: to.tenantId, at };
      const attempt = { hash: saga.id, fingerprint: saga.fingerprint! };
      const changes: Change[] = [
        {
          create: auditBy(
            saga.actor,
            {
              ...own,
              id: auditId,
              action: 'device.claim',
              subject: deviceId,
              before: { state: 'REGISTERED' },
              after: { state: device.state, spaceId: to.spaceId, name: to.name },
            },
            saga.origin,
          ),
        },
        { replace: withDevice(placement.building, device), etag: building._etag! },
        { create: device },
        ...placement.points.map((create) => ({ create })),
        { create: receivedRecord(attempt, buildingId, device, group !== null) },
      ];
      if (old) {
        const gone: DeviceDocument = replacedAt(old, at, deviceId);
        const audit = auditBy(
          saga.actor,
          {
            ...own,
            id: derivedId('aud', buildingId, seed, 'replace'),
            action: 'device.replace',
            subject: old.id,
            before: { state: old.state },
            after: { state: gone.state, replacedBy: deviceId },
          },
          saga.origin,
        );
        changes.push({ replace: gone, etag: old._etag! }, { create: audit });
      }
      const { ok } = await cosmos.batch('registry', buildingId, changes);
      if (ok) return { ok: true, value: undefined };
    }
    throw new Error(`building ${buildingId} changed ${MAXIMUM_RACES} times while a device was put into it`);
  }

  async function enter({ deviceId, to: { tenantId, buildingId } }: SagaDocument): Promise<void> {
    const entry: DeviceEntryDocument = {
      id: 'device',
      key: entryKey(deviceId).partition,
      tenantId,
      buildingId,
    };
    await cosmos.batch('directory', entry.key, [{ create: entry }]);
  }

  async function depart(saga: SagaDocument): Promise<void> {
    const { id, deviceId, from } = saga;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const stock = await stockIn(saga);
      if (stock?.type !== 'stock' || stock.claimedBy !== id) return;
      const at = Date.now();
      const departed: DepartedDocument = { id: deviceId, type: 'departed', ...from, at, saga: id };
      const audit = auditBy(CLAIMANT, {
        ...from,
        id: derivedId('aud', from.buildingId, seedOf(saga), 'depart'),
        at,
        action: 'device.claimed',
        subject: deviceId,
        before: { state: stock.state },
        after: { state: nextState(stock.state, 'CLAIM') },
      });
      const { ok } = await cosmos.batch('registry', from.buildingId, [
        { create: audit },
        { replace: departed, etag: stock._etag! },
      ]);
      if (ok) return;
    }
    throw new Error(`the stock document of ${deviceId} changed ${MAXIMUM_RACES} times`);
  }

  return async (saga) => {
    const stock = await take(saga);
    if (stock === null) return notToBeClaimed();
    if (stock !== 'over') {
      const outcome = await locks.hold(saga.to.buildingId, () => arrive(saga, stock));
      if (!outcome.ok) {
        await giveBack(saga);
        return outcome;
      }
      await enter(saga);
      if (saga.replaces !== undefined) {
        await releaseChildren(cosmos, {
          ...{ buildingId: saga.to.buildingId, parentId: saga.replaces },
          ...{ next: saga.deviceId, actor: saga.actor, from: saga.origin },
        });
      }
      await depart(saga);
    }
    const { tenantId } = saga.from;
    const used: ClaimDocument = { id: 'claim', key: saga.claim!, deviceId: '', tenantId, ttl: 1 };
    await cosmos.bulkUpsert('directory', [used]);
    return { ok: true, value: undefined };
  };
}

/** The one answer to an unknown serial number, a foreign one, a wrong code, and one that is used or void. */
export function notToBeClaimed<T>(): Outcome<T> {
  const message = 'there is no device to claim with this serial number and claim code';
  return refused('NOT_FOUND', message, 'claimCode');
}
