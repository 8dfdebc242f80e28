import { createFairQueue, QueueFull } from '../../src/analytics/fair-queue';

const NEVER = new AbortController().signal;

/** Work that ends when it is told to. */
function held() {
  let release!: () => void;
  const until = new Promise<void>((resolve) => (release = resolve));
  return { until, release };
}

describe('the queue of questions', () => {
  it('serves those who wait in turn, whoever asked most', async () => {
    const queue = createFairQueue({ atOnce: 1, atOnceEach: 1, waitingEach: 10 });
    const first = held();
    const served: string[] = [];
    const ask = (tenant: string, name: string) =>
      queue.run(tenant, NEVER, async () => void served.push(name));
    const asked = [
      queue.run('a', NEVER, () => first.until),
      ask('a', 'a1'),
      ask('a', 'a2'),
      ask('a', 'a3'),
      ask('b', 'b1'),
      ask('b', 'b2'),
    ];
    first.release();
    await Promise.all(asked);
    expect(served).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
    expect(queue.counts()).toEqual({ running: 0, waiting: 0 });
  });

  it('leaves a place to others where one tenant would take all', async () => {
    const queue = createFairQueue({ atOnce: 2, atOnceEach: 1, waitingEach: 10 });
    const slow = held();
    const mine = [queue.run('a', NEVER, () => slow.until), queue.run('a', NEVER, () => slow.until)];
    await expect(queue.run('b', NEVER, async () => 'served')).resolves.toBe('served');
    expect(queue.counts()).toEqual({ running: 1, waiting: 1 });
    slow.release();
    await Promise.all(mine);
  });

  it('refuses a tenant that has too much waiting, and nobody else', async () => {
    const queue = createFairQueue({ atOnce: 2, atOnceEach: 1, waitingEach: 1 });
    const slow = held();
    const mine = [queue.run('a', NEVER, () => slow.until), queue.run('a', NEVER, () => slow.until)];
    await expect(queue.run('a', NEVER, async () => 0)).rejects.toBeInstanceOf(QueueFull);
    await expect(queue.run('b', NEVER, async () => 1)).resolves.toBe(1);
    slow.release();
    await Promise.all(mine);
  });

  it('forgets who went while waiting', async () => {
    const queue = createFairQueue({ atOnce: 1, atOnceEach: 1, waitingEach: 5 });
    const slow = held();
    const running = queue.run('a', NEVER, () => slow.until);
    const gone = new AbortController();
    const waiting = queue.run('b', gone.signal, async () => 'served all the same');
    gone.abort(new Error('the client went'));
    await expect(waiting).rejects.toThrow('the client went');
    expect(queue.counts()).toEqual({ running: 1, waiting: 0 });
    slow.release();
    await running;
  });

  it('goes on behind work that failed', async () => {
    const queue = createFairQueue({ atOnce: 1, atOnceEach: 1, waitingEach: 5 });
    const failing = queue.run('a', NEVER, async () => Promise.reject(new Error('broken')));
    const next = queue.run('a', NEVER, async () => 'served');
    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('served');
  });
});
