import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue } from '../../src/field-gateway/queue';

describe('the store-and-forward queue', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'atrium-queue-'))));
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const open = (maximumBytes = 1_000_000) => createQueue({ dataDir, maximumBytes });
  const message = (body: string, queuedAt = 1_000) => ({ deviceId: 'dev_a', body, queuedAt });
  const bodies = (queue: ReturnType<typeof open>, limit = 100, bytes = 1e6) =>
    queue.oldest(limit, bytes).map((each) => each.body);

  test('gives back what it was given, oldest first, by number and by bytes', async () => {
    const queue = open();
    await Promise.all(['one', 'two', 'three'].map((body) => queue.append(message(body))));
    expect(bodies(queue)).toEqual(['one', 'two', 'three']);
    expect(bodies(queue, 2)).toEqual(['one', 'two']);
    expect(bodies(queue, 100, 7)).toEqual(['one', 'two']);
    expect(bodies(queue, 100, 1)).toEqual(['one']);
    queue.close();
  });

  test('has after it was opened again what it had, with its marks and its count', async () => {
    const first = open();
    await first.append(message('kept'), { key: 'line:A', value: '3' });
    await first.append(message('sent'));
    first.remove([2]);
    const depth = first.depth();
    first.close();
    const again = open();
    expect(bodies(again)).toEqual(['kept']);
    expect(again.mark('line:A')).toBe('3');
    expect(again.depth()).toEqual(depth);
    again.close();
  });

  test('full, it makes whoever appends wait, and takes it as soon as there is room', async () => {
    const queue = open(3 * (96 + 10));
    await Promise.all([0, 1, 2].map(() => queue.append(message('0123456789'))));
    let appended = false;
    const fourth = queue.append(message('0123456789')).then(() => (appended = true));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(appended).toBe(false);
    expect(queue.depth()).toMatchObject({ messages: 3, full: true, waiting: 1 });
    queue.remove([1]);
    await fourth;
    expect(queue.depth()).toMatchObject({ messages: 3, full: false, waiting: 0 });
    queue.close();
  });

  test('closed, it refuses what waits: nobody is told that it was kept', async () => {
    const queue = open(100);
    await queue.append(message('more than all the room'.repeat(10)));
    const waiting = queue.append(message('waits'));
    queue.close();
    await expect(waiting).rejects.toThrow('closed');
  });

  test('what is set aside is kept, counted and not sent', async () => {
    const queue = open();
    await queue.append(message('bad'));
    await queue.append(message('good'));
    queue.setAside(1, 'status 400');
    expect(bodies(queue)).toEqual(['good']);
    expect(queue.depth()).toMatchObject({ messages: 2, setAside: 1 });
    queue.close();
  });

  test('gives up what is older than its owner wants it', async () => {
    const queue = open();
    await queue.append(message('old', 1_000));
    await queue.append(message('new', 2_000));
    expect(queue.removeOlderThan(1_500)).toBe(1);
    expect(bodies(queue)).toEqual(['new']);
    expect(queue.depth()).toMatchObject({ messages: 1, oldestQueuedAt: 2_000 });
    queue.close();
  });

  test('a folder that another process uses is one sentence for the operator', async () => {
    const queue = open();
    await queue.append(message('mine'));
    expect(() => open()).toThrow(/give the field gateway a folder of its own/);
    queue.close();
  });
});
