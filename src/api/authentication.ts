import { type Principal } from '../auth/scope';
import { TokenError } from '../auth/token-error';
import { type ErrorCode } from '../resolvers/errors';

export interface Tokens {
  /** Throws TokenError. */
  verify(token: string): Promise<Principal>;
}

export type Authentication =
  { ok: true; principal: Principal } | { ok: false; code: ErrorCode; message: string; reason: string };

/** Who sends a request, by the value of its `Authorization` header. */
export async function authenticate(tokens: Tokens, authorization: unknown): Promise<Authentication> {
  const token = typeof authorization === 'string' ? /^bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
  if (token === undefined) {
    return {
      ok: false,
      code: 'UNAUTHENTICATED',
      message: 'send an access token: Authorization: Bearer <token>',
      reason: 'TOKEN_MISSING',
    };
  }
  try {
    return { ok: true, principal: await tokens.verify(token) };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const code = error.code === 'TOKEN_KEYS_UNAVAILABLE' ? 'UNAVAILABLE' : 'UNAUTHENTICATED';
    return { ok: false, code, message: error.message, reason: error.code };
  }
}
