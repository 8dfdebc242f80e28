import {
  earliestEventPosition,
  type EventHubProducerClient,
  latestEventPosition,
  type ReceivedEventData,
} from '@azure/event-hubs';
import {
  collect,
  HUBS,
  marker,
  openTarget,
  PARTITIONS,
  SECOND_GROUP,
  type Target,
} from './event-hubs.target';

const PARTITION = '0';

describe('Event Hubs delivers events', () => {
  let target: Target;
  let producer: EventHubProducerClient;
  beforeAll(async () => {
    target = await openTarget();
  });
  beforeEach(() => {
    producer = target.producer();
  });
  afterEach(() => target.closeClients());
  afterAll(() => target.stop());

  const tagged = (tag: string) => (event: ReceivedEventData) => event.properties?.tag === tag;

  /** Sends `count` events to the partition, one send each, and reads them back. */
  async function sent(count: number): Promise<{ tag: string; events: ReceivedEventData[] }> {
    const tag = marker();
    const { lastEnqueuedSequenceNumber } = await producer.getPartitionProperties(PARTITION);
    for (let i = 0; i < count; i += 1) {
      await producer.sendBatch([{ body: i, properties: { tag } }], { partitionId: PARTITION });
    }
    const startPosition =
      lastEnqueuedSequenceNumber < 0
        ? earliestEventPosition
        : { sequenceNumber: lastEnqueuedSequenceNumber, isInclusive: false };
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition });
    const events = await reader.until(count, tagged(tag));
    await reader.close();
    return { tag, events };
  }

  const bodies = (events: ReceivedEventData[]): number[] => events.map((each) => each.body as number);

  test('from the earliest position a reader begins at the first event that is kept', async () => {
    await sent(1);
    const { beginningSequenceNumber } = await producer.getPartitionProperties(PARTITION);
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition: earliestEventPosition });
    const [first] = await reader.until(1);
    expect(first!.sequenceNumber).toBe(beginningSequenceNumber);
    await reader.close();
  });

  test('from the latest position a reader gets only what is sent after it came', async () => {
    await sent(3);
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition: latestEventPosition });
    await reader.attached();
    const tag = marker();
    await producer.sendBatch([{ body: 'later', properties: { tag } }], { partitionId: PARTITION });
    const [first] = await reader.until(1);
    expect(first!.properties).toEqual({ tag });
    await reader.close();
  });

  test.each([
    { from: 'an offset', position: (event: ReceivedEventData) => ({ offset: event.offset }), gets: [3, 4] },
    {
      from: 'an offset, inclusive',
      position: (event: ReceivedEventData) => ({ offset: event.offset, isInclusive: true }),
      gets: [2, 3, 4],
    },
    {
      from: 'a sequence number',
      position: (event: ReceivedEventData) => ({ sequenceNumber: event.sequenceNumber }),
      gets: [3, 4],
    },
    {
      from: 'a sequence number, inclusive',
      position: (event: ReceivedEventData) => ({ sequenceNumber: event.sequenceNumber, isInclusive: true }),
      gets: [2, 3, 4],
    },
  ])('from $from a reader gets what follows', async ({ position, gets }) => {
    const { tag, events } = await sent(5);
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition: position(events[2]!) });
    const received = await reader.until(gets.length, tagged(tag));
    expect(bodies(received)).toEqual(gets);
    expect(reader.events[0]!.body).toBe(gets[0]);
    await reader.close();
  });

  test('from a time a reader gets what was enqueued after it', async () => {
    const { tag, events } = await sent(1);
    const at = events[0]!.enqueuedTimeUtc;
    const later = await sentAfter(tag, at);
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition: { enqueuedOn: at } });
    const [first] = await reader.until(1);
    expect(first!.enqueuedTimeUtc.getTime()).toBeGreaterThan(at.getTime());
    expect(first!.sequenceNumber).toBeLessThanOrEqual(later);
    await reader.close();
  });

  /** Sends until an event has a later time than `at`; returns its sequence number. */
  async function sentAfter(tag: string, at: Date): Promise<number> {
    for (;;) {
      await producer.sendBatch([{ body: 'more', properties: { tag } }], { partitionId: PARTITION });
      const properties = await producer.getPartitionProperties(PARTITION);
      if (properties.lastEnqueuedOnUtc > at) return properties.lastEnqueuedSequenceNumber;
    }
  }

  test('from a time before the first event a reader gets everything', async () => {
    await sent(1);
    const { beginningSequenceNumber } = await producer.getPartitionProperties(PARTITION);
    const startPosition = { enqueuedOn: new Date('2000-01-01') };
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition });
    expect((await reader.until(1))[0]!.sequenceNumber).toBe(beginningSequenceNumber);
    await reader.close();
  });

  test('from a time to come a reader waits for new events', async () => {
    const startPosition = { enqueuedOn: new Date(Date.now() + 3_600_000) };
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition });
    await reader.attached();
    expect(reader.events).toEqual([]);
    expect(reader.errors).toEqual([]);
    await reader.close();
  });

  test('a sequence number beyond the end is refused: ArgumentError', async () => {
    const { events } = await sent(1);
    const startPosition = { sequenceNumber: events[0]!.sequenceNumber + 1_000_000 };
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'ArgumentError' });
    expect(error.message).toMatch(
      /The supplied sequence number '\d+' is invalid\. The last sequence number in the system is '-?\d+'/,
    );
    await reader.close();
  });

  test('an offset beyond the end is refused: ArgumentError', async () => {
    const { events } = await sent(1);
    const startPosition = { offset: String(BigInt(events[0]!.offset) + 10_000_000_000n) };
    const reader = collect(target.consumer(), { partition: PARTITION, startPosition });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'ArgumentError' });
    expect(error.message).toMatch(
      /The supplied offset '\d+' is invalid\. The last offset in the system is '-?\d+'/,
    );
    await reader.close();
  });

  test('a reader of an empty partition is called with no events when its wait is over', async () => {
    const reader = collect(target.consumer({ hub: HUBS.empty }), {
      partition: '0',
      startPosition: earliestEventPosition,
      maxWaitTimeInSeconds: 0.1,
    });
    await reader.attached();
    expect(reader.batches[0]).toBe(0);
    expect(reader.errors).toEqual([]);
    await reader.close();
  });

  test('a reader gets no more events at a time than it asks for', async () => {
    const { tag, events } = await sent(1);
    await producer.sendBatch(
      Array.from({ length: 100 }, (_, i) => ({ body: i, properties: { tag } })),
      { partitionId: PARTITION },
    );
    const reader = collect(target.consumer(), {
      partition: PARTITION,
      startPosition: { sequenceNumber: events[0]!.sequenceNumber },
      maxBatchSize: 7,
    });
    const received = await reader.until(100, tagged(tag));
    expect(Math.max(...reader.batches)).toBeLessThanOrEqual(7);
    expect(bodies(received)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await reader.close();
  });

  test('a reader that takes its time gets every event once and in order', async () => {
    const { tag, events } = await sent(1);
    await producer.sendBatch(
      Array.from({ length: 200 }, (_, i) => ({ body: i, properties: { tag } })),
      { partitionId: PARTITION },
    );
    const seen: number[] = [];
    const consumer = target.consumer();
    await new Promise<void>((resolve, reject) => {
      const subscription = consumer.subscribe(
        PARTITION,
        {
          async processEvents(batch) {
            await new Promise((next) => setTimeout(next, 5));
            seen.push(...bodies(batch));
            if (seen.length >= 200) void subscription.close().then(resolve, reject);
          },
          processError: (error) => Promise.resolve(reject(error)),
        },
        {
          startPosition: { sequenceNumber: events[0]!.sequenceNumber },
          maxBatchSize: 10,
          prefetchCount: 20,
        },
      );
    });
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test('two consumer groups each get every event', async () => {
    const { tag, events } = await sent(3);
    const startPosition = { sequenceNumber: events[0]!.sequenceNumber, isInclusive: true };
    for (const group of ['$Default', SECOND_GROUP]) {
      const reader = collect(target.consumer({ group }), { partition: PARTITION, startPosition });
      expect(bodies(await reader.until(3, tagged(tag)))).toEqual([0, 1, 2]);
      await reader.close();
    }
  });

  test('one subscription reads all partitions', async () => {
    const reader = collect(target.consumer(), { startPosition: latestEventPosition });
    await reader.attached(PARTITIONS);
    const tag = marker();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      await producer.sendBatch([{ body: partition, properties: { tag } }], {
        partitionId: String(partition),
      });
    }
    const received = await reader.until(PARTITIONS, tagged(tag));
    expect(received.map((each) => each.partitionId).sort()).toEqual(['0', '1', '2', '3']);
    await reader.close();
  });

  test('each partition can have a start position of its own', async () => {
    const { events } = await sent(2);
    const startPosition = {
      [PARTITION]: { sequenceNumber: events[1]!.sequenceNumber, isInclusive: true },
      '1': latestEventPosition,
      '2': latestEventPosition,
      '3': latestEventPosition,
    };
    const reader = collect(target.consumer(), { startPosition });
    const [first] = await reader.until(1, (each) => each.properties?.tag !== undefined);
    expect(first).toMatchObject({ partitionId: PARTITION, body: 1 });
    await reader.close();
  });

  test('a reader that asks for it is told where the partition ends', async () => {
    const { events } = await sent(4);
    const reader = collect(target.consumer(), {
      partition: PARTITION,
      startPosition: { sequenceNumber: events[0]!.sequenceNumber, isInclusive: true },
      trackLastEnqueuedEventProperties: true,
    });
    await reader.until(4);
    const properties = await producer.getPartitionProperties(PARTITION);
    expect(reader.contexts.at(-1)!.lastEnqueuedEventProperties).toMatchObject({
      sequenceNumber: properties.lastEnqueuedSequenceNumber,
      offset: properties.lastEnqueuedOffset,
      enqueuedOn: properties.lastEnqueuedOnUtc,
    });
    await reader.close();
  });

  test('a reader that does not ask is not told', async () => {
    const { events } = await sent(1);
    const reader = collect(target.consumer(), {
      partition: PARTITION,
      startPosition: { sequenceNumber: events[0]!.sequenceNumber, isInclusive: true },
    });
    await reader.until(1);
    expect(reader.contexts.at(-1)!.lastEnqueuedEventProperties).toBeUndefined();
    await reader.close();
  });

  test('a consumer group that does not exist is a MessagingEntityNotFoundError', async () => {
    const reader = collect(target.consumer({ group: 'no-such-group' }), {
      partition: PARTITION,
      startPosition: earliestEventPosition,
    });
    expect(await reader.failure()).toMatchObject({ code: 'MessagingEntityNotFoundError' });
    await reader.close();
  });

  test('a hub that does not exist is a MessagingEntityNotFoundError', async () => {
    const reader = collect(target.consumer({ hub: 'no-such-hub' }), {
      partition: PARTITION,
      startPosition: earliestEventPosition,
    });
    expect(await reader.failure()).toMatchObject({ code: 'MessagingEntityNotFoundError' });
    await reader.close();
  });

  test('a partition that does not exist is an ArgumentOutOfRangeError', async () => {
    const reader = collect(target.consumer(), { partition: '99', startPosition: earliestEventPosition });
    expect(await reader.failure()).toMatchObject({ code: 'ArgumentOutOfRangeError' });
    await reader.close();
  });
});
