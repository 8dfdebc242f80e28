import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { TokenError } from './token-error';

export interface TrustedIssuer {
  /** Exactly as the token's `iss` has it. */
  issuer: string;
  /** Left out, the issuer's discovery document names it. */
  jwksUri?: string;
}

const FETCH_TIMEOUT_MS = 5_000;
// A key that the issuer withdrew is still taken for so long.
const KEYS_MAXIMUM_AGE_MS = 10 * 60_000;

/**
 * An issuer's signing keys, fetched at the first token and again when a token names a key that is not among them (the
 * issuer rotated), but not more often than the cool-down: forged key ids cannot make us flood the issuer.
 */
export function createIssuerKeys({ issuer, jwksUri }: TrustedIssuer, cooldownMs: number): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  let failedAt = -Infinity;

  const load = async (): Promise<JWTVerifyGetKey> => {
    const uri = jwksUri ?? (await discoverJwksUri(issuer));
    return createRemoteJWKSet(new URL(uri), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: cooldownMs,
      cacheMaxAge: KEYS_MAXIMUM_AGE_MS,
    });
  };

  return async (header, token) => {
    if (keys === undefined) {
      if (performance.now() - failedAt < cooldownMs) {
        throw new TokenError('TOKEN_KEYS_UNAVAILABLE', unavailable(issuer));
      }
      keys = load().catch((error: unknown) => {
        keys = undefined;
        failedAt = performance.now();
        throw new TokenError('TOKEN_KEYS_UNAVAILABLE', unavailable(issuer), { cause: error });
      });
    }
    return (await keys)(header, token);
  };
}

export function unavailable(issuer: string): string {
  return `the keys of ${issuer} cannot be fetched now: try again shortly`;
}

/** OpenID Connect Discovery 1.0, section 4; the document must name the issuer it was asked of (section 4.3). */
async function discoverJwksUri(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (document.issuer !== issuer) throw new Error(`${url} names another issuer`);
  if (typeof document.jwks_uri !== 'string') throw new Error(`${url} names no jwks_uri`);
  return document.jwks_uri;
}
