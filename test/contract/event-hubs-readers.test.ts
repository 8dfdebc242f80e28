import { latestEventPosition } from '@azure/event-hubs';
import { collect, type Collector, marker, openTarget, SECOND_GROUP, type Target } from './event-hubs.target';

const PARTITION = '3';

describe('Event Hubs decides who may read a partition', () => {
  let target: Target;
  let readers: Collector[];
  beforeAll(async () => {
    target = await openTarget();
  });
  beforeEach(() => {
    readers = [];
  });
  afterEach(async () => {
    await Promise.all(readers.map((each) => each.close()));
    await target.closeClients();
  });
  afterAll(() => target.stop());

  function read(ownerLevel?: number, group?: string): Collector {
    const reader = collect(target.consumer(group === undefined ? {} : { group }), {
      partition: PARTITION,
      startPosition: latestEventPosition,
      ...(ownerLevel === undefined ? {} : { ownerLevel }),
    });
    readers.push(reader);
    return reader;
  }

  async function reading(ownerLevel?: number, group?: string): Promise<Collector> {
    const reader = read(ownerLevel, group);
    await reader.attached();
    return reader;
  }

  async function send(): Promise<string> {
    const body = marker();
    await target.producer().sendBatch([{ body }], { partitionId: PARTITION });
    return body;
  }

  test('five readers without an owner level may read a partition together, and each gets everything', async () => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => reading()));
    const body = await send();
    for (const reader of five) {
      expect((await reader.until(1, (each) => each.body === body)).length).toBe(1);
      expect(reader.errors).toEqual([]);
    }
  });

  test('a sixth reader is refused, QuotaExceededError, and the five go on', async () => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => reading()));
    expect(await read().failure()).toMatchObject({ code: 'QuotaExceededError' });
    const body = await send();
    for (const reader of five) await reader.until(1, (each) => each.body === body);
  });

  test('the places of one consumer group are not taken by another', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(() => reading()));
    const other = await reading(undefined, SECOND_GROUP);
    expect(other.errors).toEqual([]);
  });

  test('a place is free again when its reader has gone', async () => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => reading()));
    await five[0]!.close();
    expect((await reading()).errors).toEqual([]);
  });

  test('a higher owner level takes the partition: the other is told so, ReceiverDisconnectedError', async () => {
    const lower = await reading(1);
    const higher = await reading(2);
    expect(await lower.failure()).toMatchObject({ code: 'ReceiverDisconnectedError' });
    const body = await send();
    await higher.until(1, (each) => each.body === body);
    expect(lower.events).toEqual([]);
  });

  test('an equal owner level takes the partition too', async () => {
    const first = await reading(1);
    const second = await reading(1);
    expect(await first.failure()).toMatchObject({ code: 'ReceiverDisconnectedError' });
    expect(second.errors).toEqual([]);
  });

  test('a lower owner level is refused, ReceiverDisconnectedError, and the owner goes on', async () => {
    const owner = await reading(5);
    expect(await read(4).failure()).toMatchObject({ code: 'ReceiverDisconnectedError' });
    const body = await send();
    await owner.until(1, (each) => each.body === body);
    expect(owner.errors).toEqual([]);
  });

  test('an owner disconnects readers without an owner level', async () => {
    const plain = await reading();
    await reading(1);
    expect(await plain.failure()).toMatchObject({ code: 'ReceiverDisconnectedError' });
  });

  test('a reader without an owner level is refused while there is an owner', async () => {
    const owner = await reading(1);
    expect(await read().failure()).toMatchObject({ code: 'ReceiverDisconnectedError' });
    expect(owner.errors).toEqual([]);
  });

  test('owners of two consumer groups do not disturb each other', async () => {
    const one = await reading(1);
    const other = await reading(2, SECOND_GROUP);
    const body = await send();
    await one.until(1, (each) => each.body === body);
    await other.until(1, (each) => each.body === body);
  });

  test('a lower owner level may read once the owner has gone', async () => {
    const owner = await reading(5);
    await owner.close();
    expect((await reading(1)).errors).toEqual([]);
  });
});
