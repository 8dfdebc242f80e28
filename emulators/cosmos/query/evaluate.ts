import { functionNamed } from './functions';
import { compareText, same } from './order';
import { type BinaryOperator, type Expression, QueryProblem } from './syntax';

/** A compiled expression: `undefined` is Cosmos's undefined, which a missing property has. */
export type Evaluate = (document: unknown) => unknown;

/**
 * Compiles an expression to a function of the document. The rules for undefined, null and mixed types are those of
 * the query engine that Microsoft tests its SDK against (azure-cosmos-dotnet-v3, OfflineEngine,
 * ScalarExpressionEvaluator):
 *
 * - `=` and `!=` are undefined where a side is; values of different types are unequal; arrays and objects compare deep.
 * - `<`, `<=`, `>`, `>=` are undefined between different types, and between arrays or objects.
 * - AND is false where a side is false, OR true where a side is true; else a side that is no boolean makes it undefined.
 */
export function compile(expression: Expression, parameters: ReadonlyMap<string, unknown>): Evaluate {
  const inner = (each: Expression): Evaluate => compile(each, parameters);
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression;
      return () => value;
    }
    case 'parameter': {
      if (!parameters.has(expression.name)) {
        throw new QueryProblem(`The query parameter ${expression.name} has no value.`);
      }
      const value = parameters.get(expression.name);
      return () => value;
    }
    case 'path': {
      const { names } = expression;
      if (names.length === 1) {
        const name = names[0]!;
        return (document) => member(document, name);
      }
      return (document) => {
        let value = document;
        for (const name of names) value = member(value, name);
        return value;
      };
    }
    case 'member': {
      const object = inner(expression.object);
      const name = inner(expression.name);
      return (document) => member(object(document), name(document));
    }
    case 'unary': {
      const operand = inner(expression.operand);
      if (expression.operator === 'NOT') {
        return (document) => {
          const value = operand(document);
          return typeof value === 'boolean' ? !value : undefined;
        };
      }
      const sign = expression.operator === '-' ? -1 : 1;
      return (document) => {
        const value = operand(document);
        return typeof value === 'number' ? sign * value : undefined;
      };
    }
    case 'binary':
      return binary(expression.operator, inner(expression.left), inner(expression.right));
    case 'in': {
      const needle = inner(expression.needle);
      const items = expression.items.map(inner);
      const { not } = expression;
      return (document) => {
        const value = needle(document);
        if (value === undefined) return undefined;
        return items.some((item) => same(value, item(document))) !== not;
      };
    }
    case 'between': {
      const value = inner(expression.value);
      const low = inner(expression.low);
      const high = inner(expression.high);
      const { not } = expression;
      return (document) => {
        const middle = value(document);
        const atLeast = ordered(middle, low(document));
        const atMost = ordered(middle, high(document));
        const inside = conjunction(
          atLeast === undefined ? undefined : atLeast >= 0,
          atMost === undefined ? undefined : atMost <= 0,
        );
        return not && inside !== undefined ? !inside : inside;
      };
    }
    case 'like': {
      const value = inner(expression.value);
      const pattern = inner(expression.pattern);
      const { not, escape } = expression;
      let known: { text: string; pattern: RegExp } | undefined;
      return (document) => {
        const text = value(document);
        const like = pattern(document);
        if (typeof text !== 'string' || typeof like !== 'string') return undefined;
        if (known?.text !== like) known = { text: like, pattern: likePattern(like, escape) };
        return known.pattern.test(text) !== not;
      };
    }
    case 'conditional': {
      const condition = inner(expression.condition);
      const then = inner(expression.then);
      const otherwise = inner(expression.otherwise);
      return (document) => (condition(document) === true ? then(document) : otherwise(document));
    }
    case 'call': {
      const call = functionNamed(expression.name, expression.arguments.length);
      const list = expression.arguments.map(inner);
      if (list.length === 1) {
        const only = list[0]!;
        return (document) => call(only(document));
      }
      return (document) => call(...list.map((each) => each(document)));
    }
    case 'array': {
      const items = expression.items.map(inner);
      return (document) => items.map((item) => item(document)).filter((value) => value !== undefined);
    }
    case 'object': {
      const properties = expression.properties.map(({ name, value }) => ({ name, value: inner(value) }));
      return (document) => projected(properties, document);
    }
  }
}

/** An object of the properties that are defined. */
export function projected(properties: { name: string; value: Evaluate }[], document: unknown): unknown {
  const object: Record<string, unknown> = {};
  for (const { name, value } of properties) {
    const each = value(document);
    if (each === undefined) continue;
    if (name === '__proto__') Object.defineProperty(object, name, { value: each, enumerable: true });
    else object[name] = each;
  }
  return object;
}

function binary(operator: BinaryOperator, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case 'AND':
      return (document) => {
        const a = left(document);
        return a === false ? false : conjunction(a, right(document));
      };
    case 'OR':
      return (document) => {
        const a = left(document);
        if (a === true) return true;
        const b = right(document);
        if (b === true) return true;
        return a === false && b === false ? false : undefined;
      };
    case '=':
      return (document) => equality(left(document), right(document));
    case '!=':
      return (document) => {
        const equal = equality(left(document), right(document));
        return equal === undefined ? undefined : !equal;
      };
    case '<':
      return comparing(left, right, (order) => order < 0);
    case '<=':
      return comparing(left, right, (order) => order <= 0);
    case '>':
      return comparing(left, right, (order) => order > 0);
    case '>=':
      return comparing(left, right, (order) => order >= 0);
    case '??':
      return (document) => {
        const value = left(document);
        return value === undefined ? right(document) : value;
      };
    case '||':
      return (document) => {
        const a = left(document);
        const b = right(document);
        return typeof a === 'string' && typeof b === 'string' ? a + b : undefined;
      };
    case '+':
      return arithmetic(left, right, (a, b) => a + b);
    case '-':
      return arithmetic(left, right, (a, b) => a - b);
    case '*':
      return arithmetic(left, right, (a, b) => a * b);
    case '/':
      return arithmetic(left, right, (a, b) => a / b);
    case '%':
      return arithmetic(left, right, (a, b) => a % b);
  }
}

function comparing(left: Evaluate, right: Evaluate, holds: (order: number) => boolean): Evaluate {
  return (document) => {
    const order = ordered(left(document), right(document));
    return order === undefined ? undefined : holds(order);
  };
}

function arithmetic(left: Evaluate, right: Evaluate, operate: (a: number, b: number) => number): Evaluate {
  return (document) => {
    const a = left(document);
    const b = right(document);
    if (typeof a !== 'number' || typeof b !== 'number') return undefined;
    const result = operate(a, b);
    // JSON has no infinities.
    return Number.isFinite(result) ? result : undefined;
  };
}

function conjunction(a: unknown, b: unknown): boolean | undefined {
  if (a === false || b === false) return false;
  return a === true && b === true ? true : undefined;
}

function equality(a: unknown, b: unknown): boolean | undefined {
  return a === undefined || b === undefined ? undefined : same(a, b);
}

/** The order of two values of one scalar type, `undefined` where they have none. */
export function ordered(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return a === null && b === null ? 0 : undefined;
}

function member(value: unknown, name: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    return typeof name === 'number' && Number.isInteger(name) && name >= 0
      ? (value[name] as unknown)
      : undefined;
  }
  return typeof name === 'string' && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** A LIKE pattern: `%` any text, `_` one character, `[abc]`, `[a-c]` and `[^abc]` one of a set. */
function likePattern(like: string, escape: string | undefined): RegExp {
  let source = '';
  for (let i = 0; i < like.length; i++) {
    const character = like[i]!;
    if (character === escape && i + 1 < like.length) source += quoted(like[++i]!);
    else if (character === '%') source += '[^]*';
    else if (character === '_') source += '[^]';
    else if (character === '[') {
      const end = like.indexOf(']', i + 1);
      if (end === -1) {
        source += quoted(character);
        continue;
      }
      const set = like.slice(i + 1, end);
      const negated = set.startsWith('^');
      const members = (negated ? set.slice(1) : set).replace(/[\\\]^[]/g, '\\$&');
      source += `[${negated ? '^' : ''}${members}]`;
      i = end;
    } else source += quoted(character);
  }
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch {
    throw new QueryProblem(`The LIKE pattern '${like}' is invalid: a range in it ends before it begins.`);
  }
}

function quoted(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
