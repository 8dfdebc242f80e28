import { setTimeout as delay } from 'node:timers/promises';
import { type Session } from '../../simulator/session';
import { type QuantityName } from '../../src/domain/quantity';
import { type Platform } from '../support/platform';
import { seenAverage, type SeenPoint } from './history';
import { createLiveSubscriber, type LiveAverage } from './live-subscriber';
import { type SeenAverage } from './oracle/averages.oracle';

/** Everything that subscribers to buildings' averages are told, each value once. */
export interface ToldAverages {
  values(buildingId: string): SeenAverage[];
  corrections(buildingId: string): SeenPoint[];
  /** Of the newest value of a building and quantity: the devices expected. */
  devicesExpected(buildingId: string, quantity: QuantityName): number | undefined;
  /** Values and corrections delivered, those told again included. */
  delivered(): number;
  resubscriptions(): number;
  /** What was contradicted or refused, in words. */
  differences(buildingId: string): string[];
  /**
   * Waits until every correction of a point that stands was told.
   * @returns what was not, in words; nothing where a subscription was made again, as nobody is told what was missed.
   */
  untoldOf(buildingId: string, points: readonly SeenPoint[]): Promise<string[]>;
  stop(): Promise<void>;
}

/** From the record's write to the subscriber. */
const TOLD_WITHIN_MS = 60_000;

export function watchAverages(options: {
  platform: Platform;
  session: Session;
  buildingIds: readonly string[];
}): ToldAverages {
  const { platform, session } = options;
  const found = new Map(
    options.buildingIds.map((id) => [
      id,
      {
        values: new Map<string, SeenAverage>(),
        corrections: new Map<string, SeenPoint>(),
        expected: new Map<string, number>(),
        differences: [] as string[],
      },
    ]),
  );
  let delivered = 0;

  /** A value is repeated to whoever subscribes again; it must not have changed. */
  const keep = <Seen>(buildingId: string, held: Map<string, Seen>, key: string, seen: Seen): void => {
    delivered++;
    const before = held.get(key);
    if (before === undefined) held.set(key, seen);
    else if (JSON.stringify(before) !== JSON.stringify(seen)) {
      found.get(buildingId)!.differences.push(`two values under one name: ${JSON.stringify([before, seen])}`);
    }
  };
  const keyOf = ({ quantity, windowEnd }: SeenAverage, version: number): string =>
    `${quantity} ${windowEnd} ${version}`;

  const subscriber = createLiveSubscriber({
    url: platform.endpoints().subscriptions,
    token: () => session.client.token(),
    onValue(buildingId, value: LiveAverage) {
      const { values, expected } = found.get(buildingId)!;
      expected.set(value.quantity, value.devicesExpected);
      const seen = seenAverage('live', buildingId, value);
      keep(buildingId, values, keyOf(seen, seen.sequence), seen);
    },
    onCorrection(buildingId, value) {
      const { revision } = value;
      const seen = { ...seenAverage('correction', buildingId, value), revision };
      keep(buildingId, found.get(buildingId)!.corrections, keyOf(seen, revision), seen);
    },
    onRefused: (buildingId, reason) =>
      found.get(buildingId)!.differences.push(`the subscription to ${buildingId} was refused: ${reason}`),
  });
  for (const id of options.buildingIds) subscriber.follow(id);

  return {
    values: (buildingId) => [...found.get(buildingId)!.values.values()],
    corrections: (buildingId) => [...found.get(buildingId)!.corrections.values()],
    devicesExpected: (buildingId, quantity) => found.get(buildingId)!.expected.get(quantity),
    delivered: () => delivered,
    resubscriptions: subscriber.resubscriptions,
    differences: (buildingId) => found.get(buildingId)!.differences,
    async untoldOf(buildingId, points) {
      const { corrections } = found.get(buildingId)!;
      const corrected = points.filter(({ revision }) => revision > 1);
      const deadline = Date.now() + TOLD_WITHIN_MS;
      for (;;) {
        if (subscriber.resubscriptions() > 0) return [];
        const untold = corrected.filter((point) => !corrections.has(keyOf(point, point.revision)));
        if (untold.length === 0) return [];
        if (Date.now() >= deadline) {
          return untold.map(({ quantity, windowEnd, revision }) => {
            const at = new Date(windowEnd * 1000).toISOString();
            return `revision ${revision} of ${quantity} of ${buildingId} at ${at} was never told`;
          });
        }
        await delay(200);
      }
    },
    stop: subscriber.stop,
  };
}
