import { Client } from 'undici';
import { type QuantityName } from '../src/domain/quantity';
import { type SendLog } from './send-log';
import { increment, type Totals } from './totals';

/** What the sender needs of a device: made once, so that a message costs no signing and no string work. */
export interface SendingDevice {
  readonly deviceId: string;
  /** `/devices/{deviceId}/messages/events?api-version=...`. */
  readonly path: string;
  /** The `Authorization` header, a SAS token that is valid for a while. */
  authorization(now: number): string;
}

export interface MessageReading {
  /** Which object of the body it stands in; 0 where the body is one object. */
  index: number;
  channel: string;
  quantity: QuantityName;
  /** In the quantity's canonical unit. */
  value: number;
  /** Milliseconds since 1970. */
  observedAt: number;
}

/** One request: its body is the same at every attempt, which is what makes sending it again harmless. */
export interface Message {
  device: SendingDevice;
  body: string | Buffer;
  readings: readonly MessageReading[];
  /** IoT Hub's message id, by which an undated message that is sent again is known. */
  messageId?: string;
  /** When it should leave, milliseconds since 1970. */
  dueAt: number;
}

/**
 * Sends messages over a bounded number of connections and repeats each, with the same body, until the gateway has
 * answered for it. What the gateway refuses for its content is counted and not sent again.
 */
export interface Sender {
  /** Never blocks and never drops: what finds no free connection waits its turn and is counted as late. */
  submit(message: Message): void;
  /** Messages that wait, are under way, or are about to be repeated. */
  outstanding(): number;
  /** Resolves with true once nothing is outstanding, or with false at the deadline (milliseconds since 1970). */
  drained(deadline: number, signal?: AbortSignal): Promise<boolean>;
  /** Gives up what is outstanding. */
  stop(): Promise<void>;
}

interface Refusal {
  index?: number;
  channel?: string;
  code?: string;
}

const LATE_MS = 1000;
const FIRST_BACKOFF_MS = 200;
const LAST_BACKOFF_MS = 3000;
/** After a network error nobody tries for this long, and then one by one: a gateway that is down is not hammered. */
const OUTAGE_PAUSE_MS = 100;
const MAXIMUM_ANSWER_BYTES = 256 * 1024;

interface Attempt {
  message: Message;
  firstSentAt: number;
  failures: number;
}

export function createSender(options: {
  /** The gateway, `http://host:port`. */
  origin: string;
  totals: Totals;
  connections?: number;
  log?: SendLog;
  /** Called for every acknowledged message. */
  onAcknowledged?: (message: Message, at: number) => void;
}): Sender {
  const { totals, log } = options;
  const connections = options.connections ?? 64;
  // Connections of our own instead of undici's Pool, which looks through all busy ones for a free one at each request.
  const clients: Client[] = [];
  const idle: Client[] = [];
  const connect = (): Client => {
    const client = new Client(options.origin, {
      pipelining: 1,
      connectTimeout: 5_000,
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
      keepAliveTimeout: 60_000,
    });
    clients.push(client);
    return client;
  };
  let queue: Attempt[] = [];
  let head = 0;
  let underWay = 0;
  let backingOff = 0;
  let pausedUntil = 0;
  /** The last thing heard was a broken connection: one request at a time goes ahead of the others until one is answered. */
  let doubtful = false;
  let pauseTimer: NodeJS.Timeout | undefined;
  let stopped = false;
  const backoffs = new Set<NodeJS.Timeout>();

  const acknowledge = (attempt: Attempt, isRefused?: (reading: MessageReading) => boolean): void => {
    const now = Date.now();
    let taken = 0;
    for (const reading of attempt.message.readings) {
      if (isRefused?.(reading)) continue;
      taken++;
      log?.write('acknowledged', { deviceId: attempt.message.device.deviceId, ...reading }, now);
    }
    totals.acknowledged += taken;
    totals.lastAcknowledgedAt = now;
    totals.latency.add(now - attempt.firstSentAt);
    options.onAcknowledged?.(attempt.message, now);
  };

  const again = (attempt: Attempt, reason: string, waitMs?: number): void => {
    if (stopped) return;
    attempt.failures++;
    increment(totals.retriedFor, reason);
    const backoff = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt.failures - 1));
    backingOff++;
    const timer = setTimeout(
      () => {
        backoffs.delete(timer);
        backingOff--;
        queue.push(attempt);
        pump();
      },
      (waitMs ?? backoff) * (0.75 + Math.random() / 2),
    );
    backoffs.add(timer);
  };

  const answered = (
    attempt: Attempt,
    status: number,
    retryAfter: string | undefined,
    answer: string,
  ): void => {
    const { message } = attempt;
    if (status === 204) return acknowledge(attempt);
    if (status === 429 || status === 408 || status >= 500) {
      const seconds = Number(retryAfter);
      return again(attempt, String(status), seconds > 0 ? seconds * 1000 : undefined);
    }
    const body = parsed(answer);
    if (status === 200 || status === 400) {
      const refused = Array.isArray(body.refused) ? (body.refused as Refusal[]) : undefined;
      if (refused !== undefined) {
        // Every refusal names one reading, or the whole message where it names no channel.
        for (const each of refused) {
          increment(totals.refused, each.code ?? 'UNNAMED', each.channel ? 1 : message.readings.length);
        }
        if (status === 400) return;
        return acknowledge(attempt, refusedIn(message, refused));
      }
    }
    const code = (body.error as { code?: unknown } | undefined)?.code;
    const key = typeof code === 'string' ? `${status} ${code}` : String(status);
    increment(totals.rejected, key, message.readings.length);
  };

  const send = (attempt: Attempt): void => {
    const { message } = attempt;
    const now = Date.now();
    const client = idle.pop() ?? connect();
    underWay++;
    if (attempt.failures === 0) {
      attempt.firstSentAt = now;
      totals.sent++;
      if (totals.firstSentAt === 0) totals.firstSentAt = now;
      if (now - message.dueAt > LATE_MS) totals.late++;
    } else {
      totals.retried++;
    }
    if (log !== undefined) {
      for (const reading of message.readings) {
        log.write('sent', { deviceId: message.device.deviceId, ...reading }, now);
      }
      log.flush();
    }
    let status = 0;
    let retryAfter: string | undefined;
    let answer = '';
    client.dispatch(
      {
        path: message.device.path,
        method: 'POST',
        headers: [
          ...['content-type', 'application/json', 'authorization', message.device.authorization(now)],
          ...(message.messageId === undefined ? [] : ['iothub-messageid', message.messageId]),
        ],
        body: message.body,
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode, headers) {
          status = statusCode;
          if (statusCode === 429 || statusCode === 503) retryAfter = String(headers['retry-after'] ?? '');
        },
        onResponseData(_controller, chunk) {
          if (answer.length < MAXIMUM_ANSWER_BYTES) answer += chunk.toString('utf8');
        },
        onResponseEnd() {
          underWay--;
          idle.push(client);
          doubtful = false;
          if (!stopped) answered(attempt, status, retryAfter, answer);
          pump();
        },
        onResponseError(_controller, error) {
          underWay--;
          idle.push(client);
          pausedUntil = Date.now() + OUTAGE_PAUSE_MS;
          doubtful = true;
          again(attempt, (error as NodeJS.ErrnoException).code ?? error.name);
          pump();
        },
      },
    );
  };

  const pump = (): void => {
    if (stopped) return;
    const pause = pausedUntil - Date.now();
    if (pause > 0) {
      pauseTimer ??= setTimeout(() => {
        pauseTimer = undefined;
        pump();
      }, pause);
      return;
    }
    while (underWay < (doubtful ? 1 : connections) && head < queue.length) send(queue[head++]!);
    if (head === queue.length) {
      queue = [];
      head = 0;
    } else if (head > 10_000) {
      queue = queue.slice(head);
      head = 0;
    }
  };

  const outstanding = (): number => queue.length - head + underWay + backingOff;

  return {
    submit(message) {
      totals.messages++;
      totals.readings += message.readings.length;
      queue.push({ message, firstSentAt: 0, failures: 0 });
      pump();
    },
    outstanding,
    drained: (deadline, signal) =>
      new Promise((resolve) => {
        const check = (): void => {
          const empty = outstanding() === 0;
          if (empty || Date.now() >= deadline || signal?.aborted) resolve(empty);
          else setTimeout(check, 20);
        };
        check();
      }),
    async stop() {
      stopped = true;
      for (const timer of backoffs) clearTimeout(timer);
      clearTimeout(pauseTimer);
      await Promise.all(clients.map((client) => client.destroy()));
    },
  };
}

function parsed(answer: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Which readings of a message a partly taken one did not bring in: a refusal names an index, a channel, or both. */
function refusedIn(message: Message, refused: readonly Refusal[]): (reading: MessageReading) => boolean {
  const single = message.readings.every((reading) => reading.index === 0);
  return (reading) =>
    refused.some(
      (each) =>
        (each.channel === undefined || each.channel === reading.channel) &&
        (single || each.index === undefined || each.index === reading.index),
    );
}
