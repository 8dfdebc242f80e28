import { type DuckDBConnection } from '@duckdb/node-api';
import { type BuildingAverage } from '../../src/domain/window';
import { horizonsFor } from '../../src/aggregate/horizons';
import { QUANTITIES, quantityOfCode } from '../../src/domain/quantity';
import { type Frame } from '../../src/stream/frame';
import { type CreateEngine } from '../aggregate/window-mutants';
import { type SeenAverage } from './oracle/averages.oracle';

/** How late a reading may be to be counted from what is held, as the worker has it. */
const HELD_LATENESS_MS = 300_000;
/** Until every window is empty and told so. */
const AFTERWARDS_SECONDS = 450;
/** At odd moments, so that points are computed before, at and after corrections. */
const MINUTES_EVERY_SECONDS = 17;

interface Event {
  incarnation: string;
  partition: number;
  sequence: number;
  /** Milliseconds since 1970. */
  enqueuedAt: number;
  frame: Frame;
}

/**
 * Drives an engine over stored rows as the worker did over the events they came in, a tick each second of the hub's clock.
 *
 * @returns every value that it tells of buildings, and every point that it computes.
 */
export function replayThrough(create: CreateEngine, events: readonly Event[]): SeenAverage[] {
  const seen: SeenAverage[] = [];
  for (const [first, ...rest] of byPartition(events)) {
    const { incarnation, partition } = first!;
    let second = 0;
    const keep = (source: SeenAverage['source'], values: readonly BuildingAverage[]): void => {
      for (const value of values) seen.push(seenValue(source, value));
    };
    const engine = create({
      incarnation,
      partition,
      horizons: horizonsFor(HELD_LATENESS_MS),
      expected: () => undefined,
      onFinal: (_, points) => keep('history', points),
      now: () => second * 1000,
    });
    const tick = (): void => {
      engine.advance(++second);
      const at = { windowEnd: second, asOf: second * 1000 };
      const position = { incarnation, partition, sequence: engine.sequence };
      const values = engine.takeValues(second % 60 === 0).filter(({ spaceId }) => spaceId === null);
      keep(
        'live',
        values.map((value) => ({ ...value, ...at, position })),
      );
      if (second % MINUTES_EVERY_SECONDS > 0) return;
      for (const building of [...engine.dirtyBuildings()]) {
        keep('history', engine.takeMinutes(building, second * 1000));
      }
    };
    // What was in the stream before is of other buildings: nothing of these was missed.
    engine.skip(0, first!.enqueuedAt);
    for (const { frame, sequence, enqueuedAt } of [first!, ...rest]) {
      const now = Math.floor(enqueuedAt / 1000);
      if (second === 0) engine.advance((second = now));
      while (second < now) tick();
      engine.apply(frame, sequence, enqueuedAt);
    }
    for (let after = 0; after < AFTERWARDS_SECONDS; after++) tick();
  }
  return seen;
}

function seenValue(source: SeenAverage['source'], value: BuildingAverage): SeenAverage {
  const { buildingId, windowEnd, position, readings, mean, minimum, maximum } = value;
  const { devicesReporting, lastReadingAt } = value;
  const quantity = quantityOfCode(value.quantity)!.name;
  return {
    ...{ source, buildingId, quantity, windowEnd, ...position },
    ...{ readings, mean, minimum, maximum, devicesReporting, lastReadingAt },
  };
}

function byPartition(events: readonly Event[]): Event[][] {
  const found = new Map<string, Event[]>();
  for (const event of events) {
    const key = `${event.incarnation} ${event.partition}`;
    const own = found.get(key);
    if (own) own.push(event);
    else found.set(key, [event]);
  }
  return [...found.values()];
}

type StoredRow = Record<
  | 'incarnation'
  | 'tenant_id'
  | 'building_id'
  | 'space_id'
  | 'point_id'
  | 'device_id'
  | 'quantity'
  | 'time_source',
  string
> &
  Record<'partition' | 'sequence' | 'enqueued_ms' | 'observed_ms' | 'value', number> & {
    message_id: string | null;
    message_index: number | null;
  };

/** The events of some buildings' stored rows. Wants the view `landing` of the oracle with `tenant_id`. */
export async function storedEvents(
  connection: DuckDBConnection,
  buildingIds: readonly string[],
): Promise<Event[]> {
  const reader = await connection.runAndReadAll(`
    SELECT incarnation, "partition", CAST(sequence AS DOUBLE) AS sequence, tenant_id, building_id, space_id, point_id,
      device_id, quantity, CAST(epoch_ms(enqueued_at) AS DOUBLE) AS enqueued_ms,
      CAST(epoch_ms(observed_at) AS DOUBLE) AS observed_ms, value, time_source, message_id, message_index
    FROM landing WHERE building_id IN (${buildingIds.map((id) => `'${id}'`).join(', ')})
    ORDER BY incarnation, "partition", sequence, "row"`);
  const codes = new Map<string, number>(QUANTITIES.map(({ name, code }) => [name, code]));
  const ordinals = createOrdinals();
  const events: Event[] = [];
  let points = new Map<string, number>();
  for (const row of reader.getRowObjectsJS() as unknown as StoredRow[]) {
    const { incarnation, partition, sequence } = row;
    let event = events.at(-1);
    if (event?.incarnation !== incarnation || event.partition !== partition || event.sequence !== sequence) {
      event = { incarnation, partition, sequence, enqueuedAt: row.enqueued_ms, frame: emptyFrame() };
      events.push(event);
      points = new Map();
    }
    const { frame } = event;
    const key = `${row.building_id} ${row.point_id} ${row.device_id} ${row.space_id}`;
    let point = points.get(key);
    if (point === undefined) {
      let building = frame.buildings.findIndex(({ buildingId }) => buildingId === row.building_id);
      if (building < 0) {
        building = frame.buildings.push({ tenantId: row.tenant_id, buildingId: row.building_id }) - 1;
      }
      point =
        frame.points.push({
          building,
          spaceId: row.space_id,
          pointId: row.point_id,
          pointOrdinal: ordinals.of(row.building_id, row.point_id),
          deviceId: row.device_id,
          deviceOrdinal: ordinals.of(`${row.building_id} devices`, row.device_id),
          quantity: codes.get(row.quantity)!,
        }) - 1;
      points.set(key, point);
    }
    if (row.time_source !== 'DEVICE') {
      const { message_id: messageId, message_index: messageIndex } = row;
      frame.undated.push({ row: frame.count, messageId, messageIndex: messageIndex ?? 0 });
    }
    frame.count++;
    frame.point.push(point);
    frame.observedAt.push(row.observed_ms);
    frame.receivedAt.push(row.enqueued_ms);
    frame.value.push(row.value);
  }
  return events;
}

/** Dense from 0 among those of one owner, as the registry gives them out. */
function createOrdinals(): { of(owner: string, id: string): number } {
  const owners = new Map<string, Map<string, number>>();
  return {
    of(owner, id) {
      let own = owners.get(owner);
      if (own === undefined) owners.set(owner, (own = new Map()));
      let ordinal = own.get(id);
      if (ordinal === undefined) own.set(id, (ordinal = own.size));
      return ordinal;
    },
  };
}

function emptyFrame(): Frame {
  return {
    ...{ buildings: [], points: [], count: 0, point: [], observedAt: [], receivedAt: [], value: [] },
    ...{ undated: [], originals: [], refused: [] },
  };
}
