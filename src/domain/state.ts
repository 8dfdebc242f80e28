import { type StreamPosition } from './window';

/**
 * A point's state is sent on change and as a heartbeat: it holds until the point's next reading, but no longer than this.
 * After that it is unknown, never the last one.
 */
export const STATE_HOLDS_SECONDS = 600;

/**
 * What the points of one place and state quantity say at an instant T: a building, or a space with all that lies in it.
 * A reading is active where its value is not 0.
 */
export interface PlaceState {
  tenantId: string;
  buildingId: string;
  /** Null: of the whole building. */
  spaceId: string | null;
  /** `Quantity.code`. */
  quantity: number;
  /** T, seconds since 1970. */
  windowEnd: number;
  /** Milliseconds since 1970: when this was computed. */
  asOf: number;
  /** Points whose state at T is known, by state. */
  active: number;
  clear: number;
  /** Of the 300 s up to T, the milliseconds for which each point was active and was known, added up. */
  activeMs: number;
  knownMs: number;
  /** observedAt of the newest change of a known state in those 300 s; null where nothing changed. */
  changedAt: number | null;
  /** observedAt of the newest reading up to T. */
  lastReadingAt: number;
  position: StreamPosition;
}
