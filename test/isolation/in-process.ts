import { createExports } from '../../src/store/exports/exports';
import { createJobs } from '../../src/store/jobs/jobs';
import { buildExporting } from '../analytics/exports.support';
import { startColdStores } from '../analytics/cold-store';
import { recentBatches } from '../analytics/recent-batches';
import { partitionOf } from '../../src/domain/partition';
import { createRecentWriter } from '../../src/store/recent-writer';
import { freshKey, NORTH, SOUTH, startApi, type TestApiOptions } from '../api/api.support';
import { openWorkshop } from '../store/jobs.support';
import { type World } from './world';

const INCARNATION = '1700000000000-8';

export interface OwnWorld extends World {
  /** Of the tokens that it hands out. */
  issuer: string;
  stop(): Promise<void>;
}

/** An API in this process over stand-ins, whose store calls are told. */
export async function startWorld(options: TestApiOptions = {}): Promise<OwnWorld> {
  const stores = await startColdStores();
  const cold = await stores.next();
  const exporting: { parts?: ReturnType<typeof buildExporting>['parts'] } = {};
  const api = await startApi({
    questions: cold.questions,
    exportFiles: { open: (...asked) => exporting.parts!.open(...asked) },
    ...options,
  });
  const handler = buildExporting(api, cold);
  exporting.parts = handler.parts;
  let sequence = 0;
  return {
    ...api,
    north: NORTH,
    south: SOUTH,
    async hear(readings) {
      const { buildingId } = readings[0]!;
      const arrival = {
        ...{ incarnation: INCARNATION, partition: partitionOf(buildingId, 8), sequence: sequence++ },
        ...{ enqueuedAt: Date.now(), readings },
      };
      await cold.land([arrival]);
      const writer = createRecentWriter({ cosmos: api.cosmos });
      for (const batch of recentBatches([arrival])) await writer.write(batch);
    },
    async exported(owner, tenantId, buildingId) {
      const exports = createExports({
        ...api,
        jobs: createJobs(api),
        files: handler.parts,
        keepMs: 86_400_000,
      });
      const now = Date.now();
      const made = await exports.request(
        owner.scope,
        {
          ...{ tenantId, buildingId, spaceIds: null, deviceIds: null, from: now - 3_600_000, to: now },
          ...{ format: 'CSV', quantities: ['AIR_TEMPERATURE'] },
        },
        freshKey(),
      );
      if (!made.ok) throw new Error(made.refusal.message);
      const workshop = openWorkshop(api);
      try {
        await workshop.worker({ handlers: { EXPORT_READINGS: handler.handler } });
        await workshop.ended(owner.scope, made.value.job.jobId);
      } finally {
        // What is asked for later stays in the queue.
        await workshop.stop();
      }
      const [part] = await exports.parts(owner.scope, made.value);
      return { readyExport: made.value.id, readyPart: part!.name };
    },
    async stop() {
      handler.stop();
      await api.stop();
      await stores.stop();
    },
  };
}
