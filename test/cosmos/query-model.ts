/**
 * The query subset as a plain model: slow, without indexes, SQL text or compilation, written from Azure's pages on
 * undefined, null and mixed types. `undefined` is Cosmos's undefined.
 */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Maybe = Json | undefined;

export type Filter =
  | {
      is: 'compare';
      path: string[];
      operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
      value: Json;
      flipped: boolean;
    }
  | { is: 'paths'; left: string[]; operator: '=' | '<'; right: string[] }
  | { is: 'and' | 'or'; left: Filter; right: Filter }
  | { is: 'not'; inner: Filter }
  | { is: 'in'; path: string[]; values: Json[]; not: boolean }
  | { is: 'between'; path: string[]; low: Json; high: Json; not: boolean }
  | { is: 'defined' | 'null' | 'string' | 'number'; path: string[] }
  | { is: 'starts'; path: string[]; prefix: string }
  | { is: 'contains'; path: string[]; value: Json };

export interface ModelQuery {
  filter?: Filter;
  order?: { path: string[]; descending: boolean };
  top?: number;
}

export interface ModelDocument {
  id: string;
  [name: string]: Json;
}

/** The ids that a query returns: in order where it has one, else by id. */
export function answer(documents: ModelDocument[], { filter, order, top }: ModelQuery): string[] {
  let kept = documents.filter((document) => filter === undefined || holds(filter, document) === true);
  kept.sort((a, b) => codePoints(a.id, b.id));
  if (order) {
    kept = kept.filter((document) => at(document, order.path) !== undefined);
    kept.sort((a, b) => places(at(a, order.path)!, at(b, order.path)!) || codePoints(a.id, b.id));
    if (order.descending) kept.reverse();
  }
  return kept.slice(0, top ?? kept.length).map(({ id }) => id);
}

/** The filter as query text, its values as parameters. */
export function textOf(query: ModelQuery): { query: string; parameters: { name: string; value: Json }[] } {
  const parameters: { name: string; value: Json }[] = [];
  const parameter = (value: Json): string => {
    parameters.push({ name: `@p${parameters.length}`, value });
    return parameters.at(-1)!.name;
  };
  const path = (names: string[]): string => `c${names.map((name) => `["${name}"]`).join('')}`;
  const text = (filter: Filter): string => {
    switch (filter.is) {
      case 'compare': {
        const sides = [path(filter.path), parameter(filter.value)];
        if (filter.flipped) sides.reverse();
        return sides.join(` ${filter.operator} `);
      }
      case 'paths':
        return `${path(filter.left)} ${filter.operator} ${path(filter.right)}`;
      case 'and':
      case 'or':
        return `(${text(filter.left)} ${filter.is.toUpperCase()} ${text(filter.right)})`;
      case 'not':
        return `NOT (${text(filter.inner)})`;
      case 'in':
        return `${path(filter.path)} ${filter.not ? 'NOT ' : ''}IN (${filter.values.map(parameter).join(', ')})`;
      case 'between':
        return `(${path(filter.path)} ${filter.not ? 'NOT ' : ''}BETWEEN ${parameter(filter.low)} AND ${parameter(filter.high)})`;
      case 'starts':
        return `STARTSWITH(${path(filter.path)}, ${parameter(filter.prefix)})`;
      case 'contains':
        return `ARRAY_CONTAINS(${path(filter.path)}, ${parameter(filter.value)})`;
      default:
        return `IS_${filter.is.toUpperCase()}(${path(filter.path)})`;
    }
  };
  const { filter, order, top } = query;
  const parts = [
    `SELECT${top === undefined ? '' : ` TOP ${top}`} VALUE c.id FROM c`,
    ...(filter ? [`WHERE ${text(filter)}`] : []),
    ...(order ? [`ORDER BY ${path(order.path)}${order.descending ? ' DESC' : ''}`] : []),
  ];
  return { query: parts.join(' '), parameters };
}

function holds(filter: Filter, document: ModelDocument): boolean | undefined {
  const value = 'path' in filter ? at(document, filter.path) : undefined;
  switch (filter.is) {
    case 'compare':
      return filter.flipped
        ? compared(filter.value, filter.operator, value)
        : compared(value, filter.operator, filter.value);
    case 'paths':
      return compared(at(document, filter.left), filter.operator, at(document, filter.right));
    case 'and':
      return all(holds(filter.left, document), holds(filter.right, document));
    case 'or': {
      const sides = [holds(filter.left, document), holds(filter.right, document)];
      if (sides.includes(true)) return true;
      return sides.includes(undefined) ? undefined : false;
    }
    case 'not':
      return negated(holds(filter.inner, document));
    case 'in':
      return value === undefined
        ? undefined
        : filter.values.some((each) => equal(each, value)) !== filter.not;
    case 'between': {
      const inside = all(compared(value, '>=', filter.low), compared(value, '<=', filter.high));
      return filter.not ? negated(inside) : inside;
    }
    case 'defined':
      return value !== undefined;
    case 'null':
      return value === null;
    case 'string':
    case 'number':
      return typeof value === filter.is;
    case 'starts':
      return typeof value === 'string' ? value.startsWith(filter.prefix) : undefined;
    case 'contains':
      return Array.isArray(value) ? value.some((each) => equal(each, filter.value)) : undefined;
  }
}

function all(a: boolean | undefined, b: boolean | undefined): boolean | undefined {
  if (a === false || b === false) return false;
  return a === undefined || b === undefined ? undefined : true;
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function compared(a: Maybe, operator: string, b: Maybe): boolean | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (operator === '=') return equal(a, b);
  if (operator === '!=') return !equal(a, b);
  // Only two scalars of one type stand in an order.
  if (rank(a) !== rank(b) || rank(a) >= 4) return undefined;
  const order = places(a, b);
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator];
}

function equal(a: Json, b: Json): boolean {
  return sortedText(a) === sortedText(b);
}

/** JSON text with every object's names sorted: the same for equal values. */
function sortedText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value === 0 ? 0 : value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${sortedText(value[name]!)}`).join()}}`;
}

/** null, booleans, numbers, texts, arrays, objects. */
function rank(value: Json): number {
  if (value === null) return 0;
  const scalar = ['boolean', 'number', 'string'].indexOf(typeof value);
  if (scalar !== -1) return scalar + 1;
  return Array.isArray(value) ? 4 : 5;
}

function places(a: Json, b: Json): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === 'string') return codePoints(a, b as string);
  if (typeof a === 'object') return 0;
  return Number(a) - Number(b);
}

function codePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function at(document: ModelDocument, path: string[]): Maybe {
  let value: Maybe = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}
