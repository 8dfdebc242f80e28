import { createCuration } from '../../analytics/curation';
import { createLogger } from '../../observability/logger';
import { createMetrics } from '../../observability/metrics';
import { type Command } from './command';
import { openColdStore } from './blobs';

/** Curates now what the jobs process would curate at its next time. */
export const curate: Command = {
  name: 'curate',
  summary: 'sorts what has landed into the curated store, now rather than at its time',
  async run(_args, say) {
    const curation = createCuration({
      logger: createLogger({ name: 'curate', level: 'warn' }),
      metrics: createMetrics({ process: 'curate' }),
      ...openColdStore(),
      keepLandingMs: Infinity,
    });
    const began = performance.now();
    const stop = (): void => curation.stop();
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const report = await curation.curate(({ files, landed }, left) => {
      say(`${landed} readings of ${files} files taken, ${left.rows} of ${left.files.length} files to go`);
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(
      `${report.curated} readings curated, ${report.duplicates} were there already, ${report.dropped} dropped: ` +
        `${report.periods} generations of ${report.rowsWritten} readings and ${report.bytesWritten} bytes in ${seconds} s`,
    );
    if (report.overtaken) say('another curator is at work: it does, or has done, the rest');
  },
};
