import { type Keyring } from '../../keyring';
import { type NewDevice, type ProvisionedDevice, type Refusal, type Registry } from '../../registry';
import { type JobHandler, type RowResult } from '../handler';

const NAMED = /\bdevices\.(\d+)/g;

/** Devices straight into the spaces of a building: what `provisionDevices` does at once, but row by row. */
export function createProvisionDevicesHandler({
  registry,
  keyring,
}: {
  registry: Pick<Registry, 'provisionDevices'>;
  keyring: Keyring;
}): JobHandler {
  /** The key a device connects with, also where an earlier try provisioned it and was broken off before it was told. */
  function secretOf({ device, keys }: ProvisionedDevice): RowResult['secret'] {
    if (keys) return { what: 'DEVICE_KEY', text: keys.primary };
    if (!device.keys) return null;
    const text = keyring.open(device.id, device.keys.primary).toString('base64');
    return { what: 'DEVICE_KEY', text };
  }

  return async ({ job, rows, firstRow, scope, attempt, recall, note }) => {
    const devices = rows as readonly NewDevice[];
    const results: RowResult[] = devices.map(({ serialNumber }) => ({
      serialNumber,
      deviceId: null,
      secret: null,
      error: null,
    }));
    // The registry provisions all it is given or nothing. Which rows it was given at last is noted before, so that a
    // later try gives it the same ones under the same key, whatever has become possible meanwhile.
    const noted = (await recall()) as { open: number[]; errors: [number, RowResult['error']][] } | undefined;
    let open = noted?.open ?? devices.map((_, i) => i);
    for (const [i, error] of noted?.errors ?? []) results[i]!.error = error;

    while (open.length > 0) {
      const given = open;
      const outcome = await registry.provisionDevices(
        scope,
        { buildingId: job.buildingId!, devices: given.map((i) => devices[i]!) },
        attempt,
      );
      if (outcome.ok) {
        outcome.value.forEach((each, n) => {
          Object.assign(results[given[n]!]!, { deviceId: each.device.id, secret: secretOf(each) });
        });
        break;
      }
      const { refusal } = outcome;
      const at = /^devices\.(\d+)\b/.exec(refusal.path ?? '')?.[1];
      // Not about one row: nothing of the job can be done.
      if (at === undefined) return outcome;
      const refusedRow = given[Number(at)]!;
      results[refusedRow]!.error = inTheJob(refusal, (n) => firstRow + (given[n] ?? n));
      open = given.filter((i) => i !== refusedRow);
      const errors = results.flatMap(({ error }, i) => (error ? [[i, error] as const] : []));
      await note({ open, errors });
    }
    return { ok: true, value: results };
  };
}

/** The refusal as the mutation's input names its rows. */
function inTheJob({ code, message, path }: Refusal, indexOf: (n: number) => number): RowResult['error'] {
  const renamed = (text: string): string => text.replaceAll(NAMED, (_, n) => `devices.${indexOf(Number(n))}`);
  return { code, message: renamed(message), ...(path !== undefined && { path: renamed(path) }) };
}
