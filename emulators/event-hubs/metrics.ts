import { Counter, Gauge, Histogram, type Registry } from '../../src/observability/metrics';

/** What the stand-in counts. Each help text says what a sustained value means. */
export interface EventHubsMetrics {
  eventsIn: Counter<'hub'>;
  bytesIn: Counter<'hub'>;
  refusedSends: Counter<'hub' | 'condition'>;
  eventsOut: Counter<'hub' | 'group'>;
  bytesOut: Counter<'hub' | 'group'>;
  acknowledgeSeconds: Histogram;
  groupSeconds: Histogram;
  groupBatches: Histogram;
  refusedTokens: Counter;
  pausedReads: Counter;
}

export function createEventHubsMetrics(options: {
  registry: Registry;
  /** Read when the metrics are asked for. */
  now: () => { connections: number; readers: number; pendingBytes: number; logBytes: number };
}): EventHubsMetrics {
  const registers = [options.registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('eventhubs_connections', 'Open AMQP connections.', () => options.now().connections);
  gauge('eventhubs_readers', 'Links that read a partition.', () => options.now().readers);
  gauge(
    'eventhubs_pending_bytes',
    'Bytes accepted and not yet on disk; when it stays high, the disk is slower than the senders.',
    () => options.now().pendingBytes,
  );
  gauge(
    'eventhubs_log_bytes',
    "Size of all logs; bounded by each hub's retention, so growth past it means that retention fails.",
    () => options.now().logBytes,
  );
  return {
    eventsIn: new Counter({
      name: 'eventhubs_events_in_total',
      help: 'Events accepted and on disk.',
      labelNames: ['hub'],
      registers,
    }),
    bytesIn: new Counter({
      name: 'eventhubs_bytes_in_total',
      help: 'Bytes of accepted sends.',
      labelNames: ['hub'],
      registers,
    }),
    refusedSends: new Counter({
      name: 'eventhubs_refused_sends_total',
      help: 'Sends that were rejected, by AMQP condition; look at the sender for anything but server-busy.',
      labelNames: ['hub', 'condition'],
      registers,
    }),
    eventsOut: new Counter({
      name: 'eventhubs_events_out_total',
      help: 'Events delivered; a group that lags behind events in has a reader that is slow or gone.',
      labelNames: ['hub', 'group'],
      registers,
    }),
    bytesOut: new Counter({
      name: 'eventhubs_bytes_out_total',
      help: 'Bytes of delivered events.',
      labelNames: ['hub', 'group'],
      registers,
    }),
    acknowledgeSeconds: new Histogram({
      name: 'eventhubs_acknowledge_seconds',
      help: 'Time from a send being read to its events being on disk; follows the sync time of the disk.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    }),
    groupSeconds: new Histogram({
      name: 'eventhubs_group_commit_seconds',
      help: 'Time to write and sync one group; above 0.1 the disk is the bottleneck.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    }),
    groupBatches: new Histogram({
      name: 'eventhubs_group_commit_batches',
      help: 'Sends in one group; grows with load while the number of syncs stays the same.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      registers,
    }),
    refusedTokens: new Counter({
      name: 'eventhubs_refused_tokens_total',
      help: 'Tokens refused at $cbs: a wrong key, a wrong audience or a clock that is off.',
      registers,
    }),
    pausedReads: new Counter({
      name: 'eventhubs_paused_reads_total',
      help: 'Times that sockets were not read because too much waited for the disk.',
      registers,
    }),
  };
}
