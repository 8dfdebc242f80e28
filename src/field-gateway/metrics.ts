import { Counter, Gauge, type Registry } from '../observability/metrics';
import { type Delivery } from './cloud';
import { type QueueDepth } from './queue';

export interface FieldGatewayMetrics {
  frame(outcome: FrameOutcome): void;
  closed(reason: string): void;
  poll(outcome: PollOutcome): void;
  sent(outcome: Delivery['kind'], messages: number): void;
  refused(code: string): void;
  givenUp(messages: number): void;
}

export type FrameOutcome = 'kept' | 'repeated' | 'damaged' | 'unwanted' | 'no value';
export type PollOutcome = 'kept' | 'failed' | 'no value';

export function createFieldGatewayMetrics(
  registry: Registry,
  parts: { depth: () => QueueDepth; lineConnections: () => number },
): FieldGatewayMetrics {
  const registers = [registry];
  const counter = <Label extends string>(name: string, labelNames: Label[], help: string) =>
    new Counter({ name: `atrium_field_gateway_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `atrium_field_gateway_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };

  const frames = counter(
    'line_frames_total',
    ['outcome'],
    'Frames of the line protocol. Many damaged: a bad line or a wrong baud rate in a converter. unwanted: a unit or a quantity that the configuration does not name, the log says which. no value: the sensor reports a fault or a test.',
  );
  const closed = counter(
    'line_connections_closed_total',
    ['reason'],
    'Line connections that were closed from here. noise, damaged or slow in numbers: something other than a unit talks to this port.',
  );
  const polls = counter(
    'modbus_polls_total',
    ['outcome'],
    'Polls of Modbus devices. failed: the device does not answer or refuses, the log says which and why. no value: its register holds no number.',
  );
  const sent = counter(
    'messages_sent_total',
    ['outcome'],
    'Messages handed to the cloud. failed, sustained: it cannot be reached or refuses this gateway, the log and /readyz say why; the queue grows meanwhile. unacceptable: a fault of ours or another release of the cloud.',
  );
  const refused = counter(
    'readings_refused_total',
    ['code'],
    'Readings that the cloud refused and keeps as dead letters. A child that is not registered under this gateway, a wrong model in the configuration, or a sensor out of its range.',
  );
  const givenUp = counter(
    'messages_given_up_total',
    [],
    'Messages that became older than the configured age and were removed unsent: the cloud was away for longer than their owner said they matter.',
  );
  gauge('queue_messages', 'Messages on disk. Growing: see messages sent.', () => parts.depth().messages);
  gauge(
    'queue_bytes',
    'Their bytes. At the configured maximum nothing is read from devices any more: give it more room or mend the way to the cloud.',
    () => parts.depth().bytes,
  );
  gauge(
    'queue_set_aside',
    'Messages that the cloud can never take: their rows in queue.sqlite have the reason. Report them.',
    () => parts.depth().setAside,
  );
  gauge(
    'queue_waiting',
    'Devices that wait because the queue is full. Anything but 0 for long: see queue bytes.',
    () => parts.depth().waiting,
  );
  gauge('queue_age_seconds', 'Age of the oldest message that is to be sent; 0 where there is none.', () => {
    const { oldestQueuedAt } = parts.depth();
    return oldestQueuedAt === null ? 0 : Math.max(0, (Date.now() - oldestQueuedAt) / 1000);
  });
  gauge('line_connections', 'Open connections of line units.', parts.lineConnections);

  return {
    frame: (outcome) => frames.inc({ outcome }),
    closed: (reason) => closed.inc({ reason }),
    poll: (outcome) => polls.inc({ outcome }),
    sent: (outcome, messages) => sent.inc({ outcome }, messages),
    refused: (code) => refused.inc({ code }),
    givenUp: (messages) => givenUp.inc(messages),
  };
}
