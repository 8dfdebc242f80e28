import { maySeeAlert, seesAllAlerts } from '../../auth/alert-access';
import { allowsSomewhere, type TenantScope } from '../../auth/scope';
import { type AlertSeverity } from '../../domain/alert';
import { type AlertEventDocument } from '../../store/alert-documents';
import { atLeast } from '../../store/alerts/reader';
import { type Context } from '../context';
import { clientError } from '../errors';
import { aloneOf } from '../shared-stream';
import { type AlertsReached, createAlertCursors } from './alert-cursor';
import { type AlertQueue, createAlertQueue } from './alert-queue';
import {
  ActiveAlert,
  AlertChanged,
  AlertsCaughtUp,
  AlertsMissed,
  type ToldOfAlerts,
} from './alert-update.type';

export const MAXIMUM_BUILDINGS = 100;
/** Events, and alerts, that are read at a time. */
const PAGE = 100;
/** So often rights are looked at while nothing happens. */
const QUIET_MS = 1_000;
/** An event was told that follows one which the store does not show yet: it may be a moment behind. */
const PATIENCE_TRIES = 10;
const PATIENCE_MS = 200;

/** In the place of a number that would tell how many events there are that are not the caller's to see. */
const UNTOLD = 0;

interface Asked {
  buildingIds: readonly string[];
  minimumSeverity?: AlertSeverity | null;
  after?: string | null;
}

/**
 * What is active first, or what was missed since `after`; then every event, each once, in the order of its building's
 * numbers. Nothing is dropped for a slow reader: what cannot wait in memory is read from the store when the reader gets
 * there. Completes when none of the buildings is the caller's to see any more. Throws NOT_FOUND where none ever was.
 */
export async function alertUpdates(
  context: Context,
  { buildingIds, minimumSeverity, after }: Asked,
): Promise<AsyncIterableIterator<ToldOfAlerts>> {
  const { alerting, alertFeed, cursors } = context.services;
  const ids = [...new Set(buildingIds)];
  if (ids.length === 0 || ids.length > MAXIMUM_BUILDINGS) {
    const message = `buildingIds must name 1 to ${MAXIMUM_BUILDINGS} buildings, it names ${ids.length}`;
    throw clientError('BAD_USER_INPUT', message);
  }
  const sealing = createAlertCursors(cursors, context.principal.id);
  const resumed = after == null ? new Map<string, number>() : sealing.open(after, ids);
  const severities = new Set(atLeast(minimumSeverity ?? 'WARNING'));
  const known = (await context.loaders.building.loadMany(ids)).flatMap((each) =>
    each === null || each instanceof Error ? [] : [{ tenantId: each.tenantId, buildingId: each.id }],
  );
  // A building that is foreign or unknown is not told of, both alike.
  const visible = (scope: TenantScope) => known.filter((each) => allowsSomewhere(scope, 'alert.read', each));
  const places = visible(context.scope).map(({ buildingId }) => buildingId);
  if (places.length === 0) {
    throw clientError('NOT_FOUND', 'there is no such building, or its alerts are not yours to see');
  }
  const reached: AlertsReached = new Map();
  let queue: AlertQueue | undefined;
  let ended = false;

  /** Rights of now: what is delivered was allowed the moment before. Null where nothing may be seen any more. */
  async function rights(): Promise<TenantScope | null> {
    const scope = await context.renew();
    return ended || visible(scope).length === 0 ? null : scope;
  }

  /** The active alerts of a building, and from where its events go on. */
  async function* snapshot(buildingId: string): AsyncGenerator<ToldOfAlerts> {
    // The number before the alerts: what changes in between is told again as an event, and never missed.
    const [newest] = await alerting.newestAlertEvents([buildingId]);
    for (let position: string | null = null; ;) {
      const scope = await rights();
      if (scope === null) return;
      const page = await alerting.alerts(scope, buildingId, {
        state: 'ACTIVE',
        ...(minimumSeverity != null && { minimumSeverity }),
        first: PAGE,
        after: position,
      });
      for (const alert of page.items) yield ActiveAlert.of(alert);
      if ((position = page.next) === null) break;
    }
    // Only now: a cursor that was given before would leave out what was still to be told.
    reached.set(buildingId, newest!);
  }

  async function* tell(event: AlertEventDocument): AsyncGenerator<ToldOfAlerts> {
    const { buildingId, number, alert } = event;
    reached.set(buildingId, number);
    if (!severities.has(alert.severity)) return;
    const scope = await rights();
    if (scope !== null && maySeeAlert(scope, alert)) {
      const { tenantId } = alert;
      const number = seesAllAlerts(scope, { tenantId, buildingId }) ? event.number : UNTOLD;
      yield AlertChanged.of({ ...event, number }, sealing.seal(reached));
    }
  }

  /** The events of a building that were not told yet, up to this number, from the store. */
  async function* replay(buildingId: string, to: number): AsyncGenerator<ToldOfAlerts> {
    let tries = 0;
    while (!ended) {
      const from = reached.get(buildingId)! + 1;
      if (from > to || (await rights()) === null) return;
      const events = await alerting.alertEvents(buildingId, { from, to, limit: PAGE });
      const first = events[0]?.number;
      if (first !== from) {
        // Old ones go by their time to live, the oldest first; a new one that is not there is still on its way.
        if (first === undefined && tries++ < PATIENCE_TRIES) {
          await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
          continue;
        }
        const missedTo = first === undefined ? to : first - 1;
        // Who comes again from a cursor of before the gap is told of it, and of what is active, again.
        const scope = await rights();
        if (scope === null) return;
        const { tenantId } = known.find((each) => each.buildingId === buildingId)!;
        yield seesAllAlerts(scope, { tenantId, buildingId })
          ? AlertsMissed.of({ buildingId, from, to: missedTo })
          : AlertsMissed.of({ buildingId, from: UNTOLD, to: UNTOLD });
        yield* snapshot(buildingId);
        continue;
      }
      for (const event of events) {
        // What is not dense was told by a gap in the next round.
        if (event.number !== reached.get(buildingId)! + 1) break;
        yield* tell(event);
      }
    }
  }

  async function* deliver(waiting: AlertQueue): AsyncGenerator<ToldOfAlerts> {
    const newest = await alerting.newestAlertEvents(places);
    for (const [index, id] of places.entries()) {
      const number = resumed.get(id);
      // A cursor that is ahead is of a store that was made anew.
      if (number !== undefined && number <= newest[index]!) reached.set(id, number);
    }
    for (const [index, id] of places.entries()) if (reached.has(id)) yield* replay(id, newest[index]!);
    for (const id of places) if (!reached.has(id)) yield* snapshot(id);
    if ((await rights()) === null) return;
    yield AlertsCaughtUp.of(sealing.seal(reached));
    for (;;) {
      const { events, overflowed, closed } = await waiting.take(QUIET_MS);
      if (closed || (await rights()) === null) return;
      if (overflowed) {
        const now = await alerting.newestAlertEvents(places);
        for (const [index, id] of places.entries()) if (reached.has(id)) yield* replay(id, now[index]!);
      }
      for (const event of events) {
        const number = reached.get(event.buildingId) ?? Infinity;
        // Stream and change feed tell each once, and so may what was replayed.
        if (event.number <= number) continue;
        if (event.number > number + 1) yield* replay(event.buildingId, event.number - 1);
        if (event.number === reached.get(event.buildingId)! + 1) yield* tell(event);
      }
    }
  }

  let delivery: AsyncGenerator<ToldOfAlerts> | undefined;
  const iterator: AsyncIterableIterator<ToldOfAlerts> = {
    async next() {
      if (ended) return { done: true, value: undefined };
      if (delivery === undefined) {
        // Before anything is read, so that no event falls between the two.
        queue = createAlertQueue(alertFeed, places);
        delivery = deliver(queue);
      }
      const result = await delivery.next();
      if (result.done) queue?.close();
      return result;
    },
    // A generator that waits cannot be told to return; the queue can be closed, and then it does.
    async return() {
      ended = true;
      queue?.close();
      await delivery?.return(undefined);
      return { done: true, value: undefined };
    },
    async throw(error) {
      await iterator.return!();
      throw error;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  const tenants = new Map(known.map(({ buildingId, tenantId }) => [buildingId, tenantId]));
  return aloneOf(iterator, (told) => {
    if (told instanceof AlertsCaughtUp) return null;
    return tenants.get('alert' in told ? told.alert.buildingId : told.buildingId) ?? null;
  });
}
