import { type TlsOptions } from 'node:tls';
import { OperatorError } from '../observability/operator-error';

/** The gateway's certificate with its chain, and its key, in PEM. */
export interface ServerCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

const HANDSHAKE_MS = 20_000;

/**
 * How the gateway speaks TLS, whatever runs above it. A client is asked for a certificate and needs none. Whose it is and
 * whether it is to be trusted, each device's registration says, and no list of authorities here; that the client holds
 * the certificate's key, the handshake itself proves (CertificateVerify, RFC 8446 section 4.4.3).
 */
export function tlsOptionsOf({ cert, key }: ServerCertificate): TlsOptions {
  return {
    cert,
    key,
    handshakeTimeout: HANDSHAKE_MS,
    minVersion: 'TLSv1.2',
    requestCert: true,
    rejectUnauthorized: false,
  };
}

/** @throws OperatorError where the certificate or its key are none or do not belong together. */
export function createTls<Server>(create: () => Server): Server {
  try {
    return create();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError(
      `the TLS certificate or its key cannot be used (${why}): give a PEM chain and the key that belongs to it`,
    );
  }
}
