import { Counter, Gauge, Histogram, type Registry } from '../observability/metrics';

/** The ingest worker's metrics. */
export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

export function createIngestMetrics(
  registry: Registry,
  /** By partition: milliseconds since 1970 of the oldest event that is held and not landed, and what those held take. */
  heldNow: () => Iterable<{ partition: number; enqueuedAt: number | null; bytes: number }>,
) {
  const registers = [registry];
  new Gauge({
    name: 'atrium_ingest_lag_seconds',
    help: 'Age of the oldest event of a partition that was read and is in no file yet, by the time it was enqueued. Up to the flush time is normal. Rising on all partitions: Blob is slow or failing (see atrium_ingest_retries_total) or there are too few workers. Rising on one: a hot partition, whose files fill before their time.',
    labelNames: ['partition'] as const,
    registers,
    collect() {
      this.reset();
      for (const { partition, enqueuedAt } of heldNow()) {
        const lag = enqueuedAt === null ? 0 : Math.max(0, (Date.now() - enqueuedAt) / 1_000);
        this.set({ partition }, lag);
      }
    },
  });
  new Gauge({
    name: 'atrium_ingest_held_bytes',
    help: 'Memory of the events that were read and wait for their files, of all partitions together. It rises to the bound of 64 MB and no further, then the worker reads no more: at the bound for longer than a minute Blob is slow or failing (see atrium_ingest_retries_total).',
    registers,
    collect() {
      this.set([...heldNow()].reduce((sum, { bytes }) => sum + bytes, 0));
    },
  });
  return {
    rows: new Counter({
      name: 'atrium_ingest_rows_landed_total',
      help: 'Readings in files that this worker created. Its rate follows the readings accepted by the gateways; flat while they accept means the worker owns no partition or cannot write: see readiness.',
      registers,
    }),
    events: new Counter({
      name: 'atrium_ingest_events_landed_total',
      help: 'Events of the stream in files that this worker created, those without a reading among them.',
      registers,
    }),
    deadLetters: new Counter({
      name: 'atrium_ingest_dead_letters_total',
      help: 'Refused readings and unreadable events that were kept as dead letters. FRAME_UNREADABLE should be 0: a gateway of a later release than this worker, or damage; upgrade the worker, the bodies are kept. The others name what devices do wrong.',
      labelNames: ['code'] as const,
      registers,
    }),
    bytes: new Counter({
      name: 'atrium_ingest_bytes_landed_total',
      help: 'Bytes of the files that this worker created. Bytes a row rising means smaller files: compare with atrium_ingest_files_landed_total.',
      registers,
    }),
    files: new Counter({
      name: 'atrium_ingest_files_landed_total',
      help: 'Files created. Much more than one a partition and flush time means that files fill by rows or memory before their time: more workers would each hold more.',
      registers,
    }),
    adopted: new Counter({
      name: 'atrium_ingest_files_adopted_total',
      help: 'Files that were found to exist already: after a crash, or two workers at one partition while it changes hands. A few at each restart are normal; a steady rate means that two processes run under one worker slot.',
      registers,
    }),
    gaps: new Counter({
      name: 'atrium_ingest_gaps_total',
      help: 'Places where the stream no longer held the events that come next: they passed the retention time before they were landed and are lost to the cold store. Any is an incident: the worker was away longer than the retention time.',
      registers,
    }),
    missingEvents: new Counter({
      name: 'atrium_ingest_missing_events_total',
      help: 'Events lost in gaps (atrium_ingest_gaps_total).',
      registers,
    }),
    retries: new Counter({
      name: 'atrium_ingest_retries_total',
      help: 'Attempts that failed and are made again, by what failed: blob (Blob Storage is failing or refuses), stream (Event Hubs does not answer), checkpoint. The worker waits and loses nothing; look at that service while it rises.',
      labelNames: ['what'] as const,
      registers,
    }),
    flushSeconds: new Histogram({
      name: 'atrium_ingest_flush_seconds',
      help: 'From the decision to write a file until it and its checkpoint stand, retries included. Above a few seconds Blob is slow; the partition waits and its lag rises.',
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
      registers,
    }),
  };
}
