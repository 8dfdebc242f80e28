import { Counter, Gauge, type Registry } from '../observability/metrics';

export type DeadLettersMetrics = ReturnType<typeof createDeadLettersMetrics>;

export function createDeadLettersMetrics(registry: Registry) {
  const registers = [registry];
  return {
    filed: new Counter({
      name: 'atrium_dead_letters_filed_total',
      help: 'Dead letters that were written for their tenants to ask for. A rise names a device or a release that sends wrongly: see the letters’ codes.',
      labelNames: ['code'] as const,
      registers,
    }),
    omitted: new Counter({
      name: 'atrium_dead_letters_omitted_total',
      help: 'Dead letters beyond what is kept of one building and minute: counted for their tenant, held by the cold store alone. Sustained above 0: something floods; find its building in the counts.',
      registers,
    }),
    skipped: new Counter({
      name: 'atrium_dead_letters_unreadable_frames_total',
      help: 'Events that are no frame this release can read. Should be 0; the ingest worker keeps each whole.',
      registers,
    }),
    lag: new Gauge({
      name: 'atrium_dead_letters_lag_seconds',
      help: 'Age of the last event of a partition when it was worked off. Up to some seconds is normal. Rising: Cosmos is away or too slow (see readiness); nothing is lost within the stream’s retention, and nothing but the dead letters waits.',
      labelNames: ['partition'] as const,
      registers,
    }),
    replayed: new Counter({
      name: 'atrium_dead_letters_replayed_total',
      help: 'Dead letters that were judged again, by what came of it.',
      labelNames: ['outcome'] as const,
      registers,
    }),
  };
}
