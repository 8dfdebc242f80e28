import { isDeepStrictEqual } from 'node:util';
import { mergePatch, propertiesProblem, sizeProblem } from '../../domain/twin-properties';
import { type Cosmos } from '../cosmos';
import { type TwinDocument, twinId } from '../documents';
import { type Registry } from '../registry';
import { emptyTwin, propertiesRefusal } from '../twins';
import { visible } from './access';
import { type DeviceChanges } from './device-change';

/** What devices are told to be. The gateway hears of it by the change feed and tells the device. */
export function createConfiguration({
  cosmos,
  changes,
}: {
  cosmos: Cosmos;
  changes: DeviceChanges;
}): Pick<Registry, 'setDeviceConfiguration' | 'twinsById'> {
  return {
    async setDeviceConfiguration(scope, { deviceId, desired: patch, expectedVersion }) {
      const problem = propertiesProblem(patch);
      if (problem) return { ok: false, refusal: propertiesRefusal(problem, 'desired') };
      let twin: TwinDocument | undefined;
      const outcome = await changes.apply(scope, deviceId, 'CONFIGURE', async ({ device, now }) => {
        const { buildingId, tenantId } = device;
        const found = await cosmos.read<TwinDocument>('registry', buildingId, twinId(deviceId));
        twin = found ?? emptyTwin({ deviceId, buildingId, tenantId });
        const desired = mergePatch(twin.desired, patch);
        // Before the version is looked at: whoever repeats a call whose answer was lost finds it done.
        if (twin.desiredVersion > 0 && isDeepStrictEqual(desired, twin.desired)) return 'unchanged';
        if (expectedVersion !== null && expectedVersion !== twin.desiredVersion) {
          const message = `the configuration is at version ${twin.desiredVersion}, not ${expectedVersion}: read it again`;
          return { code: 'CONFLICT', message, path: 'expectedVersion' };
        }
        const tooLarge = sizeProblem(desired);
        if (tooLarge) return propertiesRefusal(tooLarge, 'desired');
        const before = twin.desiredVersion;
        twin = { ...twin, desired, desiredVersion: before + 1, desiredAt: now };
        return {
          // As it was, under its etag: what is told to a device while it leaves its building would stay behind.
          device,
          more: [found ? { replace: twin, etag: found._etag! } : { create: twin }],
          audit: {
            action: 'device.configure',
            before: { desiredVersion: before },
            // Which properties, and not their values: a configuration may hold a password.
            after: { desiredVersion: twin.desiredVersion, properties: Object.keys(patch) },
          },
        };
      });
      return outcome.ok ? { ok: true, value: { device: outcome.value, twin: twin! } } : outcome;
    },

    async twinsById(scope, keys) {
      const twins = await cosmos.readMany<TwinDocument>(
        'registry',
        keys.map(({ buildingId, deviceId }) => ({ partition: buildingId, id: twinId(deviceId) })),
      );
      return twins.map((twin, i) =>
        twin && visible(scope, 'device.read', { ...twin, spaceId: keys[i]!.spaceId ?? null }) ? twin : null,
      );
    },
  };
}
