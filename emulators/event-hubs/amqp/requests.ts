import { message as messages, type Message, type Receiver, type Sender } from 'rhea';
import { creditOf, sendable, sendMessages } from './transfers';

/** The links of one connection to which replies go, by the address that a request names in `reply-to`. */
export interface Replies {
  add(sender: Sender): void;
  remove(sender: Sender): void;
  /** Sends a reply as soon as the client has credit for it; drops it where nobody listens. */
  send(request: Message, reply: { properties: Record<string, unknown>; body: unknown }): void;
}

const MAX_WAITING = 100;

export function createReplies(): Replies {
  const links = new Set<Sender>();
  const waiting = new Map<Sender, Buffer[]>();

  function flush(sender: Sender): void {
    const queue = waiting.get(sender) ?? [];
    const ready = queue.splice(0, sendable(sender, queue));
    if (ready.length > 0) sendMessages(sender, ready);
  }

  return {
    add(sender) {
      links.add(sender);
      waiting.set(sender, []);
      sender.on('sendable', () => flush(sender));
    },
    remove(sender) {
      links.delete(sender);
      waiting.delete(sender);
    },
    send(request, { properties, body }) {
      const to = request.reply_to as string | undefined;
      // The reply goes to the link that the client named, on whichever of its names it did so.
      const sender = [...links].findLast(
        (each) => each.name === to || targetOf(each) === to || (to === undefined && creditOf(each) > 0),
      );
      if (sender === undefined) return;
      const queue = waiting.get(sender)!;
      if (queue.length >= MAX_WAITING) return;
      queue.push(
        messages.encode({
          correlation_id: request.correlation_id ?? request.message_id,
          application_properties: properties,
          body,
        }),
      );
      flush(sender);
    },
  };
}

function targetOf(sender: Sender): string | undefined {
  return (sender.target as { address?: string } | undefined)?.address;
}

/** Serves a request link: each message is settled, then answered. */
export function serveRequests(receiver: Receiver, answer: (request: Message) => void): void {
  receiver.add_credit(100);
  receiver.on('message', ({ message, delivery }) => {
    delivery?.accept();
    receiver.add_credit(1);
    if (message !== undefined) answer(message);
  });
}
