import { createHmac } from 'node:crypto';
import { OperatorError } from '../src/observability/operator-error';

/** A device as its connection string names it. */
export interface DeviceIdentity {
  readonly deviceId: string;
  readonly hostName: string;
  readonly key: Buffer;
}

/** Parses `HostName=...;DeviceId=...;SharedAccessKey=...`. */
export function parseConnectionString(text: string): DeviceIdentity {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const at = part.indexOf('=');
    if (at > 0) parts.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  const hostName = parts.get('hostname');
  const deviceId = parts.get('deviceid');
  const key = parts.get('sharedaccesskey');
  if (!hostName || !deviceId || !key) {
    throw new OperatorError(
      'a device connection string reads HostName=...;DeviceId=...;SharedAccessKey=...: one of these parts is missing',
    );
  }
  return { hostName, deviceId, key: Buffer.from(key, 'base64') };
}

/**
 * A SAS token as Azure IoT Hub defines it: an HMAC-SHA256 over the encoded resource and the expiry.
 * https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas
 */
export function sasToken(identity: DeviceIdentity, expiresAtSeconds: number): string {
  const resource = encodeURIComponent(`${identity.hostName}/devices/${identity.deviceId}`);
  const signature = createHmac('sha256', identity.key)
    .update(`${resource}\n${expiresAtSeconds}`)
    .digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresAtSeconds}`;
}
