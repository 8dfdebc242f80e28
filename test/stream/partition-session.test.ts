import { type ReceivedEventData } from '@azure/event-hubs';
import { createPartitionSession } from '../../src/stream/partition-session';

const batch = (sequenceNumber: number): ReceivedEventData[] => [{ sequenceNumber } as ReceivedEventData];

describe('a partition session', () => {
  it('opens its processor once, at the first delivery', async () => {
    let opened = 0;
    const seen: number[] = [];
    const session = createPartitionSession(async () => {
      opened++;
      return {
        async process(events) {
          seen.push(...events.map(({ sequenceNumber }) => sequenceNumber));
        },
        async close() {},
      };
    });
    expect(session.isOpen()).toBe(false);
    await session.process(batch(1));
    await session.process(batch(2));
    expect({ opened, seen, open: session.isOpen() }).toEqual({ opened: 1, seen: [1, 2], open: true });
  });

  it('closes the processor only behind the batch in flight, and tells that batch to hurry', async () => {
    const order: string[] = [];
    let began: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (began = resolve));
    const session = createPartitionSession(async (ended) => ({
      async process() {
        order.push('process');
        began();
        await new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve()));
        order.push('processed');
      },
      async close() {
        order.push('close');
      },
    }));
    const processing = session.process(batch(1));
    await beginning;
    await session.close();
    await processing;
    await session.process(batch(2));
    await session.close();
    expect(order).toEqual(['process', 'processed', 'close']);
    expect(session.isOpen()).toBe(false);
  });

  it('hands nothing to a processor that is opened after the session ended', async () => {
    const order: string[] = [];
    let finishOpening: () => void = () => undefined;
    const session = createPartitionSession(async () => {
      await new Promise<void>((resolve) => (finishOpening = resolve));
      return {
        async process() {
          order.push('process');
        },
        async close() {
          order.push('close');
        },
      };
    });
    const processing = session.process(batch(1));
    const closing = session.close();
    finishOpening();
    await Promise.all([processing, closing]);
    expect(order).toEqual(['close']);
  });

  it('passes a failure to whoever delivered the batch, and can still be closed', async () => {
    let closed = false;
    const session = createPartitionSession(async () => ({
      async process() {
        throw new Error('the environment is broken');
      },
      async close() {
        closed = true;
      },
    }));
    await expect(session.process(batch(1))).rejects.toMatchObject({
      cause: { message: 'the environment is broken' },
    });
    await session.close();
    expect(closed).toBe(true);
  });
});
