import { type Cosmos } from '../cosmos';
import { hourKey, RUN_TTL_SECONDS, type RunDocument } from './documents';

/** What one run has counted of one partition and hour so far. */
export interface AcceptedBook {
  /** Unique over all runs of all gateways. */
  id: string;
  partition: number;
  /** Of UTC, counted from 1970. */
  hour: number;
  tenants: RunDocument['tenants'];
}

export interface AcceptedWriter {
  /** Replaces what was written of these books before. Rejects where something of it may not be stored. */
  write(books: readonly AcceptedBook[]): Promise<void>;
}

export function createAcceptedWriter({
  cosmos,
  isErased = () => false,
}: {
  cosmos: Pick<Cosmos, 'bulkUpsert'>;
  /** Tenants of whom nothing is told any more. */
  isErased?: (tenantId: string) => boolean;
}): AcceptedWriter {
  return {
    write: (books) =>
      cosmos.bulkUpsert(
        'ingestion',
        books.map(({ id, partition, hour, tenants: all }): RunDocument => {
          const tenants = Object.fromEntries(Object.entries(all).filter(([tenantId]) => !isErased(tenantId)));
          return { id: `run:${id}`, key: hourKey(partition, hour), tenants, ttl: RUN_TTL_SECONDS };
        }),
      ),
  };
}
