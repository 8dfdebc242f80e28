import { type Connection, type Receiver, type Session } from 'rhea';
import { MAX_MESSAGE_BYTES } from './conditions';
import { socketOf } from './transfers';

/**
 * What rhea keeps to itself and a server must have a say in. Each hook wraps one inner method of one object; they
 * hold for the version that package.json pins.
 */

/** Message format given to single messages, so that rhea hands over their bytes instead of decoding them. */
const RAW_SINGLE = 1;
/** A message that is too large is rejected when it is whole; past this it is not even collected. */
const HOPELESS_BYTES = 2 * MAX_MESSAGE_BYTES;

interface Frame {
  performative: { message_format?: number; more?: boolean };
  payload?: Buffer;
}

/**
 * - A message of format 0 is decoded and its bytes are gone, though we store bytes: it gets another format.
 * - Frames of one message are collected without a bound: past a bound they are dropped, and the link is told.
 * - A session's window opening again is no event, though readers wait for it.
 */
export function watchSession(
  session: Session,
  hooks: {
    isRequest: (receiver: Receiver) => boolean;
    onFlow: () => void;
    onTooLarge: (receiver: Receiver, size: number) => void;
  },
): void {
  const inner = session as unknown as {
    on_transfer(frame: Frame): void;
    on_flow(frame: Frame): void;
    _get_link(frame: Frame): Receiver;
  };
  const transfer = inner.on_transfer.bind(session);
  const flow = inner.on_flow.bind(session);
  const collected = new WeakMap<Receiver, number>();
  inner.on_transfer = (frame) => {
    const receiver = inner._get_link(frame);
    if (!frame.performative.message_format && !hooks.isRequest(receiver)) {
      frame.performative.message_format = RAW_SINGLE;
    }
    if (frame.performative.more) {
      const size = (collected.get(receiver) ?? 0) + (frame.payload?.length ?? 0);
      collected.set(receiver, size);
      if (size > HOPELESS_BYTES) {
        if (size - (frame.payload?.length ?? 0) <= HOPELESS_BYTES) hooks.onTooLarge(receiver, size);
        frame.payload = Buffer.alloc(0);
      }
    } else {
      collected.delete(receiver);
    }
    transfer(frame);
  };
  inner.on_flow = (frame) => {
    flow(frame);
    hooks.onFlow();
  };
}

/** Frames that rhea writes in one turn leave in one piece. */
export function corkWrites(connection: Connection): void {
  const inner = connection as unknown as { _process(): void };
  const write = inner._process.bind(connection);
  const socket = socketOf(connection);
  inner._process = () => {
    socket.cork();
    try {
      write();
    } finally {
      socket.uncork();
    }
  };
}

/** A frame larger than what was announced ends the connection, instead of being waited for in memory. */
export function limitFrames(connection: Connection, bytes: number): void {
  interface Transport {
    peek_size(buffer: Buffer): number | undefined;
  }
  const inner = (connection as unknown as { amqp_transport: Transport }).amqp_transport;
  const peek = inner.peek_size.bind(inner);
  inner.peek_size = (buffer) => {
    const size = peek(buffer);
    if (size !== undefined && size > bytes) {
      throw Object.assign(new Error(`a frame of ${size} bytes exceeds the limit of ${bytes}`), {
        name: 'ProtocolError',
      });
    }
    return size;
  };
}

/**
 * Stops what rhea still does for a connection whose socket is closed. It clears its timers when the other side ends,
 * but not when we cut the socket, and it arms them again on a late write: each would hold the connection for eight
 * minutes.
 */
export function forgetConnection(connection: Connection): void {
  const inner = connection as unknown as {
    socket_ready: boolean;
    heartbeat_in?: NodeJS.Timeout;
    heartbeat_out?: NodeJS.Timeout;
    abort_idle?: NodeJS.Timeout;
  };
  inner.socket_ready = false;
  clearTimeout(inner.heartbeat_in);
  clearTimeout(inner.heartbeat_out);
  clearTimeout(inner.abort_idle);
}
