import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface Certificates {
  /** PEM, all of them. */
  ca: string;
  cert: string;
  key: string;
}

/** A certificate authority of a moment, and a server's certificate from it. Node makes keys but no certificates. */
export function createCertificates(hosts: readonly string[] = ['localhost', '127.0.0.1']): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'Atrium test CA';
  const basicConstraints = (isCa: boolean): Buffer =>
    extension('551d13', true, sequence(isCa ? tlv(0x01, Buffer.from([0xff])) : Buffer.alloc(0)));
  const names = hosts.map((host) =>
    isIPv4(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  const ca = certificate(issuer, issuer, authority.publicKey, authority.privateKey, [basicConstraints(true)]);
  const cert = certificate('Atrium test server', issuer, server.publicKey, authority.privateKey, [
    basicConstraints(false),
    extension('551d11', false, sequence(...names)),
  ]);
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

const HOUR = 3_600_000;

/** X.509 version 3 (RFC 5280, 4.1), signed with ECDSA and SHA-256. */
function certificate(
  subject: string,
  issuer: string,
  publicKey: KeyObject,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(objectId('2a8648ce3d040302'));
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(issuer),
    sequence(instant(Date.now() - HOUR), instant(Date.now() + 24 * HOUR)),
    name(subject),
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
const name = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(objectId('550403'), tlv(0x0c, Buffer.from(commonName)))));
const extension = (id: string, critical: boolean, content: Buffer): Buffer =>
  sequence(objectId(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, content));
