/**
 * The messages of one connection that Event Hubs has not accepted yet. A PUBACK is written when its message and every
 * one before it were accepted, so that PUBACKs leave in the order of the messages (MQTT 3.1.1, 4.6) and none ever runs
 * ahead of Event Hubs.
 */
export interface Acknowledgements {
  /**
   * @param messageId undefined at QoS 0, where nobody is told.
   * @returns what is to be called once when the message was accepted, or was not.
   */
  add(messageId: number | undefined): (error: Error | undefined) => void;
  inFlight(): number;
}

interface Entry {
  messageId: number | undefined;
  outcome: 'open' | 'accepted' | 'failed';
}

export function createAcknowledgements(options: {
  acknowledge(messageId: number): void;
  /**
   * A message at QoS 1 was not accepted, and it is its turn. MQTT 3.1.1 has no refusal: only a new connection makes the
   * device send again.
   */
  failed(): void;
  /** A message at QoS 0 was not accepted: it is lost, as QoS 0 allows. */
  lost(): void;
  /** One or more left. */
  settled(): void;
}): Acknowledgements {
  const entries: Entry[] = [];

  const flush = (): void => {
    let left = false;
    for (let head = entries[0]; head !== undefined && head.outcome !== 'open'; head = entries[0]) {
      if (head.outcome === 'failed' && head.messageId !== undefined) {
        // Nothing behind it can be acknowledged any more either.
        entries.length = 0;
        options.failed();
      } else {
        entries.shift();
        if (head.outcome === 'failed') options.lost();
        else if (head.messageId !== undefined) options.acknowledge(head.messageId);
      }
      left = true;
    }
    if (left) options.settled();
  };

  return {
    add(messageId) {
      const entry: Entry = { messageId, outcome: 'open' };
      entries.push(entry);
      return (error) => {
        entry.outcome = error === undefined ? 'accepted' : 'failed';
        flush();
      };
    },
    inFlight: () => entries.length,
  };
}
