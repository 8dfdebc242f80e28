import { type BuildingAverage } from '../domain/window';
import { createMailbox, type Mailbox } from './mailbox';

export interface Listeners {
  /** `quantity` is a code; left out, every quantity. */
  listen(buildingId: string, quantity?: number): AsyncIterableIterator<BuildingAverage>;
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
    listen(buildingId, quantity) {
      const listeners = byBuilding.get(buildingId) ?? new Set();
      byBuilding.set(buildingId, listeners);
      const mailbox = createMailbox(() => {
        count--;
        listeners.delete(listener);
        if (listeners.size === 0 && byBuilding.get(buildingId) === listeners) byBuilding.delete(buildingId);
      });
      const listener = { quantity, mailbox };
      listeners.add(listener);
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
