import { type Socket } from 'node:net';
import { type Connection, type Sender } from 'rhea';

/**
 * Sends whole messages by writing their transfer frames ourselves, many in one socket write. rhea builds some
 * twenty objects and two buffers for each message it sends and writes each to the socket on its own; done this way,
 * a delivery costs a copy.
 *
 * rhea keeps the state that both sides must agree on (credit, delivery count, session window), so this moves exactly
 * those counters, as its own `Outgoing.process` would. It holds for the version that package.json pins; nothing else
 * in this process may send through rhea's own `sender.send`.
 */
interface SessionState {
  local: { channel: number };
  outgoing: {
    next_delivery_id: number;
    next_pending_delivery: number;
    next_transfer_id: number;
    remote_window: number | undefined;
    remote_next_transfer_id: number;
  };
}

interface SenderState {
  credit: number;
  delivery_count: number;
  local: { handle: number };
  session: SessionState;
  snd_settle_mode: number | undefined;
}

interface ConnectionState {
  socket: Socket;
  max_frame_size: number | undefined;
}

const stateOf = (sender: Sender): SenderState => sender as unknown as SenderState;

export function socketOf(connection: Connection): Socket {
  return (connection as unknown as ConnectionState).socket;
}

/** How many messages the peer has asked for on this link. */
export function creditOf(sender: Sender): number {
  return stateOf(sender).credit;
}

/** How many transfer frames the peer's session window has room for. */
export function windowOf(sender: Sender): number {
  const { outgoing } = stateOf(sender).session;
  if (!outgoing.remote_window) return 0;
  return outgoing.remote_window - (outgoing.next_transfer_id - (outgoing.remote_next_transfer_id ?? 0));
}

const FRAME_HEADER = 8;
const TRANSFER = 23;
const MINIMUM_FRAME_SIZE = 512;

function payloadRoom(sender: Sender): number {
  const size = (sender.connection as unknown as ConnectionState).max_frame_size ?? MINIMUM_FRAME_SIZE;
  return Math.max(size, MINIMUM_FRAME_SIZE) - FRAME_HEADER - TRANSFER;
}

/** How many of these messages fit the link's credit and the session's window. */
export function sendable(sender: Sender, messages: readonly Buffer[]): number {
  const room = payloadRoom(sender);
  let frames = windowOf(sender);
  let count = 0;
  const credit = creditOf(sender);
  while (count < messages.length && count < credit) {
    frames -= Math.max(1, Math.ceil(messages[count]!.length / room));
    if (frames < 0) break;
    count += 1;
  }
  return count;
}

/** Sends the messages, which must be `sendable`. A message is delivered settled unless the peer forbids it. */
export function sendMessages(sender: Sender, messages: readonly Buffer[]): void {
  const link = stateOf(sender);
  const { outgoing } = link.session;
  const room = payloadRoom(sender);
  let size = 0;
  for (const message of messages) {
    const frames = Math.max(1, Math.ceil(message.length / room));
    size += message.length + frames * (FRAME_HEADER + TRANSFER);
  }
  const out = Buffer.allocUnsafe(size);
  const settled = link.snd_settle_mode === 0 ? 0x42 : 0x41;
  let at = 0;
  for (const message of messages) {
    const id = outgoing.next_delivery_id;
    let from = 0;
    do {
      const to = Math.min(message.length, from + room);
      at = writeFrame(out, at, link, id, settled, to < message.length);
      at += message.copy(out, at, from, to);
      out.writeUInt32BE(FRAME_HEADER + TRANSFER + (to - from), at - (to - from) - FRAME_HEADER - TRANSFER);
      outgoing.next_transfer_id += 1;
      from = to;
    } while (from < message.length);
    outgoing.next_delivery_id += 1;
    outgoing.next_pending_delivery += 1;
    link.credit -= 1;
    link.delivery_count += 1;
  }
  socketOf(sender.connection).write(out);
}

/** Writes all of a transfer frame but its size and payload; returns where the payload goes. */
function writeFrame(
  out: Buffer,
  start: number,
  link: SenderState,
  delivery: number,
  settled: number,
  more: boolean,
): number {
  // Data offset 2, type 0 (AMQP), channel.
  out.writeUInt32BE(0x02000000 | link.session.local.channel, start + 4);
  // 00 53 14: transfer; c0: a list with a one-byte size and count, of six fields.
  out.writeUInt32BE(0x005314c0, start + 8);
  out.writeUInt16BE(0x1206, start + 12);
  out[start + 14] = 0x70; // handle
  out.writeUInt32BE(link.local.handle, start + 15);
  out[start + 19] = 0x70; // delivery-id
  out.writeUInt32BE(delivery, start + 20);
  out.writeUInt32BE(0xa0020000 + (delivery & 0xffff), start + 24); // delivery-tag, two bytes
  out.writeUInt16BE((0x43 << 8) | settled, start + 28); // message-format 0; settled
  out[start + 30] = more ? 0x41 : 0x42;
  return start + 31;
}
