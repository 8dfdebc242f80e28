import { Counter, Gauge, type Registry } from '../../observability/metrics';
import { type Unexplained, UNEXPLAINED_STAGES } from '../../domain/ingestion';

export type ReconciliationMetrics = ReturnType<typeof createReconciliationMetrics>;

/** @param found what the last run of this process found; null where that is too long ago: another does it now. */
export function createReconciliationMetrics(registry: Registry, found: () => Unexplained | null) {
  const registers = [registry];
  new Gauge({
    name: 'atrium_ingestion_unexplained_readings',
    help: 'Readings and dead letters of the last 31 days that nothing explains, by where they are missing: landing (acknowledged to a device and in no landing file although the landing has gone past them), dead_letters (the same of what was refused), curation (landed, and neither curated nor repeated although curation has gone past them). Anything but 0 is a loss until it is explained: the log names tenant, partition and hour; look for landing files that were removed (atrium_ingest_gaps_total), then in the hub. Told by the replica that did the duty last; take the greatest.',
    labelNames: ['stage'] as const,
    registers,
    collect() {
      this.reset();
      const unexplained = found();
      if (unexplained === null) return;
      for (const stage of UNEXPLAINED_STAGES) this.set({ stage }, unexplained[stage]);
    },
  });
  new Gauge({
    name: 'atrium_platform_alert',
    help: '1 while something of ours is out of order for everybody, by kind. readings_unexplained: readings that were acknowledged are not where they should be; see atrium_ingestion_unexplained_readings. It ends by itself when they are found.',
    labelNames: ['kind'] as const,
    registers,
    collect() {
      this.reset();
      const unexplained = found();
      if (unexplained === null) return;
      const any = UNEXPLAINED_STAGES.some((stage) => unexplained[stage] > 0);
      this.set({ kind: 'readings_unexplained' }, any ? 1 : 0);
    },
  });
  return {
    files: new Counter({
      name: 'atrium_ingestion_files_counted_total',
      help: 'Landing files whose rows were counted for the ingestion report. It follows atrium_ingest_files_landed_total; flat while that rises: see atrium_jobs_duties_total{duty="reconcile"} and the log. Nothing of the landing is removed before it was counted.',
      registers,
    }),
  };
}
