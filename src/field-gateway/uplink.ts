import { explain, type Logger } from '../observability/logger';
import { backoffMilliseconds, pause } from './backoff';
import { type Cloud, type Delivery } from './cloud';
import { type FieldGatewayMetrics } from './metrics';
import { type StoreAndForwardQueue } from './queue';

/** Empties the queue into the cloud, oldest first, one batch at a time. */
export interface Uplink {
  start(): void;
  /** Lets a batch under way be answered for a while; what was not answered stays in the queue. */
  stop(): Promise<void>;
  /** Why the last attempt failed; undefined where it did not. */
  failure(): string | undefined;
}

/** IoT Hub takes 256 KB a batch; base64 makes four bytes of three, and each message has an envelope. */
const BATCH_BYTES = 120 * 1024;
const BATCH_MESSAGES = 500;
const BACKOFF = { first: 500, longest: 60_000 };
/** Rates are given in seconds: the gateways of a tenant do not come back in the same one. */
const RETRY_AFTER_JITTER_MS = 1_000;
const ANSWERED_WITHIN_MS = 5_000;
const AGE_CHECK_MS = 60_000;

export function createUplink(options: {
  logger: Logger;
  metrics: FieldGatewayMetrics;
  queue: StoreAndForwardQueue;
  cloud: Cloud;
  /** Messages older than this are given up; undefined keeps them for ever. */
  maximumAgeMilliseconds?: number;
  backoff?: { first: number; longest: number };
}): Uplink {
  const { logger, metrics, queue, cloud, maximumAgeMilliseconds, backoff = BACKOFF } = options;
  const stopping = new AbortController();
  let failure: string | undefined;
  let failures = 0;
  let running: Promise<void> = Promise.resolve();
  let agesCheckedAt = 0;
  /** Messages in the next batch: halved while one that cannot be taken is being looked for. */
  let limit = BATCH_MESSAGES;

  const giveUpOld = (): void => {
    const now = Date.now();
    if (maximumAgeMilliseconds === undefined || now - agesCheckedAt < AGE_CHECK_MS) return;
    agesCheckedAt = now;
    const removed = queue.removeOlderThan(now - maximumAgeMilliseconds);
    if (removed === 0) return;
    metrics.givenUp(removed);
    logger.warn({ messages: removed }, 'messages older than the configured age were given up');
  };

  const settle = async (batch: ReturnType<typeof queue.oldest>, delivery: Delivery): Promise<void> => {
    metrics.sent(delivery.kind, batch.length);
    switch (delivery.kind) {
      case 'delivered':
        for (const { messageIndex, channel, code, message } of delivery.refused) {
          metrics.refused(code);
          const { deviceId } = batch[messageIndex] ?? batch[0]!;
          logger.warn({ child: deviceId, channel, code, reason: message }, 'the cloud refused a reading');
        }
        queue.remove(batch.map(({ id }) => id));
        limit = Math.min(BATCH_MESSAGES, limit * 2);
        failures = 0;
        failure = undefined;
        return;
      case 'unacceptable':
        if (batch.length === 1) {
          const [{ id, deviceId }] = batch as [(typeof batch)[0]];
          logger.error({ child: deviceId, message: id, reason: delivery.reason }, 'a message was set aside');
          queue.setAside(id, delivery.reason);
        }
        limit = Math.max(1, Math.floor(batch.length / 2));
        return;
      case 'failed': {
        const { reason, retryAfterMilliseconds } = delivery;
        await failed(reason, 'the cloud took nothing: the queue keeps it', retryAfterMilliseconds);
      }
    }
  };

  const failed = async (reason: string, what: string, retryAfterMilliseconds = 0): Promise<void> => {
    failures++;
    if (failure !== reason) logger.warn({ reason }, what);
    failure = reason;
    await pause(
      Math.max(
        backoffMilliseconds(failures, backoff),
        retryAfterMilliseconds > 0 ? retryAfterMilliseconds + Math.random() * RETRY_AFTER_JITTER_MS : 0,
      ),
      stopping.signal,
    );
  };

  const idle = async (): Promise<void> => {
    const filled = new AbortController();
    void queue.appended().then(() => filled.abort());
    await pause(AGE_CHECK_MS, AbortSignal.any([stopping.signal, filled.signal]));
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        giveUpOld();
        const batch = queue.oldest(limit, BATCH_BYTES);
        if (batch.length > 0) await settle(batch, await cloud.send(batch));
        else await idle();
      } catch (error) {
        // A full disk refuses to forget, too. What the cloud has is sent to it again, which changes nothing there.
        await failed(`the queue: ${explain(error)}`, 'the queue on disk cannot be worked on');
      }
    }
  };

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      const cut = setTimeout(() => void cloud.stop(), ANSWERED_WITHIN_MS);
      await running;
      clearTimeout(cut);
      await cloud.stop();
    },
    failure: () => failure,
  };
}
