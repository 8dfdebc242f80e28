import fc from 'fast-check';
import {
  mergePatch,
  PROPERTY_LIMITS,
  propertiesProblem,
  type Properties,
} from '../../src/domain/twin-properties';

describe('a patch of properties', () => {
  /** The examples of RFC 7396, appendix A, whose target and patch are objects or whose target is replaced by one. */
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('makes of %s with %s what RFC 7396 says', (target, patch, result) => {
    expect(mergePatch(JSON.parse(target), JSON.parse(patch) as Properties)).toEqual(JSON.parse(result));
  });

  it('takes keys that every object answers to for keys like others', () => {
    const patch = JSON.parse('{"constructor":{"a":1},"toString":{"b":null}}') as Properties;
    expect(JSON.stringify(mergePatch({}, patch))).toBe('{"constructor":{"a":1},"toString":{}}');
  });

  it('changes nothing when applied a second time, and leaves its arguments as they were', () => {
    const json = fc.object({
      maxDepth: 3,
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      withNullPrototype: false,
    });
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });
});

describe('properties', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { deeper: nested(levels - 1) });

  it('may be ten levels deep below the outermost, and no deeper', () => {
    expect(propertiesProblem(nested(PROPERTY_LIMITS.depth + 1))).toBeUndefined();
    expect(propertiesProblem(nested(PROPERTY_LIMITS.depth + 2))).toMatchObject({
      path: Array(11).fill('deeper').join('.'),
      message: 'is more than 10 levels deep',
    });
    // Deep enough to break a recursion that has no bound.
    expect(propertiesProblem(JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`))).toBeDefined();
  });

  it('may have 32 kB as JSON in UTF-8, and no more', () => {
    const texts = (count: number): Properties =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'é'.repeat(2000)]));
    expect(propertiesProblem(texts(8))).toBeUndefined();
    expect(propertiesProblem(texts(9))?.message).toMatch(/bytes as JSON and may have 32768/);
  });

  it.each([
    ['an array', [1], '', 'must be a JSON object'],
    ['null', null, '', 'must be a JSON object'],
    ['a number that is not finite', { a: { b: Infinity } }, 'a.b', 'finite'],
    ['a long text', { a: ['x'.repeat(4097)] }, 'a.0', '4096 bytes'],
    ['a key with a dot', { a: { 'b.c': 1 } }, 'a', "'.'"],
    ['a key with a dollar', { $version: 1 }, '', "'$'"],
    ['a key with a space', { 'a b': 1 }, '', "' '"],
    ['a key with a control character', { 'a\u0085': 1 }, '', 'control'],
    ['an empty key', { '': 1 }, '', 'empty'],
    ['a long key', { ['k'.repeat(1025)]: 1 }, '', '1024 bytes'],
    ['the key of prototypes', JSON.parse('{"a":[{"__proto__":{}}]}'), 'a.0', 'not allowed'],
  ])('are refused with %s, naming where', (_what, properties, path, message) => {
    expect(propertiesProblem(properties)).toEqual({ path, message: expect.stringContaining(message) });
  });
});
