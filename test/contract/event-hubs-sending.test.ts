import {
  EventHubBufferedProducerClient,
  latestEventPosition,
  type ReceivedEventData,
} from '@azure/event-hubs';
import {
  codeOf,
  collect,
  type Collector,
  HUBS,
  marker,
  openTarget,
  PARTITIONS,
  type Target,
} from './event-hubs.target';

describe('Event Hubs takes events', () => {
  let target: Target;
  let everything: Collector;
  beforeAll(async () => {
    target = await openTarget();
    everything = collect(target.consumer(), { startPosition: latestEventPosition });
    await everything.attached(PARTITIONS);
  });
  afterAll(async () => {
    await everything.close();
    await target.stop();
  });

  const tagged = (tag: string) => (event: ReceivedEventData) => event.properties?.tag === tag;
  const receive = (tag: string, count: number) => everything.until(count, tagged(tag));

  test('an event sent to a partition arrives there once, with a sequence number, an offset and a time', async () => {
    const tag = marker();
    const began = Date.now();
    await target.producer().sendBatch([{ body: 'one', properties: { tag } }], { partitionId: '3' });
    const [event] = await receive(tag, 1);
    expect(event).toMatchObject({ body: 'one', partitionId: '3' });
    expect(event!.sequenceNumber).toBeGreaterThanOrEqual(0);
    expect(Number(event!.offset)).toBeGreaterThanOrEqual(0);
    expect(Math.abs(event!.enqueuedTimeUtc.getTime() - began)).toBeLessThan(60_000);
    expect(event!.partitionKey).toBeUndefined();
  });

  test('the events of an array arrive in order with consecutive sequence numbers and growing offsets', async () => {
    const tag = marker();
    const events = Array.from({ length: 50 }, (_, i) => ({ body: i, properties: { tag } }));
    await target.producer().sendBatch(events, { partitionId: '0' });
    const received = await receive(tag, 50);
    expect(received.map((each) => each.body as number)).toEqual(events.map((each) => each.body));
    const first = received[0]!.sequenceNumber;
    expect(received.map((each) => each.sequenceNumber)).toEqual(received.map((_, i) => first + i));
    const offsets = received.map((each) => BigInt(each.offset));
    expect(offsets.every((each, i) => i === 0 || each > offsets[i - 1]!)).toBe(true);
  });

  test('sends one after the other keep their order, and their times do not go back', async () => {
    const tag = marker();
    const producer = target.producer();
    for (let i = 0; i < 10; i += 1) {
      await producer.sendBatch([{ body: i, properties: { tag } }], { partitionId: '2' });
    }
    const received = await receive(tag, 10);
    expect(received.map((each) => each.body as number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const times = received.map((each) => each.enqueuedTimeUtc.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('a batch says how much it holds, takes what fits and refuses what does not', async () => {
    const batch = await target.producer().createBatch({ partitionId: '0' });
    expect(batch.maxSizeInBytes).toBe(1_048_576);
    const body = Buffer.alloc(300_000);
    expect([1, 2, 3, 4].map(() => batch.tryAdd({ body }))).toEqual([true, true, true, false]);
    expect(batch.count).toBe(3);
  });

  test('a batch filled to its limit is taken whole', async () => {
    const tag = marker();
    const producer = target.producer();
    const batch = await producer.createBatch({ partitionId: '1' });
    while (batch.tryAdd({ body: Buffer.alloc(20_000, 1), properties: { tag } }));
    await producer.sendBatch(batch);
    const received = await receive(tag, batch.count);
    expect(received.every((each) => (each.body as Buffer).length === 20_000)).toBe(true);
  });

  test("more than a link takes is a MessageTooLargeError in the service's words", async () => {
    const call = target.producer().sendBatch([{ body: Buffer.alloc(1_048_576) }], { partitionId: '0' });
    await expect(call).rejects.toMatchObject({
      code: 'MessageTooLargeError',
      message: expect.stringMatching(
        /^The received message \(delivery-id:\d+, size:\d+ bytes\) exceeds the limit \(\d+ bytes\) currently allowed on the link\./,
      ) as string,
    });
  });

  test('an empty array is nothing to send', async () => {
    await expect(target.producer().sendBatch([])).resolves.toBeUndefined();
  });

  test('a batch of no events is nothing to send', async () => {
    const producer = target.producer();
    await expect(producer.sendBatch(await producer.createBatch())).resolves.toBeUndefined();
  });

  test('events with the same key go to one partition and carry the key', async () => {
    const tag = marker();
    const producer = target.producer();
    await producer.sendBatch([{ body: 1, properties: { tag } }], { partitionKey: 'building-25' });
    await producer.sendBatch([{ body: 2, properties: { tag } }], { partitionKey: 'building-25' });
    const received = await receive(tag, 2);
    expect(new Set(received.map((each) => each.partitionId)).size).toBe(1);
    expect(received.map((each) => each.partitionKey)).toEqual(['building-25', 'building-25']);
  });

  test('the service and the buffered producer put every key into the same partition', async () => {
    const tag = marker();
    const keys = ['', 'a', 'building-1', 'twelve bytes', 'thirteen byte', 'Gebäude 7', 'x'.repeat(128)]
      .filter((each) => each !== '')
      .concat(Array.from({ length: 20 }, (_, i) => `key-${i * 7919}`));
    const errors: Error[] = [];
    const buffered = new EventHubBufferedProducerClient(target.connectionString, HUBS.used, {
      maxWaitTimeInMs: 10,
      onSendEventsErrorHandler({ error }) {
        errors.push(error);
      },
    });
    const producer = target.producer();
    for (const key of keys) {
      await buffered.enqueueEvent({ body: key, properties: { tag } }, { partitionKey: key });
      await producer.sendBatch([{ body: key, properties: { tag } }], { partitionKey: key });
    }
    await buffered.close({ flush: true });
    const received = await receive(tag, keys.length * 2);
    expect(errors).toEqual([]);
    const partitions = new Map<string, Set<string>>();
    for (const { body, partitionId } of received) {
      partitions.set(String(body), (partitions.get(String(body)) ?? new Set()).add(partitionId));
    }
    expect(partitions.size).toBe(keys.length);
    expect([...partitions].filter(([, where]) => where.size !== 1)).toEqual([]);
  });

  test('sends with neither partition nor key are spread over the partitions', async () => {
    const tag = marker();
    const producer = target.producer();
    for (let i = 0; i < 4 * PARTITIONS; i += 1) await producer.sendBatch([{ body: i, properties: { tag } }]);
    const received = await receive(tag, 4 * PARTITIONS);
    expect(new Set(received.map((each) => each.partitionId)).size).toBeGreaterThan(1);
  });

  test.each([
    ['a text', 'text'],
    ['a number', 21.5],
    ['an object', { temperature: 21.5, nested: { list: [1, 2, 3] } }],
    ['a list', [1, 'two', { three: 3 }]],
    ['true', true],
    ['null', null],
    ['text that is not ASCII', 'Größe 24 m² 🏢'],
  ])('a data body that is %s arrives as it was', async (_what, body) => {
    const tag = marker();
    await target.producer().sendBatch([{ body, properties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(event!.body).toEqual(body);
    expect(event!.getRawAmqpMessage().bodyType).toBe('data');
  });

  test('bytes arrive as the same bytes', async () => {
    const tag = marker();
    const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await target.producer().sendBatch([{ body, properties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(Buffer.compare(event!.body as Buffer, body)).toBe(0);
  });

  test.each(['text', 42, true, null])('a value body of %p arrives as a value', async (body) => {
    const tag = marker();
    await target.producer().sendBatch([{ body, bodyType: 'value', applicationProperties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(event!.body).toEqual(body);
    expect(event!.getRawAmqpMessage().bodyType).toBe('value');
  });

  test('a sequence body arrives as a sequence', async () => {
    const tag = marker();
    const body = [
      ['a', 1],
      ['b', 2],
    ];
    await target.producer().sendBatch([{ body, bodyType: 'sequence', applicationProperties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(event!.body).toEqual(body);
    expect(event!.getRawAmqpMessage().bodyType).toBe('sequence');
  });

  test('application properties arrive with their types, dates as milliseconds', async () => {
    const tag = marker();
    const at = new Date('2026-03-01T12:00:00Z');
    const properties = { tag, text: 'x', whole: 7, negative: -7, real: 0.25, yes: true, no: false, at };
    await target.producer().sendBatch([{ body: 1, properties }]);
    const [event] = await receive(tag, 1);
    expect(event!.properties).toEqual({ ...properties, at: at.getTime() });
  });

  test('message id, correlation id and content type arrive', async () => {
    const tag = marker();
    const sent = { body: 1, messageId: 'm-1', correlationId: 'c-1', contentType: 'application/json' };
    await target.producer().sendBatch([{ ...sent, properties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(event).toMatchObject({ messageId: 'm-1', correlationId: 'c-1', contentType: 'application/json' });
  });

  test("an AMQP message's header, properties, annotations and footer arrive", async () => {
    const tag = marker();
    await target.producer().sendBatch([
      {
        body: 'annotated',
        bodyType: 'data',
        applicationProperties: { tag },
        header: { durable: true, priority: 7, timeToLive: 60_000 },
        properties: { subject: 'readings', replyTo: 'somebody', groupId: 'g' },
        messageAnnotations: { 'x-opt-ours': 'kept', number: 5 },
        footer: { checksum: 'abc' },
      },
    ]);
    const [event] = await receive(tag, 1);
    const raw = event!.getRawAmqpMessage();
    expect(raw.properties).toMatchObject({ subject: 'readings', replyTo: 'somebody', groupId: 'g' });
    expect(raw.header).toMatchObject({ durable: true, priority: 7 });
    expect(raw.footer).toEqual({ checksum: 'abc' });
    expect(raw.messageAnnotations).toMatchObject({ 'x-opt-ours': 'kept', number: 5 });
    expect(event!.systemProperties).toMatchObject({ 'x-opt-ours': 'kept', subject: 'readings' });
  });

  test('an event of 200 kB arrives whole', async () => {
    const tag = marker();
    const body = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    await target.producer().sendBatch([{ body, properties: { tag } }]);
    const [event] = await receive(tag, 1);
    expect(Buffer.compare(event!.body as Buffer, body)).toBe(0);
  });

  test('producers that send at the same time lose nothing and repeat nothing', async () => {
    const tag = marker();
    const producers = [target.producer(), target.producer(), target.producer()];
    await Promise.all(
      producers.flatMap((producer, p) =>
        Array.from({ length: 20 }, (_, i) =>
          producer.sendBatch([{ body: `${p}/${i}`, properties: { tag } }], { partitionId: '0' }),
        ),
      ),
    );
    const received = await receive(tag, 60);
    expect(new Set(received.map((each) => each.body as string)).size).toBe(60);
    expect(new Set(received.map((each) => each.sequenceNumber)).size).toBe(60);
  });

  test('a hub that does not exist takes nothing: MessagingEntityNotFoundError', async () => {
    const call = target.producer({ hub: 'no-such-hub' }).sendBatch([{ body: 1 }]);
    expect(await codeOf(call)).toBe('MessagingEntityNotFoundError');
  });

  test('a partition that does not exist takes nothing: ArgumentOutOfRangeError', async () => {
    const call = target.producer().sendBatch([{ body: 1 }], { partitionId: '99' });
    expect(await codeOf(call)).toBe('ArgumentOutOfRangeError');
  });

  test('a client goes on after a refusal', async () => {
    const tag = marker();
    const producer = target.producer();
    await codeOf(producer.sendBatch([{ body: Buffer.alloc(1_048_576) }], { partitionId: '0' }));
    await producer.sendBatch([{ body: 'after', properties: { tag } }], { partitionId: '0' });
    expect((await receive(tag, 1))[0]!.body).toBe('after');
  });
});
