import { type BlobServiceClient } from '@azure/storage-blob';
import { explain, type Logger } from '../observability/logger';
import { type Cosmos } from '../store/cosmos';
import {
  ERASURE_STEPS,
  type ErasureDocument,
  type ErasureStep,
  erasingKey,
} from '../store/erasure/documents';
import { createErasures } from '../store/erasure/erasures';
import { createMentions, type Mentions } from '../store/erasure/mentions';
import { removePartition } from '../store/erasure/removal';
import { type SagaSweep } from '../store/registry/saga';
import { type SagaDocument } from '../store/documents';
import { createBlobErasure } from './blobs';
import { removeDirectory, removeMentions, removeRegistry, removeWarm } from './documents';
import { type Inventory, readInventory, takeInventory } from './inventory';
import { scanFor } from './scan';

/** Does what erasing a tenant takes, and proves it. */
export interface Eraser {
  /**
   * Goes on with every erasure that is under way, as far as it gets. What is broken off goes on at the next call, in this
   * process or in another, and bears being done twice at once. Throws where one cannot go on for now.
   */
  run(): Promise<void>;
  /** Ends what is under way at its next step. */
  stop(): void;
}

/** A step that has to wait, and for what. */
interface Waits {
  waitsFor: string;
}

/**
 * Longer than whatever began before the tombstone was heard can take: a request, a write that is tried again, a landing
 * file or a generation under way, what a gateway notes once a minute. Only then the scan says something.
 */
export const SETTLE_MS = 180_000;
const MOST_ROUNDS_AT_ONCE = 3;

export function createEraser(options: {
  logger: Logger;
  cosmos: Cosmos;
  registry: SagaSweep;
  blobs: BlobServiceClient;
  coldContainer: string;
  exportContainer: string;
  /** Curates what has landed. */
  curate: () => Promise<void>;
  settleMs?: number;
  /** Steps that are left out: for the test that the scan finds it. */
  leaveOut?: readonly ErasureStep[];
  now?: () => number;
}): Eraser {
  const { logger, cosmos, registry, blobs, settleMs = SETTLE_MS, leaveOut = [], now = Date.now } = options;
  const erasures = createErasures({ cosmos, now });
  const files = createBlobErasure(options);
  const stopping = new AbortController();

  const mentionsOf = (tenantId: string, { ids, otherTenants }: Inventory): Mentions =>
    createMentions({ tenantId, ids, otherTenants });

  /** @returns how much it changed, or for what it waits. */
  const steps: Record<
    ErasureStep,
    (erasure: ErasureDocument, inventory: () => Promise<Inventory>) => Promise<number | Waits>
  > = {
    async mark(erasure) {
      await erasures.mark(erasure);
      await files.mark(erasure.tenantId, erasure.requestedAt);
      return 0;
    },
    async inventory({ tenantId }) {
      return (await takeInventory(cosmos, tenantId)).ids.size;
    },
    /** What hands a device from or to the tenant is brought to its end first: half of it is another's. */
    async sagas({ tenantId }) {
      const pending = async (): Promise<number> => {
        const found = await cosmos.query<SagaDocument>(
          'directory',
          'sagas:pending',
          'SELECT * FROM c WHERE NOT IS_DEFINED(c.ttl)',
        );
        return found.filter(({ from, to }) => from.tenantId === tenantId || to.tenantId === tenantId).length;
      };
      if ((await pending()) === 0) return 0;
      await registry.resumeSagas({ olderThanMs: 0, limit: 1_000 });
      const left = await pending();
      return left === 0
        ? 0
        : { waitsFor: `${left} claims, moves or transfers of devices that cannot be finished` };
    },
    exports: ({ tenantId }) => files.exports(tenantId),
    curated: ({ tenantId }) => files.curated(tenantId),
    async landing() {
      const { removed, uncurated } = await files.landing();
      return uncurated === 0 ? removed : { waitsFor: `${uncurated} landing files that are not curated yet` };
    },
    warm: async ({ tenantId }, inventory) => removeWarm(cosmos, tenantId, await inventory()),
    registry: async ({ tenantId }, inventory) => removeRegistry(cosmos, tenantId, await inventory()),
    directory: async ({ tenantId }, inventory) => {
      const found = await inventory();
      return removeDirectory(cosmos, tenantId, found, mentionsOf(tenantId, found));
    },
    mentions: async ({ tenantId }, inventory) =>
      removeMentions(cosmos, tenantId, mentionsOf(tenantId, await inventory())),
    snapshots: async ({ tenantId }, inventory) => files.snapshots(mentionsOf(tenantId, await inventory())),
    // Not one of those that change anything: see below.
    scan: () => Promise.resolve(0),
  };

  /** Undefined where another has written since: it goes on with this erasure. */
  async function doSteps(
    began: ErasureDocument,
    inventory: () => Promise<Inventory>,
  ): Promise<ErasureDocument | undefined> {
    let erasure = began;
    for (const step of ERASURE_STEPS) {
      if (step === 'scan' || erasure.done.includes(step)) continue;
      stopping.signal.throwIfAborted();
      const outcome = leaveOut.includes(step) ? 0 : await steps[step](erasure, inventory);
      const waits = typeof outcome === 'object';
      const count = waits ? 0 : outcome;
      const next = await erasures.save({
        ...erasure,
        done: waits ? erasure.done : [...erasure.done, step],
        counts: { ...erasure.counts, [step]: (erasure.counts[step] ?? 0) + count },
        waitsFor: waits ? outcome.waitsFor : null,
      });
      if (next === null) return undefined;
      erasure = next;
      logger.info({ tenantId: erasure.tenantId, step, count, waits }, 'erasing a tenant');
      if (waits) return erasure;
    }
    return erasure;
  }

  async function scan(erasure: ErasureDocument, inventory: Inventory): Promise<ErasureDocument | null> {
    const { tenantId } = erasure;
    const mentions = mentionsOf(tenantId, inventory);
    const report = await scanFor({ cosmos, blobs, tenantId, mentions, signal: stopping.signal });
    const scanned = { ...erasure, scan: { at: now(), ...report } };
    if (report.findings === 0)
      return erasures.save({ ...scanned, done: [...erasure.done, 'scan'], waitsFor: null });
    logger.warn(
      { tenantId, findings: report.findings, examples: report.examples },
      'something is left of a tenant',
    );
    const waitsFor = `${report.findings} places where something was found`;
    return erasures.save({ ...scanned, round: erasure.round + 1, done: [], waitsFor });
  }

  async function goOn(began: ErasureDocument): Promise<void> {
    let erasure: ErasureDocument | null | undefined = began;
    const { tenantId } = began;
    for (let round = 0; round < MOST_ROUNDS_AT_ONCE; round++) {
      let known: Promise<Inventory> | undefined;
      const inventory = (): Promise<Inventory> => (known ??= readInventory(cosmos, tenantId));
      if (!erasure.done.includes('scan')) {
        erasure = await doSteps(erasure, inventory);
        if (erasure == null || !isReady(erasure)) return;
        const settled = erasure.requestedAt + settleMs;
        if (now() < settled) {
          const waitsFor = `what was under way when it was asked for, until ${new Date(settled).toISOString()}`;
          if (erasure.waitsFor !== waitsFor) await erasures.save({ ...erasure, waitsFor });
          return;
        }
        erasure = await scan(erasure, await inventory());
        if (erasure === null) return;
      }
      if (!erasure.done.includes('scan')) continue;
      await removePartition(cosmos, 'registry', erasingKey(tenantId));
      await erasures.save({ ...erasure, state: 'ERASED', erasedAt: now(), waitsFor: null });
      logger.info({ tenantId, counts: erasure.counts, looked: erasure.scan?.looked }, 'a tenant is erased');
      return;
    }
  }

  /** Whether every step but the scan is done. */
  const isReady = ({ done }: ErasureDocument): boolean =>
    ERASURE_STEPS.every((step) => step === 'scan' || done.includes(step));

  return {
    async run() {
      const failed: string[] = [];
      for (const erasure of await erasures.all()) {
        if (erasure.state === 'ERASED') continue;
        try {
          await goOn(erasure);
        } catch (error) {
          stopping.signal.throwIfAborted();
          logger.warn({ tenantId: erasure.tenantId, error: explain(error) }, 'an erasure goes on later');
          failed.push(erasure.tenantId);
        }
      }
      if (failed.length > 0) throw new Error(`the erasure of ${failed.join(', ')} goes on later`);
    },
    stop: () => stopping.abort(new Error('the process stops')),
  };
}
