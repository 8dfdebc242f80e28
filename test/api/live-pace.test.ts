import { createDeliveryBudget } from '../../src/api/delivery-budget';
import { pace } from '../../src/live/pace';
import { millisecondsOf, durationOf } from '../../src/domain/duration';
import { eventually } from '../support/eventually';

/** A source that the test tells, and what comes out of it at a pace. */
function buildPace(intervalAfter: (value: string) => number) {
  const waiting: string[] = [];
  let wake: (() => void) | undefined;
  let returned = false;
  let now = 0;
  async function* source(): AsyncGenerator<string> {
    try {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift()!;
        await new Promise<void>((resolve) => (wake = resolve));
        if (returned) return;
      }
    } finally {
      returned = true;
    }
  }
  const generator = source();
  const iterator: AsyncIterableIterator<string> = {
    next: () => generator.next(),
    async return() {
      returned = true;
      wake?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  const paced = pace(iterator, {
    slotOf: (value) => (value.startsWith('!') ? null : value[0]!),
    intervalAfter,
    now: () => now,
  });
  const seen: string[] = [];
  const done = (async () => {
    for await (const value of paced) seen.push(value);
  })();
  return {
    seen,
    paced,
    done,
    tell(...values: string[]): void {
      waiting.push(...values);
      wake?.();
    },
    pass(milliseconds: number): void {
      now += milliseconds;
    },
    returned: () => returned,
  };
}
const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('values at a pace', () => {
  it('are at most one of each slot in its interval, the latest, and events at once and all', async () => {
    const house = buildPace(() => 30);
    house.tell('a1', 'b1');
    await turns();
    house.tell('a2', '!x', 'a3', '!y', 'b2');
    await turns();
    expect(house.seen).toEqual(['a1', 'b1', '!x', '!y']);
    house.pass(30);
    await eventually(() => expect(house.seen.slice(4)).toEqual(['a3', 'b2']), { every: 2 });
    house.pass(100);
    house.tell('a4');
    await turns();
    expect(house.seen.at(-1)).toBe('a4');
  });

  it('end with their source’s reader, and end it', async () => {
    const house = buildPace(() => 1_000);
    house.tell('a1', 'a2');
    await turns();
    await house.paced.return!();
    await house.done;
    expect([house.seen, house.returned()]).toEqual([['a1'], true]);
  });
});

describe('the budget of deliveries', () => {
  it('says when the rate would be kept, for each tenant by itself, and forgives what is older than a minute', () => {
    let now = 1_000_000;
    const budget = createDeliveryBudget({ deliveriesPerSecond: 100, now: () => now });
    expect(budget.take('ten_a', 50)).toBe(500);
    expect(budget.take('ten_a', 50)).toBe(1_000);
    expect(budget.take('ten_b', 1)).toBe(10);
    now += 1_000;
    expect(budget.take('ten_a', 1)).toBe(10);
    expect(budget.take('ten_a', 1_000_000)).toBe(60_000);
  });
});

describe('a duration', () => {
  it.each([
    ['PT30S', 30_000],
    ['PT0.5S', 500],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['PT1H1M1S', 3_661_000],
  ])('is read: %s', (text, milliseconds) => {
    expect(millisecondsOf(text)).toBe(milliseconds);
    expect(millisecondsOf(durationOf(milliseconds))).toBe(milliseconds);
  });

  it.each(['', 'P', 'PT', 'P1DT', 'P1Y', 'P1M', '30', 'PT-1S', 'PT1.2345S', '-PT1S'])(
    'is refused: %s',
    (text) => expect(millisecondsOf(text)).toBeUndefined(),
  );
});
