import { maySend } from '../domain/device';
import { type DeviceDirectory, type DirectoryDevice } from '../store/device-directory';
import { type GatewayLimits } from './limits';
import { createTokenBuckets } from './token-bucket';

/** Children that were looked up for one message. */
export type Looked = ReadonlyMap<string, DirectoryDevice | null>;

/** For whom a field gateway may relay: registered devices that name it as their parent, are its owner's, and may send. */
export interface Children {
  /** Null where the device may not relay for it, whatever the reason; undefined where it must be looked up. */
  find(parent: DirectoryDevice, childId: string, looked: Looked): DirectoryDevice | null | undefined;
  /**
   * Looks up what is not known: nothing for known children, and little for a sender that names many that are not its own.
   * Rejects when the store cannot be asked.
   */
  look(parent: DirectoryDevice, childIds: readonly string[]): Promise<Looked>;
}

/** At once for one message; the first of a building makes all of it known. */
const AT_ONCE = 100;
/** For one message; a further child is refused as one that is not the sender's. */
const MOST_FOR_A_MESSAGE = 1_000;

export function createChildren(options: { directory: DeviceDirectory; limits: GatewayLimits }): Children {
  const { directory, limits } = options;
  const strangers = createTokenBuckets(limits.strangers);
  let lookups = 0;

  const isOf = (parent: DirectoryDevice, child: DirectoryDevice): boolean =>
    child.parentId === parent.deviceId && child.tenantId === parent.tenantId && maySend(child.state);

  const lookUp = async (childId: string): Promise<DirectoryDevice | null> => {
    if (lookups >= limits.lookupsInFlight) throw new Error('too many devices are being looked up');
    lookups++;
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const fail = (): void => reject(new Error('the registry did not answer in time'));
      deadline = setTimeout(fail, limits.lookedUpWithinMilliseconds);
    });
    try {
      return await Promise.race([directory.lookup(childId), late]);
    } finally {
      clearTimeout(deadline);
      lookups--;
    }
  };

  return {
    find(parent, childId, looked) {
      const held = directory.peek(childId);
      const child = held === undefined ? looked.get(childId) : held;
      if (child === undefined) return undefined;
      return child !== null && isOf(parent, child) ? child : null;
    },

    async look(parent, childIds) {
      const looked = new Map<string, DirectoryDevice | null>();
      for (let start = 0; start < childIds.length; start += AT_ONCE) {
        const some = childIds.slice(start, start + AT_ONCE);
        const now = Date.now();
        const refused = start >= MOST_FOR_A_MESSAGE || strangers.waitFor(parent.deviceId, now) > 0;
        await Promise.all(
          some.map(async (childId) => {
            const held = directory.peek(childId);
            const child = held ?? (refused || held === null ? null : await lookUp(childId));
            looked.set(childId, child);
            if (child === null || !isOf(parent, child)) strangers.spend(parent.deviceId, 1, now);
          }),
        );
      }
      return looked;
    },
  };
}
