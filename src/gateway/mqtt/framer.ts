/** Packet types of MQTT 3.1.1, section 2.2.1, as far as they are told apart before a packet is parsed. */
export const CONNECT = 1;
export const PUBLISH = 3;

/** What stands next in the bytes of a connection. */
export type Framed =
  | { frame: Buffer; fault?: undefined }
  /** More bytes are needed. */
  | { frame: undefined; fault?: undefined }
  | { frame: undefined; fault: 'malformed' | 'too-large' };

/**
 * Cuts the bytes of one connection into whole packets. It knows only the fixed header, and knows it before a packet is
 * held: a length that no packet of its type may have ends the connection instead of filling memory, which
 * `mqtt-packet`'s own parser cannot promise. Whole packets also let all connections share one parser.
 */
export interface Framer {
  push(chunk: Buffer): void;
  /** The type of the next packet, as soon as its first byte is there; 0 where nothing is. */
  nextType(): number;
  next(): Framed;
  bytes(): number;
}

const MORE: Framed = { frame: undefined };
const MALFORMED: Framed = { frame: undefined, fault: 'malformed' };
const TOO_LARGE: Framed = { frame: undefined, fault: 'too-large' };
/** First byte and up to four of length. */
const LONGEST_HEADER = 5;
/** Beyond it they are joined, so that single bytes cannot be kept as a million buffers. */
const MOST_CHUNKS = 64;

/** @param maximumBytes of a whole packet of that type. */
export function createFramer(maximumBytes: (type: number) => number): Framer {
  let chunks: Buffer[] = [];
  let bytes = 0;

  const join = (): void => {
    chunks = [Buffer.concat(chunks)];
  };

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      chunks.push(chunk);
      bytes += chunk.length;
      if (chunks.length > MOST_CHUNKS) join();
    },
    nextType: () => (bytes === 0 ? 0 : chunks[0]![0]! >> 4),
    next() {
      if (bytes < 2) return MORE;
      if (chunks[0]!.length < LONGEST_HEADER && chunks.length > 1) join();
      const first = chunks[0]!;
      let remaining = 0;
      let at = 1;
      for (let scale = 1; ; scale *= 128) {
        if (at === LONGEST_HEADER) return MALFORMED;
        if (at >= first.length) return MORE;
        const byte = first[at++]!;
        remaining += (byte & 127) * scale;
        if (byte < 128) break;
      }
      const size = at + remaining;
      if (size > maximumBytes(first[0]! >> 4)) return TOO_LARGE;
      if (bytes < size) return MORE;
      if (first.length < size) join();
      const whole = chunks[0]!;
      const frame = whole.subarray(0, size);
      if (whole.length === size) chunks.shift();
      else chunks[0] = whole.subarray(size);
      bytes -= size;
      return { frame };
    },
    bytes: () => bytes,
  };
}
