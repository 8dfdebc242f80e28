import { Counter, Gauge, type Registry } from '../../observability/metrics';

/** The metrics of whoever curates. */
export type CurationMetrics = ReturnType<typeof createCurationMetrics>;

export function createCurationMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: 'atrium_curation_rows_total',
      help: 'Rows of the landing that this replica has taken, by what became of them: `curated`, `duplicate` (an identity that stood already: a few are devices that send again) or `dropped` (of an erased tenant). Flat while atrium_ingest_rows_landed_total rises: no replica curates; see atrium_jobs_duties_total{duty="curate"} and the log.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    written: new Counter({
      name: 'atrium_curation_rows_written_total',
      help: 'Rows of the generations that this replica has written, those of the generations before among them. More than twenty times atrium_curation_rows_total for long: curation runs too often for periods so large; raise CURATE_SECONDS.',
      registers,
    }),
    bytes: new Counter({
      name: 'atrium_curation_bytes_written_total',
      help: 'Bytes of the generations that this replica has written.',
      registers,
    }),
    overtaken: new Counter({
      name: 'atrium_curation_overtaken_total',
      help: 'Runs that met another curator and left the rest to it. A few when replicas come and go; steady: somebody curates by hand, or a replica stalls for longer than its lease.',
      registers,
    }),
    backlog: new Gauge({
      name: 'atrium_curation_backlog_rows',
      help: 'Rows of the landing that were still to be curated at the last look of this replica. Rising from run to run: curation is slower than what comes in; see docs/architecture.md, the curated store.',
      registers,
    }),
    removed: new Counter({
      name: 'atrium_landing_files_removed_total',
      help: 'Landing files that were removed behind the guarded head, after LANDING_DAYS. Flat for days: the counts of some partition do not agree, see the log.',
      registers,
    }),
  };
}
