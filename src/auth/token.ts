import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { personId } from '../domain/id';
import { createIssuerKeys, type TrustedIssuer, unavailable } from './issuer-keys';
import { type Principal } from './scope';
import { TokenError } from './token-error';

export type { TrustedIssuer };
export { TokenError };

export interface TokenVerifier {
  /**
   * Who a token (the text behind `Bearer `) stands for.
   * @throws TokenError, and nothing else.
   */
  verify(token: string): Promise<Principal>;
}

// Asymmetric only: were HS256 taken, anybody could sign with the public key as the secret.
const ALGORITHMS = ['RS256', 'PS256', 'ES256'];
const MAXIMUM_TOKEN_LENGTH = 8_192;
const CACHED_TOKENS = 10_000;
// A token signed with a key that was withdrawn ends within this, plus the age of the key set.
const CACHED_MS = 5 * 60_000;

/**
 * Checks access tokens: signature against the keys of an issuer on the list, audience, expiry. A verified token is
 * remembered by its hash until it ends, so that a client which sends one with every request costs one signature check.
 */
export function createTokenVerifier(options: {
  issuers: readonly TrustedIssuer[];
  audience: string;
  /** How far the issuer's clock may be from ours. */
  clockToleranceSeconds: number;
  /** The least time between two fetches of an issuer's keys. */
  keysCooldownMilliseconds?: number;
}): TokenVerifier {
  const { audience, clockToleranceSeconds, keysCooldownMilliseconds = 10_000 } = options;
  const issuers = new Map(
    options.issuers.map((each) => [each.issuer, createIssuerKeys(each, keysCooldownMilliseconds)]),
  );
  const verified = new Map<string, { principal: Principal; until: number }>();

  const remember = (hash: string, principal: Principal): void => {
    const now = Date.now();
    if (verified.size >= CACHED_TOKENS) verified.delete(verified.keys().next().value!);
    verified.set(hash, { principal, until: Math.min(principal.expiresAt, now + CACHED_MS) });
  };

  return {
    async verify(token) {
      if (token.length > MAXIMUM_TOKEN_LENGTH) {
        throw new TokenError(
          'TOKEN_MALFORMED',
          `the token is longer than ${MAXIMUM_TOKEN_LENGTH} characters`,
        );
      }
      const hash = createHash('sha256').update(token).digest('base64');
      const known = verified.get(hash);
      if (known !== undefined) {
        if (Date.now() < known.until) return known.principal;
        verified.delete(hash);
      }
      const issuer = issuerOf(token);
      const keys = issuers.get(issuer);
      if (keys === undefined) {
        throw new TokenError('TOKEN_ISSUER_UNKNOWN', `tokens of '${issuer}' are not accepted here`);
      }
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          clockTolerance: clockToleranceSeconds,
          requiredClaims: ['sub', 'exp'],
        }));
      } catch (error) {
        throw tokenError(error, issuer, audience);
      }
      const principal: Principal = {
        kind: 'person',
        id: personId(issuer, payload.sub!),
        email: typeof payload.email === 'string' ? payload.email : null,
        expiresAt: payload.exp! * 1_000,
      };
      remember(hash, principal);
      return principal;
    },
  };
}

/** What the token says of its issuer, to choose the keys that then prove it. */
function issuerOf(token: string): string {
  try {
    const { alg } = decodeProtectedHeader(token);
    if (!ALGORITHMS.includes(alg ?? '')) {
      throw new TokenError(
        'TOKEN_ALGORITHM_REFUSED',
        `the token is signed with '${alg}', accepted are ${ALGORITHMS.join(', ')}`,
      );
    }
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch (error) {
    if (error instanceof TokenError) throw error;
    throw new TokenError('TOKEN_MALFORMED', 'the token is not a signed JWT', { cause: error });
  }
  throw new TokenError('TOKEN_MALFORMED', "the token has no 'iss'");
}

function tokenError(error: unknown, issuer: string, audience: string): TokenError {
  if (error instanceof TokenError) return error;
  const refuse = (code: TokenError['code'], message: string): TokenError =>
    new TokenError(code, message, { cause: error });
  if (error instanceof errors.JWTExpired) {
    return refuse('TOKEN_EXPIRED', 'the token has expired: get a new one');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return refuse('TOKEN_AUDIENCE_WRONG', `the token is not for ${audience}`);
    if (error.claim === 'nbf') return refuse('TOKEN_NOT_YET_VALID', 'the token is not valid yet');
    return refuse('TOKEN_MALFORMED', `the token's '${error.claim}' is missing or wrong`);
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return refuse('TOKEN_SIGNATURE_INVALID', `the token was not signed by ${issuer}`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return refuse('TOKEN_ALGORITHM_REFUSED', `accepted are ${ALGORITHMS.join(', ')}`);
  }
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return refuse('TOKEN_MALFORMED', 'the token is not a readable JWT');
  }
  // What is left is the fetching of keys: a time-out, a refused connection, a body that is no key set.
  return refuse('TOKEN_KEYS_UNAVAILABLE', unavailable(issuer));
}
