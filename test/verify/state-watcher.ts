import { setTimeout as delay } from 'node:timers/promises';
import { StatesNowDocument, type StateNowFragment } from '../../simulator/generated/graphql';
import { type GraphqlClient } from '../../simulator/graphql-client';
import { type SeenState } from './oracle/states.oracle';

/** Asks for the states of one building after another and keeps each answer once. */
export interface StateWatcher {
  seen(): SeenState[];
  /** Resolves once nothing is asked any more. */
  stop(): Promise<void>;
}

const ASK_EVERY_MS = 500;

export function watchStates(client: GraphqlClient, buildingIds: readonly string[]): StateWatcher {
  const seen = new Map<string, SeenState>();
  const stopping = new AbortController();
  const keep = (buildingId: string, spaceId: string | null, state: StateNowFragment): void => {
    const { incarnation, partition, sequence } = state.position;
    const at = Date.parse(state.at) / 1000;
    const key = `${buildingId} ${spaceId} ${state.quantity} ${at} ${sequence}`;
    seen.set(key, {
      buildingId,
      spaceId,
      quantity: state.quantity,
      at,
      incarnation,
      partition,
      sequence,
      active: state.active,
      clear: state.clear,
      activeShare: state.activeShare,
      changedAt: state.changedAt === null ? null : Date.parse(state.changedAt),
      lastReadingAt: Date.parse(state.lastReadingAt),
    });
  };
  const watch = async (): Promise<void> => {
    for (let asked = 0; !stopping.signal.aborted; asked++) {
      const buildingId = buildingIds[asked % buildingIds.length]!;
      // An API that is killed meanwhile is asked again.
      const answer = await client.execute(StatesNowDocument, { building: buildingId }).catch(() => undefined);
      for (const state of answer?.building?.states ?? []) keep(buildingId, null, state);
      for (const { id, states } of answer?.building?.spaces ?? []) {
        for (const state of states) keep(buildingId, id, state);
      }
      await delay(ASK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  return {
    seen: () => [...seen.values()],
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}
