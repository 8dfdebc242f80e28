/** Why an access token, or an API key, was refused. A code never changes its meaning. */
export const TOKEN_ERROR_CODES = [
  /** Not a signed JWT, or one that lacks what every access token has; an API key whose checksum is wrong. */
  'TOKEN_MALFORMED',
  /** Signed in a way that is not accepted (symmetric, or not at all). */
  'TOKEN_ALGORITHM_REFUSED',
  /** From an issuer that is not on the list. */
  'TOKEN_ISSUER_UNKNOWN',
  /** The signature does not match, or no key of the issuer made it. */
  'TOKEN_SIGNATURE_INVALID',
  /** Made for another API. */
  'TOKEN_AUDIENCE_WRONG',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_YET_VALID',
  /** The issuer's keys cannot be fetched: no fault of the caller, who may try again. */
  'TOKEN_KEYS_UNAVAILABLE',
  /** An API key that is unknown, wrong, revoked or expired: they are not told apart. */
  'API_KEY_INVALID',
  /** Nothing was looked up: try again in a moment. */
  'API_KEYS_TOO_MANY_WRONG',
] as const;
export type TokenErrorCode = (typeof TOKEN_ERROR_CODES)[number];

/** Its message is for the caller: what was wrong and what to do, without the token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  constructor(
    readonly code: TokenErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
