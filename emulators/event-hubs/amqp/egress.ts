import { type AmqpError, message as messages, type Sender, types } from 'rhea';
import { type Faults } from '../faults';
import { type Hub } from '../hubs';
import { type EventHubsMetrics } from '../metrics';
import { offsetOf } from '../offsets';
import { internalError } from './conditions';
import { headerEnd } from './message-bytes';
import { creditOf, sendable, sendMessages, socketOf } from './transfers';

/** What may lie unsent in one socket before its readers stop reading from disk: memory does not follow credit. */
const SOCKET_HIGH_WATER = 512 * 1024;
const WRITE_BYTES = 128 * 1024;

export interface Delivery {
  /** Looks again for events, credit and room: called on flow, commit and drain. */
  poke(): void;
  stop(): void;
}

/** Delivers a partition's events to one link, from a sequence number on, for as long as there is credit. */
export function deliver(options: {
  sender: Sender;
  hub: Hub;
  partition: number;
  group: string;
  sequence: number;
  /** Adds what is known of the partition's end to every event (`trackLastEnqueuedEventProperties`). */
  runtimeMetrics: boolean;
  faults: Faults;
  metrics: EventHubsMetrics;
  refuse: (error: AmqpError) => void;
}): Delivery {
  const { sender, hub, partition, group, faults, metrics } = options;
  const log = hub.partitions[partition]!;
  const cursor = log.cursor(options.sequence);
  const socket = socketOf(sender.connection);
  let stopped = false;
  let busy = false;
  let again = false;

  function poke(): void {
    if (stopped) return;
    again = true;
    if (!busy) void pump();
  }

  async function pump(): Promise<void> {
    busy = true;
    try {
      while (again && !stopped) {
        again = false;
        await drain();
      }
    } catch (error) {
      stop();
      options.refuse(internalError(`The events cannot be read: ${(error as Error).message}.`));
    } finally {
      busy = false;
    }
  }

  async function drain(): Promise<void> {
    while (!stopped && creditOf(sender) > 0 && socket.writableLength < SOCKET_HIGH_WATER) {
      const filled = cursor.fill();
      if (!(typeof filled === 'boolean' ? filled : await filled)) return;
      const slow = faults.takes('slowConsumer', { hub: hub.name, partition, group });
      if (slow) await faults.lasts(slow);
      if (stopped) return;
      if (!send(slow ? 1 : Number.MAX_SAFE_INTEGER)) return;
    }
  }

  /** Sends what fits; false when nothing does. */
  function send(most: number): boolean {
    const ready = cursor.peek(Math.min(most, creditOf(sender)), WRITE_BYTES);
    const count = sendable(sender, ready);
    if (count === 0) return false;
    const events = count === ready.length ? ready : ready.slice(0, count);
    cursor.advance(count);
    let bytes = 0;
    for (const event of events) bytes += event.length;
    sendMessages(sender, options.runtimeMetrics ? events.map(withRuntimeMetrics) : events);
    metrics.eventsOut.inc({ hub: hub.name, group }, events.length);
    metrics.bytesOut.inc({ hub: hub.name, group }, bytes);
    return true;
  }

  function withRuntimeMetrics(event: Buffer): Buffer {
    const state = log.state();
    const section = encodeDeliveryAnnotations({
      last_enqueued_sequence_number: types.wrap_long(state.endSequence - 1),
      last_enqueued_offset: String(offsetOf(state.lastPosition, hub.incarnation.tag)),
      last_enqueued_time_utc: types.wrap_timestamp(state.lastTime),
      runtime_info_retrieval_time_utc: types.wrap_timestamp(Date.now()),
    });
    const header = headerEnd(event);
    return Buffer.concat([event.subarray(0, header), section, event.subarray(header)]);
  }

  const onDrain = (): void => poke();
  socket.on('drain', onDrain);
  const offCommit = log.onCommit(poke);

  function stop(): void {
    if (stopped) return;
    stopped = true;
    socket.off('drain', onDrain);
    offCommit();
    cursor.close();
  }

  return { poke, stop };
}

/** The section alone: a message with a null body encodes to it and five bytes of body. */
function encodeDeliveryAnnotations(annotations: Record<string, unknown>): Buffer {
  const message = messages.encode({ delivery_annotations: annotations, body: null });
  return message.subarray(message.indexOf(DELIVERY_ANNOTATIONS), message.length - NULL_BODY);
}

const DELIVERY_ANNOTATIONS = Buffer.from([0x00, 0x53, 0x71]);
const NULL_BODY = 4;
