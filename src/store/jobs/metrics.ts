import { Counter, Gauge, Histogram, type Registry } from '../../observability/metrics';

/** The metrics of the process that works jobs off. */
export type JobMetrics = ReturnType<typeof createJobMetrics>;

export function createJobMetrics(registry: Registry) {
  const registers = [registry];
  return {
    queued: new Gauge({
      name: 'atrium_jobs_unfinished',
      help: 'Jobs in the queue of all tenants, those under way among them, at the last look. It comes and goes. Growing for long: more is asked for than the replicas of `jobs` work off; start another. Constant while atrium_jobs_rows_total is flat: jobs fail or the store is away; see the log.',
      registers,
    }),
    running: new Gauge({
      name: 'atrium_jobs_running',
      help: 'Jobs that this replica has in hand. At its limit while atrium_jobs_unfinished is higher: start another replica.',
      registers,
    }),
    ended: new Counter({
      name: 'atrium_jobs_ended_total',
      help: 'How this replica’s time with a job ended. `put off` is a chunk that failed and is tried again: rising, see the log for the error. `taken by another` above a few: this replica stalls for longer than its lease of 10 s, or the clocks of replicas differ. `FAILED` by FORBIDDEN is a creator who lost the right, by INTERNAL a fault of ours.',
      labelNames: ['kind', 'outcome'] as const,
      registers,
    }),
    rows: new Counter({
      name: 'atrium_jobs_rows_total',
      help: 'Rows worked off by this replica; `refused` are those that were told why not. Flat with jobs in the queue: see atrium_jobs_unfinished.',
      labelNames: ['kind', 'outcome'] as const,
      registers,
    }),
    chunkSeconds: new Histogram({
      name: 'atrium_jobs_chunk_seconds',
      help: 'Time to work off up to a hundred rows and to remember it. Above 5 s for long: the store is slow or out of throughput. Above 8 s a restart no longer waits for the chunk and another replica does it again.',
      labelNames: ['kind'] as const,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    looks: new Counter({
      name: 'atrium_jobs_queue_failures_total',
      help: 'Looks at the queue that failed. Rising: the store is away or refuses this process; no new job begins until it is back.',
      registers,
    }),
    duties: new Counter({
      name: 'atrium_jobs_duties_total',
      help: 'Runs of recurring duties by this replica. One replica does each at a time. `failed` rising: see the log; it is tried again at its next time.',
      labelNames: ['duty', 'outcome'] as const,
      registers,
    }),
  };
}
