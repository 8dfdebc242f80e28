import { type QuantityName } from '../../domain/quantity';
import { type CursorBinding, type Cursors } from '../cursor';

/** Where a subscriber to a building's averages left off: the value that it was delivered last. */
export interface AveragePlace {
  buildingId: string;
  quantity: QuantityName;
  /** Seconds since 1970. */
  windowEnd: number;
  revision: number;
}

/**
 * Of the subject, the averages, and of nobody: one text is delivered to many, and is good at any replica and in any
 * subscription to the building. It tells nothing and opens nothing by itself.
 */
const BINDING: CursorBinding = { principalId: '', list: 'Subscription.buildingAverage', arguments: [] };

export function sealPlace(
  cursors: Cursors,
  { buildingId, quantity, windowEnd, revision }: AveragePlace,
): string {
  return cursors.seal(BINDING, JSON.stringify([buildingId, quantity, windowEnd, revision]));
}

/** Throws BAD_USER_INPUT for what is not a cursor of averages, or a damaged one. */
export function openPlace(cursors: Cursors, cursor: string): AveragePlace {
  const [buildingId, quantity, windowEnd, revision] = JSON.parse(cursors.open(BINDING, cursor)) as [
    string,
    QuantityName,
    number,
    number,
  ];
  return { buildingId, quantity, windowEnd, revision };
}
