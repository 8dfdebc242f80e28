import { EventEmitter } from 'node:events';
import {
  type AmqpError,
  type Connection as RheaConnection,
  type Container,
  create_container,
  type Delivery,
  type Message,
  type Receiver,
  type Sender,
  type Session as RheaSession,
} from 'rhea';

/** Of a frame, both ways. */
export const MAXIMUM_FRAME_BYTES = 64 * 1024;
/** What a client is told to let itself be heard within. */
export const IDLE_MS = 240_000;
/** IoT Hub's SDKs open one session with eight links. */
const MOST_SESSIONS = 4;
const MOST_LINKS = 16;
/** Smaller frames are not AMQP (part 2.7.1), and rhea would cut messages for them into pieces of no bytes. */
const SMALLEST_FRAME_BYTES = 512;
/** A client that wants to hear something more often costs more than it is worth. */
const SHORTEST_IDLE_MS = 1_000;
const LONGEST_IDLE_MS = 3_600_000;
const DELIVERY_BYTES = 64;
/** A format that is none: rhea hands over the bytes of such a message instead of decoding them. */
const RAW = 1;

export type Link = Sender | Receiver;

/** A message as it came, which must be settled once. */
export interface Transfer {
  receiver: Receiver;
  bytes: Buffer;
  /** AMQP's message format: 0 for a message. */
  format: number;
  /** The device has settled it itself and hears no outcome. */
  settled: boolean;
  accept(): void;
  reject(error: AmqpError): void;
}

export interface ProtocolHandlers {
  write(bytes: Buffer): void;
  onReceiver(receiver: Receiver): void;
  onSender(sender: Sender): void;
  onTransfer(transfer: Transfer): void;
  /** More bytes of a message than `maximumMessageBytes`; its rest is not collected. */
  onTooLarge(receiver: Receiver): void;
  onLinkGone(link: Link): void;
  /** The client closed, or nothing more can be read or written. */
  onEnd(): void;
  onMalformed(why: unknown): void;
  onTooMany(): void;
}

/** The AMQP of one connection: rhea, kept from what it would do to a server that strangers talk to. */
export interface Protocol {
  /** A protocol header or one frame that is well-formed. */
  feed(bytes: Buffer): void;
  send(sender: Sender, message: Message): void;
  /** Bytes of messages to the client that it gives no credit for. */
  unsent(): number;
  /** Bytes of messages of which only a part has come. */
  collected(): number;
  /** Writes what is to be written and says goodbye; nothing is written after it. */
  close(error?: AmqpError): void;
}

/** What all connections share. */
export function createProtocolContainer(): Container {
  const container = create_container({ id: 'atrium-gateway' });
  const mechanisms = container.sasl_server_mechanisms as unknown as Record<string, () => object>;
  // Neither proves anything: a token that is put, or the certificate of the TLS connection, does.
  (mechanisms as unknown as { enable_anonymous(): void }).enable_anonymous();
  mechanisms.EXTERNAL = () => {
    const mechanism = { outcome: false, start: () => void (mechanism.outcome = true) };
    return mechanism;
  };
  return container;
}

interface Frame {
  performative: Record<string, unknown> & { message_format?: number; more?: boolean };
  payload?: Buffer;
}

/** What rhea keeps to itself. It holds for the version that package.json pins. */
interface InnerConnection {
  accept(socket: unknown): void;
  input(bytes: Buffer): void;
  _process(): void;
  socket_ready: boolean;
  state: { local_open: boolean };
  heartbeat_in?: NodeJS.Timeout;
  heartbeat_out?: NodeJS.Timeout;
  abort_idle?: NodeJS.Timeout;
  local_channel_map: Record<string, RheaSession & InnerSession>;
  remote: { open?: { idle_time_out?: number; max_frame_size?: number } };
}
interface InnerSession {
  links: Record<string, Link>;
  on_transfer(frame: Frame): void;
  on_flow(frame: Frame): void;
  on_disposition(frame: Frame): void;
  _get_link(frame: Frame): Receiver;
  outgoing: {
    next_pending_delivery: number;
    next_delivery_id: number;
    deliveries: { by_id(id: number): { data: Buffer[] } | undefined };
  };
}
/** Messages that the client may still send. */
export function creditOf(receiver: Receiver): number {
  return (receiver as unknown as { credit: number }).credit;
}
type InnerDelivery = Delivery & { settled: boolean; remote_settled: boolean };

export function createProtocol(
  container: Container,
  maximumMessageBytes: number,
  handlers: ProtocolHandlers,
): Protocol {
  const rhea: RheaConnection = container.create_connection({
    max_frame_size: MAXIMUM_FRAME_BYTES,
    channel_max: MOST_SESSIONS - 1,
    idle_time_out: IDLE_MS,
    reconnect: false,
    receiver_options: { autoaccept: false, credit_window: 0, max_message_size: maximumMessageBytes },
  } as never);
  const inner = rhea as unknown as InnerConnection;
  const collecting = new Map<Receiver, number>();
  let ended = false;

  const malformed = (why: unknown): void => {
    if (!ended) handlers.onMalformed(why);
  };
  const sessions = (): (RheaSession & InnerSession)[] => Object.values(inner.local_channel_map);

  // rhea writes in a turn of its own, where nobody would catch what a client made it trip over.
  const write = inner._process.bind(rhea);
  inner._process = () => {
    if (ended) return;
    try {
      write();
    } catch (error) {
      malformed(error);
    }
  };

  const watch = (session: RheaSession & InnerSession): void => {
    const transfer = session.on_transfer.bind(session);
    const flow = session.on_flow.bind(session);
    session.on_transfer = (frame) => {
      const receiver = session._get_link(frame);
      if (!receiver.is_receiver()) return malformed('a transfer on a link to the client');
      const { performative, payload } = frame;
      const before = collecting.get(receiver);
      if (before === undefined && creditOf(receiver) <= 0) return malformed('a transfer without credit');
      if (performative.message_format === 0) performative.message_format = RAW;
      const size = (before ?? 0) + (payload?.length ?? 0);
      const tooLarge = size > maximumMessageBytes;
      if (tooLarge) frame.payload = Buffer.alloc(0);
      frame.payload ??= Buffer.alloc(0);
      if (performative.more) collecting.set(receiver, tooLarge ? maximumMessageBytes + 1 : size);
      else collecting.delete(receiver);
      if (tooLarge && receiver.is_open()) handlers.onTooLarge(receiver);
      transfer(frame);
    };
    session.on_flow = (frame) => {
      const { handle, drain } = frame.performative;
      // It would let the client give itself credit.
      if (drain && handle !== undefined && handle !== null && session._get_link(frame).is_receiver()) {
        return malformed('a drain of the client’s own link');
      }
      flow(frame);
    };
    // What goes to the client is settled when it is sent, and what it says of its own messages changes nothing. rhea would
    // walk through whatever range it names.
    session.on_disposition = () => undefined;
  };

  rhea.on('connection_open', () => {
    const { open } = inner.remote;
    if (!open) return;
    if (
      open.max_frame_size !== undefined &&
      open.max_frame_size !== null &&
      open.max_frame_size < SMALLEST_FRAME_BYTES
    ) {
      return malformed('frames that are too small');
    }
    if (!open.idle_time_out) return;
    if (open.idle_time_out < SHORTEST_IDLE_MS) return malformed('an idle time that is too short');
    open.idle_time_out = Math.min(open.idle_time_out, LONGEST_IDLE_MS);
  });
  rhea.on('session_open', ({ session }) => {
    if (sessions().length > MOST_SESSIONS) handlers.onTooMany();
    else watch(session as RheaSession & InnerSession);
  });
  const attached = (): boolean => {
    let links = 0;
    for (const session of sessions()) links += Object.keys(session.links).length;
    if (links > MOST_LINKS) handlers.onTooMany();
    return links <= MOST_LINKS;
  };
  rhea.on('receiver_open', ({ receiver }) => {
    if (attached()) handlers.onReceiver(receiver!);
  });
  rhea.on('sender_open', ({ sender }) => {
    // Said in the answer: nothing is kept until the client has settled it.
    (sender as unknown as { local: { attach: { snd_settle_mode: number } } }).local.attach.snd_settle_mode =
      1;
    if (attached()) handlers.onSender(sender!);
  });
  rhea.on('message', (context) => {
    const receiver = context.receiver!;
    const delivery = context.delivery as InnerDelivery;
    /** Of a link that is gone nobody can be told. */
    const settle = (tell: () => void): void => {
      if (!ended && receiver.is_open()) tell();
      else delivery.settled = true;
    };
    // Sent before the client heard that the link is closed.
    if (!receiver.is_open()) return void (delivery.settled = true);
    const { format = 0 } = context as unknown as { format?: number };
    handlers.onTransfer({
      receiver,
      bytes: context.message as unknown as Buffer,
      format: format === RAW ? 0 : format,
      settled: delivery.remote_settled,
      accept: () => settle(() => delivery.accept()),
      reject: (error) => settle(() => delivery.reject(error)),
    });
  });
  for (const event of ['receiver_close', 'sender_close', 'receiver_detached', 'sender_detached']) {
    rhea.on(event, ({ receiver, sender }: { receiver?: Receiver; sender?: Sender }) => {
      const link = receiver ?? sender!;
      collecting.delete(link as Receiver);
      handlers.onLinkGone(link);
    });
  }
  rhea.on('session_close', ({ session }) => {
    for (const link of Object.values((session as RheaSession & InnerSession).links)) {
      collecting.delete(link as Receiver);
      handlers.onLinkGone(link);
    }
  });
  for (const event of ['connection_close', 'disconnected']) rhea.on(event, () => handlers.onEnd());
  for (const event of ['protocol_error', 'error']) rhea.on(event, malformed);
  for (const event of ['connection_error', 'session_error', 'receiver_error', 'sender_error', 'settled']) {
    rhea.on(event, () => undefined);
  }

  // rhea reads nothing itself: it is given whole frames, one after another.
  inner.accept(
    Object.assign(new EventEmitter(), {
      encrypted: true,
      get_id_string: () => '',
      write: (bytes: Buffer) => {
        if (!ended) handlers.write(bytes);
      },
      end: () => handlers.onEnd(),
      destroy: () => handlers.onEnd(),
    }),
  );

  return {
    feed: (bytes) => inner.input(bytes),
    send(sender, message) {
      if (!ended && sender.is_open()) sender.send(message);
    },
    unsent() {
      let bytes = 0;
      for (const { outgoing } of sessions()) {
        for (let id = outgoing.next_pending_delivery; id < outgoing.next_delivery_id; id++) {
          bytes += DELIVERY_BYTES;
          for (const part of outgoing.deliveries.by_id(id)?.data ?? []) bytes += part.length;
        }
      }
      return bytes;
    },
    collected() {
      let bytes = 0;
      for (const each of collecting.values()) bytes += each;
      return bytes;
    },
    close(error) {
      // Its sessions first: azure-iot-device would else wait 45 seconds for answers on its links.
      if (error) for (const session of sessions()) session.close(error);
      // Also where the client has closed already: it waits for the answer.
      if (inner.state.local_open) rhea.close(error);
      inner._process();
      ended = true;
      inner.socket_ready = false;
      // rhea would hold on to the connection until they run out.
      clearTimeout(inner.heartbeat_in);
      clearTimeout(inner.heartbeat_out);
      clearTimeout(inner.abort_idle);
    },
  };
}
