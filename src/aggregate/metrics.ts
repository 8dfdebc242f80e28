import { Counter, Gauge, Histogram, type Registry } from '../observability/metrics';

export interface AggregateMetrics {
  lag: Gauge<'partition'>;
  catchingUp: Gauge<'partition'>;
  tick: Histogram;
  readings: Counter<'outcome'>;
  damagedFrames: Counter;
  valuesEmitted: Counter;
  emissionsFailed: Counter;
  pointsWritten: Counter;
  writesFailed: Counter;
  pointsDropped: Counter;
  backlog: Gauge<'partition'>;
  buildings: Gauge<'partition'>;
  snapshotPacking: Histogram;
  snapshotBytes: Gauge<'partition'>;
  snapshotsFailed: Counter;
  snapshotsUsed: Counter<'outcome'>;
}

export function createAggregateMetrics(registry: Registry): AggregateMetrics {
  const registers = [registry];
  return {
    lag: new Gauge({
      name: 'atrium_aggregate_lag_seconds',
      help: 'Age of the last event applied when it was applied, by partition. Sustained above 5: no live values leave while the partition catches up; add a worker, or check that the clocks of hub and worker agree.',
      labelNames: ['partition'],
      registers,
    }),
    catchingUp: new Gauge({
      name: 'atrium_aggregate_catching_up',
      help: '1 while a partition replays what was enqueued before it was taken or lags behind, and so emits nothing. Sustained for minutes: see the lag.',
      labelNames: ['partition'],
      registers,
    }),
    tick: new Histogram({
      name: 'atrium_aggregate_tick_seconds',
      help: 'Time to advance one partition by a second and gather what changed. Sustained above 0.05: the worker owns more buildings than one core carries; add a worker.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    readings: new Counter({
      name: 'atrium_aggregate_readings_total',
      help: 'Readings by what became of them: applied; duplicate (devices send again: harmless, look for a flapping link when it nears the applied rate); late (devices deliver backlogs: they correct the record); too_late (later than 48 h: stored cold only); not_averaged (states); impossible (must stay 0: a gateway let damage through).',
      labelNames: ['outcome'],
      registers,
    }),
    damagedFrames: new Counter({
      name: 'atrium_aggregate_damaged_frames_total',
      help: 'Events that are no frame this release can read; the ingest worker keeps them as dead letters. Any rise: a producer is newer than this worker, or writes to the wrong hub.',
      registers,
    }),
    valuesEmitted: new Counter({
      name: 'atrium_aggregate_values_emitted_total',
      help: 'Live values sent to the averages stream. Flat while readings are applied: see the lag and the failed emissions.',
      registers,
    }),
    emissionsFailed: new Counter({
      name: 'atrium_aggregate_emissions_failed_total',
      help: 'Batches of live values that Event Hubs did not take; the next tick sends everything again. Sustained: the averages hub is unreachable or throttled.',
      registers,
    }),
    pointsWritten: new Counter({
      name: 'atrium_aggregate_points_written_total',
      help: 'Minute points handed to Cosmos and taken (or found stored already). Flat for minutes while values are emitted: see the failed writes.',
      registers,
    }),
    writesFailed: new Counter({
      name: 'atrium_aggregate_point_writes_failed_total',
      help: 'Writes of minute points that failed and will be tried again. Sustained: Cosmos is away or throttles; live values go on, the history and the checkpoint wait.',
      registers,
    }),
    pointsDropped: new Counter({
      name: 'atrium_aggregate_points_dropped_total',
      help: 'Minute points given up because too many waited for Cosmos. When it answers again the partition is replayed from its checkpoint and they are computed anew; live values pause for that long.',
      registers,
    }),
    backlog: new Gauge({
      name: 'atrium_aggregate_points_waiting',
      help: 'Minute points waiting for Cosmos, by partition. Rising steadily: writes fail or are slower than a minute a round.',
      labelNames: ['partition'],
      registers,
    }),
    buildings: new Gauge({
      name: 'atrium_aggregate_buildings',
      help: 'Buildings with a window in memory, by partition. Memory grows with it and with the readings of ten minutes.',
      labelNames: ['partition'],
      registers,
    }),
    snapshotPacking: new Histogram({
      name: 'atrium_aggregate_snapshot_packing_seconds',
      help: 'Time for which everything stands still while a partition’s state is copied; it is packed and stored while readings come. Sustained above 0.1: the worker owns too much; add a worker.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    snapshotBytes: new Gauge({
      name: 'atrium_aggregate_snapshot_bytes',
      help: 'Size of the last snapshot stored, by partition. It follows the readings of the last ten minutes.',
      labelNames: ['partition'],
      registers,
    }),
    snapshotsFailed: new Counter({
      name: 'atrium_aggregate_snapshots_failed_total',
      help: 'Snapshots that Blob did not take. Sustained: a restart replays minutes instead of seconds.',
      registers,
    }),
    snapshotsUsed: new Counter({
      name: 'atrium_aggregate_snapshots_used_total',
      help: 'Partitions taken, by what they went on from: restored; absent (first start); unreadable (damaged, or of another release: the partition is replayed from its checkpoint).',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
