import { explain, type Logger } from '../../observability/logger';
import { type Cosmos } from '../cosmos';
import { createPauses } from '../pauses';
import { type JobMetrics } from './metrics';

/** key `duty:<name>`, id `duty`: who does a duty now, and when it is due next. */
interface DutyDocument {
  id: 'duty';
  key: string;
  dueAt: number;
  lease: { worker: string; until: number } | null;
  _etag?: string;
}

/** What has to be done again and again, by one replica at a time. */
export interface Duties {
  /**
   * Does `work` every so many milliseconds, counted from the end of the last time whoever did it. Work that fails is
   * done again at its next time. It must bear being done twice at once: a replica that stalls is believed dead.
   */
  every(milliseconds: number, name: string, work: () => Promise<void>): void;
  start(): void;
  /** Resolves when what is under way is done. */
  stop(): Promise<void>;
}

/** After this a replica that says nothing over its duty is believed dead. */
const LEASE_MS = 10_000;
const RENEWAL_MS = 3_000;
const LONGEST_LOOK_MS = 5_000;

export function createDuties(options: {
  cosmos: Cosmos;
  worker: string;
  metrics: Pick<JobMetrics, 'duties'>;
  logger: Logger;
}): Duties {
  const { cosmos, worker, metrics, logger } = options;
  const duties: { milliseconds: number; name: string; work: () => Promise<void> }[] = [];
  const wakes: (() => void)[] = [];
  let loops: Promise<void>[] = [];
  let stopping = false;

  /** The duty as it stands once this replica has taken it, or null where it is not due or another's. */
  async function take(key: string): Promise<DutyDocument | null> {
    const current = await cosmos.read<DutyDocument>('directory', key, 'duty');
    const now = Date.now();
    if (current && (current.dueAt > now || (current.lease !== null && current.lease.until > now)))
      return null;
    const taken: DutyDocument = {
      id: 'duty',
      key,
      dueAt: current?.dueAt ?? now,
      lease: { worker, until: now + LEASE_MS },
    };
    const outcome = await cosmos.batch('directory', key, [
      current ? { replace: taken, etag: current._etag! } : { create: taken },
    ]);
    return outcome.ok ? { ...taken, _etag: outcome.etags[0]! } : null;
  }

  async function attend({ milliseconds, name, work }: (typeof duties)[number]): Promise<void> {
    let held = await take(`duty:${name}`);
    if (!held) return;
    const write = async (change: Partial<DutyDocument>): Promise<void> => {
      const next = { ...held!, ...change };
      const outcome = await cosmos.batch('directory', next.key, [{ replace: next, etag: held!._etag! }]);
      if (outcome.ok) held = { ...next, _etag: outcome.etags[0]! };
    };
    let renewing = Promise.resolve();
    const renewals = setInterval(() => {
      renewing = renewing
        .then(() => write({ lease: { worker, until: Date.now() + LEASE_MS } }))
        .catch(() => undefined);
    }, RENEWAL_MS);
    try {
      await work();
      metrics.duties.inc({ duty: name, outcome: 'done' });
    } catch (error) {
      metrics.duties.inc({ duty: name, outcome: 'failed' });
      logger.warn({ duty: name, error: explain(error) }, 'a duty failed');
    } finally {
      clearInterval(renewals);
      await renewing;
      await write({ dueAt: Date.now() + milliseconds, lease: null });
    }
  }

  async function run(duty: (typeof duties)[number]): Promise<void> {
    const pauses = createPauses();
    wakes.push(pauses.wake);
    while (!stopping) {
      await attend(duty).catch((error: unknown) => {
        logger.warn({ duty: duty.name, error: explain(error) }, 'a duty cannot be taken');
      });
      if (!stopping) await pauses.pause(Math.min(duty.milliseconds, LONGEST_LOOK_MS));
    }
  }

  return {
    every(milliseconds, name, work) {
      duties.push({ milliseconds, name, work });
    },
    start() {
      loops = duties.map(run);
    },
    async stop() {
      stopping = true;
      for (const wake of wakes) wake();
      await Promise.all(loops);
    },
  };
}
