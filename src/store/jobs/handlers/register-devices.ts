import { type Registry } from '../../registry';
import { MAXIMUM_STOCK_ROWS } from '../../registry/stock';
import { type JobHandler, type RowResult } from '../handler';

export interface RegisterDevicesRow {
  serialNumber: string;
  model: string;
}

export interface RegisterDevicesParameters extends Record<string, unknown> {
  enrollmentGroupId: string | null;
}

/** Devices into a manufacturer's stock, each with its claim code. */
export function createRegisterDevicesHandler({
  registry,
}: {
  registry: Pick<Registry, 'registerDevices'>;
}): JobHandler {
  return async ({ job, rows, firstRow, scope, secretOf }) => {
    const { enrollmentGroupId } = job.parameters as RegisterDevicesParameters;
    const devices = (rows as readonly RegisterDevicesRow[]).map(({ serialNumber, model }, i) => ({
      index: firstRow + i,
      serialNumber,
      model,
      enrollmentGroupId,
      // From the job, so that a chunk that is done again, even by a worker that was believed dead, voids no code.
      secret: secretOf(firstRow + i),
    }));
    const results: RowResult[] = [];
    // One after the other: of two rows with one serial number the first has it, at each try.
    for (let start = 0; start < devices.length; start += MAXIMUM_STOCK_ROWS) {
      const part = devices.slice(start, start + MAXIMUM_STOCK_ROWS);
      const outcome = await registry.registerDevices(scope, job.tenantId, { jobId: job.jobId, rows: part });
      if (!outcome.ok) return outcome;
      outcome.value.forEach((each, i) => {
        const { serialNumber } = part[i]!;
        if (each.outcome === 'refused') {
          const { code, message, path } = each.refusal;
          const error = {
            code,
            message: renamed(message),
            ...(path !== undefined && { path: renamed(path) }),
          };
          results.push({ serialNumber, deviceId: null, secret: null, error });
          return;
        }
        const secret =
          each.outcome === 'registered' ? { what: 'CLAIM_CODE' as const, text: each.claimCode } : null;
        results.push({ serialNumber: each.serialNumber, deviceId: each.deviceId, secret, error: null });
      });
    }
    return { ok: true, value: results };
  };
}

/** The registry speaks of rows, the mutation's input of devices. */
function renamed(text: string): string {
  return text.replaceAll(/\brows\.(\d+)/g, 'devices.$1');
}
