import { type Cosmos } from '../cosmos';
import { type SagaDocument } from '../documents';
import { type Outcome } from '../registry';
import { retrying } from '../store-error';

/**
 * Changes that span partitions. What is under way stands in a document of its own from before the first step to after the
 * last, so that whoever finds it, the caller's next try or a sweep, can bring it to its end. Every step is found done by
 * its own trace in its own partition (an audit event with a derived id, an etag, a document's `departing`), so that any
 * number of tries, at the same time or long after, do each step once.
 */
export interface Sagas {
  /** Begins a saga, or finds it begun; one of the same id that has ended is begun anew. */
  begin(saga: Omit<SagaDocument, 'key' | 'startedAt'>): Promise<SagaDocument>;
  find(id: string): Promise<SagaDocument | null>;
  /** Brings a saga to its end. A refusal is an end too: then it has left nothing behind. */
  run(saga: SagaDocument): Promise<Outcome<void>>;
}

export interface SagaSweep {
  /**
   * Brings sagas that nobody has finished to their end; several processes may do so at the same time. It shows no secret:
   * the caller's next try with the same idempotency key still gets them. Throws only where the store cannot be asked.
   */
  resumeSagas(options: {
    /** Younger ones are left to their callers. */
    olderThanMs: number;
    /** At most so many. */
    limit: number;
  }): Promise<{ ended: number; failed: { id: string; error: unknown }[] }>;
}

/** All steps but the last, which is the saga's own document. */
export type SagaSteps = (saga: SagaDocument) => Promise<Outcome<void>>;

/**
 * What the ids of all that a saga writes for good derive from. Not its own id alone: that follows from an idempotency
 * key, which may serve again once it is forgotten, and would then find the earlier saga's traces.
 */
export function seedOf({ id, startedAt }: SagaDocument): string {
  return `${id} ${startedAt}`;
}

const PENDING = 'sagas:pending';
const MOST_LOOKED_AT = 1_000;

export function createSagas({
  cosmos,
  steps,
}: {
  cosmos: Cosmos;
  steps: Record<SagaDocument['kind'], SagaSteps>;
}): Sagas & SagaSweep {
  async function find(id: string): Promise<SagaDocument | null> {
    const found = await cosmos.read<SagaDocument>('directory', PENDING, id);
    return found && found.ttl === undefined ? found : null;
  }

  async function run(saga: SagaDocument): Promise<Outcome<void>> {
    const outcome = await retrying(() => steps[saga.kind](saga));
    const over: SagaDocument = { ...saga, ttl: 1 };
    // Refused where another try ended it, and so also where it has been begun anew since: that one is not over.
    await retrying(() => cosmos.batch('directory', PENDING, [{ replace: over, etag: saga._etag! }]));
    return outcome;
  }

  return {
    find,
    run,

    begin: (saga) =>
      retrying(async () => {
        const document: SagaDocument = { ...saga, key: PENDING, startedAt: Date.now() };
        for (;;) {
          const found = await cosmos.read<SagaDocument>('directory', PENDING, saga.id);
          if (found && found.ttl === undefined) return found;
          const outcome = await cosmos.batch('directory', PENDING, [
            // Not what is about to expire: nobody would resume it.
            found ? { replace: document, etag: found._etag! } : { create: document },
          ]);
          if (outcome.ok) return { ...document, _etag: outcome.etags[0]! };
        }
      }),

    async resumeSagas({ olderThanMs, limit }) {
      const found = await cosmos.query<SagaDocument>(
        'directory',
        PENDING,
        'SELECT * FROM c WHERE c.startedAt <= @before AND NOT IS_DEFINED(c.ttl)',
        { before: Date.now() - olderThanMs },
        { limit: MOST_LOOKED_AT },
      );
      // In any order, so that a few that cannot be finished don't stand before all the others for ever.
      const chosen = found
        .map((saga) => ({ saga, order: Math.random() }))
        .sort((a, b) => a.order - b.order)
        .slice(0, limit);
      const failed: { id: string; error: unknown }[] = [];
      for (const { saga } of chosen) {
        try {
          await run(saga);
        } catch (error) {
          failed.push({ id: saga.id, error });
        }
      }
      return { ended: chosen.length - failed.length, failed };
    },
  };
}
