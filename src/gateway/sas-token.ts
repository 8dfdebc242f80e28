import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

/** A SAS token taken apart. Nothing of it is proved yet. */
export interface SasToken {
  /** Host name of the audience, lower case, without a port. */
  hostName: string;
  deviceId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  signature: Buffer;
  /** What was signed: the resource as it stands in the token, url-encoded, and the expiry. */
  signed: string;
}

const SCHEME = 'SharedAccessSignature ';
const MAXIMUM_CHARACTERS = 2_048;

/**
 * Reads `SharedAccessSignature sr={host%2Fdevices%2FdeviceId}&sig={url-encoded base64}&se={seconds}`, fields in any
 * order, by IoT Hub's rules: https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas (SAS token structure).
 * `skn` names a shared access policy; a device's token has none.
 * @returns undefined for anything else.
 */
export function parseSasToken(text: string): SasToken | undefined {
  if (!text.startsWith(SCHEME) || text.length > MAXIMUM_CHARACTERS) return undefined;
  const fields = new Map<string, string>();
  for (const field of text.slice(SCHEME.length).split('&')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, equals).trim();
    if (equals <= 0 || fields.has(name)) return undefined;
    fields.set(name, field.slice(equals + 1).trim());
  }
  const resource = fields.get('sr');
  const signature = fields.get('sig');
  const expiry = fields.get('se');
  if (resource === undefined || signature === undefined || expiry === undefined) return undefined;
  if (!/^\d{1,12}$/.test(expiry) || (fields.get('skn') ?? '') !== '') return undefined;
  const audience = decoded(resource)?.match(/^([^/]+)\/devices\/([^/]+)$/);
  const base64 = decoded(signature);
  if (!audience || base64 === undefined) return undefined;
  return {
    hostName: withoutPort(audience[1]!),
    deviceId: audience[2]!,
    expiresAt: Number(expiry) * 1000,
    signature: Buffer.from(base64, 'base64'),
    signed: `${resource}\n${expiry}`,
  };
}

/** What an unknown device's token is compared with: the same work, and never a match. */
const NO_KEYS: readonly Buffer[] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

/**
 * The key that made the signature, or undefined. The work is the same whether and which key matches, and for a device
 * that is unknown (`keys` undefined), so that the time of an answer tells nothing.
 */
export function signingKey(token: SasToken, keys: readonly Buffer[] | undefined): Buffer | undefined {
  let found: Buffer | undefined;
  for (let i = 0; i < NO_KEYS.length; i++) {
    const key = keys?.[i];
    // A key object first: given a Buffer, `createHmac` of Node 24 takes three times as long.
    const expected = createHmac('sha256', createSecretKey(key ?? NO_KEYS[i]!))
      .update(token.signed)
      .digest();
    const whole = token.signature.length === expected.length;
    const equal = timingSafeEqual(expected, whole ? token.signature : Buffer.alloc(expected.length));
    if (equal && whole && key !== undefined) found = key;
  }
  return found;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '').toLowerCase();
}
