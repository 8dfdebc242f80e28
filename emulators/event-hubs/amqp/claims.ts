import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Policy, type Right } from '../configuration';

/** What a token let a connection do, under the audience it was put for. */
export interface Claim {
  /** Path of the audience, lower case, without slashes at its ends: `telemetry/partitions/0`. */
  path: string;
  rights: readonly Right[];
  /** ms since 1970 */
  expiresAt: number;
}

/**
 * Checks a shared access signature as Event Hubs does: `SharedAccessSignature sr=..&sig=..&se=..&skn=..`, where `sig`
 * is the HMAC-SHA256 of `sr`, a line feed and `se` under the policy's key.
 * See https://learn.microsoft.com/azure/event-hubs/authenticate-shared-access-signature.
 */
export function checkToken(options: {
  token: string;
  audience: string;
  policies: readonly Policy[];
  now: number;
}): Claim | { problem: string } {
  const { token, policies, now } = options;
  const prefix = 'SharedAccessSignature ';
  if (!token.startsWith(prefix))
    return { problem: 'InvalidSignature: The token is no shared access signature.' };
  const fields = new Map(
    token
      .slice(prefix.length)
      .split('&')
      .map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at), pair.slice(at + 1)] as const;
      }),
  );
  const [sr, sig, se, skn] = ['sr', 'sig', 'se', 'skn'].map((name) => fields.get(name));
  if (!sr || !sig || !se || !skn) {
    return { problem: 'InvalidSignature: The token lacks one of sr, sig, se and skn.' };
  }
  const scope = pathOf(decoded(sr));
  const audience = pathOf(options.audience);
  const policy = policies.find((each) => each.keyName === decoded(skn) && reaches(each, audience));
  const expected = createHmac('sha256', policy?.key ?? '')
    .update(`${sr}\n${se}`)
    .digest();
  const given = Buffer.from(decoded(sig), 'base64');
  if (!policy || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return { problem: 'InvalidSignature: The token has an invalid signature.' };
  }
  const expiresAt = Number(se) * 1000;
  if (!(expiresAt > now)) {
    return { problem: 'ExpiredToken: The token is expired.' };
  }
  if (!covers(scope, audience)) {
    return { problem: `InvalidAudience: The authorization header contains a token with the wrong audience.` };
  }
  return { path: audience, rights: policy.rights, expiresAt };
}

function reaches(policy: Policy, audience: string): boolean {
  return policy.hub === undefined || covers(policy.hub.toLowerCase(), audience);
}

/** Whether `scope` is `path` or a folder above it. */
export function covers(scope: string, path: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`);
}

/** `sb://host:port/Hub/Partitions/0` as `hub/partitions/0`. Host and scheme are not compared: one server, one host. */
export function pathOf(audience: string): string {
  return audience
    .replace(/^[a-z]+:\/\/[^/]*/i, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The claims that one connection has put. */
export interface Claims {
  put(claim: Claim): void;
  /** Whether a token now in force gives this right (any right, where none is named) over a path. */
  allows(path: string, right: Right | undefined, now: number): boolean;
  /** When the next claim expires, undefined when there is none. */
  nextExpiry(now: number): number | undefined;
}

export function createClaims(): Claims {
  const claims = new Map<string, Claim>();
  return {
    put: (claim) => void claims.set(claim.path, claim),
    allows: (path, right, now) =>
      [...claims.values()].some(
        (claim) =>
          claim.expiresAt > now &&
          covers(claim.path, path.toLowerCase()) &&
          (right === undefined || claim.rights.includes(right) || claim.rights.includes('Manage')),
      ),
    nextExpiry(now) {
      const coming = [...claims.values()].map((each) => each.expiresAt).filter((each) => each > now);
      return coming.length === 0 ? undefined : Math.min(...coming);
    },
  };
}
