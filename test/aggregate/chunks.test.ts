import fc from 'fast-check';
import { createChunks, evict, insert } from '../../src/aggregate/chunks';
import { identityOf } from '../../src/aggregate/identities';
import { createWindowGatherer } from '../../src/aggregate/window';

const LEAF = 1;
const BEGIN = 1_790_000_000;

function buildLeaf() {
  const chunks = createChunks(0);
  return {
    chunks,
    add(point: number, slot: number, value: number, gone = 0): boolean {
      return insert(chunks, LEAF, slot, identityOf(point, slot, slot * 1000, true), point, value, true, gone);
    },
    valuesAt(second: number): number[] {
      const gatherer = createWindowGatherer();
      gatherer.begin();
      gatherer.add(chunks, LEAF, second);
      return [...gatherer.readings.values.subarray(0, gatherer.readings.count)].sort((a, b) => a - b);
    },
  };
}

describe('the chunks of a leaf', () => {
  it('hold every distinct reading once, in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.nat(40)), { maxLength: 300, size: 'max' }),
        fc.nat(400),
        (readings, after) => {
          const leaf = buildLeaf();
          const held = new Map<string, { slot: number; value: number }>();
          readings.forEach(([point, offset], value) => {
            const slot = BEGIN + offset * 10;
            const key = `${point} ${slot}`;
            if (leaf.add(point, slot, value) === held.has(key))
              throw new Error(`${key} was taken twice or not`);
            if (!held.has(key)) held.set(key, { slot, value });
          });
          const second = BEGIN + after;
          const inWindow = [...held.values()].filter(({ slot }) => slot <= second && slot > second - 300);
          expect(leaf.valuesAt(second)).toEqual(inWindow.map(({ value }) => value).sort((a, b) => a - b));
        },
      ),
    );
  });

  it('tell a crowd of one second apart without looking at each', () => {
    const leaf = buildLeaf();
    const points = Array.from({ length: 20_000 }, (_, point) => point);
    expect(points.filter((point) => leaf.add(point, BEGIN, point))).toHaveLength(20_000);
    expect(points.filter((point) => leaf.add(point, BEGIN, 0))).toEqual([]);
    expect(leaf.valuesAt(BEGIN)).toHaveLength(20_000);
    evict(leaf.chunks, LEAF, BEGIN);
    expect(leaf.chunks.crowds.size).toBe(0);
  });

  it('use what was given up again', () => {
    const leaf = buildLeaf();
    for (let second = 0; second < 5_000; second++) {
      leaf.add(0, BEGIN + second, second, BEGIN + second - 700);
    }
    expect(leaf.chunks.used).toBeLessThan(70);
    expect(leaf.valuesAt(BEGIN + 4_999)).toHaveLength(300);
  });
});
