import { type AmqpError, type Receiver } from 'rhea';
import { type DirectoryDevice } from '../../store/device-directory';
import { type Authenticated } from '../authentication';
import { type Looked } from '../children';
import { type Intake } from '../intake';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { isPassing } from '../answers';
import { NOT_ACCEPTED, tooLarge } from './conditions';
import { type DeviceMessage, deviceMessagesOf } from './messages';
import { type Ending, type AmqpMetrics } from './metrics';
import { creditOf, type Transfer } from './protocol';

/** The telemetry of one connection: credit out, messages in, outcomes out. */
export interface Telemetry {
  attach(receiver: Receiver): void;
  detach(receiver: Receiver): void;
  take(transfer: Transfer): void;
  /** A message may not be taken yet; nothing behind it is to be given before `retry` has taken it. */
  blocked(): boolean;
  retry(): void;
  /** Gives the device credit as far as there is room. False where it waits for something nobody tells of. */
  grant(): boolean;
  bytesHeld(): number;
  inFlight(): number;
}

interface Parked {
  transfer: Transfer;
  messages: DeviceMessage[];
  throttled: boolean;
  looked?: Looked;
}

export interface TelemetryOptions {
  authenticate(now: number): Authenticated | Promise<Authenticated>;
  whenKnown(verdict: Authenticated | Promise<Authenticated>, then: (verdict: Authenticated) => void): void;
  metrics: AmqpMetrics;
  gatewayMetrics: GatewayMetrics;
  reception: Reception;
  limits: GatewayLimits;
  /** All that the gateway holds, over all transports. */
  bytesInFlight(): number;
  end(why: Ending, error?: AmqpError): void;
  /** Messages in flight became fewer. */
  settled(): void;
}

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { metrics, reception, limits, end } = options;
  const receivers = new Set<Receiver>();
  /**
   * In their order. Credit comes back for the settled ones at the front only: rhea keeps a session's deliveries in a ring
   * from the oldest unsettled one on, and one that overflows costs the device its connection.
   */
  const outstanding: { receiver: Receiver; open: boolean }[] = [];
  let open = 0;
  let parked: Parked | undefined;

  const refuseTooLarge = ({ receiver }: Transfer): void => receiver.close(tooLarge(limits.bodyBytes));

  const retry = (): void => {
    if (open >= limits.messagesInFlight || !reception.connected()) return;
    const now = Date.now();
    // Asked at each message: a device that was suspended a moment ago is not heard any more.
    options.whenKnown(options.authenticate(now), (verdict) => {
      if (!verdict.error) takeParked(verdict.device, now);
      else if (!isPassing(verdict.error.code)) end('not-permitted');
    });
  };

  const takeParked = (device: DirectoryDevice, now: number): void => {
    const { transfer, messages, throttled, looked } = parked!;
    const over = reception.overRate(device, now);
    if (over !== undefined) {
      if (!throttled) options.gatewayMetrics.throttled(over.whose);
      parked!.throttled = true;
      return;
    }
    const intake = reception.open(device, { protocol: 'AMQP' }, looked);
    messages.forEach((message, i) => {
      const index = messages.length === 1 ? undefined : i;
      const { body } = message;
      if (message.fault !== undefined) intake.refuseMessage(body, message.fault, now, index);
      else if (
        reception.decode(intake, device, message.properties, body, now, index).kind === 'unsupported'
      ) {
        const expected = reception.contentTypes.join(', ');
        const reason = `the content type or encoding is none that is taken: expected ${expected}`;
        intake.refuseMessage(body, reason, now, index, message.properties);
      }
    });
    if (intake.missing.size > 0) return lookFor(intake, device);
    parked = undefined;
    metrics.message(transfer.settled ? 'settled' : 'unsettled');
    // "Accepted" for what was refused, too: the dead letters keep it, and to send it again would not mend it.
    reception.hand(device, intake, now, 'AMQP', entered(transfer));
  };

  const entered = (transfer: Transfer): ((error: Error | undefined) => void) => {
    const entry = { receiver: transfer.receiver, open: true };
    outstanding.push(entry);
    open++;
    return (error) => {
      entry.open = false;
      open--;
      // Never "released": azure-iot-device tells its caller that such a message was sent.
      if (error === undefined) transfer.accept();
      else transfer.reject(NOT_ACCEPTED);
      if (error !== undefined && transfer.settled) metrics.lost();
      while (outstanding[0]?.open === false) outstanding.shift();
      options.settled();
    };
  };

  /** The message stays where it is until the children it names were looked up, or while they cannot be. */
  const lookFor = (intake: Intake<DirectoryDevice>, device: DirectoryDevice): void => {
    const waiting = parked!;
    const looking = reception.look(device, intake).then(
      (looked): Authenticated => {
        waiting.looked = looked;
        return { device };
      },
      (): Authenticated => ({ error: { code: 'DIRECTORY_UNAVAILABLE', message: '' } }),
    );
    options.whenKnown(looking, ({ error }) => {
      // Asked again: what the device may was not looked at meanwhile.
      if (!error) retry();
    });
  };

  const grant = (): boolean => {
    if (receivers.size === 0) return true;
    // Without credit a device keeps its messages to itself.
    if (!reception.connected() || options.bytesInFlight() >= limits.bytesInFlight) return false;
    for (const receiver of receivers) {
      const unsettled = outstanding.reduce((count, each) => count + Number(each.receiver === receiver), 0);
      const room = limits.messagesInFlight - unsettled - creditOf(receiver);
      if (room > limits.messagesInFlight / 4) receiver.add_credit(room);
    }
    return true;
  };

  return {
    attach: (receiver) => void receivers.add(receiver),
    detach: (receiver) => void receivers.delete(receiver),
    take(transfer) {
      const messages = deviceMessagesOf(transfer.bytes, transfer.format);
      if (messages === undefined) return end('malformed');
      const bytes = messages.reduce((sum, { body }) => sum + body.length, 0);
      if (bytes > limits.bodyBytes) {
        refuseTooLarge(transfer);
        return transfer.accept();
      }
      parked = { transfer, messages, throttled: false };
      retry();
    },
    blocked: () => parked !== undefined,
    retry,
    grant,
    bytesHeld: () => parked?.transfer.bytes.length ?? 0,
    inFlight: () => open,
  };
}
