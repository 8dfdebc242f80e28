import { type CalendarDuration } from '../domain/calendar-duration';
import { type QuantityName } from '../domain/quantity';
import { type Engine } from './engine';
import { type ExcursionsAsked, type ExcursionsFound, excursionsOf, WINDOW_MS } from './excursions';
import { createKeptExcursions, firstOf, type KeptExcursions } from './kept-excursions';
import { type HistoryStep, historyOf } from './history';
import { type ReadingsFilter, type ReadingsSource } from './readings-source';
import { type ReadingsPage, readingsPage } from './readings-page';
import { stepsOf } from './steps';

/** A question that cannot be asked so, in words for whoever asks. */
export type Answer<T> = { ok: true; value: T } | { ok: false; message: string };

type Where = Omit<ReadingsFilter, 'quantities'>;

/**
 * Questions over the cold store. The filter is the right: it must hold the owner, and no building, space or quantity that
 * the caller may not see. Every method throws Busy and TooCostly of the engine, the signal's reason where the client went,
 * and what Blob answers.
 */
export interface Questions {
  readings(
    filter: ReadingsFilter,
    page: { first: number; after: string | null },
    signal: AbortSignal,
  ): Promise<ReadingsPage>;
  history(
    where: Where,
    asked: { quantity: QuantityName; step: CalendarDuration; timeZone: string },
    signal: AbortSignal,
  ): Promise<Answer<HistoryStep[]>>;
  /**
   * @param asked.askedBy who asks, by id: what is found is kept for this caller's further pages, under the whole of `where`
   * and of what is asked. Left out, nothing is kept and nothing that was is told.
   */
  excursions(
    where: Where,
    asked: Omit<ExcursionsAsked, 'from' | 'to' | 'now'> & { quantity: QuantityName; askedBy?: string },
    signal: AbortSignal,
  ): Promise<Answer<ExcursionsFound>>;
}

/** So many excursions are found at once where further pages may be asked for. */
const PAGES_AHEAD = 2_000;

export function createQuestions({
  engine,
  source,
  kept = createKeptExcursions(),
  now = Date.now,
}: {
  engine: Engine;
  source: ReadingsSource;
  kept?: KeptExcursions;
  now?: () => number;
}): Questions {
  return {
    readings: (filter, page, signal) =>
      engine.ask(filter.tenantId, signal, (session) => readingsPage(session, source, filter, page)),

    async history(where, { quantity, step, timeZone }, signal) {
      const { from, to } = where;
      const steps = stepsOf({ from, to, step }, timeZone);
      if (!steps.ok) return steps;
      return engine.ask(where.tenantId, signal, (session) =>
        source.with(session, { ...where, quantities: [quantity] }, async (relation) => ({
          ok: true as const,
          value: await historyOf(session, relation, steps.edges),
        })),
      );
    },

    async excursions(where, { quantity, askedBy, ...asked }, signal) {
      const { from, to } = where;
      const wrong = boundsProblem(asked, from, to);
      if (wrong !== undefined) return { ok: false, message: wrong };
      const { limit, offset, ...question } = asked;
      // The filter is the right: whoever has another gets another key.
      const key = JSON.stringify([askedBy, where, quantity, question]);
      if (askedBy !== undefined && offset > 0) {
        const found = kept.page(key, { offset, limit });
        if (found !== undefined && !(await source.isErased(where))) return { ok: true, value: found };
        kept.forget(key);
      }
      // The averages of the first minutes look back behind the range.
      const readFrom = asked.by === 'BUILDING_AVERAGE' ? from - WINDOW_MS : from;
      const ahead = askedBy === undefined ? limit : Math.max(limit, PAGES_AHEAD);
      const found = await engine.ask(where.tenantId, signal, (session) =>
        source.with(session, { ...where, from: readFrom, quantities: [quantity] }, (relation) =>
          excursionsOf(session, relation, { ...asked, limit: ahead, from, to, now: now() }),
        ),
      );
      if (askedBy !== undefined && found.excursions.length > limit) kept.keep(key, offset, found);
      return { ok: true, value: firstOf(found, limit) };
    },
  };
}

function boundsProblem(
  { low, high, silence, by }: Pick<ExcursionsAsked, 'low' | 'high' | 'silence' | 'by'>,
  from: number,
  to: number,
): string | undefined {
  if (low === null && high === null) return 'give low, high or both';
  if (low !== null && high !== null && low > high) return 'low must not be greater than high';
  if (!(from < to)) return 'from must lie before to';
  if (silence !== null && by === 'BUILDING_AVERAGE')
    return 'an average has a silence of its own: leave it out';
  return undefined;
}
