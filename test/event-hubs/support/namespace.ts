import {
  EventHubConsumerClient,
  type EventHubConsumerClientOptions,
  EventHubProducerClient,
} from '@azure/event-hubs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createEventHubsEmulator,
  type EventHubsEmulator,
  type EventHubsEmulatorOptions,
} from '../../../emulators/event-hubs';
import { createLogger } from '../../../src/observability/logger';

/** A stand-in in this process with one hub, and clients of it that are closed with it. */
export interface Namespace {
  emulator: EventHubsEmulator;
  connectionString: string;
  dataDir: string;
  producer(options?: EventHubConsumerClientOptions): EventHubProducerClient;
  consumer(options?: EventHubConsumerClientOptions): EventHubConsumerClient;
  /** Stops the stand-in, lets `between` happen to its folder, and starts it again on the same port. */
  restart(between?: (dataDir: string) => void): Promise<void>;
  stop(): Promise<void>;
}

export const HUB = 'telemetry';

export async function openNamespace(options: Partial<EventHubsEmulatorOptions> = {}): Promise<Namespace> {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-hubs-'));
  const clients: { close(): Promise<void> }[] = [];
  const create = (port: number): EventHubsEmulator =>
    createEventHubsEmulator({
      dataDir,
      port,
      hubs: { [HUB]: 2 },
      logger: createLogger({ name: 'event-hubs', level: 'silent' }),
      ...options,
    });
  const emulator = create(0);
  const { connectionString, port } = await emulator.start();
  const track = <T extends { close(): Promise<void> }>(client: T): T => {
    clients.push(client);
    return client;
  };
  const once = { retryOptions: { maxRetries: 0 } };
  const namespace: Namespace = {
    emulator,
    connectionString,
    dataDir,
    producer: (more = {}) => track(new EventHubProducerClient(connectionString, HUB, { ...once, ...more })),
    consumer: (more = {}) =>
      track(new EventHubConsumerClient('$Default', connectionString, HUB, { ...once, ...more })),
    async restart(between) {
      await namespace.emulator.stop();
      between?.(dataDir);
      namespace.emulator = create(port);
      await namespace.emulator.start();
    },
    async stop() {
      await Promise.all(clients.map((each) => each.close().catch(() => undefined)));
      await namespace.emulator.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return namespace;
}

/** Retries soon, as a client that means to come through faults does. */
export const PATIENT = { retryOptions: { maxRetries: 20, retryDelayInMs: 50 } };
