import { derivedId } from '../../domain/id';
import { nextState } from '../../domain/lifecycle';
import { type Change, type Cosmos } from '../cosmos';
import {
  type AuditDocument,
  type BuildingDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type SagaDocument,
  sortKeyOf,
  twinId,
  type TwinDocument,
} from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { notFound, refused } from './access';
import { auditBy } from './audit';
import { type BuildingLocks } from './building-locks';
import { releaseChildren } from './children';
import { freshKeys } from './device-keys';
import { entryKey } from './devices';
import {
  assignmentsProblem,
  channelsOf,
  ended,
  MOVE_AHEAD_MS,
  placementOf,
  switchInstant,
} from './placement';
import { withDevice, withoutDevice } from './retirement';
import { type SagaSteps, seedOf } from './saga';
import { receivedRecord } from './shown-once';
import { forgottenOffer } from './transfer-offer';

const MAXIMUM_RACES = 50;

/**
 * A device from one building to another of the same owner (a move) or of another (a transfer):
 *
 * 1. In the old building one batch ends its assignments and takes it out of the counts; the document is marked as
 *    departing, so that nothing else happens to it. In a transfer its credentials are destroyed here: from now on nobody
 *    gets in with what the former owner knows.
 * 2. In the new building one batch brings the device with its earlier assignments and new ones that begin at the same
 *    instant, and a transfer's fresh keys with their idempotency record.
 * 3. The directory's entry goes over, under its etag and only while the old document is departing: a late try of an old
 *    saga finds one of the two changed.
 * 4. The old document gives way to a departed one.
 *
 * The batches of 1 and 2 carry audit events with derived ids, which are never removed: each is written once for good,
 * also where the device has been back since.
 */
export function createRelocationSaga({
  cosmos,
  keyring,
  locks,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  locks: BuildingLocks;
}): SagaSteps {
  const deviceAt = (buildingId: string, id: string): Promise<DeviceDocument | DepartedDocument | null> =>
    cosmos.read('registry', buildingId, id);

  /** Why this device may not go on this way, or undefined. */
  function obstacle(saga: SagaDocument, device: DeviceDocument): Outcome<never> | undefined {
    const tooMany = assignmentsProblem(device);
    if (tooMany) return { ok: false, refusal: tooMany };
    if (saga.kind === 'move') {
      if (device._etag === saga.etag) return undefined;
      return refused('CONFLICT', `device ${device.id} was changed meanwhile: try again`, 'deviceId');
    }
    const { transfer } = device;
    if (
      transfer?.id !== saga.transferId ||
      transfer!.to !== saga.to.tenantId ||
      transfer!.expiresAt <= Date.now() ||
      nextState(device.state, 'ACCEPT_TRANSFER') === null
    ) {
      return notFound('transfer', saga.transferId!, 'transferId');
    }
    return undefined;
  }

  /** The old document once it is departing with this saga; `over` where the device has gone. */
  async function leave(saga: SagaDocument): Promise<Outcome<DeviceDocument | 'over'>> {
    const { from, to, deviceId, id, kind } = saga;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const [device, building] = await Promise.all([
        deviceAt(from.buildingId, deviceId),
        cosmos.read<BuildingDocument>('registry', from.buildingId, from.buildingId),
      ]);
      if (device?.type === 'departed' && device.saga === id) return { ok: true, value: 'over' };
      if (device?.type !== 'device' || device.departing || !building) {
        if (device?.type === 'device' && device.departing?.saga === id) return { ok: true, value: device };
        return refused('CONFLICT', `device ${deviceId} is on its way to another place`, 'deviceId');
      }
      const refusal = obstacle(saga, device);
      if (refusal) return refusal;
      const now = Date.now();
      // After a transfer only the new keys get in, and with them only what is known to have moved.
      const at = switchInstant(device, kind === 'move' ? now + MOVE_AHEAD_MS : now);
      const leaving: DeviceDocument = {
        ...device,
        assignments: ended(device.assignments, at),
        departing: { saga: id, at, channels: channelsOf(device) },
        // A field gateway relays for devices of its own building.
        parentId: null,
        ...(kind === 'transfer' && {
          ...{ keys: null, thumbprints: null, authority: null, transfer: null },
          credentialCalls: [],
        }),
      };
      const audit = auditBy(
        kind === 'move' ? saga.actor : to.tenantId,
        {
          ...from,
          id: derivedId('aud', from.buildingId, seedOf(saga), 'leave'),
          at: now,
          action: kind === 'move' ? 'device.move' : 'device.transfer.accept',
          subject: deviceId,
          before: { buildingId: from.buildingId, spaceId: device.spaceId },
          after: kind === 'move' ? { buildingId: to.buildingId, spaceId: to.spaceId } : { to: to.tenantId },
        },
        kind === 'move' ? saga.origin : undefined,
      );
      const outcome = await cosmos.batch('registry', from.buildingId, [
        { create: audit },
        { replace: leaving, etag: device._etag! },
        { replace: withoutDevice(building, device), etag: building._etag! },
      ]);
      if (outcome.ok) return { ok: true, value: leaving };
      // It was here before and has been back since: that saga is over.
      if (outcome.why === 'exists') continue;
    }
    throw new Error(`device ${deviceId} changed ${MAXIMUM_RACES} times while it was to leave its building`);
  }

  async function arrive(saga: SagaDocument, leaving: DeviceDocument): Promise<void> {
    const { to, deviceId, kind, from } = saga;
    const { buildingId } = to;
    const seed = seedOf(saga);
    const auditId = derivedId('aud', buildingId, seed, 'arrive');
    const arrived = async (): Promise<boolean> =>
      (await cosmos.read<AuditDocument>('registry', buildingId, auditId)) !== null;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      if (await arrived()) return;
      const [building, there, twin] = await Promise.all([
        cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
        deviceAt(buildingId, deviceId),
        kind === 'move'
          ? cosmos.read<TwinDocument>('registry', from.buildingId, twinId(deviceId))
          : Promise.resolve(null),
      ]);
      if (!building) throw new Error(`building ${buildingId} is gone`);
      if (there?.type === 'device') {
        // Another try has just brought it. Or it has come back before a saga that took it away from here, and came as
        // far as the entry, was through: all that this one has left to do is done for it.
        const leftBy = there.departing?.saga;
        if (leftBy !== undefined && !(await arrived())) {
          await depart({ deviceId, id: leftBy, from: { tenantId: there.tenantId, buildingId } });
        }
        continue;
      }
      const { at, channels } = leaving.departing!;
      const placement = placementOf(building, { channels, spaceId: to.spaceId, at, from: at, seed });
      const device: DeviceDocument = {
        ...leaving,
        buildingId,
        tenantId: to.tenantId,
        spaceId: to.spaceId,
        name: to.name,
        sortKey: sortKeyOf(to.name, deviceId),
        assignments: [...leaving.assignments, ...placement.assignments],
        departing: null,
        ...(kind === 'transfer' && {
          state: nextState(leaving.state, 'ACCEPT_TRANSFER')!,
          suspended: null,
          activatedAt: null,
          createdAt: at,
          keys: freshKeys(keyring, deviceId),
        }),
      };
      const audit = auditBy(
        saga.actor,
        {
          id: auditId,
          buildingId,
          tenantId: to.tenantId,
          at: Math.min(at, Date.now()),
          action: kind === 'move' ? 'device.arrive' : 'device.transfer.receive',
          subject: deviceId,
          before: kind === 'move' ? { buildingId: from.buildingId } : { from: from.tenantId },
          after: { state: device.state, spaceId: to.spaceId, name: to.name },
        },
        saga.origin,
      );
      const changes: Change[] = [
        { create: audit },
        { replace: withDevice(placement.building, device), etag: building._etag! },
        there ? { replace: device, etag: there._etag! } : { create: device },
        ...placement.points.map((create) => ({ create })),
      ];
      if (kind === 'transfer') {
        const attempt = { hash: saga.id, fingerprint: saga.fingerprint! };
        changes.push({ create: receivedRecord(attempt, buildingId, device, false) });
      }
      if (twin && twin.ttl === undefined) {
        const moved: TwinDocument = { ...twin, buildingId };
        changes.push({ upsert: moved });
      }
      const { ok } = await cosmos.batch('registry', buildingId, changes);
      if (ok) return;
    }
    throw new Error(`building ${buildingId} changed ${MAXIMUM_RACES} times while a device came into it`);
  }

  async function enter({ deviceId, id, from, to }: SagaDocument): Promise<void> {
    const key = entryKey(deviceId);
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const entry = await cosmos.read<DeviceEntryDocument>('directory', key.partition, key.id);
      // After the entry: while the device is departing still, none but this saga takes the entry away from here.
      const old = await deviceAt(from.buildingId, deviceId);
      if (!entry || old?.type !== 'device' || old.departing?.saga !== id) return;
      // Here already, or by now further still: it goes on from here before the old document has gone.
      if (entry.buildingId !== from.buildingId) return;
      const { tenantId, buildingId } = to;
      const moved: DeviceEntryDocument = { ...entry, tenantId, buildingId };
      const { ok } = await cosmos.batch('directory', key.partition, [{ replace: moved, etag: entry._etag! }]);
      if (ok) return;
    }
    throw new Error(`the entry of device ${deviceId} changed ${MAXIMUM_RACES} times`);
  }

  async function depart({
    deviceId,
    id,
    from,
  }: Pick<SagaDocument, 'deviceId' | 'id' | 'from'>): Promise<void> {
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const [old, twin] = await Promise.all([
        deviceAt(from.buildingId, deviceId),
        cosmos.read<TwinDocument>('registry', from.buildingId, twinId(deviceId)),
      ]);
      if (old?.type !== 'device' || old.departing?.saga !== id) return;
      const departed: DepartedDocument = {
        id: deviceId,
        type: 'departed',
        ...from,
        at: old.departing.at,
        saga: id,
      };
      const changes: Change[] = [{ replace: departed, etag: old._etag! }];
      if (twin) {
        const over: TwinDocument = { ...twin, ttl: 1 };
        changes.push({ upsert: over });
      }
      const { ok } = await cosmos.batch('registry', from.buildingId, changes);
      if (ok) return;
    }
    throw new Error(`device ${deviceId} changed ${MAXIMUM_RACES} times while it left its building`);
  }

  return async (saga) => {
    const left = await locks.hold(saga.from.buildingId, () => leave(saga));
    if (!left.ok) return left;
    const leaving = left.value;
    if (leaving !== 'over') {
      // They stay, and a field gateway relays for devices of its own building.
      await releaseChildren(cosmos, {
        ...{ buildingId: saga.from.buildingId, parentId: saga.deviceId, next: null },
        actor: saga.kind === 'move' ? saga.actor : saga.to.tenantId,
        from: saga.kind === 'move' ? saga.origin : undefined,
      });
      await locks.hold(saga.to.buildingId, () => arrive(saga, leaving));
      await enter(saga);
      await depart(saga);
    }
    if (saga.kind === 'transfer') {
      await cosmos.bulkUpsert('directory', [forgottenOffer(saga.to.tenantId, saga.transferId!)]);
    }
    return { ok: true, value: undefined };
  };
}
