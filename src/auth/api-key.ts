import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The text of an API key: `atr_`, the key's id in 22 characters, its secret in 43, and a checksum in 6, all of base62. The
 * prefix and the checksum let a scanner of source code recognise one without asking us (as GitHub does it:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/), and let a mistyped
 * one be refused without asking the store. No character breaks a selection by a double click.
 */
export interface ParsedApiKey {
  /** `key_...`; nothing is proved yet. */
  id: string;
  secret: string;
}

const PREFIX = 'atr_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_BYTES = 16;
const SECRET_BYTES = 32;
/** How many digits of base62 hold so many bytes. */
const ID_LENGTH = 22;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
/** What scanners may look for; what is found is a key where its checksum is right. */
export const API_KEY_PATTERN = `${PREFIX}[0-9A-Za-z]{${ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH}}`;
const WHOLE = new RegExp(`^${API_KEY_PATTERN}$`);
const RECOGNISED_BY = 8;

/** Whether a credential means to be an API key, well made or not. */
export function isApiKey(credential: string): boolean {
  return credential.startsWith(PREFIX);
}

/** 256 random bits: nobody guesses them, so that a fast hash keeps them. */
export function newApiKeySecret(): string {
  return base62(randomBytes(SECRET_BYTES), SECRET_LENGTH);
}

export function apiKeyText({ id, secret }: ParsedApiKey): string {
  const body = `${PREFIX}${textOfId(id)}${secret}`;
  return body + checksumOf(body);
}

/** Undefined for what is no well-made key: cut off, mistyped, or of something else. */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  if (!WHOLE.test(text)) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (text.slice(-CHECKSUM_LENGTH) !== checksumOf(body)) return undefined;
  const bytes = bytesOf(body.slice(PREFIX.length, PREFIX.length + ID_LENGTH));
  if (bytes === undefined) return undefined;
  return { id: `key_${bytes.toString('base64url')}`, secret: body.slice(-SECRET_LENGTH) };
}

/** How its people tell one key from another: the first characters, which hold nothing of the secret. */
export function apiKeyPrefix(id: string): string {
  return PREFIX + textOfId(id).slice(0, RECOGNISED_BY);
}

/** SHA-256, in base64url: what is stored of a secret. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

const NO_HASH = Buffer.alloc(32, 1);

/** Takes the same time whatever is stored, also where nothing is. */
export function provesSecret(secret: string, hash: string | undefined): boolean {
  const stored = hash === undefined ? NO_HASH : Buffer.from(hash, 'base64url');
  const given = createHash('sha256').update(secret).digest();
  const comparable = stored.length === given.length ? stored : NO_HASH;
  return timingSafeEqual(given, comparable) && hash !== undefined && comparable === stored;
}

function textOfId(id: string): string {
  return base62(Buffer.from(id.slice('key_'.length), 'base64url'), ID_LENGTH);
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return base62(bytes, CHECKSUM_LENGTH);
}

function base62(bytes: Buffer, length: number): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; text.length < length; value /= 62n) text = DIGITS[Number(value % 62n)] + text;
  return text;
}

/** Undefined for a number that is too large for an id. */
function bytesOf(text: string): Buffer | undefined {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(DIGITS.indexOf(digit));
  const hex = value.toString(16).padStart(2 * ID_BYTES, '0');
  return hex.length > 2 * ID_BYTES ? undefined : Buffer.from(hex, 'hex');
}
