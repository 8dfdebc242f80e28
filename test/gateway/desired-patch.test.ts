import fc from 'fast-check';
import { mergePatch, type Properties } from '../../src/domain/twin-properties';
import { patchBetween } from '../../src/gateway/desired-patch';

/** As a twin holds them: what is null was removed. */
const properties = fc
  .dictionary(
    fc.constantFrom('a', 'b', 'constructor', 'interval'),
    fc.oneof(
      fc.integer({ min: 0, max: 2 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'toString'), fc.integer({ min: 0, max: 2 })),
    ),
  )
  .map((each) => ({ ...each }) as Properties);

test('a patch between two configurations makes the one out of the other', () => {
  fc.assert(
    fc.property(properties, properties, (before, after) => {
      expect(mergePatch(before, patchBetween(before, after))).toEqual(after);
    }),
  );
});

test('a patch names what changed and what went, and nothing else', () => {
  const before = { interval: 60, led: { on: true, colour: 'red' }, old: 1 };
  const after = { interval: 60, led: { on: false, colour: 'red' }, fresh: [1] };
  expect(patchBetween(before, after)).toEqual({ led: { on: false }, old: null, fresh: [1] });
  expect(patchBetween(after, after)).toEqual({});
});
