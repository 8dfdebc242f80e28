import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Outcome } from '../registry';
import { refused } from './access';

/** How a device proves who it is: by one of these at a time. */
export const CREDENTIAL_KINDS = ['SYMMETRIC_KEY', 'X509_THUMBPRINT', 'X509_CA'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** What is asked for; null for the parts that belong to another kind. */
export interface CredentialInput {
  kind: CredentialKind;
  /** For `X509_THUMBPRINT`. */
  primaryThumbprint: string | null;
  secondaryThumbprint: string | null;
  /** For `X509_CA`: PEM of one certificate. */
  authority: string | null;
}

/** What was asked for, checked and in one form. */
export type NewCredential =
  | { kind: 'SYMMETRIC_KEY' }
  | { kind: 'X509_THUMBPRINT'; primary: string; secondary: string | null }
  | { kind: 'X509_CA'; authority: string };

const MAXIMUM_PEM_BYTES = 8 * 1024;
/** NIST SP 800-131A: shorter RSA keys are no longer allowed for signatures. */
const SHORTEST_RSA_BITS = 2048;

const PARTS = {
  primaryThumbprint: 'X509_THUMBPRINT',
  secondaryThumbprint: 'X509_THUMBPRINT',
  authority: 'X509_CA',
} as const satisfies Partial<Record<keyof CredentialInput, CredentialKind>>;

export function credentialOf(input: CredentialInput, now: number): Outcome<NewCredential> {
  for (const [part, kind] of Object.entries(PARTS)) {
    if (input[part as keyof typeof PARTS] !== null && kind !== input.kind) {
      const path = `credential.${part}`;
      return refused('INVALID_INPUT', `${path} belongs to ${kind}, not to ${input.kind}`, path);
    }
  }
  if (input.kind === 'SYMMETRIC_KEY') return { ok: true, value: { kind: input.kind } };
  if (input.kind === 'X509_CA') {
    const authority = authorityOf(input.authority, now, 'credential.authority');
    return authority.ok ? { ok: true, value: { kind: input.kind, authority: authority.value } } : authority;
  }

  const path = 'credential.secondaryThumbprint';
  const primary = thumbprintOf(input.primaryThumbprint, 'credential.primaryThumbprint');
  if (!primary.ok) return primary;
  if (input.secondaryThumbprint === null) {
    return { ok: true, value: { kind: input.kind, primary: primary.value, secondary: null } };
  }
  const secondary = thumbprintOf(input.secondaryThumbprint, path);
  if (!secondary.ok) return secondary;
  if (secondary.value === primary.value) return refused('INVALID_INPUT', `${path} is the primary one`, path);
  return { ok: true, value: { kind: input.kind, primary: primary.value, secondary: secondary.value } };
}

/**
 * The SHA-256 of a certificate's DER form in capital hexadecimal digits without colons, from however openssl or Windows
 * write it.
 */
export function thumbprintOf(text: string | null, path: string): Outcome<string> {
  if (text === null) return refused('INVALID_INPUT', `${path} is missing`, path);
  const digits = text.replaceAll(':', '').toUpperCase();
  if (/^[0-9A-F]{64}$/.test(digits) && text.length <= 64 + 31) return { ok: true, value: digits };
  const message = /^[0-9A-F]{40}$/.test(digits)
    ? `${path} is a SHA-1 thumbprint, which can be forged: give the SHA-256, 64 hexadecimal digits`
    : `${path} is not a SHA-256 thumbprint: 64 hexadecimal digits, with or without colons`;
  return refused('INVALID_INPUT', message, path);
}

/** The certificate in PEM and nothing beside it, so that neither a private key nor a chain comes to be stored. */
function authorityOf(pem: string | null, now: number, path: string): Outcome<string> {
  const wrong = (why: string): Outcome<string> => refused('INVALID_INPUT', `${path} ${why}`, path);
  if (pem === null) return wrong('is missing');
  const bytes = Buffer.byteLength(pem);
  if (bytes > MAXIMUM_PEM_BYTES) return wrong(`has ${bytes} bytes and may have ${MAXIMUM_PEM_BYTES}`);
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label]) => label);
  if (labels.some((label) => label?.endsWith('PRIVATE KEY'))) {
    return wrong('holds a private key, which is nobody’s business: give the certificate alone');
  }
  if (labels.length !== 1 || labels[0] !== 'CERTIFICATE') return wrong('is not the PEM of one certificate');
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(pem);
    key = certificate.publicKey;
  } catch {
    return wrong('is not a certificate that can be read, or its key is of no kind that can');
  }
  if (!certificate.ca)
    return wrong('is not the certificate of a certification authority (RFC 5280, 4.2.1.9)');
  if (certificate.validToDate.getTime() <= now) return wrong(`expired on ${certificate.validTo}`);
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const bits = asymmetricKeyDetails?.modulusLength;
  if (asymmetricKeyType?.startsWith('rsa') && bits !== undefined && bits < SHORTEST_RSA_BITS) {
    return wrong(`has an RSA key of ${bits} bits and needs ${SHORTEST_RSA_BITS}`);
  }
  return { ok: true, value: certificate.toString() };
}
