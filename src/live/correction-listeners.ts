import { type CorrectedMinutes } from '../domain/corrected-minutes';

/** Who waits to hear which minutes of a building's record were corrected. */
export interface CorrectionListeners {
  /** Minutes that are not taken yet gather: of each building and quantity one waits, of at most two days. */
  listen(buildingIds: readonly string[], quantity?: number): AsyncIterableIterator<CorrectedMinutes>;
  tell(corrected: CorrectedMinutes): void;
  close(): void;
}

const MAXIMUM_MINUTES = 2 * 24 * 60;

export function createCorrectionListeners(): CorrectionListeners {
  const byBuilding = new Map<string, Set<Listener>>();
  return {
    listen(buildingIds, quantity) {
      const waiting = new Map<string, CorrectedMinutes>();
      let wake: (() => void) | undefined;
      let ended = false;
      const listener: Listener = {
        tell(corrected) {
          if (quantity !== undefined && corrected.quantity !== quantity) return;
          const key = `${corrected.buildingId} ${corrected.quantity}`;
          const minutes = [...new Set([...(waiting.get(key)?.minutes ?? []), ...corrected.minutes])]
            .sort((a, b) => a - b)
            .slice(-MAXIMUM_MINUTES);
          waiting.set(key, { ...corrected, minutes });
          wake?.();
        },
        end() {
          ended = true;
          for (const id of buildingIds) {
            const listeners = byBuilding.get(id);
            if (listeners?.delete(listener) && listeners.size === 0) byBuilding.delete(id);
          }
          wake?.();
        },
      };
      for (const id of buildingIds) byBuilding.set(id, (byBuilding.get(id) ?? new Set()).add(listener));
      const corrections: AsyncIterableIterator<CorrectedMinutes> = {
        async next() {
          for (;;) {
            if (ended) return { done: true, value: undefined };
            for (const [key, value] of waiting) {
              waiting.delete(key);
              return { done: false, value };
            }
            await new Promise<void>((resolve) => (wake = resolve));
          }
        },
        async return() {
          listener.end();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => corrections,
      };
      return corrections;
    },
    tell(corrected) {
      for (const listener of [...(byBuilding.get(corrected.buildingId) ?? [])]) listener.tell(corrected);
    },
    close() {
      for (const listeners of byBuilding.values()) for (const listener of [...listeners]) listener.end();
    },
  };
}

interface Listener {
  tell(corrected: CorrectedMinutes): void;
  end(): void;
}
