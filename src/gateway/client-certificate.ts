import { generateKeyPairSync, timingSafeEqual, X509Certificate } from 'node:crypto';
import { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type DirectoryDevice } from '../store/device-directory';

/** A certificate whose key a client has proved to hold, by its TLS handshake. Whom it speaks for is not known yet. */
export interface ClientCertificate {
  readonly x509: X509Certificate;
  /** SHA-256 of its DER form, capital hexadecimal digits, as bytes. */
  readonly thumbprint: Buffer;
  /** Milliseconds since 1970, both inclusive. */
  readonly validFrom: number;
  readonly validTo: number;
}

export interface ClientCertificates {
  /** What the client of a connection presented; undefined where it presented none, or speaks no TLS. */
  of(socket: Socket): ClientCertificate | undefined;
  /**
   * Whether a certificate speaks for a device now: it is one of those the device was registered with, or the device's
   * authority signed it in the device's name. For a device that does not exist (null) the work is the same and the answer
   * no.
   */
  speaksFor(
    certificate: ClientCertificate,
    deviceId: string,
    device: DirectoryDevice | null,
    now: number,
  ): boolean;
}

/** RFC 5280, 4.2.1.12: for client authentication, and for any use. */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const ANY_USE = '2.5.29.37.0';
const THUMBPRINT_DIGITS = 64;
const NO_THUMBPRINT = Buffer.alloc(THUMBPRINT_DIGITS);
/** Authorities kept parsed; the PEM of a further one is read again. */
const MOST_AUTHORITIES = 1_000;

export function createClientCertificates(): ClientCertificates {
  const bySocket = new WeakMap<Socket, ClientCertificate>();
  const authorities = new Map<string, X509Certificate | null>();
  /** The last answer for each certificate: a connection asks the same at every message. */
  const signed = new WeakMap<
    ClientCertificate,
    { authority: string | null; deviceId: string; is: boolean }
  >();
  // What is verified where there is no authority, so that the time of an answer does not tell whether there is one.
  const nobody = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;

  const authorityOf = (pem: string): X509Certificate | null => {
    let parsed = authorities.get(pem);
    if (parsed === undefined) {
      parsed = parse(pem);
      if (authorities.size >= MOST_AUTHORITIES) authorities.delete(authorities.keys().next().value!);
      authorities.set(pem, parsed);
    }
    return parsed;
  };

  /** All that does not change with time. */
  const isSigned = ({ x509 }: ClientCertificate, deviceId: string, pem: string | null): boolean => {
    const authority = pem === null ? null : authorityOf(pem);
    // Always one verification, whatever else is wrong.
    const verified = verifies(x509, authority?.publicKey ?? nobody);
    return (
      authority !== null &&
      verified &&
      authority.ca &&
      x509.checkIssued(authority) &&
      !x509.ca &&
      isForClients(x509) &&
      // An array where the subject has several.
      (x509.toLegacyObject().subject as { CN?: unknown }).CN === deviceId
    );
  };

  const signedFor = (
    certificate: ClientCertificate,
    deviceId: string,
    pem: string | null,
    now: number,
  ): boolean => {
    let last = signed.get(certificate);
    if (last?.authority !== pem || last.deviceId !== deviceId) {
      last = { authority: pem, deviceId, is: isSigned(certificate, deviceId, pem) };
      signed.set(certificate, last);
    }
    if (!last.is) return false;
    const authority = authorityOf(pem!)!;
    return authority.validFromDate.getTime() <= now && now <= authority.validToDate.getTime();
  };

  return {
    of(socket) {
      if (!(socket instanceof TLSSocket)) return undefined;
      let certificate = bySocket.get(socket);
      if (certificate === undefined) {
        const x509 = socket.getPeerX509Certificate();
        if (x509 === undefined) return undefined;
        certificate = clientCertificate(x509);
        bySocket.set(socket, certificate);
      }
      return certificate;
    },

    speaksFor(certificate, deviceId, device, now) {
      const registered = isRegistered(certificate, device?.thumbprints ?? []);
      const good = registered || signedFor(certificate, deviceId, device?.authority ?? null, now);
      return good && device !== null && certificate.validFrom <= now && now <= certificate.validTo;
    },
  };
}

export function clientCertificate(x509: X509Certificate): ClientCertificate {
  return {
    x509,
    thumbprint: Buffer.from(x509.fingerprint256.replaceAll(':', ''), 'latin1'),
    validFrom: x509.validFromDate.getTime(),
    validTo: x509.validToDate.getTime(),
  };
}

/** Compares with two thumbprints always, so that the time tells neither how many there are nor which is right. */
function isRegistered({ thumbprint }: ClientCertificate, registered: readonly string[]): boolean {
  let found = false;
  for (let i = 0; i < 2; i++) {
    const expected = Buffer.from(registered[i] ?? '', 'latin1');
    const whole = expected.length === THUMBPRINT_DIGITS;
    const equal = timingSafeEqual(thumbprint, whole ? expected : NO_THUMBPRINT);
    if (equal && whole) found = true;
  }
  return found;
}

function isForClients({ keyUsage }: X509Certificate): boolean {
  // Without the extension any use is meant.
  return keyUsage === undefined || keyUsage.includes(CLIENT_AUTHENTICATION) || keyUsage.includes(ANY_USE);
}

function verifies(x509: X509Certificate, key: X509Certificate['publicKey']): boolean {
  try {
    return x509.verify(key);
  } catch {
    // A key of another kind than the signature.
    return false;
  }
}

function parse(pem: string): X509Certificate | null {
  try {
    const authority = new X509Certificate(pem);
    // Throws for a key of a kind that cannot be read: here, where it costs that authority's devices and nobody else.
    return authority.publicKey ? authority : null;
  } catch {
    return null;
  }
}
