import {
  EventHubConsumerClient,
  type EventHubConsumerClientOptions,
  EventHubProducerClient,
  type EventHubClientOptions,
  type PartitionContext,
  type ReceivedEventData,
  type SubscribeOptions,
} from '@azure/event-hubs';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfiguration } from '../../emulators/event-hubs/configuration';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createLogger } from '../../src/observability/logger';
import { eventually } from '../support/eventually';

/**
 * Where the contract is checked: a real namespace when `AZURE_CONTRACT_EVENT_HUBS` holds its connection string, the
 * local stand-in otherwise. The tests do not know which. A real one needs the event hubs of `HUBS` (nothing is ever
 * sent to the empty one), and policies with Send and with Listen alone, whose connection strings are in
 * `AZURE_CONTRACT_EVENT_HUBS_SEND` and `AZURE_CONTRACT_EVENT_HUBS_LISTEN`.
 */
export const HUBS = { used: 'contract', other: 'contract-other', empty: 'contract-empty' };
export const PARTITIONS = 4;
export const SECOND_GROUP = 'second';

export interface Target {
  connectionString: string;
  sendOnly: string;
  listenOnly: string;
  producer(options?: { hub?: string; connectionString?: string }): EventHubProducerClient;
  consumer(options?: { hub?: string; group?: string; connectionString?: string }): EventHubConsumerClient;
  /** Closes the clients of one test. */
  closeClients(): Promise<void>;
  stop(): Promise<void>;
}

/** A refusal is reported at once, not after the SDK's three tries half a minute apart. */
const options: EventHubClientOptions & EventHubConsumerClientOptions = {
  retryOptions: { maxRetries: 0 },
};

export async function openTarget(): Promise<Target> {
  const real = process.env.AZURE_CONTRACT_EVENT_HUBS;
  const strings = real === undefined ? await local() : realStrings(real);
  const clients: { close(): Promise<void> }[] = [];
  const tracked = <T extends { close(): Promise<void> }>(client: T): T => {
    clients.push(client);
    return client;
  };
  const closeClients = async (): Promise<void> => {
    await Promise.all(clients.splice(0).map((each) => each.close().catch(() => undefined)));
  };
  return {
    ...strings,
    producer: (of = {}) =>
      tracked(
        new EventHubProducerClient(
          of.connectionString ?? strings.connectionString,
          of.hub ?? HUBS.used,
          options,
        ),
      ),
    consumer: (of = {}) =>
      tracked(
        new EventHubConsumerClient(
          of.group ?? '$Default',
          of.connectionString ?? strings.connectionString,
          of.hub ?? HUBS.used,
          options,
        ),
      ),
    closeClients,
    async stop() {
      await closeClients();
      await strings.stop();
    },
  };
}

interface Strings {
  connectionString: string;
  sendOnly: string;
  listenOnly: string;
  stop(): Promise<void>;
}

function realStrings(connectionString: string): Strings {
  return {
    connectionString,
    sendOnly: process.env.AZURE_CONTRACT_EVENT_HUBS_SEND ?? '',
    listenOnly: process.env.AZURE_CONTRACT_EVENT_HUBS_LISTEN ?? '',
    stop: () => Promise.resolve(),
  };
}

async function local(): Promise<Strings> {
  const dataDir = await mkdtemp(join(tmpdir(), 'event-hubs-contract-'));
  const { configuration } = parseConfiguration({
    UserConfig: {
      NamespaceConfig: [
        {
          Type: 'EventHub',
          Name: 'contract',
          Entities: [
            { Name: HUBS.used, PartitionCount: PARTITIONS, ConsumerGroups: [{ Name: SECOND_GROUP }] },
            { Name: HUBS.other, PartitionCount: 2 },
            { Name: HUBS.empty, PartitionCount: 1 },
          ],
          AuthorizationRules: [
            { KeyName: 'send', Key: 'c2VuZA==', Rights: ['Send'] },
            { KeyName: 'listen', Key: 'bGlzdGVu', Rights: ['Listen'] },
          ],
        },
      ],
    },
  });
  const emulator = createEventHubsEmulator({
    dataDir,
    configuration,
    logger: createLogger({ name: 'event-hubs', level: 'silent' }),
  });
  const { connectionString } = await emulator.start();
  return {
    connectionString,
    sendOnly: withPolicy(connectionString, 'send', 'c2VuZA=='),
    listenOnly: withPolicy(connectionString, 'listen', 'bGlzdGVu'),
    async stop() {
      await emulator.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const part = (connectionString: string, name: string): string =>
  new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';

/** The same namespace under another policy. */
export function withPolicy(connectionString: string, keyName: string, key: string): string {
  return connectionString
    .replace(/SharedAccessKeyName=[^;]*/, `SharedAccessKeyName=${keyName}`)
    .replace(/SharedAccessKey=[^;]*/, `SharedAccessKey=${key}`);
}

/** The same namespace with a token instead of a key; `path` is what the token is good for. */
export function withToken(
  connectionString: string,
  { path, expires }: { path: string; expires: Date },
): string {
  const audience = encodeURIComponent(`${part(connectionString, 'Endpoint').replace(/\/+$/, '')}/${path}`);
  const expiry = Math.floor(expires.getTime() / 1000);
  const signature = createHmac('sha256', part(connectionString, 'SharedAccessKey'))
    .update(`${audience}\n${expiry}`)
    .digest('base64');
  const token = `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${part(connectionString, 'SharedAccessKeyName')}`;
  return connectionString.replace(
    /SharedAccessKeyName=[^;]*;SharedAccessKey=[^;]*/,
    `SharedAccessSignature=${token}`,
  );
}

/** A subscription that keeps all it is given. */
export interface Collector {
  events: (ReceivedEventData & { partitionId: string })[];
  batches: number[];
  errors: (Error & { code?: string })[];
  contexts: PartitionContext[];
  /** Resolves with the first `count` events that `matches` accepts. */
  until(count: number, matches?: (event: ReceivedEventData) => boolean): Promise<Collector['events']>;
  /** Resolves with the first error. */
  failure(): Promise<Error & { code?: string }>;
  /** Resolves when the readers are attached and have waited for events at least once. */
  attached(partitions?: number): Promise<void>;
  close(): Promise<void>;
}

export function collect(
  consumer: EventHubConsumerClient,
  { partition, ...options }: SubscribeOptions & { partition?: string },
): Collector {
  const collector: Collector = {
    events: [],
    batches: [],
    errors: [],
    contexts: [],
    until: (count, matches = () => true) =>
      eventually(() => {
        const found = collector.events.filter(matches);
        if (found.length < count) {
          const errors = collector.errors.map((each) => each.message).join('; ');
          throw new Error(`${found.length} of ${count} events arrived. ${errors}`);
        }
        return found.slice(0, count);
      }),
    failure: () =>
      eventually(() => {
        if (collector.errors.length === 0) throw new Error('no error was reported');
        return collector.errors[0]!;
      }),
    attached: (partitions = 1) =>
      eventually(() => {
        const seen = new Set(collector.contexts.map((each) => each.partitionId));
        if (seen.size < partitions) throw new Error(`${seen.size} of ${partitions} readers are attached`);
      }),
    close: () => subscription.close(),
  };
  const handlers = {
    processEvents(events: ReceivedEventData[], context: PartitionContext): Promise<void> {
      collector.contexts.push(context);
      collector.batches.push(events.length);
      for (const event of events) {
        collector.events.push(Object.assign(event, { partitionId: context.partitionId }));
      }
      return Promise.resolve();
    },
    processError(error: Error): Promise<void> {
      collector.errors.push(error);
      return Promise.resolve();
    },
  };
  const subscribeOptions: SubscribeOptions = { maxBatchSize: 100, maxWaitTimeInSeconds: 0.2, ...options };
  const subscription =
    partition === undefined
      ? consumer.subscribe(handlers, subscribeOptions)
      : consumer.subscribe(partition, handlers, subscribeOptions);
  return collector;
}

/** A text that no other run sends. */
export const marker = (): string => `contract-${randomUUID()}`;

/** The code that a refused call is rejected with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name;
  }
  return 'nothing was refused';
}
