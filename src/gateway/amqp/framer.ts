/** Protocol header: "AMQP", protocol id, version (AMQP 1.0, part 2.2); a frame's own head is as long (part 2.3). */
const HEAD_BYTES = 8;
const AMQP = 0x414d5150;
const TYPE_SASL = 1;

export interface AmqpFrame {
  kind: 'header' | 'amqp' | 'sasl';
  bytes: Buffer;
}

/** Cuts what a client sends into protocol headers and frames, and holds no more than one of them is allowed to have. */
export interface Framer {
  push(chunk: Buffer): void;
  /** The next one that is whole; a fault is final. */
  next(): { frame?: AmqpFrame; fault?: 'malformed' | 'too-large' };
  /** Of what is not whole yet, and of what was not asked for. */
  bytes(): number;
}

/** @param limit bytes that a frame may have now. */
export function createFramer(limit: () => number): Framer {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = HEAD_BYTES;

  /** What is held, in one piece. Only when enough of it is there: tiny chunks are not copied once each. */
  const whole = (): Buffer => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks, held)];
    return chunks[0]!;
  };

  const take = (kind: AmqpFrame['kind'], size: number): { frame: AmqpFrame } => {
    const all = whole();
    const rest = all.subarray(size);
    chunks = rest.length === 0 ? [] : [rest];
    held = rest.length;
    needed = HEAD_BYTES;
    return { frame: { kind, bytes: all.subarray(0, size) } };
  };

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      chunks.push(chunk);
      held += chunk.length;
    },
    next() {
      if (held < needed) return {};
      const bytes = whole();
      // No frame is as long as these four letters would say.
      if (bytes.readUInt32BE(0) === AMQP) return take('header', HEAD_BYTES);
      const size = bytes.readUInt32BE(0);
      const headBytes = 4 * bytes[4]!;
      const type = bytes[5]!;
      if (size < HEAD_BYTES || headBytes < HEAD_BYTES || headBytes > size || type > TYPE_SASL) {
        return { fault: 'malformed' };
      }
      if (size > limit()) return { fault: 'too-large' };
      needed = size;
      if (held < size) return {};
      return take(type === TYPE_SASL ? 'sasl' : 'amqp', size);
    },
    bytes: () => held,
  };
}
