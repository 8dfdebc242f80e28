import { earliestEventPosition } from '@azure/event-hubs';
import { eventually } from '../support/eventually';
import { codeOf, collect } from '../contract/event-hubs.target';
import { HUB, type Namespace, openNamespace, PATIENT } from './support/namespace';

/** No test waits for this: the fault is called off. */
const AN_HOUR = 3_600_000;

describe('faults happen on demand', () => {
  let namespace: Namespace;
  beforeEach(async () => {
    namespace = await openNamespace();
  });
  afterEach(() => namespace.stop());

  const partitionId = '0';
  const fail = (fault: Parameters<Namespace['emulator']['faults']['add']>[0]): void =>
    void namespace.emulator.faults.add(fault);
  const stored = async (): Promise<number> =>
    (await namespace.consumer().getPartitionProperties(partitionId)).lastEnqueuedSequenceNumber + 1;
  const read = () =>
    collect(namespace.consumer(PATIENT), { partition: partitionId, startPosition: earliestEventPosition });

  /** The SDK waits a minute for a send that was under way when its link went: let the clients hear of it first. */
  const roundTrip = stored;

  test('throttling refuses a send with ServerBusyError and stores nothing', async () => {
    fail({ kind: 'throttle', count: 1, milliseconds: 0 });
    const producer = namespace.producer();
    expect(await codeOf(producer.sendBatch([{ body: 1 }], { partitionId }))).toBe('ServerBusyError');
    expect(await stored()).toBe(0);
    await producer.sendBatch([{ body: 1 }], { partitionId });
    expect(await stored()).toBe(1);
  });

  test('throttling of one partition leaves the other alone', async () => {
    fail({ kind: 'throttle', hub: HUB, partition: 1, milliseconds: 0 });
    const producer = namespace.producer();
    await producer.sendBatch([{ body: 1 }], { partitionId });
    expect(await codeOf(producer.sendBatch([{ body: 1 }], { partitionId: '1' }))).toBe('ServerBusyError');
  });

  test('a client that retries comes through throttling', async () => {
    fail({ kind: 'throttle', count: 3, milliseconds: 0 });
    await namespace.producer(PATIENT).sendBatch([{ body: 1 }], { partitionId });
    expect(await stored()).toBe(1);
  });

  test('a delayed acknowledgement comes late, with the event stored before it', async () => {
    fail({ kind: 'delayAcknowledgement', count: 1, milliseconds: AN_HOUR });
    let settled = false;
    const sent = namespace
      .producer()
      .sendBatch([{ body: 1 }], { partitionId })
      .then(() => (settled = true));
    await eventually(async () => expect(await stored()).toBe(1));
    expect(settled).toBe(false);
    namespace.emulator.faults.clear();
    await sent;
  });

  test('a delay is over when its milliseconds are', async () => {
    fail({ kind: 'delayAcknowledgement', count: 1, milliseconds: 50 });
    const began = performance.now();
    await namespace.producer().sendBatch([{ body: 1 }], { partitionId });
    expect(performance.now() - began).toBeGreaterThan(45);
    expect(namespace.emulator.faults.list()).toEqual([]);
  });

  test('a delay under way is listed although its count is used up, and ends alone when it is called off', async () => {
    const { faults } = namespace.emulator;
    const [first, second] = [0, 1].map((partition) =>
      faults.add({ kind: 'delayAcknowledgement', partition, count: 1, milliseconds: AN_HOUR }),
    );
    const settled: string[] = [];
    const sends = ['0', '1'].map((partition) =>
      namespace
        .producer()
        .sendBatch([{ body: 1 }], { partitionId: partition })
        .then(() => settled.push(partition)),
    );
    await eventually(() => expect(faults.list().map(({ count }) => count)).toEqual([0, 0]));
    faults.clear(second!.id);
    await sends[1];
    expect(settled).toEqual(['1']);
    expect(faults.list().map(({ id }) => id)).toEqual([first!.id]);
    faults.clear();
    await Promise.all(sends);
    expect(faults.list()).toEqual([]);
  });

  test('a lost acknowledgement leaves the client waiting for an event that is stored', async () => {
    fail({ kind: 'loseAcknowledgement', count: 1, milliseconds: 0 });
    const aborter = new AbortController();
    const producer = namespace.producer();
    const sent = codeOf(producer.sendBatch([{ body: 1 }], { partitionId, abortSignal: aborter.signal }));
    await eventually(async () => expect(await stored()).toBe(1));
    aborter.abort();
    expect(await sent).toBe('AbortError');
    await producer.sendBatch([{ body: 2 }], { partitionId });
    expect(await stored()).toBe(2);
  });

  test('a link that loses or delays acknowledgements still takes thousands of sends', async () => {
    const producer = namespace.producer(PATIENT);
    await producer.sendBatch([{ body: 0 }], { partitionId });
    fail({ kind: 'delayAcknowledgement', count: 1, milliseconds: AN_HOUR });
    for (let i = 0; i < 12; i += 1) {
      const sends = Array.from({ length: 200 }, () => producer.sendBatch([{ body: i }], { partitionId }));
      // All but the first of all, which is stored and waits, are acknowledged before it is.
      if (i === 0) {
        await Promise.all(sends.slice(1));
        namespace.emulator.faults.clear();
      }
      await Promise.all(sends);
    }
    expect(await stored()).toBe(2401);
  });

  test('a forced detach interrupts a producer and a reader, and neither loses anything', async () => {
    const producer = namespace.producer(PATIENT);
    const reader = read();
    for (let i = 0; i < 6; i += 1) {
      await producer.sendBatch([{ body: i }], { partitionId });
      await reader.until(i + 1);
      if (i % 2 === 1) continue;
      expect(namespace.emulator.detach({ hub: HUB })).toBe(2);
      await roundTrip();
    }
    expect(reader.events.map((each) => each.body as number)).toEqual([0, 1, 2, 3, 4, 5]);
    await reader.close();
  });

  test('a dropped connection interrupts a producer and a reader, and neither loses anything', async () => {
    const producer = namespace.producer(PATIENT);
    const reader = read();
    for (let i = 0; i < 4; i += 1) {
      await producer.sendBatch([{ body: i }], { partitionId });
      await reader.until(i + 1);
      if (i % 2 === 1) continue;
      expect(namespace.emulator.drop()).toBeGreaterThanOrEqual(2);
      await roundTrip();
    }
    expect(reader.events.map((each) => each.body as number)).toEqual([0, 1, 2, 3]);
    await reader.close();
  });

  test('refused tokens are an UnauthorizedError until they are accepted again', async () => {
    fail({ kind: 'refuseTokens', count: 1, milliseconds: 0 });
    const producer = namespace.producer();
    expect(await codeOf(producer.sendBatch([{ body: 1 }], { partitionId }))).toBe('UnauthorizedError');
    await producer.sendBatch([{ body: 1 }], { partitionId });
  });

  test('refused links are an UnauthorizedError', async () => {
    fail({ kind: 'refuseLinks', hub: HUB, count: 1, milliseconds: 0 });
    expect(await codeOf(namespace.producer().sendBatch([{ body: 1 }], { partitionId }))).toBe(
      'UnauthorizedError',
    );
  });

  test('a slow consumer gets one event after the other, while another group is not slowed', async () => {
    await namespace
      .producer()
      .sendBatch([{ body: 0 }, { body: 1 }, { body: 2 }, { body: 3 }], { partitionId });
    fail({ kind: 'slowConsumer', group: '$default', count: 3, milliseconds: 80 });
    const began = performance.now();
    const reader = read();
    await reader.until(4);
    expect(performance.now() - began).toBeGreaterThan(200);
    expect(reader.events.map((each) => each.body as number)).toEqual([0, 1, 2, 3]);
    await reader.close();
  });

  test('a full disk is an InternalServerError that says so, and when there is room the client goes on', async () => {
    fail({ kind: 'diskFull', count: 1, milliseconds: 0 });
    const producer = namespace.producer();
    await expect(producer.sendBatch([{ body: 1 }], { partitionId })).rejects.toMatchObject({
      code: 'InternalServerError',
      message: expect.stringMatching(/the disk is full/) as string,
    });
    await producer.sendBatch([{ body: 2 }], { partitionId });
    const reader = read();
    expect((await reader.until(1))[0]!.body).toBe(2);
    await reader.close();
  });
});
