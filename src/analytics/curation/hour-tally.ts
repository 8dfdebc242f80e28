import { type CurationTallyRow } from '../../domain/curated';
import { HOUR_MS } from '../../domain/ingestion';
import { type Places } from './places';

type Kind = 'curated' | 'repeated' | 'dropped';

/** Counts what becomes of rows by their source and the hour in which the gateway received them. */
export interface HourTally {
  /** @param source of `Places`. */
  add(kind: Kind, source: number, receivedAt: number, by: number): void;
  rows(places: Places): CurationTallyRow[];
}

// Hours since 1970 stay below this for another seven thousand years.
const HOURS = 2 ** 26;

export function createHourTally(): HourTally {
  const cells = new Map<number, Record<Kind, number>>();
  // Neighbouring rows nearly always share a cell.
  let lastKey = -1;
  let last: Record<Kind, number> = { curated: 0, repeated: 0, dropped: 0 };
  return {
    add(kind, source, receivedAt, by) {
      const key = source * HOURS + Math.floor(receivedAt / HOUR_MS);
      if (key !== lastKey) {
        let cell = cells.get(key);
        if (cell === undefined) cells.set(key, (cell = { curated: 0, repeated: 0, dropped: 0 }));
        lastKey = key;
        last = cell;
      }
      last[kind] += by;
    },
    rows: (places) =>
      [...cells].flatMap(([key, cell]) => {
        if (cell.curated === 0 && cell.repeated === 0 && cell.dropped === 0) return [];
        const { incarnation, partition } = places.source(Math.floor(key / HOURS));
        return [{ incarnation, partition, hour: key % HOURS, ...cell }];
      }),
  };
}
