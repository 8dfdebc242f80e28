import 'reflect-metadata';
import fc from 'fast-check';
import { getOperationAST, parse } from 'graphql';
import { createDocumentCache } from '../../src/api/document-cache';
import { limitObjects } from '../../src/api/object-count';
import { createLatestAverages } from '../../src/live/latest';
import { currentValue } from '../../src/resolvers/average/current';
import { createCursors } from '../../src/resolvers/cursor';
import { createSchema } from '../../src/resolvers/schema';
import { average } from './api.support';

describe('cursors', () => {
  const cursors = createCursors({ key: Buffer.alloc(32, 1) });
  const binding = fc.record({
    principalId: fc.string(),
    list: fc.string(),
    arguments: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
  });

  it('open to the position that was sealed, for the same caller, list and arguments', () => {
    fc.assert(
      fc.property(binding, fc.string({ unit: 'grapheme' }), (bound, position) => {
        expect(cursors.open(bound, cursors.seal(bound, position))).toBe(position);
      }),
    );
  });

  it('open for nobody else, nowhere else, and not when changed', () => {
    fc.assert(
      fc.property(binding, binding, fc.string(), fc.nat(), (bound, other, position, place) => {
        const cursor = cursors.seal(bound, position);
        fc.pre(JSON.stringify(bound) !== JSON.stringify(other));
        expect(() => cursors.open(other, cursor)).toThrow(/not a cursor of this list/);
        const bytes = Buffer.from(cursor, 'base64url');
        bytes[place % bytes.length]! ^= 1;
        expect(() => cursors.open(bound, bytes.toString('base64url'))).toThrow(/not a cursor of this list/);
      }),
    );
  });

  it('of another key are refused', () => {
    const bound = { principalId: 'p', list: 'l', arguments: [] };
    const foreign = createCursors({ key: Buffer.alloc(32, 2) }).seal(bound, '1');
    expect(() => cursors.open(bound, foreign)).toThrow(/not a cursor of this list/);
  });
});

describe('the cache of documents', () => {
  it('keeps what is used, within its bound, through a flood of others', () => {
    const cache = createDocumentCache({ maximumCharacters: 1_000 });
    const document = parse('{ viewer { id } }');
    cache.set('used', document, 100);
    for (let index = 0; index < 5_000; index++) {
      cache.set(`other ${index}`, document, 100);
      expect(cache.get('used')).toBe(document);
    }
    const kept = Array.from({ length: 5_000 }, (_, index) => cache.get(`other ${index}`)).filter(Boolean);
    expect(kept).toHaveLength(9);
  });

  it('does not keep one that is larger than all of it', () => {
    const cache = createDocumentCache({ maximumCharacters: 1_000 });
    cache.set('small', parse('{ a }'), 10);
    cache.set('huge', parse('{ a }'), 2_000);
    expect(cache.get('huge')).toBeUndefined();
    expect(cache.get('small')).toBeDefined();
  });
});

describe('the latest averages', () => {
  const building = { id: 'bld_1', tenantId: 'ten_1' };
  const place = { tenantId: 'ten_1', buildingId: 'bld_1' };
  const at = (sequence: number, windowEnd: number, mean: number, incarnation = 'one') =>
    average(building, {
      windowEnd,
      mean,
      asOf: windowEnd * 1000,
      lastReadingAt: 0,
      position: { incarnation, partition: 0, sequence },
    });

  it('tell news from a repetition and from an old owner', () => {
    const latest = createLatestAverages();
    expect(latest.take(at(5, 100, 20))).toBe('changed');
    expect(latest.take(at(6, 101, 20))).toBe('unchanged');
    expect(latest.of(place)[0]!.windowEnd).toBe(101);
    // An owner that lost the partition says it is younger and has counted less.
    expect(latest.take(at(5, 102, 19))).toBe('stale');
    expect(latest.take(at(6, 101, 21))).toBe('changed');
    expect(latest.of(place)[0]!.mean).toBe(21);
  });

  it('go over to another life of the stream, whose positions begin again, and not back', () => {
    const latest = createLatestAverages();
    latest.take(at(5_000, 100, 20));
    expect(latest.take(at(1, 101, 22, 'two'))).toBe('changed');
    expect(latest.take(at(5_001, 100, 20))).toBe('stale');
    expect(latest.of(place)[0]!.mean).toBe(22);
  });

  it('keep a building, a space in it and another owner’s building of the same id apart', () => {
    const latest = createLatestAverages();
    latest.take(at(5, 100, 20));
    latest.take({ ...at(5, 100, 19), spaceId: 'spc_1' });
    latest.take({ ...at(4, 100, 18), tenantId: 'ten_2' });
    const meanOf = (each: Partial<typeof place & { spaceId: string }>): (number | null)[] =>
      latest.of({ ...place, ...each }).map(({ mean }) => mean);
    expect(meanOf({})).toEqual([20]);
    expect(meanOf({ spaceId: 'spc_1' })).toEqual([19]);
    expect(meanOf({ spaceId: 'spc_2' })).toEqual([]);
    expect(meanOf({ tenantId: 'ten_2' })).toEqual([18]);
    expect(meanOf({ tenantId: 'ten_2', spaceId: 'spc_1' })).toEqual([]);
  });
});

describe('a stored value', () => {
  it('holds nothing once its window has passed, and stands until then', () => {
    const value = { ...average({ id: 'b', tenantId: 't' }, { windowEnd: 1_000 }), revision: 3 };
    expect(currentValue(value, 1_299_999)).toBe(value);
    expect(currentValue(value, 1_300_000)).toEqual({
      ...value,
      deviceMean: null,
      windowEnd: 1_300,
      asOf: 1_300_000,
      mean: null,
      minimum: null,
      maximum: null,
      readings: 0,
      devicesReporting: 0,
    });
  });
});

describe('the count of objects that an operation could ask for', () => {
  const check = (source: string, maximum: number): void => {
    const document = parse(source);
    limitObjects(createSchema(), document, getOperationAST(document)!, {}, maximum);
  };

  it('ends for fragments that each spread the next one twice, however many there are', () => {
    const fragments = Array.from(
      { length: 150 },
      (_, i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`,
    );
    check(`{ viewer { ...F0 } } ${fragments.join(' ')} fragment F150 on Viewer { id }`, 10);
  });

  it('counts what a fragment asks for, in each selection that spreads it', () => {
    const page = 'fragment Page on BuildingConnection { nodes { id } }';
    const source = `{ a: buildings(first: 40) { ...Page ...Page } b: buildings(first: 60) { ...Page } } ${page}`;
    check(source, 102);
    expect(() => check(source, 101)).toThrow('more than 101 objects');
  });
});
