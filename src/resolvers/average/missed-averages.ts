import { type QuantityName } from '../../domain/quantity';
import { type StoredAverage } from '../../store/averages';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { AverageGap, BuildingAverage } from './average.type';
import { type AveragePlace } from './average-cursor';
import { currentAverages } from './current-averages';

/** What one subscriber is still to be told of the minutes that it missed. */
export interface MissedAverages {
  /**
   * The minute records since the places, building by building and oldest first; then, of what is not told, the current
   * value with its gap. A further call goes on where the one before was broken off.
   */
  read(
    context: Context,
    visible: ReadonlyMap<string, readonly QuantityName[]>,
  ): AsyncGenerator<BuildingAverage>;
}

/** Further back the record is a question of its own: `Building.averageHistory`. */
const MAXIMUM_MINUTES = 24 * 60;
/** Records of one subscription. */
const MAXIMUM_RECORDS = 10_000;
const MINUTE = 60;

export function createMissedAverages(options: {
  buildings: readonly Building[];
  places: readonly AveragePlace[];
  now?: () => number;
}): MissedAverages {
  const { now = Date.now } = options;
  const thisMinute = (): number => Math.floor(now() / 60_000);
  const under = options.places.flatMap((place) => {
    const building = options.buildings.find(({ id }) => id === place.buildingId);
    return building === undefined ? [] : [{ building, place, next: Math.ceil(place.windowEnd / MINUTE) }];
  });
  let told = 0;

  async function* ofBuilding(
    context: Context,
    each: (typeof under)[number],
    quantities: readonly QuantityName[],
  ): AsyncGenerator<BuildingAverage> {
    const { building, place } = each;
    const from = each.next;
    const to = thisMinute();
    if (from > to) return;
    each.next = to + 1;
    const minutes = to - from + 1;
    const gaps = new Map<QuantityName, { from: number; to: number }>();
    const { tenantId, id: buildingId } = building;
    if (minutes > MAXIMUM_MINUTES || told + minutes * quantities.length > MAXIMUM_RECORDS) {
      for (const quantity of quantities) gaps.set(quantity, { from, to });
    } else {
      const { averages, live } = context.services;
      const atMinute = live.lastMinute({ tenantId, buildingId });
      const alive = live.latest({ tenantId, buildingId });
      const records: { record: BuildingAverage; minute: number }[] = [];
      for (const quantity of quantities) {
        const stored = await averages.history(context.scope, {
          buildingId,
          quantity,
          fromMinute: from,
          toMinute: to,
          limit: minutes,
        });
        const found = stored.filter((each) => each.tenantId === tenantId);
        let newest = found.length > 0 ? found.at(-1)!.windowEnd / MINUTE : from - 1;
        const ofQuantity = (value: { quantity: number }): boolean =>
          BuildingAverage.quantityOf(value) === quantity;
        // The record of a minute is stored some seconds after it.
        const fresh = atMinute.find(ofQuantity);
        if (
          fresh !== undefined &&
          fresh.windowEnd / MINUTE === newest + 1 &&
          fresh.windowEnd / MINUTE <= to
        ) {
          found.push({ ...fresh, revision: 1 });
          newest++;
        }
        for (const point of found) {
          if (wasDelivered(point, quantity, place)) continue;
          records.push({
            record: Object.assign(BuildingAverage.of(point)!, { delivery: 'MISSED' as const }),
            minute: point.windowEnd,
          });
        }
        // While it lives there is a record of every minute: those that are not stored yet are not told.
        const until = Math.floor((alive.find(ofQuantity)?.windowEnd ?? 0) / MINUTE);
        if (newest < until) gaps.set(quantity, { from: newest + 1, to: Math.min(until, to) });
      }
      records.sort((a, b) => a.minute - b.minute);
      for (const { record } of records) {
        told++;
        // Broken off, it goes on at this minute.
        each.next = record.windowEnd.getTime() / 60_000;
        yield record;
      }
      each.next = to + 1;
    }
    if (gaps.size === 0) return;
    for (const value of await currentAverages(context, building)) {
      const gap = gaps.get(value.quantity);
      if (gap !== undefined)
        yield Object.assign(value, { gap: AverageGap.of(gap), delivery: 'LIVE' as const });
    }
  }

  return {
    async *read(context, visible) {
      // Reading takes its time, and more minutes may have gone by.
      for (let minute = -1; minute !== thisMinute();) {
        minute = thisMinute();
        for (const each of under) {
          const quantities = visible.get(each.building.id);
          if (quantities !== undefined) yield* ofBuilding(context, each, quantities);
        }
      }
    },
  };
}

function wasDelivered(point: StoredAverage, quantity: QuantityName, place: AveragePlace): boolean {
  return (
    quantity === place.quantity && point.windowEnd === place.windowEnd && point.revision <= place.revision
  );
}
