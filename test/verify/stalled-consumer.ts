import { earliestEventPosition, EventHubConsumerClient } from '@azure/event-hubs';

/**
 * A program of its own: a further consumer of the telemetry stream that takes one batch of each partition and never comes
 * back. Says `taken` to its parent once it holds one, after which the parent freezes it, so that its sockets fill too.
 */
const [connectionString, hub] = process.argv.slice(2) as [string, string];
const client = new EventHubConsumerClient(
  EventHubConsumerClient.defaultConsumerGroupName,
  connectionString,
  hub,
);
client.subscribe(
  {
    processEvents(events) {
      if (events.length === 0) return Promise.resolve();
      process.send?.('taken');
      return new Promise<void>(() => undefined);
    },
    processError(error) {
      process.stderr.write(`${error.message}\n`);
      return Promise.resolve();
    },
  },
  { startPosition: earliestEventPosition, maxBatchSize: 1, prefetchCount: 1_000 },
);
process.once('disconnect', () => process.exit());
