import { isUtf8 } from 'node:buffer';
import { PayloadError } from './decoder';

/** A pack, its records, a record's value and what an unknown label nests. */
const MAXIMUM_DEPTH = 8;
/** Beyond it a decimal fraction is zero or infinite for any mantissa that fits into a reading. */
const MAXIMUM_EXPONENT = 400;
const DECIMAL_FRACTION = 4;
const SELF_DESCRIBED = 55_799;
const BREAK = Symbol('break');

/**
 * Reads the part of CBOR (RFC 8949) that JSON has too: numbers, texts, byte strings, booleans, null, arrays and maps,
 * with decimal fractions (tag 4, which RFC 8428 section 6 allows) as the one further tag. A codec that also builds
 * dates, sets, big integers and errors from tags would let the sender choose what objects exist here.
 *
 * Linear in the body: an array or map cannot promise more items than bytes follow, nesting is bounded, and a key that
 * comes twice is malformed (RFC 8949 section 5.6). Arrays and maps of indefinite length are read, since a device that
 * streams writes them (RFC 8428 section 6); strings in chunks are not.
 *
 * @param nameOf the text that stands for an integer key.
 * @throws PayloadError that names the byte.
 */
export function readCbor(body: Buffer, nameOf: (key: number) => string): unknown {
  if (body.length === 0) throw new PayloadError('the body is empty');
  let at = 0;

  const fail = (reason: string, offset: number): never => {
    throw new PayloadError(`the body is not the CBOR that is taken: ${reason}`, { offset });
  };
  const take = (bytes: number): number => {
    const start = at;
    if (bytes > body.length - start) fail('it ends too early', body.length);
    at += bytes;
    return start;
  };
  /** The number after an initial byte: a value, a length or a tag. */
  const argument = (additional: number, start: number): number => {
    if (additional < 24) return additional;
    if (additional === 24) return body.readUInt8(take(1));
    if (additional === 25) return body.readUInt16BE(take(2));
    if (additional === 26) return body.readUInt32BE(take(4));
    if (additional === 27) return Number(body.readBigUInt64BE(take(8)));
    return fail('a reserved or indefinite length', start);
  };
  const lengthOf = (additional: number, bytesEach: number, start: number): number => {
    const length = argument(additional, start);
    if (length * bytesEach > body.length - at) fail('it ends too early', start);
    return length;
  };

  const readArray = (additional: number, start: number, depth: number): unknown[] => {
    const items: unknown[] = [];
    const length = additional === 31 ? Infinity : lengthOf(additional, 1, start);
    while (items.length < length) {
      const item = readItem(depth + 1, additional === 31);
      if (item === BREAK) break;
      items.push(item);
    }
    return items;
  };

  const readMap = (additional: number, start: number, depth: number): Record<string, unknown> => {
    // Without a prototype, so that a key is never more than a key.
    const map = Object.create(null) as Record<string, unknown>;
    const length = additional === 31 ? Infinity : lengthOf(additional, 2, start);
    for (let entry = 0; entry < length; entry++) {
      const keyAt = at;
      const key = readItem(depth + 1, additional === 31);
      if (key === BREAK) break;
      if (typeof key !== 'string' && !Number.isSafeInteger(key)) {
        return fail('a key is neither text nor a whole number', keyAt);
      }
      const name = typeof key === 'string' ? key : nameOf(key as number);
      if (name in map) return fail(`the key '${name.slice(0, 64)}' comes twice`, keyAt);
      map[name] = readItem(depth + 1, false);
    }
    return map;
  };

  const readTagged = (additional: number, start: number, depth: number): unknown => {
    const tag = argument(additional, start);
    if (tag === SELF_DESCRIBED && start === 0) return readItem(depth, false);
    if (tag !== DECIMAL_FRACTION) return fail(`tag ${tag} is not taken`, start);
    const parts = readItem(depth + 1, false);
    if (!Array.isArray(parts) || parts.length !== 2 || !parts.every(Number.isSafeInteger)) {
      return fail('a decimal fraction is an exponent and a mantissa', start);
    }
    const [exponent, mantissa] = parts as [number, number];
    if (Math.abs(exponent) > MAXIMUM_EXPONENT) return fail('an exponent beyond all readings', start);
    // Through the decimal text, so that 215 and -1 are exactly the number that JSON's 21.5 is.
    return Number(`${mantissa}e${exponent}`);
  };

  const readSimple = (additional: number, start: number, breakable: boolean): unknown => {
    switch (additional) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return halfFloat(body.readUInt16BE(take(2)));
      case 26:
        return body.readFloatBE(take(4));
      case 27:
        return body.readDoubleBE(take(8));
      case 31:
        if (breakable) return BREAK;
    }
    return fail('a simple value that means nothing here', start);
  };

  function readItem(depth: number, breakable: boolean): unknown {
    if (depth > MAXIMUM_DEPTH) fail(`it nests deeper than ${MAXIMUM_DEPTH}`, at);
    const start = take(1);
    const initial = body[start]!;
    const additional = initial & 31;
    switch (initial >> 5) {
      case 0:
        return argument(additional, start);
      case 1:
        return -1 - argument(additional, start);
      case 2:
        return Buffer.from(body.subarray(take(lengthOf(additional, 1, start)), at));
      case 3:
        return textOf(body.subarray(take(lengthOf(additional, 1, start)), at), start);
      case 4:
        return readArray(additional, start, depth);
      case 5:
        return readMap(additional, start, depth);
      case 6:
        return readTagged(additional, start, depth);
      default:
        return readSimple(additional, start, breakable);
    }
  }

  const textOf = (bytes: Buffer, start: number): string =>
    isUtf8(bytes) ? bytes.toString('utf8') : fail('a text is not UTF-8', start);

  const item = readItem(0, false);
  if (at !== body.length) fail('more follows its end', at);
  return item;
}

/** RFC 8949 appendix D. */
function halfFloat(half: number): number {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa === 0
          ? Infinity
          : NaN
        : (mantissa + 1024) * 2 ** (exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}
