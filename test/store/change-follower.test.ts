import { type ChangeFollower, createChangeFollower } from '../../src/store/change-follower';
import { type ChangeStart } from '../../src/store/cosmos';
import { eventually } from '../support/eventually';
import { logger, startStore, type Store } from './store.support';

let store: Store;
const followers: ChangeFollower[] = [];
beforeEach(async () => {
  store = await startStore();
});
afterEach(async () => {
  await Promise.all(followers.splice(0).map((each) => each.stop()));
  await store.stop();
});

function put(...ids: string[]): Promise<void> {
  return store.cosmos.bulkUpsert(
    'registry',
    ids.map((id) => ({ id, buildingId: 'bld_1' })),
  );
}

function follow(from: ChangeStart, seen: string[], onPage: () => void = () => undefined): ChangeFollower {
  const follower = createChangeFollower({
    cosmos: store.cosmos,
    container: 'registry',
    from,
    pollMs: 20,
    logger,
    onChanges(documents) {
      onPage();
      for (const each of documents as { id: string }[]) seen.push(each.id);
    },
  });
  followers.push(follower);
  return follower;
}

test('a follower from now hands over what changes after it has started, and nothing before', async () => {
  await put('before');
  const seen: string[] = [];
  const follower = follow('now', seen);
  expect(follower.behindMs()).toBe(Infinity);
  await follower.start();
  expect(follower.behindMs()).not.toBe(Infinity);
  await put('after');
  await eventually(() => expect(seen).toEqual(['after']));
});

test('a follower that begins where another stopped misses nothing and repeats nothing', async () => {
  await put('a', 'b');
  const seen: string[] = [];
  const first = follow('beginning', seen);
  await first.start();
  await eventually(() => expect(seen).toEqual(['a', 'b']));
  await first.stop();
  await put('c');
  const continuation = first.continuation()!;
  const later: string[] = [];
  await follow({ continuation }, later).start();
  await eventually(() => expect(later).toEqual(['c']));
  expect(seen).toEqual(['a', 'b']);
});

test('what a handler failed on comes again, and the position does not pass it', async () => {
  const seen: string[] = [];
  let failures = 3;
  const follower = follow('beginning', seen, () => {
    if (failures-- > 0) throw new Error('not now');
  });
  await put('a');
  await follower.start();
  expect(follower.behindMs()).toBe(Infinity);
  await eventually(() => expect(seen).toEqual(['a']));
  await eventually(() => expect(follower.behindMs()).toBeLessThan(2_000));
});

test('under steady change a follower knows that it keeps up', async () => {
  const seen: string[] = [];
  const follower = follow('beginning', seen);
  let writing = true;
  const writer = (async () => {
    for (let i = 0; writing; i++) await put(`d${i}`);
  })();
  try {
    await follower.start();
    await eventually(() => expect(seen.length).toBeGreaterThan(200));
    await eventually(() => expect(follower.behindMs()).toBeLessThan(2_000));
  } finally {
    writing = false;
    await writer;
  }
});

test('a follower whose store is away says how far behind it is, and catches up afterwards', async () => {
  let away = false;
  const { cosmos } = store;
  store.cosmos = {
    ...cosmos,
    changes: (...args) => {
      const feed = cosmos.changes(...args);
      return {
        next: () => (away ? Promise.reject(new Error('away')) : feed.next()),
      };
    },
  };
  const seen: string[] = [];
  const follower = follow('now', seen);
  await follower.start();
  away = true;
  await cosmos.bulkUpsert('registry', [{ id: 'meanwhile', buildingId: 'bld_1' } as { id: string }]);
  await eventually(() => expect(follower.behindMs()).toBeGreaterThan(500));
  expect(seen).toEqual([]);
  away = false;
  await eventually(() => expect(seen).toEqual(['meanwhile']));
  await eventually(() => expect(follower.behindMs()).toBeLessThan(500));
});

test('a stopped follower hands over nothing more', async () => {
  const seen: string[] = [];
  const follower = follow('now', seen);
  await follower.start();
  await follower.stop();
  await put('late');
  const other: string[] = [];
  await follow('beginning', other).start();
  await eventually(() => expect(other).toEqual(['late']));
  expect(seen).toEqual([]);
});
