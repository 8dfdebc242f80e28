import { allows, type TenantScope } from '../../auth/scope';
import { deviceModelNamed } from '../../domain/device';
import { derivedId } from '../../domain/id';
import { nextState } from '../../domain/lifecycle';
import { OLDEST_ACCEPTED_MS } from '../../domain/reading';
import { type Cosmos } from '../cosmos';
import {
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  sortKeyOf,
} from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome, type Refusal } from '../registry';
import { notFound, refused, visible } from './access';
import { auditOf } from './audit';
import { claimKeyOf } from './claim-code';
import { type ClaimFromStock } from './claiming';
import { releaseChildren } from './children';
import { type DeviceChanges } from './device-change';
import { freshKeys } from './device-keys';
import { entryKey } from './devices';
import { type Attempt, attemptOf, claim } from './idempotency';
import { placementOf, switchInstant } from './placement';
import { replacedAt, withDevice, withoutDevice } from './retirement';
import { type SerialNumbers } from './serial-numbers';
import { keyReused, receivedEarlier, type ReceivedDevice, receivedRecord, shownOnce } from './shown-once';
import { keyProblem, nameProblem } from './validation';

/** What takes the place: a device that was never known, or one from a manufacturer's stock. */
export type Replacement =
  | { from: 'new'; model: string; serialNumber: string | null }
  | { from: 'stock'; serialNumber: string; claimCode: string };

export interface Replacing {
  /**
   * Puts another device in the place of one, which is retired: for each channel of the other, the first of the one's
   * points of the same quantity that is free goes on with it, from now on. What the other measures beyond that gets new
   * points; points that it does not measure stay without a device. Safe to repeat with the same key.
   *
   * @param input.name null: as the replaced one is called.
   */
  replaceDevice(
    scope: TenantScope,
    input: { deviceId: string; replacement: Replacement; name: string | null },
    idempotencyKey: string,
  ): Promise<Outcome<ReceivedDevice & { replaced: DeviceDocument }>>;
}

export function createReplacing({
  cosmos,
  keyring,
  changes,
  serialNumbers,
  claimFromStock,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  changes: DeviceChanges;
  serialNumbers: SerialNumbers;
  claimFromStock: ClaimFromStock;
}): Replacing {
  async function byNew(
    scope: TenantScope,
    old: DeviceDocument,
    { model, serialNumber }: Extract<Replacement, { from: 'new' }>,
    name: string,
    attempt: Attempt,
  ): Promise<Outcome<ReceivedDevice>> {
    const { buildingId, tenantId } = old;
    const earlier = await receivedEarlier(cosmos, attempt, buildingId);
    if (!earlier.ok) return earlier;
    const claimed = await claim(cosmos, attempt);
    if (!claimed) return keyReused();
    // With the time: a key that serves again once it is forgotten gives another device.
    const seed = `${attempt.hash} ${claimed.claimedAt}`;
    const deviceId = derivedId('dev', buildingId, seed);
    if (!earlier.value) {
      const serial = serialNumber !== null && {
        serialNumber,
        manufacturer: deviceModelNamed(model)!.manufacturer,
        holder: seed,
        deviceId,
      };
      if (serial && (await serialNumbers.take(tenantId, [serial])).length > 0) {
        const path = 'replacement.serialNumber';
        return refused('CONFLICT', `${path} ${serialNumber} is that of another of your devices`, path);
      }
      // Before the device, so that a device that exists can be found; only created, as later moves change it.
      const entry: DeviceEntryDocument = {
        id: 'device',
        key: entryKey(deviceId).partition,
        tenantId,
        buildingId,
      };
      await cosmos.bulkCreate('directory', [entry]);
      const outcome = await changes.apply(
        scope,
        old.id,
        'REPLACE',
        ({ device: going, building, now }) => {
          const at = switchInstant(going, now);
          const placement = placementOf(withoutDevice(building, going), {
            channels: deviceModelNamed(model)!.channels,
            spaceId: going.spaceId,
            at,
            from: at,
            since: at - OLDEST_ACCEPTED_MS,
            seed,
            takenOver: going.assignments.filter((each) => each.to === null),
          });
          const coming: DeviceDocument = {
            id: deviceId,
            type: 'device',
            buildingId,
            tenantId,
            name,
            sortKey: sortKeyOf(name, deviceId),
            serialNumber,
            model,
            spaceId: going.spaceId,
            state: 'PROVISIONED',
            keys: freshKeys(keyring, deviceId),
            assignments: placement.assignments,
            createdAt: at,
            retiredAt: null,
          };
          const audit = auditOf(scope, {
            id: derivedId('aud', buildingId, seed, 'provision'),
            buildingId,
            tenantId,
            at,
            action: 'device.provision',
            subject: deviceId,
            before: null,
            after: { state: coming.state, name, replaces: going.id },
          });
          const gone: DeviceDocument = replacedAt(going, at, deviceId);
          return {
            device: gone,
            building: withDevice(placement.building, coming),
            more: [
              { create: audit },
              { create: coming },
              ...placement.points.map((create) => ({ create })),
              { create: receivedRecord(attempt, buildingId, coming, false) },
            ],
            audit: {
              action: 'device.replace',
              before: { state: going.state },
              after: { state: gone.state, replacedBy: deviceId },
            },
          };
        },
        { done: (device) => device.replacedBy === deviceId },
      );
      if (!outcome.ok) return outcome;
    }
    const actor = scope.principal.id;
    await releaseChildren(cosmos, { buildingId, parentId: old.id, next: deviceId, actor, from: scope.from });
    return shownOnce({ cosmos, keyring }, scope, attempt, buildingId);
  }

  return {
    async replaceDevice(scope, { deviceId, replacement, name }, idempotencyKey) {
      const { partition, id } = entryKey(deviceId);
      const entry = visible(
        scope,
        'device.read',
        await cosmos.read<DeviceEntryDocument>('directory', partition, id),
      );
      const old =
        entry &&
        visible(
          scope,
          'device.read',
          await cosmos.read<DeviceDocument | DepartedDocument>('registry', entry.buildingId, deviceId),
        );
      if (old?.type !== 'device') return notFound('device', deviceId, 'deviceId');
      const { buildingId, tenantId } = old;
      const fromStock = replacement.from === 'stock';
      if (!allows(scope, 'device.replace', old) || (fromStock && !allows(scope, 'device.claim', old))) {
        return refused('FORBIDDEN', 'your role may not do this to devices here: replace');
      }
      const problem =
        keyProblem(idempotencyKey) ??
        (name === null ? undefined : nameProblem('name', name)) ??
        replacementProblem(replacement);
      if (problem) return { ok: false, refusal: problem };

      const variables = [
        deviceId,
        name,
        fromStock
          ? claimKeyOf(replacement.serialNumber, replacement.claimCode)
          : [replacement.model, replacement.serialNumber],
      ];
      const attempt = attemptOf(scope, tenantId, 'replaceDevice', idempotencyKey, variables);
      // Where it was replaced already, this try finds out whether it was by this very attempt.
      const replaceable = nextState(old.state, 'REPLACE') !== null && !old.departing;
      if (!replaceable && !old.replacedBy) {
        const message = `device ${deviceId} is ${old.departing ? 'on its way to another place' : old.state} and does not admit: replace`;
        return refused('WRONG_STATE', message, 'deviceId');
      }
      const outcome = fromStock
        ? await claimFromStock(scope, {
            kind: 'replacement',
            attempt,
            serialNumber: replacement.serialNumber,
            claimCode: replacement.claimCode,
            to: { tenantId, buildingId, spaceId: old.spaceId, name: name ?? old.name },
            replaces: deviceId,
          })
        : await byNew(scope, old, replacement, name ?? old.name, attempt);
      if (!outcome.ok) return outcome;
      const replaced = await cosmos.read<DeviceDocument>('registry', buildingId, deviceId);
      return { ok: true, value: { ...outcome.value, replaced: replaced ?? old } };
    },
  };
}

function replacementProblem(replacement: Replacement): Refusal | undefined {
  const { serialNumber } = replacement;
  const problem = serialNumber === null ? undefined : nameProblem('replacement.serialNumber', serialNumber);
  if (problem) return problem;
  if (replacement.from === 'stock') return nameProblem('replacement.claimCode', replacement.claimCode);
  const { model } = replacement;
  if (deviceModelNamed(model)) return undefined;
  const path = 'replacement.model';
  return { code: 'INVALID_INPUT', message: `'${model.slice(0, 60)}' is not a known device model`, path };
}
