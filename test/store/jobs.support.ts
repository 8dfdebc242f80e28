import { randomUUID } from 'node:crypto';
import { type TenantScope } from '../../src/auth/scope';
import { createMetrics, type Registry as Metrics } from '../../src/observability/metrics';
import { type Cosmos } from '../../src/store/cosmos';
import { type JobDocument } from '../../src/store/jobs/documents';
import { type JobHandlers } from '../../src/store/jobs/handler';
import { createProvisionDevicesHandler } from '../../src/store/jobs/handlers/provision-devices';
import { createRegisterDevicesHandler } from '../../src/store/jobs/handlers/register-devices';
import { createJobs, type IndexedRow, type Jobs } from '../../src/store/jobs/jobs';
import { createJobMetrics } from '../../src/store/jobs/metrics';
import { createJobQueue } from '../../src/store/jobs/queue';
import { createJobRunner, type JobRunner } from '../../src/store/jobs/runner';
import { createRegistry } from '../../src/store/registry';
import { eventually } from '../support/eventually';
import { freshKey, logger, type Store, valueOf } from './store.support';

export interface Workshop {
  jobs: Jobs;
  /** A worker that is started; it is stopped with the workshop. */
  worker(options?: {
    handlers?: JobHandlers;
    cosmos?: Cosmos;
    atOnce?: number;
    sliceMs?: number;
    leaseMs?: number;
  }): Promise<JobRunner & { metrics: Metrics }>;
  handlers(cosmos?: Cosmos): JobHandlers;
  /** A job of registrations whose rows have the serial numbers given. */
  registering(scope: TenantScope, tenantId: string, serialNumbers: readonly string[]): Promise<JobDocument>;
  /** The job once it has ended. */
  ended(scope: TenantScope, jobId: string): Promise<JobDocument>;
  rowsOf(scope: TenantScope, jobId: string): Promise<IndexedRow[]>;
  stop(): Promise<void>;
}

export function openWorkshop(store: Pick<Store, 'cosmos' | 'keyring' | 'registry'>): Workshop {
  const jobs = createJobs(store);
  const workers: JobRunner[] = [];
  const handlers = (cosmos = store.cosmos): JobHandlers => {
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    return {
      REGISTER_DEVICES: createRegisterDevicesHandler({ registry }),
      PROVISION_DEVICES: createProvisionDevicesHandler({ registry, keyring: store.keyring }),
    };
  };
  return {
    jobs,
    handlers,
    async worker({ cosmos = store.cosmos, ...options } = {}) {
      const metrics = createMetrics({ process: 'jobs' });
      const runner = createJobRunner({
        cosmos,
        keyring: store.keyring,
        registry: createRegistry({ cosmos, keyring: store.keyring }),
        queue: createJobQueue({ cosmos }),
        handlers: handlers(cosmos),
        worker: `test-${randomUUID()}`,
        metrics: createJobMetrics(metrics),
        logger,
        lookMs: 50,
        ...options,
      });
      workers.push(runner);
      await runner.start();
      return { ...runner, metrics };
    },
    async registering(scope, tenantId, serialNumbers) {
      const rows = serialNumbers.map((serialNumber) => ({ serialNumber, model: 'thermometer' }));
      const job = {
        kind: 'REGISTER_DEVICES' as const,
        tenantId,
        buildingId: null,
        parameters: { enrollmentGroupId: null },
        rows,
      };
      return valueOf(await jobs.create(scope, job, freshKey()));
    },
    ended: (scope, jobId) =>
      eventually(
        async () => {
          const job = await jobs.byId(scope, jobId);
          if (job?.finishedAt == null) throw new Error(`the job is ${job?.state}, ${job?.done} rows`);
          return job;
        },
        // A thousand rows are a thousand devices: minutes on a machine that has other things to do.
        { within: 180_000, every: 50 },
      ),
    async rowsOf(scope, jobId) {
      const rows: IndexedRow[] = [];
      let after: string | null = null;
      do {
        const page = await jobs.rows(scope, jobId, { first: 200, after });
        rows.push(...page.items);
        after = page.next;
      } while (after !== null);
      return rows;
    },
    async stop() {
      await Promise.all(workers.map((each) => each.stop()));
    },
  };
}

/** Serial numbers `<prefix>-0000` and so on. */
export function serials(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
}
