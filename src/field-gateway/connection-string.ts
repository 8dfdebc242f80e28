import { createHmac } from 'node:crypto';
import { OperatorError } from '../observability/operator-error';

/** Who the field gateway is to the cloud. */
export interface GatewayIdentity {
  deviceId: string;
  /** With a port, where the connection string names one. */
  hostName: string;
  key: Buffer;
}

/**
 * Reads `HostName=...;DeviceId=...;SharedAccessKey=...`, as provisioning hands it out.
 * @throws OperatorError that never repeats what it was given.
 */
export function parseConnectionString(text: string): GatewayIdentity {
  const parts = new Map<string, string>();
  for (const part of text.trim().split(';')) {
    const at = part.indexOf('=');
    if (at > 0) parts.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  const hostName = parts.get('hostname');
  const deviceId = parts.get('deviceid');
  const key = Buffer.from(parts.get('sharedaccesskey') ?? '', 'base64');
  if (!hostName || !deviceId || key.length === 0) {
    throw new OperatorError(
      'the connection string is none: it reads HostName=...;DeviceId=...;SharedAccessKey=... as provisioning handed it out',
    );
  }
  return { hostName, deviceId, key };
}

const LIFETIME_SECONDS = 3_600;
const RENEWED_BEFORE_SECONDS = 600;

/**
 * Hands out a SAS token (https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas, SAS token structure) and
 * makes another in good time.
 */
export function createTokenSource({ hostName, deviceId, key }: GatewayIdentity): {
  token(now: number): string;
  /** The cloud did not take it: the next is a new one, whose times are those of the clock as it is now. */
  forget(): void;
} {
  const resource = encodeURIComponent(`${hostName}/devices/${deviceId}`);
  let token = '';
  let expiry = 0;
  return {
    token(now) {
      const seconds = Math.floor(now / 1000);
      const left = expiry - seconds;
      // Also made anew where the clock was set back: the token would outlive what was meant.
      if (left < RENEWED_BEFORE_SECONDS || left > LIFETIME_SECONDS) {
        expiry = seconds + LIFETIME_SECONDS;
        const signature = createHmac('sha256', key).update(`${resource}\n${expiry}`).digest('base64');
        token = `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}`;
      }
      return token;
    },
    forget: () => void (expiry = 0),
  };
}
