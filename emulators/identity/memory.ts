import { type Adapter, type AdapterPayload } from 'oidc-provider';

const MAXIMUM_ENTRIES = 5_000;

interface Entry {
  payload: AdapterPayload;
  expiresAt: number;
}

/**
 * Where the provider keeps sign-ins that are under way and sessions: in memory, bounded, gone at a restart (people sign
 * in again). Access tokens are not among them: they are signed and checked by their signature.
 */
export function createMemory(): (model: string) => Adapter {
  const entries = new Map<string, Entry>();

  const live = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > Date.now()) return entry.payload;
    entries.delete(key);
    return undefined;
  };
  const findWhere = (
    model: string,
    matches: (payload: AdapterPayload) => boolean,
  ): AdapterPayload | undefined => {
    for (const key of entries.keys()) {
      if (!key.startsWith(`${model}:`)) continue;
      const payload = live(key);
      if (payload !== undefined && matches(payload)) return payload;
    }
    return undefined;
  };

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const key = `${model}:${id}`;
      entries.delete(key);
      entries.set(key, {
        payload,
        expiresAt: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1_000,
      });
      // The oldest goes first: Map keeps the order of insertion.
      if (entries.size > MAXIMUM_ENTRIES) entries.delete(entries.keys().next().value!);
    },
    async find(id) {
      return live(`${model}:${id}`);
    },
    async findByUid(uid) {
      return findWhere(model, (payload) => payload.uid === uid);
    },
    async findByUserCode(userCode) {
      return findWhere(model, (payload) => payload.userCode === userCode);
    },
    async consume(id) {
      const payload = live(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1_000);
    },
    async destroy(id) {
      entries.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(key);
      }
    },
  });
}
