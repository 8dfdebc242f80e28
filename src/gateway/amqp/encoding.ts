/**
 * Whether bytes are well-formed AMQP 1.0 values (part 1.2), before rhea reads them: it trusts the counts it finds, so that
 * thirty bytes could make it build an array of four billion nulls.
 */
const DEEPEST = 24;
/** Widths of the fixed ones, by the upper half of the constructor. */
const FIXED: readonly (number | undefined)[] = [, , , , 0, 1, 2, 4, 8, 16];
const DESCRIBED = 0x00;
const FAULT = -1;

/** Where the value that begins at `at` ends; -1 where it is malformed or does not end before `end`. */
export function endOfValue(bytes: Buffer, at: number, end: number, depth = 0): number {
  if (at >= end || depth > DEEPEST) return FAULT;
  const code = bytes[at]!;
  if (code !== DESCRIBED) return endOfBody(bytes, code, at + 1, end, depth);
  const descriptor = endOfValue(bytes, at + 1, end, depth + 1);
  return descriptor === FAULT ? FAULT : endOfValue(bytes, descriptor, end, depth + 1);
}

/** The same for a value whose constructor stands elsewhere, as those of an array do. */
function endOfBody(bytes: Buffer, code: number, at: number, end: number, depth: number): number {
  const half = code >>> 4;
  const fixed = FIXED[half];
  if (fixed !== undefined) return within(at + fixed, end);
  if (half < 0xa) return FAULT;
  // Of the three kinds whose length is written out, odd halves write it with four bytes.
  const width = half % 2 === 0 ? 1 : 4;
  if (at + width > end) return FAULT;
  const number = (where: number): number => (width === 1 ? bytes[where]! : bytes.readUInt32BE(where));
  const bodyEnd = at + width + number(at);
  if (bodyEnd > end) return FAULT;
  if (half <= 0xb) return bodyEnd;
  let next = at + 2 * width;
  if (next > bodyEnd) return FAULT;
  const count = number(at + width);
  if (half <= 0xd) {
    for (let i = 0; i < count && next !== FAULT; i++) next = endOfValue(bytes, next, bodyEnd, depth + 1);
    return next === bodyEnd ? bodyEnd : FAULT;
  }
  // One constructor for all elements; those without a body are no more than bytes were sent for it.
  if (count > bodyEnd - at || next >= bodyEnd) return FAULT;
  if (bytes[next] === DESCRIBED) next = endOfValue(bytes, next + 1, bodyEnd, depth + 1);
  if (next === FAULT || next >= bodyEnd || bytes[next] === DESCRIBED) return FAULT;
  const constructor = bytes[next++]!;
  for (let i = 0; i < count && next !== FAULT; i++) {
    next = endOfBody(bytes, constructor, next, bodyEnd, depth + 1);
  }
  return next === bodyEnd ? bodyEnd : FAULT;
}

function within(at: number, end: number): number {
  return at <= end ? at : FAULT;
}

/** A frame that holds nothing, or a well-formed performative and whatever payload behind it. */
export function isWellFormedFrame(frame: Buffer): boolean {
  const at = 4 * frame[4]!;
  if (at === frame.length) return true;
  return frame[at] === DESCRIBED && endOfValue(frame, at, frame.length) !== FAULT;
}

export interface Section {
  /** Low byte of the descriptor: 0x70, the header, to 0x78, the footer (AMQP 1.0, part 3.2). */
  code: number;
  bytes: Buffer;
}

/** The sections of a message; undefined where they are none, or not well-formed. */
export function sectionsOf(message: Buffer): Section[] | undefined {
  const sections: Section[] = [];
  for (let at = 0; at < message.length;) {
    const code = descriptorAt(message, at);
    const end = endOfValue(message, at, message.length);
    if (code === undefined || end === FAULT) return undefined;
    sections.push({ code, bytes: message.subarray(at, end) });
    at = end;
  }
  return sections;
}

function descriptorAt(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== DESCRIBED) return undefined;
  let code: number | undefined;
  if (bytes[at + 1] === 0x53) code = bytes[at + 2];
  else if (bytes[at + 1] === 0x80 && at + 10 <= bytes.length && bytes.readUIntBE(at + 2, 6) === 0) {
    code = bytes.readUInt16BE(at + 8);
  }
  return code !== undefined && code >= 0x70 && code <= 0x78 ? code : undefined;
}
