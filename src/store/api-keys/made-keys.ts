/** Which keys were made by whom, of those that are held in memory: they change when their maker's rights do. */
export interface MadeKeys {
  of(maker: string): readonly string[];
  add(maker: string, keyId: string): void;
  remove(maker: string, keyId: string): void;
}

export function createMadeKeys(): MadeKeys {
  const keys = new Map<string, Set<string>>();
  return {
    of: (maker) => [...(keys.get(maker) ?? [])],
    add(maker, keyId) {
      const made = keys.get(maker) ?? new Set();
      keys.set(maker, made);
      made.add(keyId);
    },
    remove(maker, keyId) {
      const made = keys.get(maker);
      made?.delete(keyId);
      if (made?.size === 0) keys.delete(maker);
    },
  };
}
