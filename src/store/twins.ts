import { isDeepStrictEqual } from 'node:util';
import {
  mergePatch,
  propertiesProblem,
  type PropertiesProblem,
  sizeProblem,
} from '../domain/twin-properties';
import { type Cosmos } from './cosmos';
import { type TwinDocument, twinId } from './documents';
import { type Outcome, type Refusal } from './registry';
import { retrying } from './store-error';

/** Other processes may set the configuration meanwhile; a device itself reports on one connection. */
const MAXIMUM_RACES = 20;

/** Whose twin it is: a device and where it stands now. */
export interface TwinOwner {
  deviceId: string;
  buildingId: string;
  tenantId: string;
}

/**
 * Twins as the gateway sees them, for devices that it has let in: there is no scope here, because a device sees its own
 * twin and no other.
 */
export interface Twins {
  /** Null for a device that was told nothing and has reported nothing. Throws when the store cannot be asked. */
  read(buildingId: string, deviceId: string): Promise<TwinDocument | null>;
  /**
   * Merges a patch (RFC 7396: null removes) into what the device reports of itself, and gives the version that holds it.
   * A report that changes nothing keeps the version and costs no write. There is no audit event: what a device says of
   * itself is telemetry. Refused with INVALID_INPUT where the patch or its result is beyond IoT Hub's
   * limits, and with CONFLICT where others write all the time. Throws when the store cannot be asked.
   */
  report(device: TwinOwner, patch: unknown): Promise<Outcome<{ version: number }>>;
}

export function createTwins({ cosmos }: { cosmos: Cosmos }): Twins {
  const read = (buildingId: string, deviceId: string): Promise<TwinDocument | null> =>
    cosmos.read<TwinDocument>('registry', buildingId, twinId(deviceId));

  return {
    read,

    async report(device, patch) {
      const problem = propertiesProblem(patch);
      if (problem) return { ok: false, refusal: propertiesRefusal(problem, 'reported') };

      /** Undefined where the twin changed meanwhile. */
      async function attempt(): Promise<Outcome<{ version: number }> | undefined> {
        const found = await read(device.buildingId, device.deviceId);
        const twin = found ?? emptyTwin(device);
        const reported = mergePatch(twin.reported, patch as TwinDocument['reported']);
        const tooLarge = sizeProblem(reported);
        if (tooLarge) return { ok: false, refusal: propertiesRefusal(tooLarge, 'reported') };
        // So a try whose answer was lost finds its own work done and does not raise the version twice.
        if (twin.reportedAt !== null && isDeepStrictEqual(reported, twin.reported)) {
          return { ok: true, value: { version: twin.reportedVersion } };
        }
        const version = twin.reportedVersion + 1;
        const next: TwinDocument = { ...twin, reported, reportedVersion: version, reportedAt: Date.now() };
        const outcome = await cosmos.batch('registry', device.buildingId, [
          found ? { replace: next, etag: found._etag! } : { create: next },
        ]);
        return outcome.ok ? { ok: true, value: { version } } : undefined;
      }

      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const outcome = await retrying(attempt);
        if (outcome) return outcome;
      }
      const message = `the twin of ${device.deviceId} is being changed by others: try again`;
      return { ok: false, refusal: { code: 'CONFLICT', message } };
    },
  };
}

/** The twin of a device that was told nothing and has reported nothing: version 0 of both. */
export function emptyTwin({ deviceId, buildingId, tenantId }: TwinOwner): TwinDocument {
  return {
    id: twinId(deviceId),
    type: 'twin',
    buildingId,
    tenantId,
    deviceId,
    desired: {},
    desiredVersion: 0,
    desiredAt: null,
    reported: {},
    reportedVersion: 0,
    reportedAt: null,
  };
}

/** @param name what the properties are called in the caller's input, e.g. `desired`. */
export function propertiesRefusal({ path, message }: PropertiesProblem, name: string): Refusal {
  const where = path === '' ? name : `${name}.${path}`;
  return { code: 'INVALID_INPUT', message: `${where} ${message}`, path: where };
}
