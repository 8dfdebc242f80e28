import { expect, test } from '@jest/globals';
import { createPlaces } from '../../src/store/places';

/** Work that ends when it is told to. */
function work(): { run: () => Promise<string>; begun: () => boolean; end: (failed?: Error) => void } {
  let begun = false;
  let settle!: (failed?: Error) => void;
  const done = new Promise<string>((resolve, reject) => {
    settle = (failed) => (failed ? reject(failed) : resolve('done'));
  });
  return {
    run: () => {
      begun = true;
      return done;
    },
    begun: () => begun,
    end: settle,
  };
}

test('no more work is under way than there are places, and it is taken in order', async () => {
  const places = createPlaces(2);
  const all = [work(), work(), work(), work()];
  const answers = all.map(({ run }) => places.take(run));
  const begun = (): boolean[] => all.map((each) => each.begun());
  expect(begun()).toEqual([true, true, false, false]);
  all[1]!.end();
  expect(await answers[1]).toBe('done');
  await Promise.resolve();
  expect(begun()).toEqual([true, true, true, false]);
  all[0]!.end();
  all[2]!.end();
  await Promise.all([answers[0], answers[2]]);
  all[3]!.end();
  expect(await Promise.all(answers)).toEqual(['done', 'done', 'done', 'done']);
});

test('work that fails gives its place to the next', async () => {
  const places = createPlaces(1);
  const [first, second] = [work(), work()];
  const answers = [places.take(first.run), places.take(second.run)];
  first.end(new Error('away'));
  await expect(answers[0]).rejects.toThrow('away');
  second.end();
  expect(await answers[1]).toBe('done');
});
