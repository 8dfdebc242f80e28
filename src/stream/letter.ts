import { type Letter, type RefusedReading } from '../domain/reading';

/**
 * The field `raw` of a refused reading on the wire. The first release wrote an excerpt of the payload, as text. Since
 * then it is a line of JSON (begun by a record separator and ended by a line feed, as in RFC 7464) that tells where the
 * message came from, and behind it the message itself. A reader of the first release takes all of it as text, so that
 * both read each other's frames.
 */
const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;

type Head = Omit<Letter, 'payload'> & { raw: string; whole: boolean };

export function encodeRaw({ raw, letter }: Pick<RefusedReading, 'raw' | 'letter'>): Buffer {
  if (letter === undefined) return Buffer.from(raw);
  const { payload, ...source } = letter;
  const head: Head = { ...source, raw, whole: payload !== null };
  const line = Buffer.from(`\u001e${JSON.stringify(head)}\n`);
  return payload === null ? line : Buffer.concat([line, payload]);
}

/** What does not begin with such a line is an excerpt, whatever it holds; never throws. */
export function decodeRaw(bytes: Buffer): Pick<RefusedReading, 'raw' | 'letter'> {
  const end = bytes[0] === RECORD_SEPARATOR ? bytes.indexOf(LINE_FEED) : -1;
  const head = end < 0 ? undefined : headOf(bytes.toString('utf8', 1, end));
  if (head === undefined) return { raw: bytes.toString('utf8') };
  return {
    raw: text(head.raw) ?? '',
    letter: {
      protocol: text(head.protocol) ?? '',
      relayedBy: text(head.relayedBy),
      messageId: text(head.messageId),
      index: number(head.index) ?? 0,
      createdAt: number(head.createdAt),
      contentType: text(head.contentType) ?? '',
      contentEncoding: text(head.contentEncoding),
      payload: head.whole === true ? bytes.subarray(end + 1) : null,
    },
  };
}

function headOf(line: string): Partial<Record<keyof Head, unknown>> | undefined {
  try {
    const head: unknown = JSON.parse(line);
    return typeof head === 'object' && head !== null && !Array.isArray(head) ? head : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const number = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);
