import { allows, type TenantScope } from '../../auth/scope';
import { type IngestionBalance, type IngestionCounts } from '../../domain/ingestion';
import { balanceOf, HOUR_MS, noCounts } from '../../domain/ingestion';
import { type Cosmos } from '../cosmos';
import { type ExpectedDocument, expectedId, type HourDocument, hourId, tenantKey } from './documents';

/** What became of the readings received in one hour, of the tenant or of one partition of it. */
export interface IngestionHour {
  /** Milliseconds since 1970; an hour of UTC begins there. */
  from: number;
  /** Null where it was not reckoned: the hour is not over, or lies before the first release that did. */
  expected: number | null;
  counts: IngestionCounts;
  balance: IngestionBalance;
  /** Nothing of it is in flight or waits to be curated. */
  settled: boolean;
  partitions: (Omit<IngestionHour, 'partitions' | 'from'> & { partition: number })[];
}

export interface IngestionReports {
  /**
   * The hours that begin in [from, to), in their order, those in which something was expected or came. Nothing where the
   * scope has no right to the whole tenant.
   */
  ingestionReport(
    scope: TenantScope,
    tenantId: string,
    range: { from: number; to: number },
  ): Promise<IngestionHour[]>;
}

type Part = IngestionHour['partitions'][number];

export function createIngestionReports({ cosmos }: { cosmos: Pick<Cosmos, 'query'> }): IngestionReports {
  return {
    async ingestionReport(scope, tenantId, range) {
      if (!allows(scope, 'ingestion.read', { tenantId, quantity: null })) return [];
      const from = Math.ceil(range.from / HOUR_MS);
      const to = Math.ceil(range.to / HOUR_MS);
      const between = <T>(first: string, last: string): Promise<T[]> =>
        cosmos.query<T>(
          'ingestion',
          tenantKey(tenantId),
          'SELECT * FROM c WHERE c.id >= @first AND c.id < @last',
          { first, last },
        );
      const [counted, expected] = await Promise.all([
        between<HourDocument>(hourId(from, 0), hourId(to, 0)),
        between<ExpectedDocument>(expectedId(from), expectedId(to)),
      ]);
      const hours = new Map<number, Part[]>();
      const partsOf = (hour: number): Part[] => {
        const parts = hours.get(hour) ?? [];
        hours.set(hour, parts);
        return parts;
      };
      for (const { hour, partition, counts, settled, unjudged } of counted) {
        partsOf(hour).push({
          ...{ partition, expected: null, counts, settled: settled.landed && settled.curated },
          balance: balanceOf(counts, settled, unjudged),
        });
      }
      for (const { hour, readings } of expected) {
        const parts = partsOf(hour);
        for (const part of parts) part.expected = readings[part.partition] ?? 0;
        for (const [partition, count] of Object.entries(readings)) {
          if (count === 0 || parts.some((part) => part.partition === Number(partition))) continue;
          const counts = noCounts();
          const balance = balanceOf(counts, { landed: true, curated: true });
          parts.push({ partition: Number(partition), expected: count, counts, balance, settled: true });
        }
      }
      return [...hours]
        .filter(([, parts]) => parts.length > 0)
        .sort(([a], [b]) => a - b)
        .map(([hour, parts]) => summed(hour, parts));
    },
  };
}

function summed(hour: number, parts: Part[]): IngestionHour {
  parts.sort((a, b) => a.partition - b.partition);
  const counts = noCounts();
  const balance = balanceOf(counts, { landed: true, curated: true });
  for (const part of parts) {
    const { dead, ...numbers } = part.counts;
    addTo(counts, numbers);
    addTo(counts.dead, dead);
    addTo(balance, part.balance);
  }
  const known = parts.filter((part) => part.expected !== null);
  return {
    from: hour * HOUR_MS,
    expected: known.length === 0 ? null : known.reduce((sum, part) => sum + part.expected!, 0),
    ...{ counts, balance, settled: parts.every((part) => part.settled), partitions: parts },
  };
}

function addTo<T extends object>(sum: T, more: object): void {
  const into = sum as Record<string, number>;
  for (const [name, count] of Object.entries(more as Record<string, number>)) {
    into[name] = (into[name] ?? 0) + count;
  }
}
