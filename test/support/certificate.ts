import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface Certificates {
  /** PEM, all of them. */
  ca: string;
  cert: string;
  key: string;
}

export interface Certificate {
  /** PEM. */
  cert: string;
  key: string;
}

/** A certificate authority of a moment: Node makes keys but no certificates. */
export interface Authority {
  /** PEM of its own certificate. */
  ca: string;
  issue(parts: Parts): Certificate;
}

interface Parts {
  commonName: string;
  /** Further common names of the subject. */
  alsoNamed?: string[];
  /** Milliseconds from now. */
  validFrom?: number;
  validFor?: number;
  isCa?: boolean;
  /** Object ids of the extended key usage, as DER in hexadecimal digits. */
  usages?: string[];
  /** Names and addresses of a server. */
  hosts?: readonly string[];
}

export const SERVER_USAGE = '2b06010505070301';
export const CLIENT_USAGE = '2b06010505070302';

/** @param parts of its own certificate. */
export function createAuthority(commonName = 'Atrium test CA', parts: Partial<Parts> = {}): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = { isCa: true, ...parts, commonName };
  return {
    ca: certificate(own, commonName, keys.publicKey, keys.privateKey),
    issue(of) {
      const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        cert: certificate(of, commonName, holder.publicKey, keys.privateKey),
        key: holder.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

/** A certificate that nobody but its holder vouches for. */
export function selfSigned(parts: Parts): Certificate {
  const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    cert: certificate(parts, parts.commonName, holder.publicKey, holder.privateKey),
    key: holder.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** As a device's registration names a certificate: SHA-256 of its DER form, capital hexadecimal digits. */
export function thumbprintOf({ cert }: Certificate): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '');
}

/** A server's certificate, with the authority that it is from. */
export function createCertificates(hosts: readonly string[] = ['localhost', '127.0.0.1']): Certificates {
  const authority = createAuthority();
  return { ca: authority.ca, ...authority.issue({ commonName: 'Atrium test server', hosts }) };
}

const HOUR = 3_600_000;

/** X.509 version 3 (RFC 5280, 4.1), signed with ECDSA and SHA-256. */
function certificate(
  { commonName, alsoNamed = [], validFrom = -HOUR, validFor = 24 * HOUR, isCa, usages, hosts }: Parts,
  issuer: string,
  publicKey: KeyObject,
  issuerKey: KeyObject,
): string {
  const algorithm = sequence(objectId('2a8648ce3d040302'));
  const names = (hosts ?? []).map((host) =>
    isIPv4(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  const extensions = [
    extension('551d13', true, sequence(isCa ? tlv(0x01, Buffer.from([0xff])) : Buffer.alloc(0))),
    ...(usages ? [extension('551d25', false, sequence(...usages.map(objectId)))] : []),
    ...(hosts ? [extension('551d11', false, sequence(...names))] : []),
  ];
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(issuer),
    sequence(instant(Date.now() + validFrom), instant(Date.now() + validFrom + validFor)),
    name(commonName, ...alsoNamed),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const der = sequence(body, algorithm, bits(sign('sha256', body, issuerKey)));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));
const objectId = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const bits = (content: Buffer): Buffer => tlv(0x03, Buffer.concat([Buffer.from([0]), content]));
const instant = (milliseconds: number): Buffer =>
  tlv(0x18, Buffer.from(`${new Date(milliseconds).toISOString().replace(/[-:T]|\..*/g, '')}Z`));
const name = (...commonNames: string[]): Buffer =>
  sequence(
    ...commonNames.map((each) => tlv(0x31, sequence(objectId('550403'), tlv(0x0c, Buffer.from(each))))),
  );
const extension = (id: string, critical: boolean, content: Buffer): Buffer =>
  sequence(objectId(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, content));
