import { type AmqpError, type Delivery, type Receiver } from 'rhea';
import { type Logger } from '../../../src/observability/logger';
import { type Faults } from '../faults';
import { type Hub } from '../hubs';
import { type AppendBatch } from '../log/partition-log';
import { type EventHubsMetrics } from '../metrics';
import { partitionOfKey } from '../partition-key';
import { internalError, MAX_MESSAGE_BYTES, messageTooLarge, serverBusy, undecodable } from './conditions';
import {
  AmqpDecodeError,
  laidLength,
  layMessage,
  type MessageParts,
  splitBatch,
  splitMessage,
  withPartitionKey,
} from './message-bytes';

/** Message format of a batch, whose data sections each hold an encoded message. */
export const BATCH_FORMAT = 0x80013700;
/** How many sends a client may have in flight on one link, as in Azure. */
const CREDIT = 300;

/** Takes the sends of one link. A send is accepted only when its events are on disk. */
export function serveSends(options: {
  receiver: Receiver;
  hub: Hub;
  /** The partition of the link's address, undefined where the service chooses. */
  partition: number | undefined;
  faults: Faults;
  metrics: EventHubsMetrics;
  logger: Logger;
  /** Called when bytes were taken in, and when a send was settled: the server stops reading sockets in between. */
  onPending: () => void;
}): void {
  const { receiver, hub, partition, faults, metrics, logger } = options;
  const tag = hub.incarnation.tag;
  const outstanding: { settled: boolean }[] = [];
  receiver.add_credit(CREDIT);
  receiver.on('message', (context) => {
    // Sent before the client learned that we had closed the link: it must not be stored, as nobody can be told.
    if (!receiver.is_open()) {
      (context.delivery as { settled: boolean }).settled = true;
      return;
    }
    const entry = { settled: false };
    outstanding.push(entry);
    void take(context.message as unknown as Buffer, context.delivery!).finally(() => {
      entry.settled = true;
      options.onPending();
      replenish();
    });
    options.onPending();
  });

  /**
   * Credit comes back for the settled prefix only. rhea keeps a session's deliveries in a ring from the oldest
   * unsettled one on, and a ring that overflows costs the client its connection: so one send that waits for its disk
   * must hold back the window, not just its own place.
   */
  let owed = 0;
  function replenish(): void {
    while (outstanding[0]?.settled) {
      outstanding.shift();
      owed += 1;
    }
    if (owed < CREDIT / 4 || receiver.is_closed()) return;
    receiver.add_credit(owed);
    owed = 0;
  }

  async function take(bytes: Buffer, delivery: Delivery): Promise<void> {
    const started = performance.now();
    const prepared = prepare(bytes, delivery);
    if ('refused' in prepared) return settle(delivery, prepared.refused);
    const { batch, to } = prepared;
    if (faults.takes('throttle', { hub: hub.name, partition: to })) return settle(delivery, serverBusy());
    try {
      await hub.partitions[to]!.append(batch);
    } catch (error) {
      logger.warn({ hub: hub.name, partition: to, error: (error as Error).message }, 'send not stored');
      return settle(delivery, internalError(`The events were not stored: ${(error as Error).message}.`));
    }
    metrics.eventsIn.inc({ hub: hub.name }, batch.count);
    metrics.bytesIn.inc({ hub: hub.name }, bytes.length);
    metrics.acknowledgeSeconds.observe((performance.now() - started) / 1000);
    if (faults.takes('loseAcknowledgement', { hub: hub.name, partition: to })) {
      // Settled for us, though the client never hears of it.
      (delivery as { settled: boolean }).settled = true;
      return;
    }
    const delay = faults.takes('delayAcknowledgement', { hub: hub.name, partition: to });
    if (delay) await faults.lasts(delay);
    settle(delivery, undefined);
  }

  function settle(delivery: Delivery, error: AmqpError | undefined): void {
    if (receiver.is_closed()) return;
    if (error === undefined) {
      delivery.accept();
      return;
    }
    metrics.refusedSends.inc({ hub: hub.name, condition: String(error.condition) });
    delivery.reject(error);
  }

  function prepare(
    bytes: Buffer,
    delivery: Delivery,
  ): { batch: AppendBatch; to: number } | { refused: AmqpError } {
    if (bytes.length > MAX_MESSAGE_BYTES) return { refused: messageTooLarge(delivery.id, bytes.length) };
    let messages: MessageParts[];
    let key: string | undefined;
    try {
      if (delivery.format === BATCH_FORMAT) {
        ({ messages, partitionKey: key } = splitBatch(bytes));
      } else {
        messages = [splitMessage(bytes)];
        key = messages[0]!.partitionKey;
      }
    } catch (error) {
      if (!(error instanceof AmqpDecodeError) && !(error instanceof RangeError)) throw error;
      return { refused: undecodable(`The send was not understood: ${error.message}.`) };
    }
    if (key !== undefined) {
      messages = messages.map((each) =>
        each.partitionKey === undefined ? withPartitionKey(each, key) : each,
      );
    }
    const to =
      partition ?? (key === undefined ? hub.nextPartition() : partitionOfKey(key, hub.partitions.length));
    const batch: AppendBatch = {
      count: messages.length,
      maxBytes: messages.reduce((sum, each) => sum + laidLength(each), 0),
      lay: (index, target, at, stamp) => layMessage(messages[index]!, target, at, stamp, tag),
    };
    return { batch, to };
  }
}
