import { createHmac, randomBytes } from 'node:crypto';
import { type DeviceDocument, type EnrollmentGroupDocument } from '../documents';
import { type Keyring } from '../keyring';

export const KEY_BYTES = 32;

type SealedKeys = NonNullable<DeviceDocument['keys']>;

export function sealedKeys(
  keyring: Keyring,
  deviceId: string,
  [primary, secondary]: readonly [Buffer, Buffer],
): SealedKeys {
  return { primary: keyring.seal(deviceId, primary), secondary: keyring.seal(deviceId, secondary) };
}

export function freshKeys(keyring: Keyring, deviceId: string): SealedKeys {
  return sealedKeys(keyring, deviceId, [randomBytes(KEY_BYTES), randomBytes(KEY_BYTES)]);
}

/**
 * A device's keys as its manufacturer derived them from its group's: HMAC-SHA256 of the device's id
 * (https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation#group-enrollments). They become the
 * device's own, so that a rotation puts an end to them whatever somebody can derive.
 */
export function derivedKeys(keyring: Keyring, group: EnrollmentGroupDocument, deviceId: string): SealedKeys {
  const derive = (sealed: string): Buffer =>
    createHmac('sha256', keyring.open(group.id, sealed)).update(deviceId).digest();
  return sealedKeys(keyring, deviceId, [derive(group.keys.primary), derive(group.keys.secondary)]);
}
