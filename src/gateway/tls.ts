import { createPrivateKey, hkdfSync } from 'node:crypto';
import { type Server as TlsServer, type TlsOptions } from 'node:tls';
import { OperatorError } from '../observability/operator-error';
import { createHandshakes, type Handshakes } from './handshakes';
import { type GatewayMetrics } from './metrics';

/** The gateway's certificate with its chain, and its key, in PEM. */
export interface ServerCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

const HANDSHAKE_MS = 20_000;
const DAY_SECONDS = 24 * 3600;
/** What Node takes: 16 bytes of name, 16 to authenticate, 16 to encrypt. */
const TICKET_KEYS_BYTES = 48;

/**
 * How the gateway speaks TLS, whatever runs above it. A client is asked for a certificate and needs none. Whose it is and
 * whether it is to be trusted, each device's registration says, and no list of authorities here; that the client holds
 * the certificate's key, the handshake itself proves (CertificateVerify, RFC 8446 section 4.4.3), or, where it resumes a
 * session, the handshake that began it.
 *
 * Sessions are resumed for a day, on every replica and after a restart: when thousands of devices come back, half of what
 * a handshake costs is what they wait for.
 *
 * @param create makes the server with these options and does not let it listen yet.
 * @throws OperatorError where the certificate or its key are none or do not belong together.
 */
export function createSecureServer<Server extends TlsServer>(
  certificate: ServerCertificate,
  options: { handshakes: number; metrics: Pick<GatewayMetrics, 'handshake'> },
  create: (options: TlsOptions) => Server,
): { server: Server; handshakes: Handshakes } {
  try {
    const { cert, key } = certificate;
    const keysOf = createTicketKeys(key);
    let day = dayOf(Date.now());
    const server = create({
      cert,
      key,
      handshakeTimeout: HANDSHAKE_MS,
      minVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: false,
      sessionIdContext: 'atrium device gateway',
      sessionTimeout: DAY_SECONDS,
      ticketKeys: keysOf(day),
    });
    const beforeEach = (): void => {
      const today = dayOf(Date.now());
      if (today === day) return;
      day = today;
      server.setTicketKeys(keysOf(day));
    };
    return {
      server,
      handshakes: createHandshakes(server, {
        atOnce: options.handshakes,
        metrics: options.metrics,
        beforeEach,
      }),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError(
      `the TLS certificate or its key cannot be used (${why}): give a PEM chain and the key that belongs to it`,
    );
  }
}

const dayOf = (now: number): number => Math.floor(now / 1000 / DAY_SECONDS);

/**
 * Keys of session tickets by day, the same for whoever has the certificate's private key: nothing has to be shared or
 * stored besides it. Who steals that key can pose as the gateway anyway. What he could read of the past is TLS 1.2 alone,
 * whose tickets hold the key of the session; those of TLS 1.3 do not, each connection agreeing on one of its own
 * (RFC 8446, 2.2: psk_dhe_ke).
 */
export function createTicketKeys(privateKey: string | Buffer): (day: number) => Buffer {
  const secret = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  return (day) =>
    Buffer.from(hkdfSync('sha256', secret, '', `atrium session tickets ${day}`, TICKET_KEYS_BYTES));
}
