import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { type Reply, refusal } from './reply';

/** What a request's signature covers, besides its verb and date. */
export interface SignedResource {
  /** `dbs`, `colls`, `docs`, `pkranges`, `offers`, or empty for the account. */
  type: string;
  /** The resource's link, such as `dbs/a/colls/b/docs/c`, or its parent's for a feed. */
  link: string;
}

const CLOCK_SKEW_MILLISECONDS = 15 * 60_000;

/**
 * Checks the account key's signature on each request: HMAC-SHA256 over `verb\ntype\nlink\ndate\n\n`, all but the link
 * in lower case (https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources).
 *
 * Returns `undefined` when the request may go on, else the refusal: 401 for a wrong or missing signature, 403 for a
 * date more than 15 minutes away from the clock.
 */
export function createAuthorization(key: string): {
  check(
    verb: string,
    resource: SignedResource,
    authorization: string | undefined,
    date: string | undefined,
    now: number,
  ): Reply | undefined;
} {
  const secret: KeyObject = createSecretKey(Buffer.from(key, 'base64'));
  // One date serves every request of a second: its parse and lower-casing are kept.
  let lastDate = '';
  let lastLowered = '';
  let lastTime = 0;

  return {
    check(verb, resource, authorization, date, now) {
      if (authorization === undefined) {
        return refusal(
          401,
          'Required Header authorization is missing. Ensure a valid Authorization token is passed.',
        );
      }
      if (date === undefined) {
        return refusal(401, 'Required Header x-ms-date is missing: it is part of what the token signs.');
      }
      if (date !== lastDate) {
        lastDate = date;
        lastLowered = date.toLowerCase();
        lastTime = Date.parse(date);
      }
      const token = decoded(authorization);
      const parts = /^type=([a-z]+)&ver=([\d.]+)&sig=(.*)$/s.exec(token);
      if (!parts) {
        return refusal(401, 'The authorization token is not of the form type=...&ver=...&sig=...');
      }
      if (parts[1] !== 'master') {
        return refusal(
          401,
          `Authorization tokens of type '${parts[1]}' are not supported: sign with the account key.`,
        );
      }
      const expected = createHmac('sha256', secret)
        .update(`${verb.toLowerCase()}\n${resource.type}\n${resource.link}\n${lastLowered}\n\n`)
        .digest();
      const given = Buffer.from(parts[3] ?? '', 'base64');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        return refusal(
          401,
          "The input authorization token can't serve the request. The wrong key is being used or the expected payload is not built as per the protocol.",
        );
      }
      if (!(Math.abs(now - lastTime) <= CLOCK_SKEW_MILLISECONDS)) {
        return refusal(403, 'The authorization token is not valid at the current time.');
      }
      return undefined;
    },
  };
}

function decoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return '';
  }
}
