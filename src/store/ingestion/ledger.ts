import { type Cosmos } from '../cosmos';
import { retrying } from '../store-error';
import {
  type ExpectedDocument,
  expectedId,
  type HourDocument,
  hourKey,
  type LedgerDocument,
  ledgerKey,
  PAGE_TTL_SECONDS,
  type PageDocument,
  type RunDocument,
  tenantKey,
} from './documents';

/** What reconciliation reads and writes. Writes are under the etag of what was read: false where another was quicker. */
export interface IngestionLedger {
  ledger(partition: number): Promise<LedgerDocument>;
  putLedger(ledger: LedgerDocument): Promise<boolean>;
  /** Of an hour and partition: what gateways told, and the page; an empty one where there is none. */
  page(partition: number, hour: number): Promise<{ page: PageDocument; runs: RunDocument[] }>;
  putPage(page: PageDocument): Promise<boolean>;
  /** What tenants read: replaced as a whole. */
  putHours(documents: readonly HourDocument[]): Promise<void>;
  putExpected(tenantId: string, hours: ReadonlyMap<number, Record<string, number>>): Promise<void>;
  /** Up to which version of the curated root tallies were added up, and up to which hour it is said what is expected. */
  progress(): Promise<Progress>;
  putProgress(progress: Progress): Promise<boolean>;
}

export interface Progress {
  id: 'progress';
  key: 'progress';
  rootVersion: number;
  expectedHour: number;
  _etag?: string;
}

export function createIngestionLedger({ cosmos }: { cosmos: Cosmos }): IngestionLedger {
  const replace = async (document: { id: string; key: string; _etag?: string }): Promise<boolean> => {
    const { _etag: etag } = document;
    const change = etag === undefined ? { create: document } : { replace: document, etag };
    // Tried again it may find that it was done: then it is read again and nothing is missing.
    return (await retrying(() => cosmos.batch('ingestion', document.key, [change]))).ok;
  };

  return {
    async ledger(partition) {
      const key = ledgerKey(partition);
      const empty: LedgerDocument = { id: 'ledger', key, lives: {}, open: [], lookedAt: 0 };
      return (await cosmos.read<LedgerDocument>('ingestion', key, 'ledger')) ?? empty;
    },
    putLedger: replace,
    async page(partition, hour) {
      const key = hourKey(partition, hour);
      const documents = await cosmos.query<PageDocument | RunDocument>('ingestion', key, 'SELECT * FROM c');
      const page = documents.find((each): each is PageDocument => each.id === 'page') ?? {
        ...{ id: 'page', key, files: {}, tenants: {}, unreadable: 0 },
        ...{ settled: { landed: false, curated: false }, ttl: PAGE_TTL_SECONDS },
      };
      return { page, runs: documents.filter((each): each is RunDocument => each.id.startsWith('run:')) };
    },
    putPage: replace,
    putHours: (documents) => cosmos.bulkUpsert('ingestion', documents),
    putExpected: (tenantId, hours) =>
      cosmos.bulkUpsert(
        'ingestion',
        [...hours].map(([hour, readings]): ExpectedDocument => ({
          ...{ id: expectedId(hour), key: tenantKey(tenantId) },
          ...{ hour, readings },
        })),
      ),
    async progress() {
      const empty: Progress = { id: 'progress', key: 'progress', rootVersion: 0, expectedHour: 0 };
      return (await cosmos.read<Progress>('ingestion', 'progress', 'progress')) ?? empty;
    },
    putProgress: replace,
  };
}
