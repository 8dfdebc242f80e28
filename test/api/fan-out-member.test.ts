import { createFanOutMember } from '../../src/api/fan-out-member';
import { createDeliveryBudget } from '../../src/api/delivery-budget';
import { openGroup } from '../../src/api/fan-out-group';
import { type Context } from '../../src/resolvers/context';
import { type SharedStream } from '../../src/resolvers/shared-stream';
import { type TenantScope } from '../../src/auth/scope';
import { eventually } from '../support/eventually';

interface Happening {
  name: string;
  at: number;
}
const CONTEXT = {} as Context;
const turns = async (): Promise<void> => {
  for (let n = 0; n < 30; n++) await new Promise((resolve) => setImmediate(resolve));
};

/** A stream of events that are all kept, as alerts are, and one subscriber to it. */
function buildEvents({ from = 0 } = {}) {
  const kept: Happening[] = [];
  const waiting: Happening[] = [];
  let wake: (() => void) | undefined;
  /** Set, `missed` waits there before it ends. */
  const house = { beforeEnd: undefined as Promise<void> | undefined, reads: [] as (string | null)[] };
  async function* changes(): AsyncGenerator<Happening> {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const stream: SharedStream<Happening> = {
    rightsOf: () => 'all',
    current: async () => [],
    changes: () => changes() as AsyncIterableIterator<Happening>,
    slotOf: () => '',
    instantOf: ({ at }) => at,
    eventOf: ({ name }) => name,
    tenantOf: () => 'ten',
    async *missed(_context, last) {
      house.reads.push(last?.name ?? null);
      const after = last?.at ?? from;
      for (const each of kept.filter(({ at }) => at > after)) yield each;
      await house.beforeEnd;
    },
  };
  const textOf = async (value: unknown): Promise<Buffer> => Buffer.from((value as Happening).name);
  const open = () =>
    openGroup({
      stream: stream as SharedStream<unknown>,
      scope: {} as TenantScope,
      textOf,
      budget: createDeliveryBudget({ deliveriesPerSecond: 1e9 }),
      onDelivered: () => undefined,
      onClose: () => undefined,
    });
  let group = open();
  const texts: string[] = [];
  let held: (() => void)[] | undefined;
  const member = createFanOutMember({
    stream: stream as SharedStream<unknown>,
    textOf,
    send(text, sent) {
      texts.push(String(text));
      if (held) held.push(sent);
      else sent();
    },
    onDelivered: () => undefined,
    onBehind() {
      member.leave();
      group = open();
      void member.begin(group, CONTEXT);
    },
    onEnd: () => undefined,
  });
  return Object.assign(house, {
    texts,
    begin: () => member.begin(group, CONTEXT),
    keep: (...events: Happening[]) => void kept.push(...events),
    tell(...events: Happening[]): void {
      waiting.push(...events);
      wake?.();
    },
    hold: () => (held = []),
    release(): void {
      const all = held ?? [];
      held = undefined;
      for (const sent of all) sent();
    },
  });
}
const events = (from: number, to: number): Happening[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ name: `e${from + index}`, at: from + index }));
const names = (from: number, to: number): string[] => events(from, to).map(({ name }) => name);

describe('a subscriber to events', () => {
  it('is told what it missed and then what comes, each once, whichever way it came first', async () => {
    const house = buildEvents({ from: 2 });
    house.keep(...events(1, 5));
    let end!: () => void;
    house.beforeEnd = new Promise((resolve) => (end = resolve));
    const begun = house.begin();
    await turns();
    // One that was replayed, and one that is not stored yet.
    house.tell(...events(5, 6));
    await turns();
    expect(house.texts).toEqual(names(3, 5));
    end();
    await begun;
    house.tell(...events(4, 5), ...events(7, 7));
    await turns();
    expect(house.texts).toEqual(names(3, 7));
  });

  it('that takes nothing for long is brought back from where it stood, and misses nothing', async () => {
    const house = buildEvents({ from: 0 });
    house.keep(...events(1, 2));
    await house.begin();
    house.hold();
    for (let n = 3; n <= 1_503; n++) {
      house.keep(...events(n, n));
      house.tell(...events(n, n));
      if (n % 100 === 0) await turns();
    }
    await turns();
    expect(house.texts).toEqual(names(1, 3));
    house.release();
    await eventually(() => expect(house.texts).toEqual(names(1, 1_503)), { every: 5 });
    expect(house.reads).toEqual([null, 'e3']);
  });
});
