import { type IConnectPacket } from 'mqtt-packet';
import { type ErrorCode, isPassing } from '../answers';
import { IDENTIFIER_REJECTED, NOT_AUTHORIZED, SERVER_UNAVAILABLE, UNACCEPTABLE_VERSION } from './packets';

/** Who a CONNECT says it is, of which nothing is proved yet; or the return code it is refused with. */
export type Claims =
  | {
      deviceId: string;
      /** Undefined: its certificate is to prove it. */
      token: string | undefined;
      clean: boolean;
      keepAliveMilliseconds: number;
      refusal?: undefined;
    }
  | { refusal: number };

/** `{host}/{deviceId}/?api-version=...`; the host that counts is the one the token was signed for. */
const USER_NAME = /^[^/]{1,255}\/([^/?]{1,256})(?:\/?\?.*|\/)?$/s;

/** IoT Hub's own limit, that of Azure's load balancer: 29.45 minutes. */
const LONGEST_SILENCE_MS = 1_767_000;

export function claimsOf(packet: IConnectPacket & { bridgeMode?: boolean }): Claims {
  if (packet.protocolId !== 'MQTT' || packet.protocolVersion !== 4 || packet.bridgeMode) {
    return { refusal: UNACCEPTABLE_VERSION };
  }
  const { clientId, username, password, clean = true, keepalive = 0 } = packet;
  if (clientId === '') return { refusal: IDENTIFIER_REJECTED };
  const named = USER_NAME.exec(username ?? '')?.[1];
  if (named !== clientId) return { refusal: NOT_AUTHORIZED };
  return {
    deviceId: clientId,
    token: password?.length ? password.toString('utf8') : undefined,
    clean,
    // One and a half times what the client promised (MQTT 3.1.1, 3.1.2.10).
    keepAliveMilliseconds:
      keepalive === 0 ? LONGEST_SILENCE_MS : Math.min(LONGEST_SILENCE_MS, 1_500 * keepalive),
  };
}

/**
 * Why a device is not let in. Wrong key, unknown, suspended and retired look alike here: a CONNACK has no text, and a
 * return code of its own would tell a guesser what exists.
 */
export function refusalOf(code: ErrorCode): number {
  return isPassing(code) ? SERVER_UNAVAILABLE : NOT_AUTHORIZED;
}
