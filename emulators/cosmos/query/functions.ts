import { same } from './order';
import { QueryProblem } from './syntax';

type Function = (...values: unknown[]) => unknown;

interface Entry {
  least: number;
  most: number;
  call: Function;
}

/** A function of the right types, undefined for any other. */
function ofNumber(call: (value: number) => number): Entry {
  return {
    least: 1,
    most: 1,
    call: (value) => (typeof value === 'number' ? finite(call(value)) : undefined),
  };
}

function ofText(call: (value: string) => unknown): Entry {
  return { least: 1, most: 1, call: (value) => (typeof value === 'string' ? call(value) : undefined) };
}

/** A test of a type, never undefined. */
function test(call: (value: unknown) => boolean): Entry {
  return { least: 1, most: 1, call };
}

/** A search for one text in another, with a third argument that lets case be ignored. */
function search(call: (text: string, part: string) => boolean): Entry {
  return {
    least: 2,
    most: 3,
    call(text, part, ignoreCase = false) {
      if (typeof text !== 'string' || typeof part !== 'string' || typeof ignoreCase !== 'boolean')
        return undefined;
      return ignoreCase ? call(text.toUpperCase(), part.toUpperCase()) : call(text, part);
    },
  };
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPrimitive = (value: unknown): boolean =>
  value !== undefined && (value === null || typeof value !== 'object');

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** The functions that are known (https://learn.microsoft.com/azure/cosmos-db/nosql/query/system-functions). */
const FUNCTIONS: Record<string, Entry> = {
  IS_DEFINED: test((value) => value !== undefined),
  IS_NULL: test((value) => value === null),
  IS_BOOL: test((value) => typeof value === 'boolean'),
  IS_NUMBER: test((value) => typeof value === 'number'),
  IS_STRING: test((value) => typeof value === 'string'),
  IS_ARRAY: test(Array.isArray),
  IS_OBJECT: test(isObject),
  IS_PRIMITIVE: test(isPrimitive),
  STARTSWITH: search((text, part) => text.startsWith(part)),
  ENDSWITH: search((text, part) => text.endsWith(part)),
  CONTAINS: search((text, part) => text.includes(part)),
  STRINGEQUALS: search((text, part) => text === part),
  LOWER: ofText((text) => text.toLowerCase()),
  UPPER: ofText((text) => text.toUpperCase()),
  LENGTH: ofText((text) => text.length),
  TRIM: ofText((text) => text.trim()),
  CONCAT: {
    least: 2,
    most: 100,
    call: (...texts) => (texts.every((text) => typeof text === 'string') ? texts.join('') : undefined),
  },
  ABS: ofNumber(Math.abs),
  CEILING: ofNumber(Math.ceil),
  FLOOR: ofNumber(Math.floor),
  ARRAY_LENGTH: { least: 1, most: 1, call: (list) => (Array.isArray(list) ? list.length : undefined) },
  ARRAY_CONTAINS: {
    least: 2,
    most: 3,
    call(list, value, partial = false) {
      if (!Array.isArray(list) || value === undefined || typeof partial !== 'boolean') return undefined;
      return list.some((each) => (partial ? includes(each, value) : same(each, value)));
    },
  },
};

/** Whether an object holds all properties of another: a partial match. */
function includes(whole: unknown, part: unknown): boolean {
  if (!isObject(whole) || !isObject(part)) return same(whole, part);
  return Object.entries(part as object).every(
    ([name, value]) => Object.hasOwn(whole as object, name) && includes((whole as never)[name], value),
  );
}

/** @throws QueryProblem where the function is not known or does not take this many arguments. */
export function functionNamed(name: string, count: number): Function {
  const entry = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!entry) throw new QueryProblem(`The function ${name} is not supported by the local Cosmos stand-in.`);
  if (count < entry.least || count > entry.most) {
    throw new QueryProblem(
      `The function ${name} takes ${entry.least} to ${entry.most} arguments, not ${count}.`,
    );
  }
  return entry.call;
}
