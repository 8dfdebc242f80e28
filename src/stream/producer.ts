import { type EventData } from '@azure/event-hubs';
import { createProducerClient, type NamespaceConnection } from './connection';
import { incarnationOf } from './incarnation';
import { SCHEMA_PROPERTY } from './frame';

export interface StreamProducer {
  /** The hub as it stood at the last `start`. */
  readonly partitionCount: number;
  readonly incarnation: string;
  /** Connects and reads the hub's properties. Throws when the namespace cannot be reached. */
  start(): Promise<void>;
  /**
   * Resolves once Event Hubs has accepted every body, in order, as events of one partition. Rejects when it is unknown
   * whether it did: the caller reports failure to whoever sent, who sends again; identities make that harmless.
   * @param properties of each event, beside its schema.
   */
  send(
    partition: number,
    schema: string,
    bodies: readonly Buffer[],
    properties?: readonly Record<string, number | Buffer>[],
  ): Promise<void>;
  stop(): Promise<void>;
}

/** Sends encoded bodies to chosen partitions of one hub, each event naming its schema. */
export function createStreamProducer(options: {
  namespace: NamespaceConnection;
  hub: string;
}): StreamProducer {
  const client = createProducerClient(options.namespace, options.hub);
  let partitionCount = 0;
  let incarnation = '';
  return {
    get partitionCount() {
      return partitionCount;
    },
    get incarnation() {
      return incarnation;
    },
    async start() {
      const properties = await client.getEventHubProperties();
      partitionCount = properties.partitionIds.length;
      incarnation = incarnationOf(properties);
    },
    async send(partition, schema, bodies, properties) {
      const events: EventData[] = bodies.map((body, index) => ({
        body,
        properties: { ...properties?.[index], [SCHEMA_PROPERTY]: schema },
      }));
      await client.sendBatch(events, { partitionId: String(partition) });
    },
    stop: () => client.close(),
  };
}
