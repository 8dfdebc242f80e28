import { type Principal } from '../auth/scope';
import { type Memberships } from '../store/memberships';

/** Why a connection that was let in ends. */
export type SessionEnd = 'token-expired' | 'access-withdrawn' | 'rights-unknown';

export const SESSION_ENDS: Readonly<Record<SessionEnd, string>> = {
  'token-expired': 'the token has expired: connect again with a new one',
  'access-withdrawn': 'all your access was withdrawn',
  'rights-unknown': 'your rights cannot be read: try again',
};

const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/**
 * Watches over a connection of somebody who was let in, and tells when it has to end. What is told of the person's rights
 * is heard here before any subscription of the connection hears it. Returns what ends the watching.
 */
export function watchSession(options: {
  principal: Principal;
  memberships: Pick<Memberships, 'watch'>;
  end(reason: SessionEnd): void;
}): () => void {
  const { principal, memberships, end } = options;
  const remaining = Math.min(Math.max(principal.expiresAt - Date.now(), 0), MAXIMUM_TIMER_MS);
  const expiry = setTimeout(() => end('token-expired'), remaining);
  expiry.unref();
  const unwatch = memberships.watch(principal.id, (entitlements, before) => {
    if (entitlements === null) end('rights-unknown');
    // Somebody who was never anybody's may stay: they see nothing.
    else if (entitlements.length === 0 && before !== undefined && before.length > 0) end('access-withdrawn');
  });
  return () => {
    clearTimeout(expiry);
    unwatch();
  };
}
