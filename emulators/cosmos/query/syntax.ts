/** The syntax tree of the queries that are understood. */
export type Expression =
  | { kind: 'literal'; value: unknown }
  | { kind: 'parameter'; name: string }
  /** A property of the document: `c.a.b`, `c["a"]`, `c.list[0]`; no names is the document itself. */
  | { kind: 'path'; names: (string | number)[] }
  /** A property of a value that is not a path of the document, or by a computed name. */
  | { kind: 'member'; object: Expression; name: Expression }
  | { kind: 'unary'; operator: 'NOT' | '-' | '+'; operand: Expression }
  | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
  | { kind: 'in'; needle: Expression; items: Expression[]; not: boolean }
  | { kind: 'between'; value: Expression; low: Expression; high: Expression; not: boolean }
  | { kind: 'like'; value: Expression; pattern: Expression; escape?: string; not: boolean }
  | { kind: 'conditional'; condition: Expression; then: Expression; otherwise: Expression }
  | { kind: 'call'; name: string; arguments: Expression[] }
  | { kind: 'array'; items: Expression[] }
  | { kind: 'object'; properties: { name: string; value: Expression }[] };

export type BinaryOperator =
  'AND' | 'OR' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%' | '||' | '??';

export type Aggregate = 'COUNT' | 'SUM' | 'MIN' | 'MAX' | 'AVG';
export const AGGREGATES: ReadonlySet<string> = new Set(['COUNT', 'SUM', 'MIN', 'MAX', 'AVG']);

export interface Query {
  select:
    | { kind: 'all' }
    | { kind: 'value'; value: Expression }
    | { kind: 'aggregate'; aggregate: Aggregate; argument: Expression }
    | { kind: 'list'; properties: { name: string; value: Expression }[] };
  top?: Expression;
  where?: Expression;
  orderBy?: { path: Expression; descending: boolean };
  offset?: Expression;
  limit?: Expression;
}

/** What is wrong with a query, or not supported: it becomes a 400. */
export class QueryProblem extends Error {}
