import {
  HOUR_MS,
  type IngestionCounts,
  type IngestionSettled,
  type Unexplained,
} from '../../domain/ingestion';

/**
 * The documents of the container `ingestion`, key `/key`: what became of readings, by partition of the stream, hour of
 * receipt (UTC) and tenant.
 *
 * - `hour:<partition>:<hour>` holds what gateways have told (a document a run) and the page on which everything about that
 *   partition and hour is added up, for all tenants.
 * - `tenant:<id>` holds what the report reads: a document an hour and partition, which says what the page says, and one an
 *   hour of what was expected. They stay.
 * - `partition:<partition>` holds how far the landing was counted, and which hours are still looked at.
 */

/** What one run of a gateway has told of an hour: cumulative, so that each writing replaces the last. */
export interface RunDocument {
  /** `run:<run>`; another for each book that the run opens. */
  id: string;
  key: string;
  /** By tenant: readings accepted, readings unanswered, refused readings and messages accepted. */
  tenants: Record<string, [accepted: number, unanswered: number, refused: number]>;
  /** Seconds. */
  ttl: number;
  /** When it was last written, in seconds since 1970. */
  _ts?: number;
}

/**
 * Everything about one partition and hour. It names the landing files that it has counted, and of each tenant the
 * manifest's version up to which it has added up the curator's tallies: so a file or a tally that comes again, after a
 * crash or by another replica, adds nothing.
 */
export interface PageDocument {
  id: 'page';
  key: string;
  /** By incarnation: the first sequences of the files counted, and the last sequence of the last of them. */
  files: Record<string, { first: number[]; last: number }>;
  tenants: Record<string, PageTenant>;
  /** Events that no release of ours could read, by whose hour they were enqueued in. */
  unreadable: number;
  settled: IngestionSettled;
  /** Seconds. */
  ttl: number;
  _etag?: string;
}

export interface PageTenant extends IngestionCounts {
  /** The manifest's version up to which tallies are added up. */
  tallied: number;
  unjudged?: Unjudged;
}

/**
 * What is not held against anybody: what a release curated that told no tallies, and everything of a tenant that was
 * erased.
 */
export type Unjudged = 'CURATION' | 'ALL';

/** How far one partition is counted. */
export interface LedgerDocument {
  id: 'ledger';
  key: string;
  /** By incarnation. */
  lives: Record<string, CountedLife>;
  /** Hours that are looked at again. */
  open: OpenHour[];
  /** When it was last looked at, milliseconds since 1970. */
  lookedAt: number;
  _etag?: string;
}

export interface CountedLife {
  /** The last sequence of the last file counted; -1 before the first. */
  sequence: number;
  /** The hour (UTC, counted from 1970) in which that file's first event was enqueued. */
  hour: number;
  /** The latest instant at which a row counted was enqueued, milliseconds since 1970. */
  enqueuedThrough: number;
  /** Spans of sequences in which no file stands although files stand behind them: a file that appears there is counted. */
  holes: { from: number; to: number; hour: number }[];
}

export interface OpenHour {
  hour: number;
  /** It is looked at until then at least, milliseconds since 1970. */
  until: number;
  unexplained: Unexplained;
}

/** What a tenant's report reads of an hour and partition. */
export interface HourDocument {
  id: string;
  key: string;
  hour: number;
  partition: number;
  counts: IngestionCounts;
  settled: IngestionSettled;
  unjudged?: Unjudged;
}

/** What was expected of a tenant's devices in an hour. */
export interface ExpectedDocument {
  id: string;
  key: string;
  hour: number;
  /** By partition. */
  readings: Record<string, number>;
}

export const RUN_TTL_SECONDS = 40 * 86_400;
export const PAGE_TTL_SECONDS = 100 * 86_400;

/** Whole hours since 1970 as text that sorts. */
export function hourText(hour: number): string {
  return new Date(hour * HOUR_MS).toISOString().slice(0, 13);
}

export function hourKey(partition: number, hour: number): string {
  return `hour:${partitionText(partition)}:${hourText(hour)}`;
}

export function ledgerKey(partition: number): string {
  return `partition:${partitionText(partition)}`;
}

export function tenantKey(tenantId: string): string {
  return `tenant:${tenantId}`;
}

export function hourId(hour: number, partition: number): string {
  return `hour:${hourText(hour)}:${partitionText(partition)}`;
}

export function expectedId(hour: number): string {
  return `expected:${hourText(hour)}`;
}

/** Of Event Hubs: 2,000 at most. */
function partitionText(partition: number): string {
  return String(partition).padStart(4, '0');
}
