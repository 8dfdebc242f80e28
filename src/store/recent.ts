import { type TenantScope } from '../auth/scope';
import { type QuantityName } from '../domain/quantity';

/** A point as it was assigned when its readings were observed. */
export interface RecentPoint {
  pointId: string;
  /** Dense within the building. */
  pointOrdinal: number;
  deviceId: string;
  deviceOrdinal: number;
  spaceId: string;
  /** `Quantity.code`. */
  quantity: number;
}

/** Of readings whose instant the gateway stamped: what identifies them. */
export interface RecentUndated {
  row: number;
  messageId: string | null;
  messageIndex: number;
  /** Its row in its event; what the first release stored does not say it. */
  frameRow?: number;
}

/** Readings of one building and owner in columns, a row a reading, in stream order. */
export interface RecentColumns {
  points: readonly RecentPoint[];
  count: number;
  /** Index into `points`. This and those below hold at least `count`. */
  point: ArrayLike<number>;
  /** Milliseconds since 1970. */
  observedAt: ArrayLike<number>;
  /** Milliseconds since 1970; what the first release stored does not say it. */
  receivedAt?: ArrayLike<number>;
  value: ArrayLike<number>;
  /** Of the event that brought it. Never falls from row to row. */
  sequence: ArrayLike<number>;
  /** By row, ascending. */
  undated: readonly RecentUndated[];
}

/** What one owner of a partition stores of a building at once. */
export interface RecentBatch extends RecentColumns {
  tenantId: string;
  buildingId: string;
  incarnation: string;
  partition: number;
  /**
   * From when on the partition's readings are all stored (`observedAt`, milliseconds since 1970). Kept for a building of
   * which nothing was stored before.
   */
  recordedFrom: number;
}

/** What the aggregate worker writes: every reading that is at most 48 h late, for 72 h. */
export interface RecentWriter {
  /**
   * Notes from when on the readings of a partition are stored, unless that is noted already. To be called before anything
   * that a successor relies on passes the first of them.
   *
   * @param from milliseconds since 1970, of observedAt; -Infinity where the stream was read from its beginning.
   * @returns what is noted.
   */
  begin(stream: { incarnation: string; partition: number }, from: number): Promise<number>;
  /**
   * Stores a batch; storing it again, or one that overlaps it, changes nothing that a reader sees. Rejects where some of
   * it may not be stored.
   *
   * @returns from when on the readings of the building are held completely.
   */
  write(batch: RecentBatch): Promise<number>;
}

/** Every stored reading of one building and owner that was observed in some ten minutes, each once. */
export interface RecentRows {
  /** In stream order, of every life of the hub. */
  rows: RecentRow[];
}

export interface RecentRow extends RecentPoint {
  observedAt: number;
  value: number;
  incarnation: string;
  partition: number;
  sequence: number;
  undated?: { messageId: string | null; messageIndex: number };
}

/**
 * What corrections are computed from. Given to nobody who acts for a person: it asks for no right.
 */
export interface RecentSource {
  /**
   * What is stored of neighbouring chunks of ten minutes, in stream order, each identity once (the first stands).
   * `through` leaves out what lies behind that position of the same life of the hub.
   */
  rows(
    owner: { tenantId: string; buildingId: string },
    span: { fromMinute: number; toMinute: number },
    through: { incarnation: string; partition: number; sequence: number },
  ): Promise<RecentRow[]>;
}

export interface RecentReading {
  tenantId: string;
  buildingId: string;
  spaceId: string;
  pointId: string;
  deviceId: string;
  quantity: QuantityName;
  observedAt: number;
  value: number;
  /** Whether the gateway stamped the instant because the device sent none. */
  undated: boolean;
  position: { incarnation: string; partition: number; sequence: number };
  /** Orders readings of one instant, and names this one among all of its building. */
  key: string;
}

export interface RecentQuery {
  buildingId: string;
  /** observedAt in [from, to), milliseconds since 1970. */
  from: number;
  to: number;
  /** Left out: all. */
  quantities?: readonly QuantityName[];
  spaceIds?: readonly string[];
  deviceIds?: readonly string[];
  pointIds?: readonly string[];
}

/** The newest reading of a point. */
export interface LatestReading {
  observedAt: number;
  value: number;
  /** The device that measured it, by its ordinal in the building. */
  deviceOrdinal: number;
}

export interface LatestKey {
  tenantId: string;
  buildingId: string;
  /** The point's; left out, a right to the whole building is asked for. */
  spaceId?: string;
  pointOrdinal: number;
  quantity: QuantityName;
}

/** What people may be told of recent readings. Empty or null for what is outside the scope, as for what is unknown. */
export interface RecentReader {
  /**
   * Readings in the order of `observedAt`, then of `key`; each identity once, the first in stream order. What is read
   * from the store follows from the span that the caller asks for, a page of it at a time.
   */
  readRecent(scope: TenantScope, query: RecentQuery): AsyncIterable<RecentReading>;
  /**
   * From when on the building's readings are all held, up to a minute ago: milliseconds since 1970 of `observedAt`. What
   * is older is in the cold store alone. Null where nothing was ever stored, or to whoever has no right to any of it.
   */
  heldFrom(scope: TenantScope, owner: { tenantId: string; buildingId: string }): Promise<number | null>;
  /** In the order of the keys; null for a point that was silent since recording began. */
  latest(scope: TenantScope, keys: readonly LatestKey[]): Promise<(LatestReading | null)[]>;
}
