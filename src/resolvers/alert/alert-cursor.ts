import { createHash } from 'node:crypto';
import { type Cursors } from '../cursor';

/**
 * How far a subscriber was told of each building: the number of the last event. As a cursor it is good for the same
 * person, on any replica, with any choice of buildings and severity.
 */
export type AlertsReached = Map<string, number>;

const BINDING = { list: 'Subscription.alerts', arguments: [], concealed: true };
/** All of the same length: how long it is tells nothing of the number. */
const DIGITS = Number.MAX_SAFE_INTEGER.toString(36).length;

/** A hundred buildings fit into a cursor because each is named by eight characters of its hash. */
function keyOf(buildingId: string): string {
  return createHash('sha256').update(buildingId).digest('base64url').slice(0, 8);
}

export interface AlertCursors {
  seal(reached: AlertsReached): string;
  /** Of these buildings those that the cursor tells of. Throws BAD_USER_INPUT. */
  open(cursor: string, buildingIds: readonly string[]): AlertsReached;
}

export function createAlertCursors(cursors: Cursors, principalId: string): AlertCursors {
  const binding = { principalId, ...BINDING };
  const keys = new Map<string, string>();
  const known = (id: string): string => {
    let key = keys.get(id);
    if (key === undefined) keys.set(id, (key = keyOf(id)));
    return key;
  };
  return {
    seal: (reached) =>
      cursors.seal(
        binding,
        [...reached]
          .map(([id, number]) => `${known(id)}${number.toString(36).padStart(DIGITS, '0')}`)
          .join(' '),
      ),
    open(cursor, buildingIds) {
      const numbers = new Map(
        cursors
          .open(binding, cursor)
          .split(' ')
          .map((each) => [each.slice(0, 8), parseInt(each.slice(8), 36)]),
      );
      return new Map(
        buildingIds.flatMap((id) => {
          const number = numbers.get(known(id));
          return number === undefined || Number.isNaN(number) ? [] : [[id, number] as const];
        }),
      );
    },
  };
}
