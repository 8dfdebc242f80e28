import { type Places } from './places';
import { type Rows } from './rows';

/** The rows of one point (of one building and quantity) in a batch: places `from` up to and without `to` of its order. */
export interface LandedSeries {
  /** Any place of the point. */
  place: number;
  from: number;
  to: number;
}

/** A batch of landed rows by tenant and series, each series in the order of observation. */
export interface LandedBatch {
  rows: Rows;
  /** Numbers of rows. Equal instants keep the order in which they landed. */
  order: Uint32Array;
  /** By tenant; its series in the order of building, quantity and point. */
  tenants: ReadonlyMap<string, readonly LandedSeries[]>;
}

/** @param rows in stream order for each partition. */
export function sortLanded(rows: Rows, places: Places): LandedBatch {
  // Places of one series share a number, so that rows are put together by counting.
  const seriesOfPlace: number[] = [];
  const firstPlaces: number[] = [];
  const byKey = new Map<string, number>();
  const lengths: number[] = [];
  const seriesOf = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const place = rows.place[i]!;
    let series = seriesOfPlace[place];
    if (series === undefined) {
      const { tenant, building, quantity, point } = places.place(place);
      const key = `${tenant} ${building} ${quantity} ${point}`;
      series = byKey.get(key);
      if (series === undefined) {
        series = firstPlaces.push(place) - 1;
        byKey.set(key, series);
        lengths.push(0);
      }
      seriesOfPlace[place] = series;
    }
    seriesOf[i] = series;
    lengths[series]!++;
  }

  const tenants = new Map<string, LandedSeries[]>();
  const byTenant = new Map<number, number[]>();
  firstPlaces.forEach((place, series) => {
    const { tenant } = places.place(place);
    const own = byTenant.get(tenant);
    if (own) own.push(series);
    else byTenant.set(tenant, [series]);
  });
  const starts = new Uint32Array(firstPlaces.length);
  let at = 0;
  for (const [tenant, own] of byTenant) {
    own.sort((a, b) => places.compare(firstPlaces[a]!, firstPlaces[b]!));
    const list: LandedSeries[] = [];
    for (const series of own) {
      starts[series] = at;
      list.push({ place: firstPlaces[series]!, from: at, to: at + lengths[series]! });
      at += lengths[series]!;
    }
    tenants.set(places.texts.textOf(tenant), list);
  }
  const order = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) order[starts[seriesOf[i]!]!++] = i;
  for (const list of tenants.values()) {
    for (const { from, to } of list) sortByInstant(order, from, to, rows);
  }
  return { rows, order, tenants };
}

function sortByInstant(order: Uint32Array, from: number, to: number, { observedAt }: Rows): void {
  for (let i = from + 1; i < to; i++) {
    if (observedAt[order[i]!]! < observedAt[order[i - 1]!]!) {
      // Stable by the rows' own numbers, which are in the order in which they landed.
      order.subarray(from, to).sort((a, b) => observedAt[a]! - observedAt[b]! || a - b);
      return;
    }
  }
}
