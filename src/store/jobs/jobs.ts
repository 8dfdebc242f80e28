import { type TenantScope } from '../../auth/scope';
import { type JobKind } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { type Keyring } from '../keyring';
import { type Outcome, type Page } from '../registry';
import { createJobCancelling } from './cancelling';
import { createJobCreation } from './creation';
import { type JobDocument, type JobRow } from './documents';
import { createJobListing } from './listing';
import { createJobQueue } from './queue';
import { createJobRows } from './rows';

export interface NewJob {
  kind: JobKind;
  tenantId: string;
  /** Where it is about one building alone. */
  buildingId: string | null;
  /** What its kind must know besides the rows. */
  parameters: Record<string, unknown>;
  /**
   * What is to be done, a small JSON value each, 1 to 10,000; their order is that of the results. Where they are found by
   * the parameters rather than given, a function that finds them: what is called again with the same key is then the same
   * whatever would be found by now.
   */
  rows: readonly unknown[] | (() => Promise<readonly unknown[]>);
  /** What the mutation's input calls the rows, for refusals. Default `rows`. */
  rowsPath?: string;
}

export interface IndexedRow extends JobRow {
  index: number;
}

export type Revealed =
  /** Shown by this very call, and never again. */
  | { shown: true; text: string }
  /** It was shown before, or is not the caller's to see. */
  | { shown: false; alreadyShown: boolean };

/**
 * Jobs as those see them who start and follow them: always inside the caller's scope. Whoever may start jobs of a kind
 * sees those of others too; the secrets in a job's results are its creator's alone.
 */
export interface Jobs {
  /** The same key with the same input gives the same job again, for 24 hours. Rights to what the rows name are the kind's. */
  create(scope: TenantScope, job: NewJob, idempotencyKey: string): Promise<Outcome<JobDocument>>;
  byId(scope: TenantScope, jobId: string): Promise<JobDocument | null>;
  /** Newest first. */
  ofTenant(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<JobDocument>>;
  /** What came of the rows that were worked off, in their order; without secrets. Empty where there is no such job. */
  rows(
    scope: TenantScope,
    jobId: string,
    options: { first: number; after: string | null; failedOnly?: boolean },
  ): Promise<Page<IndexedRow>>;
  /** Shows secrets, each once: in the order of the indexes. */
  reveal(scope: TenantScope, jobId: string, indexes: readonly number[]): Promise<Revealed[]>;
  /** What is under way is finished and the rest is left undone. Cancelling a job that has ended changes nothing. */
  cancel(scope: TenantScope, jobId: string): Promise<Outcome<JobDocument>>;
}

export function createJobs({ cosmos, keyring }: { cosmos: Cosmos; keyring: Keyring }): Jobs {
  const queue = createJobQueue({ cosmos });
  const listing = createJobListing({ cosmos });
  return {
    ...listing,
    ...createJobCreation({ cosmos, keyring, queue }),
    ...createJobRows({ cosmos, keyring, byId: listing.byId }),
    ...createJobCancelling({ cosmos, queue, byId: listing.byId }),
  };
}
