import { Agent, request } from 'undici';
import { explain } from '../observability/logger';
import { createTokenSource, type GatewayIdentity } from './connection-string';

/** What the cloud answered to a batch, as far as it matters to the queue. */
export type Delivery =
  /** The cloud has every message: as readings, or as dead letters with their reason. */
  | { kind: 'delivered'; refused: RefusedReading[] }
  /** It cannot take this request whatever the circumstances; nothing says which message is at fault. */
  | { kind: 'unacceptable'; reason: string }
  /** Send again later: nothing is known to have been taken. */
  | { kind: 'failed'; reason: string; status: number | undefined; retryAfterMilliseconds: number };

export interface RefusedReading {
  messageIndex: number;
  channel: string;
  code: string;
  message: string;
}

/** Speaks Atrium's public device protocol, as any device does: docs/devices.md. */
export interface Cloud {
  /** Sends SenML packs in JSON as one batch. Never rejects. */
  send(messages: readonly { id: number; body: string }[]): Promise<Delivery>;
  stop(): Promise<void>;
}

const BATCH_CONTENT_TYPE = 'application/vnd.microsoft.iothub.json';
const SENML = 'application/senml+json';
const ANSWER_WITHIN_MS = 30_000;
const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;
const MAXIMUM_RETRY_AFTER_MS = 600_000;

export function createCloud(options: {
  identity: GatewayIdentity;
  protocol: 'https' | 'http';
  /** PEM of the authority to trust in place of the well-known ones. */
  ca?: Buffer;
}): Cloud {
  const { identity, protocol, ca } = options;
  const tokens = createTokenSource(identity);
  const agent = new Agent({
    connections: 1,
    connect: { timeout: 10_000, ...(ca && { ca }) },
    headersTimeout: ANSWER_WITHIN_MS,
    bodyTimeout: ANSWER_WITHIN_MS,
    maxResponseSize: MAXIMUM_ANSWER_BYTES,
  });
  const url = `${protocol}://${identity.hostName}/devices/${encodeURIComponent(identity.deviceId)}/messages/events?api-version=2021-04-12`;

  return {
    async send(messages) {
      const body = JSON.stringify(
        messages.map((message) => ({
          body: Buffer.from(message.body).toString('base64'),
          properties: { 'iothub-contenttype': SENML, 'iothub-messageid': String(message.id) },
        })),
      );
      try {
        const answer = await request(url, {
          method: 'POST',
          dispatcher: agent,
          headers: { authorization: tokens.token(Date.now()), 'content-type': BATCH_CONTENT_TYPE },
          body,
        });
        const text = await answer.body.text();
        if (answer.statusCode === 401) tokens.forget();
        return judge(answer.statusCode, text, answer.headers['retry-after']);
      } catch (error) {
        return { kind: 'failed', reason: explain(error), status: undefined, retryAfterMilliseconds: 0 };
      }
    },
    stop: () => agent.destroy(),
  };
}

/**
 * The queue forgets what the cloud has and nothing else. It has what it answered 204; what it answered 200 or 400 with
 * every refusal named, since it keeps a dead letter of each before it answers. Where it says in its own words that the
 * request is at fault, some message of it is. All else can change by itself or by a person's hand: a token that is not
 * taken, a suspended gateway, a rate, an outage, a proxy with answers of its own.
 */
export function judge(status: number, text: string, retryAfter: unknown): Delivery {
  if (status === 204) return { kind: 'delivered', refused: [] };
  const answer = parsed(text);
  if (status === 200 || status === 400) {
    const refused = refusalsOf(answer);
    if (refused !== undefined) return { kind: 'delivered', refused };
  }
  const reason = reasonOf(status, answer);
  if (AT_FAULT.has(codeOf(answer))) return { kind: 'unacceptable', reason };
  return { kind: 'failed', reason, status, retryAfterMilliseconds: millisecondsOf(retryAfter) };
}

const AT_FAULT = new Set(['PAYLOAD_INVALID', 'PAYLOAD_TOO_LARGE']);

function codeOf({ error }: Record<string, unknown>): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '');
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function refusalsOf({ refused }: Record<string, unknown>): RefusedReading[] | undefined {
  if (!Array.isArray(refused)) return undefined;
  return refused.map((each: Partial<RefusedReading>) => ({
    messageIndex: Number(each.messageIndex ?? 0),
    channel: String(each.channel ?? ''),
    code: String(each.code ?? ''),
    message: String(each.message ?? ''),
  }));
}

function reasonOf(status: number, answer: Record<string, unknown>): string {
  const code = codeOf(answer);
  const message = String((answer['error'] as { message?: unknown } | undefined)?.message ?? '');
  return code === '' ? `status ${status}` : `${status} ${code}: ${message}`;
}

/** RFC 9110 section 10.2.3: seconds or a date. */
function millisecondsOf(retryAfter: unknown): number {
  if (typeof retryAfter !== 'string') return 0;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), MAXIMUM_RETRY_AFTER_MS) : 0;
}
