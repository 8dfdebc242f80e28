import { type Socket } from 'node:net';
import { maySend } from '../domain/device';
import { type DeviceDirectory, type DirectoryDevice } from '../store/device-directory';
import { type GatewayError } from './answers';
import { type ClientCertificate, createClientCertificates } from './client-certificate';
import { type GatewayLimits } from './limits';
import { createMadeUpIds } from './made-up-ids';
import { type GatewayMetrics } from './metrics';
import { parseSasToken, type SasToken, signingKey, withoutPort } from './sas-token';

/** A device that may send, or the answer to whoever claims to be one. */
export type Authenticated = { device: DirectoryDevice; error?: undefined } | { error: GatewayError };

/** What a device proves itself by: the text of a SAS token, or the certificate of its TLS connection. */
export type Proof = string | ClientCertificate;

/** A connection: its address is asked for only where it matters. */
export type Source = Pick<Socket, 'remoteAddress'>;

export interface DeviceAuthentication {
  /**
   * Checks what a device proves itself by. Answers at once for a device that the directory knows; asks the store for
   * another. Unknown device, foreign or forged token or certificate, wrong audience, expired: one answer for all.
   */
  authenticate(
    deviceId: string,
    proof: Proof | undefined,
    now: number,
    /** Where who claims it comes from; left out for a device that proved itself before. */
    source?: Source,
  ): Authenticated | Promise<Authenticated>;
  /** The same without asking the store: undefined where the directory does not know the device now. */
  recall(deviceId: string, proof: Proof | undefined, now: number): Authenticated | undefined;
  /** What was recalled holds while this is the same, but for what expires; undefined where that is not known. */
  revision(): number | undefined;
  lookupsInFlight(): number;
  /** The certificate that the client of a connection holds: its proof where it presents no token. */
  certificateOf(socket: Socket): ClientCertificate | undefined;
}

/** A token that proved good: while the device still has the key that made it, it still is. */
interface Remembered {
  deviceId: string;
  key: Buffer;
  expiresAt: number;
  /** The device as the directory last gave it, and what was judged of it: nothing changed while it is the same object. */
  device: DirectoryDevice;
  verdict: Authenticated;
}

/** Three times what a token needs: whoever makes them long, of what is ignored in them, has them checked each time. */
const LONGEST_REMEMBERED = 768;

const UNAUTHENTICATED: Authenticated = {
  error: {
    code: 'UNAUTHENTICATED',
    message:
      'the device, its SAS token or its certificate is unknown, expired or for another audience: sign {host}/devices/{deviceId} with the device’s key, or present the certificate it is registered with',
  },
};
const UNAVAILABLE: Authenticated = {
  error: {
    code: 'DIRECTORY_UNAVAILABLE',
    message: 'the device registry cannot be reached now: send again',
    retryAfterSeconds: 2,
  },
};
const BUSY: Authenticated = {
  error: {
    code: 'GATEWAY_BUSY',
    message: 'too many unknown devices are being looked up: send again',
    retryAfterSeconds: 1,
  },
};

export function createDeviceAuthentication(options: {
  directory: DeviceDirectory;
  metrics: Pick<GatewayMetrics, 'lookup'>;
  /** Host names that a token's audience may name, with or without a port. */
  hostNames: readonly string[];
  limits: Pick<
    GatewayLimits,
    'lookupsInFlight' | 'lookedUpWithinMilliseconds' | 'rememberedTokens' | 'madeUpIds' | 'madeUpIdsInAll'
  >;
}): DeviceAuthentication {
  const { directory, metrics, limits } = options;
  const madeUpIds = createMadeUpIds(limits);
  const hostNames = new Set(options.hostNames.map(withoutPort));
  const certificates = createClientCertificates();
  let lookups = 0;

  // By the exact text of a token that proved good. A Map finds by a seeded hash before it compares, so that the time a
  // lookup takes tells nobody how much of a guess was right.
  const remembered = new Map<string, Remembered>();

  const remember = (text: string, entry: Remembered): void => {
    if (text.length > LONGEST_REMEMBERED) return;
    if (remembered.size >= limits.rememberedTokens) {
      // The oldest entry: a Map keeps the order of insertion. Forgetting costs one more check, never an error.
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(text, entry);
  };

  const judge = (
    deviceId: string,
    text: string,
    token: SasToken | undefined,
    device: DirectoryDevice | null,
    now: number,
  ): Authenticated => {
    if (token === undefined) return UNAUTHENTICATED;
    const key = signingKey(token, device?.keys);
    if (
      key === undefined ||
      device === null ||
      token.deviceId !== deviceId ||
      !hostNames.has(token.hostName) ||
      token.expiresAt <= now
    ) {
      return UNAUTHENTICATED;
    }
    const verdict = verdictOn(device);
    remember(text, { deviceId, key, expiresAt: token.expiresAt, device, verdict });
    return verdict;
  };

  const lookUp = (deviceId: string): Promise<DirectoryDevice | null> => {
    lookups++;
    return new Promise<DirectoryDevice | null>((resolve, reject) => {
      const milliseconds = limits.lookedUpWithinMilliseconds;
      const deadline = setTimeout(
        () => reject(new Error('the registry did not answer in time')),
        milliseconds,
      );
      directory
        .lookup(deviceId)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(deadline);
          lookups--;
        });
    });
  };

  const judgeCertificate = (
    deviceId: string,
    certificate: ClientCertificate,
    device: DirectoryDevice | null,
    now: number,
  ): Authenticated =>
    certificates.speaksFor(certificate, deviceId, device, now) ? verdictOn(device!) : UNAUTHENTICATED;

  const recall = (deviceId: string, proof: Proof | undefined, now: number): Authenticated | undefined => {
    if (proof === undefined) return UNAUTHENTICATED;
    const known = directory.peek(deviceId);
    if (typeof proof !== 'string') {
      return known === undefined ? undefined : judgeCertificate(deviceId, proof, known, now);
    }
    const entry = remembered.get(proof);
    if (entry !== undefined) {
      const stillGood = entry.deviceId === deviceId && entry.expiresAt > now;
      if (stillGood && known) {
        if (known === entry.device) return entry.verdict;
        if (known.keys.some((key) => key.equals(entry.key))) {
          entry.device = known;
          return (entry.verdict = verdictOn(known));
        }
      }
      if (known !== undefined) remembered.delete(proof);
    }
    if (known === undefined) return undefined;
    return judge(deviceId, proof, parseSasToken(proof), known, now);
  };

  const asked = async (
    deviceId: string,
    judged: (device: DirectoryDevice | null) => Authenticated,
    source: Source | undefined,
  ): Promise<Authenticated> => {
    let device: DirectoryDevice | null;
    try {
      device = await lookUp(deviceId);
    } catch {
      metrics.lookup('unavailable');
      return UNAVAILABLE;
    }
    metrics.lookup(device === null ? 'unknown' : 'found');
    if (device === null) madeUpIds.found(source, Date.now());
    return judged(device);
  };

  return {
    recall,
    revision: () => directory.revision(),
    lookupsInFlight: () => lookups,
    certificateOf: certificates.of,
    authenticate(deviceId, proof, now, source) {
      const recalled = recall(deviceId, proof, now);
      if (recalled !== undefined || proof === undefined) return recalled ?? UNAUTHENTICATED;
      // Nobody makes the store work who could not be this device.
      if (typeof proof !== 'string') {
        if (now < proof.validFrom || now > proof.validTo) return UNAUTHENTICATED;
        if (lookups >= madeUpIds.mostLookups(source, now)) return BUSY;
        return asked(deviceId, (device) => judgeCertificate(deviceId, proof, device, now), source);
      }
      const token = parseSasToken(proof);
      if (token === undefined || token.deviceId !== deviceId || token.expiresAt <= now) {
        return judge(deviceId, proof, token, null, now);
      }
      if (lookups >= madeUpIds.mostLookups(source, now)) return BUSY;
      return asked(deviceId, (device) => judge(deviceId, proof, token, device, now), source);
    },
  };
}

/** A device that proved who it is: what it may do now. */
function verdictOn(device: DirectoryDevice): Authenticated {
  if (maySend(device.state)) return { device };
  return {
    error: {
      code: `DEVICE_${device.state as 'REGISTERED' | 'SUSPENDED' | 'RETIRED'}`,
      message: `the device is ${device.state.toLowerCase()} and may not send`,
    },
  };
}
