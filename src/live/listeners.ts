import { type BuildingAverage } from '../domain/window';
import { createMailbox, type Mailbox } from './mailbox';

export interface Listeners {
  /** To all of these buildings. `quantity` is a code; left out, every quantity. */
  listen(buildingIds: string | readonly string[], quantity?: number): AsyncIterableIterator<BuildingAverage>;
  /** Wakes those who asked for this building and quantity, and nobody else. */
  tell(value: BuildingAverage): void;
  /** Ends every listening. */
  close(): void;
  count(): number;
}

export function createListeners(): Listeners {
  const byBuilding = new Map<string, Set<{ quantity: number | undefined; mailbox: Mailbox }>>();
  let count = 0;
  return {
    listen(buildingIds, quantity) {
      const buildings = new Set(typeof buildingIds === 'string' ? [buildingIds] : buildingIds);
      const mailbox = createMailbox(() => {
        count--;
        for (const id of buildings) {
          const listeners = byBuilding.get(id);
          if (listeners?.delete(listener) && listeners.size === 0) byBuilding.delete(id);
        }
      });
      const listener = { quantity, mailbox };
      for (const id of buildings) byBuilding.set(id, (byBuilding.get(id) ?? new Set()).add(listener));
      count++;
      return mailbox.values;
    },
    tell(value) {
      for (const { quantity, mailbox } of byBuilding.get(value.buildingId) ?? []) {
        if (quantity === undefined || quantity === value.quantity) mailbox.put(value);
      }
    },
    close() {
      for (const listeners of byBuilding.values()) for (const { mailbox } of listeners) mailbox.close();
    },
    count: () => count,
  };
}
