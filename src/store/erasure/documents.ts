/**
 * The documents of erasing a tenant, in the container `registry` under the key `ERASURES`, which is no building's. The
 * tombstone stands for ever: what a replay of the stream, or a copy that somebody puts back, brings of the tenant is
 * dropped by it. It names nobody and nothing but the tenant's id.
 */
export const ERASURES = 'erasures';

/** What is done of an erasure, in this order. */
export const ERASURE_STEPS = [
  'mark',
  'inventory',
  'sagas',
  'exports',
  'curated',
  'landing',
  'warm',
  'registry',
  'directory',
  'mentions',
  'snapshots',
  'scan',
] as const;
export type ErasureStep = (typeof ERASURE_STEPS)[number];

/** Where something of the tenant was found, and what: never the content itself. */
export interface Finding {
  /** A container of Cosmos or of Blob. */
  container: string;
  /** The document by its key and id, or the blob by its name. */
  place: string;
  /** The id that was found there. */
  found: string;
}

/** What a scan looked at, by container, and how many places it found something in. */
export type Looked = Record<
  string,
  { documents?: number; blobs?: number; bytes?: number; rows?: number; found: number }
>;

/** The tombstone. id the tenant's. */
export interface ErasureDocument {
  id: string;
  type: 'erasure';
  buildingId: typeof ERASURES;
  tenantId: string;
  /** From now on nothing of the tenant is told, taken or kept. Milliseconds since 1970. */
  requestedAt: number;
  state: 'ERASING' | 'ERASED';
  /** How many times the steps were begun; a scan that finds something begins them again. */
  round: number;
  /** The steps of this round that are done. */
  done: ErasureStep[];
  /** What was removed or rewritten, by step, over all rounds. */
  counts: Partial<Record<ErasureStep, number>>;
  /** Why it waits or goes on, in words; null while there is nothing to say. */
  waitsFor: string | null;
  scan: { at: number; looked: Looked; findings: number; examples: Finding[] } | null;
  /** Changed with each writing, so that those who follow know that copies of older files are to go. */
  changedAt: number;
  erasedAt: number | null;
  _etag?: string;
}

/** In `directory`, key `ERASURES`, id the tenant's: the tombstone for those who follow rights. */
export interface ErasedMarkDocument {
  id: string;
  key: typeof ERASURES;
  kind: 'erasure';
  tenantId: string;
  at: number;
}

/**
 * In `registry`, key `erasing_<tenant>`, id `ids_<n>`: the ids of what was the tenant's, noted before the first of it is
 * removed, so that the scan knows what to look for. They go when the erasure ends.
 */
export interface ErasureIdsDocument {
  id: string;
  type: 'erasureIds';
  buildingId: string;
  /** Its buildings: partitions of their own in most containers. */
  buildings: string[];
  /** Of everything else: spaces, devices, points, jobs, webhooks, rules. */
  others: string[];
}

export function erasingKey(tenantId: string): string {
  return `erasing_${tenantId}`;
}

export function newErasure(tenantId: string, now: number): ErasureDocument {
  return {
    ...{ id: tenantId, type: 'erasure', buildingId: ERASURES, tenantId, requestedAt: now },
    ...{ state: 'ERASING', round: 1, done: [], counts: {}, waitsFor: null, scan: null },
    ...{ changedAt: now, erasedAt: null },
  };
}
