import { type Principal } from '../auth/scope';
import { TokenError, type TokenErrorCode } from '../auth/token-error';
import { type ErrorCode } from '../resolvers/errors';

export interface Tokens {
  /**
   * @param address whence it comes.
   * @throws TokenError; an error of the store's where it had to be asked and is away.
   */
  verify(token: string, address: string): Promise<Principal>;
}

export type Authentication =
  { ok: true; principal: Principal } | { ok: false; code: ErrorCode; message: string; reason: string };

/** What is no fault of the credential. */
const CODES: Partial<Record<TokenErrorCode, ErrorCode>> = {
  TOKEN_KEYS_UNAVAILABLE: 'UNAVAILABLE',
  API_KEYS_TOO_MANY_WRONG: 'RATE_LIMITED',
};

/** Who sends a request, by the value of its `Authorization` header and the address of its connection. */
export async function authenticate(
  tokens: Tokens,
  authorization: unknown,
  address: string,
): Promise<Authentication> {
  const token = typeof authorization === 'string' ? /^bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
  if (token === undefined) {
    return {
      ok: false,
      code: 'UNAUTHENTICATED',
      message: 'send an access token or an API key: Authorization: Bearer <token>',
      reason: 'TOKEN_MISSING',
    };
  }
  try {
    return { ok: true, principal: await tokens.verify(token, address) };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const code = CODES[error.code] ?? 'UNAUTHENTICATED';
    return { ok: false, code, message: error.message, reason: error.code };
  }
}
