import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { type SealedKey } from './documents';

/**
 * Seals devices' keys at rest with AES-256-GCM. The device's id is authenticated with the key, so that a sealed key
 * that is copied into another device's document does not open there.
 */
export interface Keyring {
  seal(deviceId: string, key: Buffer): SealedKey;
  /** Throws where the key was sealed for another device, with another keyring, or was changed. */
  open(deviceId: string, sealed: SealedKey): Buffer;
}

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param key 32 bytes, from configuration. */
export function createKeyring(key: Buffer): Keyring {
  if (key.length !== 32)
    throw new Error(`the key that seals devices' keys has ${key.length} bytes and needs 32`);
  // Prepared once: from bytes it would be made anew for each sealing, at twice the cost of the sealing itself.
  const secret = createSecretKey(key);
  return {
    seal(deviceId, plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(deviceId));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
    },
    open(deviceId, sealed) {
      const [version, nonce, text] = sealed.split('.');
      if (version !== VERSION || !nonce || !text) {
        throw new Error(`the sealed key of ${deviceId} has an unknown form: ${VERSION} is known`);
      }
      const bytes = Buffer.from(text, 'base64url');
      const decipher = createDecipheriv(ALGORITHM, secret, Buffer.from(nonce, 'base64url'), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(deviceId));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()]);
    },
  };
}
