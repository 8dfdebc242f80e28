import { type CurationTally } from '../../domain/curated';
import {
  balanceOf,
  HOUR_MS,
  type IngestionSettled,
  noCounts,
  type Unexplained,
  unexplainedOf,
} from '../../domain/ingestion';
import {
  type HourDocument,
  hourId,
  type PageDocument,
  type PageTenant,
  type RunDocument,
  tenantKey,
} from '../../store/ingestion/documents';
import { type LandedCounts } from './landed-counts';

/** A landing file's part in one hour. */
export interface CountedFile {
  incarnation: string;
  firstSequence: number;
  lastSequence: number;
  /** By tenant. */
  counts: ReadonlyMap<string, LandedCounts>;
}

/** What is told of where things stand when a page is judged. */
export interface Standing {
  now: number;
  /** Everything enqueued up to this instant has been counted where it has landed; Infinity: all there is. */
  countedThrough: number;
  /** By incarnation: through which sequence the landing of the page's partition is curated. */
  curatedThrough: ReadonlyMap<string, number>;
}

/** How much later than it was received something may reach the stream and be told: clocks, retries, and the telling. */
export const GRACE_MS = 3 * 60_000;

/** What is in flight for longer than this is missing, wherever the landing has got to: the stream keeps nothing for ever. */
export const LONGEST_IN_FLIGHT_MS = 24 * HOUR_MS;

/** Adds a file once, however often it comes. */
export function addFile(page: PageDocument, file: CountedFile): void {
  const known = (page.files[file.incarnation] ??= { first: [], last: -1 });
  if (known.first.includes(file.firstSequence)) return;
  known.first.push(file.firstSequence);
  known.last = Math.max(known.last, file.lastSequence);
  for (const [tenantId, counts] of file.counts) {
    // What no tenant is known of are events that could not be read.
    if (tenantId === '') {
      page.unreadable += Object.values(counts.dead).reduce((sum, each) => sum + each, 0);
      continue;
    }
    const tenant = tenantOf(page, tenantId);
    tenant.landed += counts.landed;
    tenant.tooLate += counts.tooLate;
    for (const [code, count] of Object.entries(counts.dead))
      tenant.dead[code] = (tenant.dead[code] ?? 0) + count;
  }
}

/** Adds up those of a manifest's tallies that the page does not have yet. */
export function addTallies(
  page: PageDocument,
  place: { partition: number; hour: number },
  tenantId: string,
  tallies: readonly CurationTally[],
): void {
  const tenant = tenantOf(page, tenantId);
  for (const { version, rows } of tallies) {
    if (version <= tenant.tallied) continue;
    tenant.tallied = version;
    for (const row of rows) {
      if (row.partition !== place.partition || row.hour !== place.hour) continue;
      tenant.curated += row.curated;
      tenant.repeated += row.repeated;
      tenant.dropped += row.dropped;
    }
  }
}

/** Takes over what gateways have told by now. It never becomes less: their documents expire before the page. */
export function takeRuns(page: PageDocument, runs: readonly RunDocument[]): void {
  const sums = new Map<string, [number, number, number]>();
  for (const { tenants } of runs) {
    for (const [tenantId, [accepted, unanswered, refused]] of Object.entries(tenants)) {
      const sum = sums.get(tenantId) ?? [0, 0, 0];
      sums.set(tenantId, [sum[0] + accepted, sum[1] + unanswered, sum[2] + refused]);
    }
  }
  for (const [tenantId, [accepted, unanswered, refused]] of sums) {
    const tenant = tenantOf(page, tenantId);
    tenant.accepted = Math.max(tenant.accepted, accepted);
    tenant.unanswered = Math.max(tenant.unanswered, unanswered);
    tenant.refused = Math.max(tenant.refused, refused);
  }
}

/** Whether all of the hour must have landed, and all that landed must be curated, as far as is known now. */
export function settledAt(
  page: PageDocument,
  hour: number,
  runs: readonly RunDocument[],
  { now, countedThrough, curatedThrough }: Standing,
): IngestionSettled {
  // A replay of dead letters tells of an hour that is long over.
  const told = Math.max(0, ...runs.map(({ _ts = 0 }) => _ts * 1000));
  const complete = Math.max((hour + 1) * HOUR_MS, told) + GRACE_MS;
  return {
    landed: now >= complete && (countedThrough >= complete || now >= complete + LONGEST_IN_FLIGHT_MS),
    curated: Object.entries(page.files).every(
      ([incarnation, { last }]) => (curatedThrough.get(incarnation) ?? -1) >= last,
    ),
  };
}

/** The page's sum of what nothing explains. */
export function unexplainedIn({ tenants, settled }: PageDocument): Unexplained {
  const sum: Unexplained = { landing: 0, dead_letters: 0, curation: 0 };
  for (const tenant of Object.values(tenants)) {
    const each = unexplainedOf(balanceOf(tenant, settled, tenant.unjudged));
    sum.landing += each.landing;
    sum.dead_letters += each.dead_letters;
    sum.curation += each.curation;
  }
  return sum;
}

/** What tenants are to read of the page, by their ids. */
export function hoursOf(page: PageDocument, partition: number, hour: number): Map<string, HourDocument> {
  return new Map(
    Object.entries(page.tenants).map(([tenantId, { tallied: _, unjudged, ...counts }]) => [
      tenantId,
      {
        ...{ id: hourId(hour, partition), key: tenantKey(tenantId), hour, partition },
        ...{ counts, settled: page.settled, ...(unjudged !== undefined && { unjudged }) },
      },
    ]),
  );
}

function tenantOf({ tenants }: PageDocument, tenantId: string): PageTenant {
  return (tenants[tenantId] ??= { ...noCounts(), tallied: 0 });
}
