import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { hostOf, isPublicAddress, webhookUrlProblem } from '../domain/webhook';

/** What came of one try. The answer's body is nobody's business: it is not kept. */
export interface Sent {
  /** Null where no answer came. */
  status: number | null;
  /** Null where it was taken. */
  problem: string | null;
  /** The receiver wants no more of it: trying again is no use. */
  final: boolean;
}

/** All the addresses of a host name. */
export type Resolve = (host: string) => Promise<{ address: string; family: number }[]>;

export interface Sender {
  /** Never throws, and ends within the time limit. */
  send(url: string, headers: Record<string, string>, body: string): Promise<Sent>;
}

const GONE = 410;
const RESPONSE_BYTES = 16 * 1024;
const HEADER_BYTES = 16 * 1024;

/**
 * Posts to addresses that tenants chose, and to nothing of ours. The name is looked up once, every address that it stands
 * for must be a public one, and the connection is made to just the address that was judged: a name that is another a
 * moment later leads nowhere. A redirect is not followed, because it would lead past all that.
 */
export function createSender({
  allowPrivate,
  timeoutMs = 10_000,
  resolve = (host) => lookup(host, { all: true, verbatim: true }),
}: {
  /** For tests and laptops. */
  allowPrivate: boolean;
  /** For everything together, from the looking up to the end of the answer. */
  timeoutMs?: number;
  resolve?: Resolve;
}): Sender {
  /** The address to connect to, or what is wrong. */
  async function addressOf(host: string): Promise<{ address: string; family: number } | string> {
    let found: { address: string; family: number }[];
    if (isIP(host) !== 0) found = [{ address: host, family: isIP(host) }];
    else {
      try {
        found = await resolve(host);
      } catch {
        return 'the host name cannot be looked up';
      }
    }
    const [first] = found;
    if (first === undefined) return 'the host name has no address';
    // One that is ours among public ones is no accident.
    if (!allowPrivate && !found.every(({ address }) => isPublicAddress(address))) {
      return 'the host has an address that is not public';
    }
    return first;
  }

  async function post(
    url: URL,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<Sent> {
    const pinned = await addressOf(hostOf(url));
    if (typeof pinned === 'string') return { status: null, problem: pinned, final: false };
    const { address, family } = pinned;
    const pinnedLookup: LookupFunction = (_host, { all }, done) =>
      all ? done(null, [{ address, family }]) : done(null, address, family);
    const agent = new Agent({
      connect: { lookup: pinnedLookup, timeout: timeoutMs },
      // An agent of its own for each: no connection that was made for one is used for another.
      connections: 1,
      pipelining: 0,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxHeaderSize: HEADER_BYTES,
    });
    try {
      const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal });
      const { statusCode: status } = answer;
      let read = 0;
      for await (const part of answer.body as AsyncIterable<Buffer>) {
        read += part.length;
        // The status is all that counts; who says more is cut short.
        if (read > RESPONSE_BYTES) break;
      }
      if (status >= 200 && status < 300) return { status, problem: null, final: false };
      const problem =
        status >= 300 && status < 400
          ? `answered ${status}: redirects are not followed`
          : `answered ${status}`;
      return { status, problem, final: status === GONE };
    } finally {
      void agent.destroy();
    }
  }

  return {
    async send(text, headers, body) {
      // As it was when the webhook was made, or under other settings since.
      const wrong = webhookUrlProblem(text, allowPrivate);
      if (wrong !== undefined) return { status: null, problem: `the address ${wrong}`, final: true };
      const signal = AbortSignal.timeout(timeoutMs);
      const late = new Promise<Sent>((done) =>
        signal.addEventListener('abort', () =>
          done({ status: null, problem: `no answer within ${timeoutMs / 1000} s`, final: false }),
        ),
      );
      const posted = post(new URL(text), headers, body, signal).catch((error: unknown): Sent => ({
        status: null,
        problem: signal.aborted ? `no answer within ${timeoutMs / 1000} s` : `not reached: ${codeOf(error)}`,
        final: false,
      }));
      return Promise.race([posted, late]);
    },
  };
}

/** A code, and no text that the other side could have written. */
function codeOf(error: unknown): string {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return 'the connection failed';
}
