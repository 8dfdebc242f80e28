import { createSpaceTree, type SpaceTree } from '../../src/store/space-tree';
import { eventually } from '../support/eventually';
import { logger, startStore, type Store } from './store.support';

let store: Store;
let tree: SpaceTree;
const learned: string[] = [];
beforeAll(async () => {
  store = await startStore();
  tree = createSpaceTree({ cosmos: store.anotherCosmos(), logger });
  tree.onLearned((buildingId) => learned.push(buildingId));
});
afterAll(async () => {
  tree.stop();
  await store.stop();
});

async function enter(buildingId: string, spaces: Record<string, string | null>): Promise<void> {
  await store.cosmos.bulkUpsert(
    'registry',
    Object.entries(spaces).map(
      ([id, parentId]) => ({ id, buildingId, type: 'space', parentId }) as { id: string },
    ),
  );
}

test('the spaces that a space lies in are unknown when first asked for, then told nearest first', async () => {
  await enter('bld_a', { wing: null, level: 'wing', room: 'level' });
  expect(tree.ancestors('bld_a', 'room')).toBeUndefined();
  await eventually(() => expect(tree.ancestors('bld_a', 'room')).toEqual(['level', 'wing']));
  expect(tree.ancestors('bld_a', 'level')).toEqual(['wing']);
  expect(tree.ancestors('bld_a', 'wing')).toEqual([]);
  expect(learned).toContain('bld_a');
});

test('a space that did not exist when it was asked for is known once it does', async () => {
  expect(tree.ancestors('bld_b', 'later')).toBeUndefined();
  await enter('bld_b', { later: null });
  await eventually(() => expect(tree.ancestors('bld_b', 'later')).toEqual([]));
});

test('spaces that lie in each other, which is damage, end', async () => {
  await enter('bld_c', { one: 'other', other: 'one' });
  await eventually(() => expect(tree.ancestors('bld_c', 'one')).toEqual(['other', 'one']));
});
