import { parseConnectionString, sasToken } from './device-identity';
import { type SendingDevice } from './sender';

export const API_VERSION = '2021-04-12';
const TOKEN_LIFE_SECONDS = 24 * 3600;
/** A token is renewed once less than this is left of it. */
const RENEW_SECONDS = 3600;

/** A device that signs in with its connection string: its token is made at its first message and kept for a day. */
export function createSendingDevice(connectionString: string): SendingDevice {
  const identity = parseConnectionString(connectionString);
  let token = '';
  let renewAt = 0;
  return {
    deviceId: identity.deviceId,
    path: `/devices/${encodeURIComponent(identity.deviceId)}/messages/events?api-version=${API_VERSION}`,
    authorization(now) {
      if (now >= renewAt) {
        const expiresAt = Math.floor(now / 1000) + TOKEN_LIFE_SECONDS;
        token = sasToken(identity, expiresAt);
        renewAt = (expiresAt - RENEW_SECONDS) * 1000;
      }
      return token;
    },
  };
}
