import { type Client, createClient } from 'graphql-ws';
import {
  OnBuildingAverageDocument,
  type OnBuildingAverageSubscription,
} from '../../simulator/generated/graphql';

/** What a value says; not where it stands among what is delivered. */
export type LiveAverage = Omit<
  OnBuildingAverageSubscription['buildingAverage'],
  'delivery' | 'gap' | 'cursor'
>;

/** Subscribes to buildings' averages as any client would, for as long as it runs, through every interruption. */
export interface LiveSubscriber {
  /** All quantities of a building. */
  follow(buildingId: string): void;
  /** Times a subscription ended and was made again. */
  resubscriptions(): number;
  stop(): Promise<void>;
}

const PAUSE_MS = 500;
/** A connection carries a bounded number of operations. */
const SUBSCRIPTIONS_A_CONNECTION = 20;

export function createLiveSubscriber(options: {
  /** `ws://host:port/graphql`. */
  url: string;
  token: () => Promise<string>;
  onValue: (buildingId: string, value: LiveAverage, receivedAt: number) => void;
  /** Of minute records that late readings changed. Left out, they are not asked for. */
  onCorrection?: (buildingId: string, value: LiveAverage) => void;
  /** Told of what the API refuses; interruptions of the connection are not errors here. */
  onRefused: (buildingId: string, reason: string) => void;
}): LiveSubscriber {
  const clients: Client[] = [];
  const query = OnBuildingAverageDocument.toString();
  const pauses = new Set<NodeJS.Timeout>();
  let followed = 0;
  let again = 0;
  let stopped = false;

  const connect = (): Client =>
    createClient({
      url: options.url,
      lazy: true,
      retryAttempts: Infinity,
      shouldRetry: () => !stopped,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
      connectionParams: async () => ({ authorization: `Bearer ${await options.token()}` }),
    });

  const subscribe = (client: Client, buildingId: string): void => {
    const ended = (): void => {
      if (stopped) return;
      again++;
      const pause = setTimeout(() => {
        pauses.delete(pause);
        subscribe(client, buildingId);
      }, PAUSE_MS);
      pauses.add(pause);
    };
    client.subscribe<OnBuildingAverageSubscription>(
      {
        query,
        variables: {
          building: buildingId,
          quantity: null,
          corrections: options.onCorrection !== undefined,
        },
      },
      {
        next({ data, errors }) {
          if (data?.buildingAverage.delivery === 'CORRECTED') {
            options.onCorrection?.(buildingId, data.buildingAverage);
          } else if (data) options.onValue(buildingId, data.buildingAverage, Date.now());
          else options.onRefused(buildingId, errors?.map(({ message }) => message).join('; ') ?? 'no data');
        },
        error(error) {
          const refusals = Array.isArray(error) ? (error as { message: string }[]) : [];
          for (const { message } of refusals) options.onRefused(buildingId, message);
          ended();
        },
        complete: ended,
      },
    );
  };

  return {
    follow(buildingId) {
      if (followed++ % SUBSCRIPTIONS_A_CONNECTION === 0) clients.push(connect());
      subscribe(clients.at(-1)!, buildingId);
    },
    resubscriptions: () => again,
    async stop() {
      stopped = true;
      for (const pause of pauses) clearTimeout(pause);
      await Promise.all(clients.map(async (client) => client.dispose()));
    },
  };
}
