import { hash, timingSafeEqual } from 'node:crypto';
import { type Reply, refusal } from './reply';

/** What a request's signature covers, besides its verb and date. */
export interface SignedResource {
  /** `dbs`, `colls`, `docs`, `pkranges`, `offers`, or empty for the account. */
  type: string;
  /** The resource's link, such as `dbs/a/colls/b/docs/c`, or its parent's for a feed. */
  link: string;
}

const MASTER = 'type=master&ver=1.0&sig=';
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
  const sign = createSigner(Buffer.from(key, 'base64'));
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
      if (!token.startsWith(MASTER)) {
        return refusal(
          401,
          'The authorization token is not of the form type=master&ver=1.0&sig=...: sign with the account key, other tokens are not supported.',
        );
      }
      const expected = sign(`${verb.toLowerCase()}\n${resource.type}\n${resource.link}\n${lastLowered}\n\n`);
      const given = Buffer.from(token.slice(MASTER.length), 'base64');
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

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA256 (RFC 2104) of texts with one key. It is written out over the one-shot `hash`, because an `Hmac` object a
 * request costs three times as much, and every request is signed.
 */
function createSigner(key: Buffer): (text: string) => Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  (key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key).copy(block);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  let inner = Buffer.alloc(1024);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    inner[i] = block[i]! ^ 0x36;
    outer[i] = block[i]! ^ 0x5c;
  }
  return (text) => {
    const most = BLOCK_BYTES + text.length * 3;
    if (inner.length < most) inner = Buffer.concat([inner.subarray(0, BLOCK_BYTES)], most);
    const bytes = inner.write(text, BLOCK_BYTES, 'utf8');
    hash('sha256', inner.subarray(0, BLOCK_BYTES + bytes), 'buffer').copy(outer, BLOCK_BYTES);
    return hash('sha256', outer, 'buffer');
  };
}
