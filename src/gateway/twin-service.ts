import { explain, type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type DeviceDirectory, type DirectoryDevice } from '../store/device-directory';
import { type TwinDocument } from '../store/documents';
import { type Twins } from '../store/twins';
import { createCounters } from './counters';
import { PayloadError } from './decoders';
import { parseJson } from './decoders/json';
import { type GatewayLimits } from './limits';
import { createTokenBuckets } from './token-bucket';

/** A status as IoT Hub answers twin requests with, and a sentence for people. */
export interface TwinFault {
  status: 400 | 429 | 503;
  message: string;
}

/** What a device knows of its twin and listens for: outlives its connection where it asked for that. */
export interface TwinState {
  /** The device's owner: another one's twin begins anew, at version 1. */
  tenantId: string;
  listening: { responses: boolean; desired: boolean };
  /** What the device knows of its desired properties, from an answer or from what it was told. */
  known: { version: number; desired: TwinDocument['desired'] } | undefined;
  /** What the feed told last and the device was not told yet. */
  latest: Pick<TwinDocument, 'desired' | 'desiredVersion'> | undefined;
}

/** Takes note of a change of the desired properties; others are none of the device's business. */
export function note(state: TwinState, { tenantId, desired, desiredVersion }: TwinDocument): void {
  if (tenantId !== state.tenantId) return;
  if (desiredVersion <= Math.max(state.known?.version ?? 0, state.latest?.desiredVersion ?? 0)) return;
  state.latest = { desired, desiredVersion };
}

/**
 * Twins of devices that proved who they are: each reads and reports its own. Every request is answered, by a fault where
 * the store cannot be asked; none waits longer than the store is given.
 */
export interface TwinService {
  /** Null for a device that was told nothing and has reported nothing. */
  get(
    device: DirectoryDevice,
  ): Promise<{ twin: TwinDocument | null; fault?: undefined } | { fault: TwinFault }>;
  /** @param body a patch (RFC 7396) as JSON. */
  report(
    device: DirectoryDevice,
    body: Buffer,
  ): Promise<{ version: number; fault?: undefined } | { fault: TwinFault }>;
  /**
   * Tells of every change of the device's twin from now on. Who watches a device later takes the place of who did before.
   * @returns what ends it.
   */
  watch(deviceId: string, told: (twin: TwinDocument) => void): () => void;
  /** Keeps it, and what changes meanwhile, until the device comes back here or many others have come since. */
  keep(deviceId: string, state: TwinState): void;
  /** What was kept of it and this owner; it no longer is. */
  take(deviceId: string, tenantId: string): TwinState | undefined;
}

/** Requests at the store at once: a storm of devices that come back reads ten thousand twins. */
const AT_ONCE = 64;
/** What waits longer for its turn is answered 503: the device has given up by then. */
const TURN_WITHIN_MS = 10_000;
const MOST_WAITING = 20_000;
/** Of what devices that are away listened for and know: the longest away is forgotten first. */
const MOST_KEPT = 20_000;
const MOST_KEPT_BYTES = 32 * 1024 * 1024;
const STATE_BYTES = 512;

const UNAVAILABLE: TwinFault = { status: 503, message: 'the twin cannot be reached now: ask again' };

export function createTwinService(options: {
  logger: Logger;
  registry: Registry;
  directory: DeviceDirectory;
  twins: Twins;
  limits: GatewayLimits;
}): TwinService {
  const { logger, directory, twins, limits } = options;
  const rate = createTokenBuckets(limits.twinRequests);
  const watchers = new Map<string, (twin: TwinDocument) => void>();
  const kept = new Map<string, { state: TwinState; bytes: number }>();
  let keptBytes = 0;
  const waiting: { go: (inTime: boolean) => void; since: number }[] = [];
  let running = 0;
  const { tally } = createCounters(options.registry);
  const answered = tally(
    'atrium_gateway_twin_requests_total',
    'status',
    'Requests about device twins by status. 429: a device asks more than its rate allows, its firmware reports in a loop. 503: Cosmos cannot be reached from here. 400: reports that are no properties.',
  );
  // For the life of the process, as the directory's own.
  directory.onTwin((twin) => {
    const told = watchers.get(twin.deviceId);
    try {
      if (told) return told(twin);
    } catch (error) {
      // One connection's fault, and no reason for the directory to stop following what changes.
      return logger.error({ err: error, deviceId: twin.deviceId }, 'a device could not be told of its twin');
    }
    const away = take(twin.deviceId);
    if (!away) return;
    note(away, twin);
    keep(twin.deviceId, away);
  });

  const take = (deviceId: string): TwinState | undefined => {
    const found = kept.get(deviceId);
    if (!found) return undefined;
    kept.delete(deviceId);
    keptBytes -= found.bytes;
    return found.state;
  };

  const keep = (deviceId: string, state: TwinState): void => {
    take(deviceId);
    const { known, latest } = state;
    const bytes = STATE_BYTES + JSON.stringify([known?.desired, latest?.desired]).length;
    kept.set(deviceId, { state, bytes });
    keptBytes += bytes;
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_KEPT && keptBytes <= MOST_KEPT_BYTES) break;
      take(oldest);
    }
  };

  /** False where the turn came too late. */
  const turn = (): Promise<boolean> | boolean => {
    if (running < AT_ONCE) return ++running > 0;
    if (waiting.length >= MOST_WAITING) return false;
    return new Promise((resolve) => waiting.push({ go: resolve, since: Date.now() }));
  };

  const leave = (): void => {
    running--;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const inTime = Date.now() - next.since <= TURN_WITHIN_MS;
      if (inTime) running++;
      next.go(inTime);
      if (inTime) return;
    }
  };

  const inTurn = async <T extends object>(
    device: DirectoryDevice,
    work: () => Promise<T | { fault: TwinFault }>,
  ): Promise<T | { fault: TwinFault }> => {
    const now = Date.now();
    if (rate.waitFor(device.deviceId, now) > 0) {
      return { fault: { status: 429, message: 'the device asks more of its twin than its rate allows' } };
    }
    rate.spend(device.deviceId, 1, now);
    if (!(await turn())) return { fault: UNAVAILABLE };
    try {
      return await work();
    } catch (error) {
      logger.warn({ deviceId: device.deviceId, error: explain(error) }, 'a twin cannot be reached');
      return { fault: UNAVAILABLE };
    } finally {
      leave();
    }
  };

  const counted = <T extends object>(status: string, answer: T | { fault: TwinFault }) => {
    answered('fault' in answer ? String(answer.fault.status) : status);
    return answer;
  };

  return {
    async get(device) {
      const answer = await inTurn<{ twin: TwinDocument | null }>(device, async () => {
        // Otherwise a change between this reading and the feed's first answer would never be told.
        if (!directory.following()) return { fault: UNAVAILABLE };
        return { twin: await twins.read(device.buildingId, device.deviceId) };
      });
      return counted('200', answer);
    },

    async report(device, body) {
      const answer = await inTurn<{ version: number }>(device, async () => {
        const patch = patchOf(body);
        if ('fault' in patch) return patch;
        const outcome = await twins.report(device, patch.value);
        if (outcome.ok) return { version: outcome.value.version };
        const { code, message } = outcome.refusal;
        return { fault: { status: code === 'CONFLICT' ? 503 : 400, message } };
      });
      return counted('204', answer);
    },

    watch(deviceId, told) {
      watchers.set(deviceId, told);
      return () => {
        if (watchers.get(deviceId) === told) watchers.delete(deviceId);
      };
    },

    keep,
    take(deviceId, tenantId) {
      const state = take(deviceId);
      return state?.tenantId === tenantId ? state : undefined;
    },
  };
}

function patchOf(body: Buffer): { value: unknown } | { fault: TwinFault } {
  try {
    return { value: parseJson(body) };
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    return { fault: { status: 400, message: `the report is no JSON: ${error.message}` } };
  }
}
