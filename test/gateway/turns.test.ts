import { expect, test } from '@jest/globals';
import { createTurns } from '../../src/gateway/mqtt/turns';

const TURN_MS = 5;
const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function work(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

test('a turn ends after its time, and the next one begins with it anew', async () => {
  const turns = createTurns(TURN_MS);
  expect(turns.mayGoOn()).toBe(true);
  work(TURN_MS);
  expect(turns.mayGoOn()).toBe(false);
  await turnOver();
  expect(turns.mayGoOn()).toBe(true);
});

test('who waits is served in order, a few a turn, before whoever comes later, and timers fire in between', async () => {
  const turns = createTurns(TURN_MS);
  const done: number[] = [];
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  for (let i = 0; i < 20; i++) {
    turns.later(() => {
      work(TURN_MS / 2);
      done.push(i);
    });
  }
  while (done.length < 20) {
    expect(turns.mayGoOn()).toBe(false);
    const before = done.length;
    await turnOver();
    expect(done.length - before).toBeLessThanOrEqual(3);
  }
  clearInterval(timer);
  expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(fired).toBeGreaterThan(3);
  expect(turns.mayGoOn()).toBe(true);
});

test('work that is not done asks again, and stands behind the others', async () => {
  const turns = createTurns(TURN_MS);
  const served: string[] = [];
  let left = 3;
  const long = (): void => {
    served.push('long');
    if (--left > 0) turns.later(long);
  };
  turns.later(long);
  turns.later(() => served.push('other'));
  while (left > 0) await turnOver();
  expect(served).toEqual(['long', 'other', 'long', 'long']);
});
