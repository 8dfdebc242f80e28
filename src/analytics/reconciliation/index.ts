import { type ContainerClient } from '@azure/storage-blob';
import { hourOfInstant, type Unexplained, UNEXPLAINED_STAGES } from '../../domain/ingestion';
import { explain, type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { type Cosmos } from '../../store/cosmos';
import { expectedReadings } from '../../store/ingestion/expected';
import { createIngestionLedger } from '../../store/ingestion/ledger';
import { createLandingFiles } from '../../store/landing-files';
import { createManifests } from '../../store/manifests';
import { createReconciliationMetrics } from './metrics';
import { noUnexplained, type PartitionEnd, reconcilePartition } from './partition';
import { readStandings } from './tallies';

/** Adds up what became of every reading, and says where something is missing. All of it bears being done twice at once. */
export interface Reconciliation {
  /**
   * Takes in what has been told, has landed and was curated since. What was stored stands whatever happens afterwards.
   * Rejects where some partition could not be done: the others are.
   */
  reconcile(): Promise<Unexplained>;
  /** How far a partition's landing is counted; -1 where nothing is. */
  countedThrough(place: { incarnation: string; partition: number }): Promise<number>;
  /** Ends what is under way at its next step. */
  stop(): void;
}

/** What was found is told for so many intervals; then another replica has done it since. */
const TOLD_INTERVALS = 3;
const EXPECTED_HOURS = 48;

export function createReconciliation(options: {
  logger: Logger;
  metrics: Registry;
  cosmos: Cosmos;
  /** The cold store's container. */
  container: ContainerClient;
  /** Where the partitions of the telemetry stream end now. */
  streamEnds: () => Promise<readonly PartitionEnd[]>;
  /** How often it is done. */
  everyMs: number;
  now?: () => number;
}): Reconciliation {
  const { logger, cosmos, container, streamEnds, everyMs, now = Date.now } = options;
  const store = createIngestionLedger({ cosmos });
  const landing = createLandingFiles(container);
  const manifests = createManifests(container);
  const stopping = new AbortController();
  /** Of each tenant, the manifest's version whose tallies this process has added up. */
  const seen = new Map<string, number>();
  let found: { at: number; unexplained: Unexplained } | null = null;
  const metrics = createReconciliationMetrics(options.metrics, () =>
    found !== null && now() - found.at <= TOLD_INTERVALS * everyMs ? found.unexplained : null,
  );

  /** What was expected in the hours that have ended since. */
  const expect = async (
    tenants: Iterable<string>,
    expectedHour: number,
    partitions: number,
  ): Promise<number> => {
    const last = hourOfInstant(now()) - 1;
    const first = Math.max(expectedHour + 1, last - EXPECTED_HOURS + 1);
    if (first > last) return expectedHour;
    const hours = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const all = new Set(tenants);
    for await (const tenantId of manifests.tenants()) all.add(tenantId);
    for (const tenantId of all) {
      stopping.signal.throwIfAborted();
      await store.putExpected(tenantId, await expectedReadings(cosmos, tenantId, hours, partitions));
    }
    return last;
  };

  return {
    async reconcile() {
      const { signal } = stopping;
      await container.createIfNotExists();
      const progress = await store.progress();
      // In this order: what a manifest holds has landed, and what the stream held by then will have.
      const standings = await readStandings(manifests, progress.rootVersion, seen, signal);
      // The clock before the stream: what is judged as complete by it, the ends hold.
      const at = now();
      const ends = await streamEnds();
      const lives = new Map<number, string[]>(ends.map(({ partition }) => [partition, []]));
      for (const { incarnation, partition } of await landing.partitions()) {
        lives.set(partition, [...(lives.get(partition) ?? []), incarnation]);
      }
      const unexplained = noUnexplained();
      const tenants = new Set<string>();
      const failures: string[] = [];
      for (const [partition, incarnations] of lives) {
        signal.throwIfAborted();
        try {
          const done = await reconcilePartition({
            ...{ logger, store, landing, partition, standings, signal },
            lives: incarnations,
            end: ends.find((each) => each.partition === partition),
            now: at,
            onFiles: (files) => metrics.files.inc(files),
          });
          for (const stage of UNEXPLAINED_STAGES) unexplained[stage] += done.unexplained[stage];
          for (const tenantId of done.tenants) tenants.add(tenantId);
        } catch (error) {
          signal.throwIfAborted();
          failures.push(`partition ${partition}: ${explain(error)}`);
        }
      }
      if (failures.length > 0) throw new Error(failures.join('; '));
      const expectedHour = await expect(tenants, progress.expectedHour, ends.length);
      // Behind all pages: a run that broke off reads the same tallies again.
      if (standings.rootVersion !== progress.rootVersion || expectedHour !== progress.expectedHour) {
        await store.putProgress({ ...progress, rootVersion: standings.rootVersion, expectedHour });
        for (const tenantId of standings.tenants) {
          const last = standings.tallies(tenantId).at(-1);
          if (last !== undefined) seen.set(tenantId, last.version);
        }
      }
      found = { at: now(), unexplained };
      return unexplained;
    },
    countedThrough: async ({ incarnation, partition }) =>
      (await store.ledger(partition)).lives[incarnation]?.sequence ?? -1,
    stop: () => stopping.abort(new Error('the process stops')),
  };
}
