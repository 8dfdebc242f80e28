import { type Letter, type RefusalCode } from '../../domain/reading';

/**
 * The documents of the container `deadletters`, key `/scopeKey`: the building that something was refused in, or the
 * tenant where the device had no place. All of them expire.
 *
 * One document stands for all that one event of the stream refused to one tenant in one building. Its id follows from
 * the event, so that an event that is read again finds it there.
 */
export interface DeadLettersDocument {
  /** `deadLettersId(...)`; a letter's own id is `letterId(id, row)`. */
  id: string;
  scopeKey: string;
  tenantId: string;
  /** Null where the device had no place. */
  buildingId: string | null;
  /** `deadLettersKey(...)`: the order of listings, newest last. */
  sortKey: string;
  /** What the letters have, for picking documents. */
  codes: RefusalCode[];
  deviceIds: string[];
  letters: StoredLetter[];
  /** Base64, one a letter; null where the letter has none or it is too large: see `bytes`. */
  payloads: (string | null)[];
  ttl: number;
  _etag?: string;
}

/** All but the payload, so that a listing need not read those. */
export interface StoredLetter extends Omit<Letter, 'payload'> {
  deviceId: string;
  channel: string;
  observedAt: number | null;
  receivedAt: number;
  code: RefusalCode;
  message: string;
  raw: string;
  /** Of the payload as it came; 0 where there is none. Beyond `MAXIMUM_STORED_BYTES` only the cold store holds it. */
  bytes: number;
  /** The last time that it was judged again. */
  replay?: LetterReplay;
}

export type ReplayOutcome = 'ACCEPTED' | 'PARTLY_ACCEPTED' | 'REFUSED';

export interface LetterReplay {
  at: number;
  outcome: ReplayOutcome;
  /** Readings that went into the stream. */
  accepted: number;
  /** Why (the first of) what was refused again was. */
  code?: RefusalCode;
  message?: string;
}

/** What a building was refused in one minute beyond what is kept here: the cold store has it. */
export interface OmittedDocument {
  /** `omittedId(minute, tenantId)`. */
  id: string;
  scopeKey: string;
  tenantId: string;
  buildingId: string | null;
  /** Minutes since 1970, by the hub's clock. */
  minute: number;
  count: number;
  codes: Partial<Record<RefusalCode, number>>;
  /** The last event that is counted: one that comes again is not counted again. */
  through: { incarnation: string; partition: number; sequence: number };
  ttl: number;
}

/** A message as large fits thrice into a document, base64 and all. */
export const MAXIMUM_STORED_BYTES = 96 * 1024;

const KIND = 'dl_';
const OMITTED = 'more_';

/** @param group which of the event's tenants and buildings, in the order in which they first stand in it. */
export function deadLettersId(
  incarnation: string,
  partition: number,
  sequence: number,
  group: number,
): string {
  const [createdAt] = incarnation.split('-');
  return `${KIND}${Number(createdAt).toString(36)}-${partition}-${sequence}-${group}`;
}

export function letterId(documentId: string, row: number): string {
  return `${documentId}-${row}`;
}

/** Undefined where it is no letter's id. */
export function parseLetterId(id: string): { documentId: string; row: number } | undefined {
  const parts = /^(dl_[0-9a-z]{1,12}(?:-\d{1,16}){3})-(\d{1,6})$/.exec(id);
  return parts === null ? undefined : { documentId: parts[1]!, row: Number(parts[2]) };
}

/** By the instant it was enqueued, then by the document's id, which only parts what was enqueued together. */
export function deadLettersKey(enqueuedAt: number, id: string): string {
  return `${String(enqueuedAt).padStart(15, '0')}\n${id}`;
}

export function omittedId(minute: number, tenantId: string): string {
  return `${OMITTED}${String(minute).padStart(9, '0')}_${tenantId}`;
}

/** All of a place's lie between these ids. */
export function omittedIds(fromMinute: number, toMinute: number): { from: string; to: string } {
  const bound = (minute: number): string =>
    `${OMITTED}${String(Math.min(Math.max(minute, 0), 999_999_999)).padStart(9, '0')}`;
  // '`' is the character after '_'.
  return { from: bound(fromMinute), to: `${bound(toMinute)}\`` };
}

/** Whether it can be judged again by the platform. */
export function isReplayable(letter: StoredLetter): boolean {
  return letter.contentType !== '' && letter.bytes <= MAXIMUM_STORED_BYTES;
}
