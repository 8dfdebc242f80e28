import { createHash, randomBytes } from 'node:crypto';

/** Crockford's base 32 (https://www.crockford.com/base32.html): no letter of it is mistaken for a digit. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_BITS = 128;
/** 26 digits of five bits; the first carries three. */
const CODE_DIGITS = Math.ceil(CODE_BITS / 5);

/** A claim code of 16 bytes, in groups that can be read out, such as `2K7QX-1M0VD-...-4`. By default they are random. */
export function newClaimCode(secret: Buffer = randomBytes(CODE_BITS / 8)): string {
  let bits = BigInt(`0x${secret.toString('hex')}`);
  let code = '';
  for (let i = 0; i < CODE_DIGITS; i++) {
    code = DIGITS[Number(bits & 31n)]! + code;
    bits >>= 5n;
  }
  return code.match(/.{1,5}/g)!.join('-');
}

/**
 * A code as somebody typed or scanned it, in its one form: hyphens, spaces and case don't matter, and O is 0, I and L
 * are 1. What is no code stays something that no code is equal to.
 */
export function normalizedClaimCode(code: string): string {
  return code.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
}

/**
 * The key of the claim document of a serial number and its code. Both are in it, so that an unknown serial number, a
 * foreign one and a wrong code all ask for one key that does not exist: there is nothing to compare and nothing to lock.
 */
export function claimKeyOf(serialNumber: string, claimCode: string): string {
  const hash = createHash('sha256');
  for (const part of [serialNumber.trim(), normalizedClaimCode(claimCode)]) {
    hash.update(`${part.length}:${part}`);
  }
  return `claim:${hash.digest('base64url')}`;
}

/** What the QR code on a device carries. */
export function claimTextOf(serialNumber: string, claimCode: string): string {
  return `ATRIUM:1:${encodeURIComponent(serialNumber)}:${claimCode}`;
}
