import { codeOf, HUBS, marker, openTarget, PARTITIONS, type Target } from './event-hubs.target';

describe('Event Hubs tells about itself', () => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget();
  });
  afterEach(() => target.closeClients());
  afterAll(() => target.stop());

  test("a hub's name, creation time and partition ids can be read by a producer", async () => {
    const properties = await target.producer().getEventHubProperties();
    expect(properties.name).toBe(HUBS.used);
    expect(properties.partitionIds).toEqual(Array.from({ length: PARTITIONS }, (_, i) => String(i)));
    expect(properties.createdOn.getTime()).toBeLessThanOrEqual(Date.now());
    expect(properties.createdOn.getTime()).toBeGreaterThan(Date.UTC(2015, 0));
  });

  test("a hub's properties can be read by a consumer and stay the same", async () => {
    const consumer = target.consumer();
    const first = await consumer.getEventHubProperties();
    const second = await consumer.getEventHubProperties();
    expect(second).toEqual(first);
    expect(await consumer.getPartitionIds()).toEqual(first.partitionIds);
  });

  test('a hub may be named in any case', async () => {
    const properties = await target.producer({ hub: HUBS.used.toUpperCase() }).getEventHubProperties();
    expect(properties.name.toLowerCase()).toBe(HUBS.used);
  });

  test('a partition that nobody sent to is empty, with -1 for its last sequence number and offset', async () => {
    const properties = await target.producer({ hub: HUBS.empty }).getPartitionProperties('0');
    expect(properties).toMatchObject({
      eventHubName: HUBS.empty,
      partitionId: '0',
      isEmpty: true,
      lastEnqueuedSequenceNumber: -1,
      lastEnqueuedOffset: '-1',
    });
  });

  test("a partition's last sequence number, offset and time move with a send", async () => {
    const producer = target.producer();
    const before = await producer.getPartitionProperties('1');
    await producer.sendBatch([{ body: marker() }, { body: marker() }], { partitionId: '1' });
    const after = await producer.getPartitionProperties('1');
    expect(after.isEmpty).toBe(false);
    expect(after.lastEnqueuedSequenceNumber).toBe(before.lastEnqueuedSequenceNumber + 2);
    expect(after.lastEnqueuedOffset).not.toBe(before.lastEnqueuedOffset);
    expect(after.lastEnqueuedOnUtc.getTime()).toBeGreaterThanOrEqual(before.lastEnqueuedOnUtc.getTime());
    expect(after.beginningSequenceNumber).toBeGreaterThanOrEqual(0);
    expect(after.beginningSequenceNumber).toBeLessThanOrEqual(after.lastEnqueuedSequenceNumber);
  });

  test('a send to one partition leaves the others as they were', async () => {
    const producer = target.producer();
    const before = await producer.getPartitionProperties('2');
    await producer.sendBatch([{ body: marker() }], { partitionId: '1' });
    expect(await producer.getPartitionProperties('2')).toEqual(before);
  });

  test('the properties of a hub that does not exist are a MessagingEntityNotFoundError', async () => {
    const producer = target.producer({ hub: 'no-such-hub' });
    expect(await codeOf(producer.getEventHubProperties())).toBe('MessagingEntityNotFoundError');
    expect(await codeOf(producer.getPartitionProperties('0'))).toBe('MessagingEntityNotFoundError');
  });

  test.each(['99', '-1', 'first'])(
    "the properties of partition '%s', which does not exist, are an ArgumentOutOfRangeError",
    async (partition) => {
      expect(await codeOf(target.producer().getPartitionProperties(partition))).toBe(
        'ArgumentOutOfRangeError',
      );
    },
  );
});
