import { randomBytes, randomUUID } from 'node:crypto';
import { allows, type TenantScope } from '../../auth/scope';
import { deviceModelNamed } from '../../domain/device';
import { derivedId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import {
  type BuildingDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type IdempotencyDocument,
  type SpaceDocument,
} from '../documents';
import { inParallel } from '../in-parallel';
import { type Keyring } from '../keyring';
import { type NewDevice, type Outcome, type ProvisionedDevice, type Registry } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused, visible } from './access';
import { auditOf } from './audit';
import { type BuildingLocks } from './building-locks';
import { entryKey } from './devices';
import { type Attempt, attemptOf, claim, KEPT_SECONDS, NEVER_EXPIRES, recordOf } from './idempotency';
import { demandOf, partsOf, type PlannedDevice, planOf, type Reservation } from './provisioning-plan';
import { type SerialNumbers, type WantedSerialNumber } from './serial-numbers';
import { keyReused } from './shown-once';
import { devicesProblem, keyProblem } from './validation';

const KEY_BYTES = 32;
const CONCURRENT_BATCHES = 4;
/** Etag races with other processes; within this one `locks` keeps them apart. */
const MAXIMUM_RACES = 50;

/** What the idempotency record holds from the reservation on. */
interface Progress extends Reservation {
  /** The try that completed the mutation, and so showed the keys; null while it is under way. */
  completedBy: string | null;
}

/**
 * Devices straight into the spaces of a building, in three steps, each of which a later try finds done:
 *
 * 1. One transactional batch takes the ordinals from the building, raises its counts and writes the idempotency record
 *    that remembers them. So no ordinal is given twice and nothing is counted twice, wherever a try stops.
 * 2. Batches of devices and points, whose ids follow from the reservation: one that stands already is not written again,
 *    and its keys are opened from what was stored. Directory entries come before their devices, so that a device that
 *    exists can be found.
 * 3. The record is marked as completed, under its etag: the try that does so shows the keys, and no other ever does.
 */
export function createProvisioning({
  cosmos,
  keyring,
  locks,
  serialNumbers,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  locks: BuildingLocks;
  serialNumbers: SerialNumbers;
}): Pick<Registry, 'provisionDevices'> {
  /** Null where another try of the same key holds a record with other variables. */
  async function reserve(
    scope: TenantScope,
    buildingId: string,
    devices: readonly NewDevice[],
    attempt: Attempt,
  ): Promise<IdempotencyDocument | null> {
    const { points, byQuantity } = demandOf(devices);
    const recordId = recordOf(attempt, buildingId, null, NEVER_EXPIRES).id;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const earlier = await cosmos.read<IdempotencyDocument>('registry', buildingId, recordId);
      if (earlier) return earlier.fingerprint === attempt.fingerprint ? earlier : null;
      const building = await cosmos.read<BuildingDocument>('registry', buildingId, buildingId);
      if (!building) throw new Error(`building ${buildingId} is gone`);

      const progress: Progress = {
        firstPointOrdinal: building.nextPointOrdinal,
        firstDeviceOrdinal: building.nextDeviceOrdinal,
        at: Date.now(),
        completedBy: null,
      };
      const devicesByQuantity = { ...building.devicesByQuantity };
      for (const [quantity, count] of byQuantity) {
        devicesByQuantity[quantity] = (devicesByQuantity[quantity] ?? 0) + count;
      }
      const raised: BuildingDocument = {
        ...building,
        nextPointOrdinal: building.nextPointOrdinal + points,
        nextDeviceOrdinal: building.nextDeviceOrdinal + devices.length,
        devices: building.devices + devices.length,
        devicesByQuantity,
      };
      const record = recordOf(attempt, buildingId, progress, NEVER_EXPIRES);
      const audit = auditOf(scope, {
        id: derivedId('aud', buildingId, attempt.hash, `reserve ${progress.firstDeviceOrdinal}`),
        buildingId,
        tenantId: building.tenantId,
        at: progress.at,
        action: 'devices.reserve',
        subject: buildingId,
        before: { devices: building.devices, nextDeviceOrdinal: building.nextDeviceOrdinal },
        after: { devices: raised.devices, nextDeviceOrdinal: raised.nextDeviceOrdinal },
      });
      const outcome = await cosmos.batch('registry', buildingId, [
        { create: record },
        { replace: raised, etag: building._etag! },
        { create: audit },
      ]);
      if (outcome.ok) return { ...record, _etag: outcome.etags[0] };
    }
    throw new Error(
      `building ${buildingId} changed ${MAXIMUM_RACES} times while ordinals were taken from it`,
    );
  }

  /** Before anything is taken from the building: the only time at which a number that is taken can refuse the whole. */
  async function takeNumbers(
    building: BuildingDocument,
    devices: readonly NewDevice[],
    attempt: Attempt,
  ): Promise<Outcome<void>> {
    const wanted = numbersOf(devices, attempt);
    const done: Outcome<void> = { ok: true, value: undefined };
    if (wanted.length === 0) return done;
    const { id } = recordOf(attempt, building.id, null, NEVER_EXPIRES);
    if (await cosmos.read<IdempotencyDocument>('registry', building.id, id)) return done;
    const [taken] = await serialNumbers.take(building.tenantId, wanted);
    if (taken === undefined) return done;
    const { serialNumber } = wanted[taken]!;
    const path = `devices.${devices.findIndex((each) => each.serialNumber === serialNumber)}.serialNumber`;
    return refused('CONFLICT', `${path} ${serialNumber} is that of another of your devices`, path);
  }

  /** Writes one batch, or reads what an earlier try wrote of it. */
  async function write(
    scope: TenantScope,
    batch: readonly PlannedDevice[],
    attempt: Attempt,
  ): Promise<ProvisionedDevice[]> {
    const { buildingId, tenantId, createdAt: at } = batch[0]!.device;
    // Only created: a try that is resumed late finds devices that have gone to another building or owner since.
    await cosmos.bulkCreate(
      'directory',
      batch.map(({ device }): DeviceEntryDocument => ({
        id: 'device',
        key: `device:${device.id}`,
        tenantId,
        buildingId,
      })),
    );
    const numbers = numbersOf(
      batch.map(({ device }) => device),
      attempt,
    );
    await cosmos.bulkUpsert(
      'directory',
      numbers.map((each) => serialNumbers.documentOf(tenantId, each)),
    );
    const secrets = randomBytes(2 * KEY_BYTES * batch.length);
    const provisioned = batch.map(({ device }, i): ProvisionedDevice => {
      const start = 2 * KEY_BYTES * i;
      const primary = secrets.subarray(start, start + KEY_BYTES);
      const secondary = secrets.subarray(start + KEY_BYTES, start + 2 * KEY_BYTES);
      return {
        device: {
          ...device,
          keys: { primary: keyring.seal(device.id, primary), secondary: keyring.seal(device.id, secondary) },
        },
        keys: { primary: primary.toString('base64'), secondary: secondary.toString('base64') },
      };
    });
    const audit = auditOf(scope, {
      id: derivedId('aud', buildingId, attempt.hash, batch[0]!.device.id),
      buildingId,
      tenantId,
      at,
      action: 'devices.provision',
      subject: buildingId,
      before: null,
      after: { devices: batch.map(({ device }) => device.id) },
    });
    const outcome = await cosmos.batch('registry', buildingId, [
      ...provisioned.map(({ device }) => ({ create: device })),
      ...batch.flatMap(({ points }) => points.map((point) => ({ create: point }))),
      { create: audit },
    ]);
    return outcome.ok ? provisioned : stored(batch, true);
  }

  async function stored(batch: readonly PlannedDevice[], withKeys: boolean): Promise<ProvisionedDevice[]> {
    const documents = await cosmos.readMany<DeviceDocument | DepartedDocument>(
      'registry',
      batch.map(({ device }) => ({ partition: device.buildingId, id: device.id })),
    );
    const results = documents.map(async (device, i): Promise<ProvisionedDevice> => {
      const planned = batch[i]!.device;
      if (!device) throw new Error(`device ${planned.id} was provisioned and is gone`);
      if (device.type === 'departed') return { device: await whereItWent(planned), keys: null };
      if (!withKeys || !device.keys) return { device, keys: null };
      const open = (sealed: string): string => keyring.open(device.id, sealed).toString('base64');
      return { device, keys: { primary: open(device.keys.primary), secondary: open(device.keys.secondary) } };
    });
    return Promise.all(results);
  }

  /** The device where it is now; as it was provisioned where that is somebody else's, who tells nobody more of it. */
  async function whereItWent(planned: DeviceDocument): Promise<DeviceDocument> {
    const { partition, id } = entryKey(planned.id);
    const entry = await cosmos.read<DeviceEntryDocument>('directory', partition, id);
    if (entry?.tenantId !== planned.tenantId) return planned;
    const device = await cosmos.read<DeviceDocument | DepartedDocument>(
      'registry',
      entry.buildingId,
      planned.id,
    );
    return device?.type === 'device' ? device : planned;
  }

  /** Whether it was this try that completed the mutation. */
  async function complete(
    buildingId: string,
    attempt: Attempt,
    progress: Progress,
    etag: string,
  ): Promise<boolean> {
    const completedBy = randomUUID();
    const record = recordOf(attempt, buildingId, { ...progress, completedBy }, KEPT_SECONDS);
    return retrying(async () => {
      const outcome = await cosmos.batch('registry', buildingId, [{ replace: record, etag }]);
      if (outcome.ok) return true;
      // It may have been this very try, whose answer was lost.
      const current = await cosmos.read<IdempotencyDocument>('registry', buildingId, record.id);
      return (current?.answer as Progress | undefined)?.completedBy === completedBy;
    });
  }

  /** Where one of the devices names a space that is not the building's, its refusal. */
  async function spacesProblem(
    building: BuildingDocument,
    devices: readonly NewDevice[],
  ): Promise<Outcome<never> | undefined> {
    const asked = [...new Set(devices.map((device) => device.spaceId))];
    const documents = await cosmos.readMany<SpaceDocument>(
      'registry',
      asked.map((id) => ({ partition: building.id, id })),
    );
    const known = new Set(
      documents
        .filter((each) => each?.type === 'space' && each.tenantId === building.tenantId)
        .map((each) => each!.id),
    );
    const index = devices.findIndex((device) => !known.has(device.spaceId));
    if (index < 0) return undefined;
    return notFound('space', devices[index]!.spaceId, `devices.${index}.spaceId`);
  }

  return {
    async provisionDevices(scope, { buildingId, devices }, idempotencyKey) {
      const building = visible(
        scope,
        'building.read',
        await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
      );
      if (!building) return notFound('building', buildingId, 'buildingId');
      if (!allows(scope, 'device.provision', building)) {
        return refused('FORBIDDEN', 'your role may not provision devices here');
      }
      const problem = keyProblem(idempotencyKey) ?? devicesProblem(devices);
      if (problem) return { ok: false, refusal: problem };
      const misplaced = await spacesProblem(building, devices);
      if (misplaced) return misplaced;

      const variables = [
        buildingId,
        devices.map(({ name, model, spaceId, serialNumber }) => [name, model, spaceId, serialNumber]),
      ];
      const attempt = attemptOf(scope, building.tenantId, 'provisionDevices', idempotencyKey, variables);
      if (!(await claim(cosmos, attempt))) return keyReused();
      const numbers = await takeNumbers(building, devices, attempt);
      if (!numbers.ok) return numbers;
      const record = await locks.hold(buildingId, () =>
        retrying(() => reserve(scope, buildingId, devices, attempt)),
      );
      if (!record) return keyReused();

      const progress = record.answer as Progress;
      const parts = partsOf(devices, progress);
      const results: ProvisionedDevice[][] = [];
      // Planned a part at a time: ten thousand at once would hold up everybody else's requests.
      await inParallel(parts, CONCURRENT_BATCHES, async (part, i) => {
        const batch = planOf(building, part.devices, part.reservation, attempt.hash);
        results[i] = await retrying(() =>
          progress.completedBy ? stored(batch, false) : write(scope, batch, attempt),
        );
      });
      const value = results.flat();
      if (progress.completedBy) return { ok: true, value };

      if (await complete(buildingId, attempt, progress, record._etag!)) return { ok: true, value };
      // Another try of the same key completed meanwhile, and it showed the keys.
      return { ok: true, value: value.map(({ device }) => ({ device, keys: null })) };
    },
  };
}

/** The serial numbers among the devices, each held in the attempt's name. */
function numbersOf(
  devices: readonly { id?: string; model: string; serialNumber: string | null }[],
  attempt: Attempt,
): WantedSerialNumber[] {
  return devices.flatMap(({ id, model, serialNumber }) =>
    serialNumber === null
      ? []
      : [
          {
            serialNumber,
            manufacturer: deviceModelNamed(model)!.manufacturer,
            holder: attempt.hash,
            deviceId: id ?? null,
          },
        ],
  );
}
