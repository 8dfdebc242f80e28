import { createHash, randomBytes } from 'node:crypto';

/** Ids are ours, opaque and global: a short kind and 128 random bits. */
export type IdKind =
  | 'ten'
  | 'bld'
  | 'spc'
  | 'pnt'
  | 'dev'
  | 'aud'
  | 'job'
  | 'grp'
  | 'trf'
  | 'alr'
  | 'alt'
  | 'whk'
  | 'whd'
  | 'exp'
  | 'gra'
  | 'inv'
  | 'key';

export function newId(kind: IdKind): string {
  return `${kind}_${randomBytes(16).toString('base64url')}`;
}

/** The same id for the same parts: what makes a retried creation find what its first try made. */
export function derivedId(kind: IdKind, ...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return `${kind}_${hash.digest().subarray(0, 16).toString('base64url')}`;
}

/** A person is who the issuer says: `(iss, sub)`, never an email address. */
export function personId(issuer: string, subject: string): string {
  const hash = createHash('sha256').update(`${issuer.length}:${issuer}${subject}`);
  return `per_${hash.digest().subarray(0, 16).toString('base64url')}`;
}
