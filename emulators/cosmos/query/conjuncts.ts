import { isScalarRank, type Place, placeOf, STRING_RANK } from './order';
import { type Expression } from './syntax';

/** A stretch of values of one type: what an index can be asked for. */
export interface Segment {
  rank: number;
  low?: { value: number | string; inclusive: boolean };
  high?: { value: number | string; inclusive: boolean };
}

/** What a condition says of one path: its values lie in these segments, which stand in order. */
export interface PathCondition {
  names: string[];
  segments: Segment[];
  /** One value, not a range. */
  equality: boolean;
}

/** The conditions that are joined by AND. Those that no index can answer are only counted. */
export function conjunctsOf(
  where: Expression | undefined,
  parameters: ReadonlyMap<string, unknown>,
): { conditions: PathCondition[]; others: number } {
  const conditions: PathCondition[] = [];
  let others = 0;
  const visit = (expression: Expression): void => {
    if (expression.kind === 'binary' && expression.operator === 'AND') {
      visit(expression.left);
      visit(expression.right);
      return;
    }
    const condition = conditionOf(expression, parameters);
    if (condition) conditions.push(condition);
    else others += 1;
  };
  if (where) visit(where);
  return { conditions, others };
}

const FLIPPED: Record<string, string> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function conditionOf(
  expression: Expression,
  parameters: ReadonlyMap<string, unknown>,
): PathCondition | undefined {
  const constant = (each: Expression): { place: Place } | undefined => {
    let value: unknown;
    if (each.kind === 'literal') value = each.value;
    else if (each.kind === 'parameter') value = parameters.get(each.name);
    else return undefined;
    const place = placeOf(value);
    return isScalarRank(place[0]) ? { place } : undefined;
  };

  if (expression.kind === 'binary') {
    const direct = namesOf(expression.left);
    const names = direct ?? namesOf(expression.right);
    const value = constant(direct ? expression.right : expression.left);
    const operator = direct ? expression.operator : FLIPPED[expression.operator];
    if (!names || !value || operator === undefined) return undefined;
    const [rank, bound] = value.place;
    switch (operator) {
      case '=':
        return { names, segments: [only(value.place)], equality: true };
      case '<':
      case '<=':
        return {
          names,
          segments: [{ rank, high: { value: bound, inclusive: operator === '<=' } }],
          equality: false,
        };
      case '>':
      case '>=':
        return {
          names,
          segments: [{ rank, low: { value: bound, inclusive: operator === '>=' } }],
          equality: false,
        };
      default:
        return undefined;
    }
  }
  if (expression.kind === 'in' && !expression.not) {
    const names = namesOf(expression.needle);
    const places = expression.items.map(constant);
    if (!names || places.some((place) => place === undefined)) return undefined;
    const distinct = new Map(places.map((each) => [JSON.stringify(each!.place), each!.place]));
    return { names, segments: [...distinct.values()].map(only), equality: false };
  }
  if (expression.kind === 'between' && !expression.not) {
    const names = namesOf(expression.value);
    const low = constant(expression.low)?.place;
    const high = constant(expression.high)?.place;
    if (!names || !low || !high || low[0] !== high[0]) return undefined;
    return {
      names,
      segments: [
        { rank: low[0], low: { value: low[1], inclusive: true }, high: { value: high[1], inclusive: true } },
      ],
      equality: false,
    };
  }
  if (expression.kind === 'call' && expression.name === 'STARTSWITH' && expression.arguments.length === 2) {
    const names = namesOf(expression.arguments[0]!);
    const prefix = constant(expression.arguments[1]!)?.place;
    if (!names || !prefix || prefix[0] !== STRING_RANK) return undefined;
    const after = textAfter(prefix[1] as string);
    return {
      names,
      segments: [
        {
          rank: STRING_RANK,
          low: { value: prefix[1], inclusive: true },
          ...(after === undefined ? {} : { high: { value: after, inclusive: false } }),
        },
      ],
      equality: false,
    };
  }
  return undefined;
}

function only([rank, value]: Place): Segment {
  return { rank, low: { value, inclusive: true }, high: { value, inclusive: true } };
}

/** The names of a path without array elements, which indexes do not hold. */
export function namesOf(expression: Expression): string[] | undefined {
  if (expression.kind !== 'path' || expression.names.length === 0) return undefined;
  return expression.names.every((name) => typeof name === 'string')
    ? (expression.names as string[])
    : undefined;
}

/** The least text above all that start with a prefix, where there is one. */
function textAfter(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    if (last < 0x10ffff) {
      // Surrogates are no characters.
      return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
    }
  }
  return undefined;
}
