import { Counter, Gauge, type Registry } from '../../observability/metrics';

export interface RecentMetrics {
  stored: Counter;
  waiting: Gauge<'partition'>;
  writesFailed: Counter;
  dropped: Counter;
  corrected: Counter;
  correctionsFailed: Counter;
  notHeld: Counter;
  lateMinutes: Gauge<'partition'>;
}

export function createRecentMetrics(registry: Registry): RecentMetrics {
  const registers = [registry];
  return {
    stored: new Counter({
      name: 'atrium_recent_readings_stored_total',
      help: 'Readings stored for ad-hoc questions and corrections. Flat for minutes while readings are applied: see the failed writes.',
      registers,
    }),
    waiting: new Gauge({
      name: 'atrium_recent_readings_waiting',
      help: 'Readings waiting to be stored, by partition: about a minute of them. Rising steadily: Cosmos is away or too slow; the checkpoint waits, and a restart replays as much.',
      labelNames: ['partition'],
      registers,
    }),
    writesFailed: new Counter({
      name: 'atrium_recent_writes_failed_total',
      help: 'Writes of recent readings that failed and will be tried again. Sustained: Cosmos is away or throttles.',
      registers,
    }),
    dropped: new Counter({
      name: 'atrium_recent_readings_dropped_total',
      help: 'Readings given up because too many waited for Cosmos. When it answers again the partition is replayed from before them.',
      registers,
    }),
    corrected: new Counter({
      name: 'atrium_aggregate_minutes_corrected_total',
      help: 'Minutes of buildings that were recomputed from stored readings because late ones came. A rise: devices deliver backlogs.',
      registers,
    }),
    correctionsFailed: new Counter({
      name: 'atrium_aggregate_corrections_failed_total',
      help: 'Recomputations that Cosmos or damaged documents prevented, and that are tried again. Sustained: late readings do not reach the record, and the checkpoint waits for them.',
      registers,
    }),
    notHeld: new Counter({
      name: 'atrium_aggregate_minutes_not_held_total',
      help: 'Minutes that late readings touch and that stay as they are, because their other readings are not stored: from before recording began, or expired. Sustained long after the first start: readings wait in the stream for more than a day.',
      registers,
    }),
    lateMinutes: new Gauge({
      name: 'atrium_aggregate_late_minutes',
      help: 'Building-minutes that wait to be recomputed, by partition. They gather for half a minute; rising for long means that backlogs come faster than they are read.',
      labelNames: ['partition'],
      registers,
    }),
  };
}
