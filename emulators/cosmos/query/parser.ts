import { tokensOf, type Token } from './lexer';
import {
  type Aggregate,
  AGGREGATES,
  type BinaryOperator,
  type Expression,
  type Query,
  QueryProblem,
} from './syntax';

/** Words that cannot name a collection or a property without brackets. */
const KEYWORDS = new Set(
  'SELECT FROM WHERE ORDER BY TOP DISTINCT VALUE AS AND OR NOT IN BETWEEN LIKE ESCAPE JOIN GROUP OFFSET LIMIT ASC DESC EXISTS ARRAY TRUE FALSE NULL UNDEFINED UDF'.split(
    ' ',
  ),
);

const COMPARISONS = new Set(['=', '!=', '<>', '<', '<=', '>', '>=']);

/**
 * Parses a query of the supported subset.
 *
 * @throws QueryProblem for a mistake, and for what Cosmos knows and this stand-in does not.
 */
export function parseQuery(text: string): Query {
  return parser(text).query();
}

/** Parses a patch's condition: `FROM c WHERE ...`. */
export function parseCondition(text: string): Expression {
  return parser(text).condition();
}

function parser(text: string): { query: () => Query; condition: () => Expression } {
  const tokens = tokensOf(text);
  let next = 0;
  /** What the FROM clause calls the document. It stands after the select list, so it is looked up first. */
  const alias = findAlias(tokens);

  const peek = (): Token => tokens[next]!;
  const isWord = (word: string, token = peek()): boolean =>
    token.kind === 'word' && token.text.toUpperCase() === word;
  const isSymbol = (symbol: string, token = peek()): boolean =>
    token.kind === 'symbol' && token.text === symbol;

  function wrong(): never {
    const { text: found, at } = peek();
    throw new QueryProblem(`Syntax error, incorrect syntax near '${found}' at ${at}.`);
  }
  function acceptWord(word: string): boolean {
    if (!isWord(word)) return false;
    next += 1;
    return true;
  }
  function acceptSymbol(symbol: string): boolean {
    if (!isSymbol(symbol)) return false;
    next += 1;
    return true;
  }
  function expectWord(word: string): void {
    if (!acceptWord(word)) wrong();
  }
  function expectSymbol(symbol: string): void {
    if (!acceptSymbol(symbol)) wrong();
  }
  function name(): string {
    const token = peek();
    if (token.kind !== 'word') wrong();
    next += 1;
    return token.text;
  }
  function refuse(what: string): never {
    throw new QueryProblem(`${what} is not supported by the local Cosmos stand-in.`);
  }

  function query(): Query {
    expectWord('SELECT');
    if (isWord('DISTINCT')) refuse('DISTINCT');
    const top = acceptWord('TOP') ? count() : undefined;
    const select = selection();
    from();
    const where = acceptWord('WHERE') ? expression() : undefined;
    if (isWord('GROUP')) refuse('GROUP BY');
    let orderBy: Query['orderBy'];
    if (acceptWord('ORDER')) {
      expectWord('BY');
      const path = expression();
      if (path.kind !== 'path' || path.names.length === 0) refuse('ORDER BY of anything but a property');
      if (path.names.some((each) => typeof each === 'number')) refuse('ORDER BY of an array element');
      const descending = acceptWord('DESC');
      if (!descending) acceptWord('ASC');
      if (isSymbol(',')) refuse('ORDER BY of more than one property');
      orderBy = { path, descending };
    }
    let offset: Expression | undefined;
    let limit: Expression | undefined;
    if (acceptWord('OFFSET')) {
      offset = count();
      expectWord('LIMIT');
      limit = count();
      if (top) throw new QueryProblem('TOP and OFFSET LIMIT cannot stand in one query.');
    }
    if (peek().kind !== 'end') wrong();
    return { select, top, where, orderBy, offset, limit };
  }

  function condition(): Expression {
    from();
    expectWord('WHERE');
    const where = expression();
    if (peek().kind !== 'end') wrong();
    return where;
  }

  function from(): void {
    expectWord('FROM');
    name();
    if (isSymbol('.') || isSymbol('[')) refuse('FROM of a part of the documents');
    if (isWord('IN')) refuse('FROM ... IN');
    if (acceptWord('AS')) name();
    else if (peek().kind === 'word' && !KEYWORDS.has(peek().text.toUpperCase())) name();
    if (isWord('JOIN')) refuse('JOIN');
  }

  /** A literal number or a parameter, after TOP, OFFSET and LIMIT. */
  function count(): Expression {
    const token = peek();
    if (token.kind !== 'number' && token.kind !== 'parameter') wrong();
    return primary();
  }

  function selection(): Query['select'] {
    if (acceptSymbol('*')) return { kind: 'all' };
    if (acceptWord('VALUE')) {
      const aggregate = acceptAggregate();
      if (aggregate) return aggregate;
      return { kind: 'value', value: expression() };
    }
    const properties: { name: string; value: Expression }[] = [];
    const names = new Set<string>();
    do {
      const token = peek();
      if (
        token.kind === 'word' &&
        AGGREGATES.has(token.text.toUpperCase()) &&
        isSymbol('(', tokens[next + 1])
      ) {
        refuse('An aggregate without VALUE');
      }
      const value = expression();
      let property: string;
      if (acceptWord('AS')) property = name();
      else if (peek().kind === 'word' && !KEYWORDS.has(peek().text.toUpperCase())) property = name();
      else if (value.kind === 'path') {
        const last = value.names.at(-1);
        property = typeof last === 'string' ? last : last === undefined ? alias : `$${properties.length + 1}`;
      } else property = `$${properties.length + 1}`;
      if (names.has(property))
        throw new QueryProblem(`The property '${property}' is selected more than once.`);
      names.add(property);
      properties.push({ name: property, value });
    } while (acceptSymbol(','));
    return { kind: 'list', properties };
  }

  function acceptAggregate(): Extract<Query['select'], { kind: 'aggregate' }> | undefined {
    const token = peek();
    if (
      token.kind !== 'word' ||
      !AGGREGATES.has(token.text.toUpperCase()) ||
      !isSymbol('(', tokens[next + 1])
    ) {
      return undefined;
    }
    next += 2;
    const argument = expression();
    expectSymbol(')');
    if (!isWord('FROM')) refuse('An aggregate inside an expression');
    return { kind: 'aggregate', aggregate: token.text.toUpperCase() as Aggregate, argument };
  }

  function expression(): Expression {
    const condition = coalesce();
    if (!acceptSymbol('?')) return condition;
    const then = expression();
    expectSymbol(':');
    return { kind: 'conditional', condition, then, otherwise: expression() };
  }

  function coalesce(): Expression {
    let left = or();
    while (acceptSymbol('??')) left = { kind: 'binary', operator: '??', left, right: or() };
    return left;
  }

  function or(): Expression {
    let left = and();
    while (acceptWord('OR')) left = { kind: 'binary', operator: 'OR', left, right: and() };
    return left;
  }

  function and(): Expression {
    let left = comparison();
    while (acceptWord('AND')) left = { kind: 'binary', operator: 'AND', left, right: comparison() };
    return left;
  }

  function comparison(): Expression {
    const negated = isWord('NOT');
    const left = concatenation();
    const token = peek();
    const comparing =
      (token.kind === 'symbol' && COMPARISONS.has(token.text)) ||
      ['IN', 'BETWEEN', 'LIKE', 'NOT'].some((word) => isWord(word));
    if (!comparing) {
      if (token.kind === 'symbol' && ['&', '|', '^', '<<', '>>', '>>>'].includes(token.text)) {
        refuse(`The operator ${token.text}`);
      }
      return left;
    }
    // Cosmos reads NOT a = b as (NOT a) = b; whoever writes it means the other.
    if (negated && left.kind === 'unary' && left.operator === 'NOT') {
      refuse('NOT before a comparison without parentheses');
    }
    if (token.kind === 'symbol') {
      next += 1;
      const operator = (token.text === '<>' ? '!=' : token.text) as BinaryOperator;
      const right = concatenation();
      if (peek().kind === 'symbol' && COMPARISONS.has(peek().text)) wrong();
      return { kind: 'binary', operator, left, right };
    }
    const not = acceptWord('NOT');
    if (acceptWord('IN')) {
      expectSymbol('(');
      const items = [expression()];
      while (acceptSymbol(',')) items.push(expression());
      expectSymbol(')');
      return { kind: 'in', needle: left, items, not };
    }
    if (acceptWord('BETWEEN')) {
      const low = concatenation();
      expectWord('AND');
      return { kind: 'between', value: left, low, high: concatenation(), not };
    }
    expectWord('LIKE');
    const pattern = concatenation();
    let escape: string | undefined;
    if (acceptWord('ESCAPE')) {
      const quoted = peek();
      if (quoted.kind !== 'string' || quoted.text.length !== 1) wrong();
      next += 1;
      escape = quoted.text;
    }
    return { kind: 'like', value: left, pattern, escape, not };
  }

  function concatenation(): Expression {
    let left = sum();
    while (acceptSymbol('||')) left = { kind: 'binary', operator: '||', left, right: sum() };
    return left;
  }

  function sum(): Expression {
    let left = product();
    while (isSymbol('+') || isSymbol('-')) {
      const operator = tokens[next++]!.text as BinaryOperator;
      left = { kind: 'binary', operator, left, right: product() };
    }
    return left;
  }

  function product(): Expression {
    let left = unary();
    while (isSymbol('*') || isSymbol('/') || isSymbol('%')) {
      const operator = tokens[next++]!.text as BinaryOperator;
      left = { kind: 'binary', operator, left, right: unary() };
    }
    return left;
  }

  function unary(): Expression {
    if (acceptWord('NOT')) return { kind: 'unary', operator: 'NOT', operand: unary() };
    if (isSymbol('~')) refuse('The operator ~');
    if (acceptSymbol('-')) return { kind: 'unary', operator: '-', operand: unary() };
    if (acceptSymbol('+')) return { kind: 'unary', operator: '+', operand: unary() };
    return postfix(primary());
  }

  function postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (acceptSymbol('.')) value = member(value, { kind: 'literal', value: name() });
      else if (acceptSymbol('[')) {
        const index = expression();
        expectSymbol(']');
        value = member(value, index);
      } else return value;
    }
  }

  function member(object: Expression, index: Expression): Expression {
    if (object.kind === 'path' && index.kind === 'literal') {
      if (typeof index.value === 'string' || typeof index.value === 'number') {
        return { kind: 'path', names: [...object.names, index.value] };
      }
    }
    return { kind: 'member', object, name: index };
  }

  function primary(): Expression {
    const token = peek();
    next += 1;
    switch (token.kind) {
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'string':
        return { kind: 'literal', value: token.text };
      case 'parameter':
        return { kind: 'parameter', name: token.text };
      case 'symbol':
        if (token.text === '(') {
          if (isWord('SELECT')) refuse('A subquery');
          const inner = expression();
          expectSymbol(')');
          return inner;
        }
        if (token.text === '[') {
          const items: Expression[] = [];
          if (!isSymbol(']')) {
            do items.push(expression());
            while (acceptSymbol(','));
          }
          expectSymbol(']');
          return { kind: 'array', items };
        }
        if (token.text === '{') return object();
        break;
      case 'word':
        return word(token);
    }
    next -= 1;
    return wrong();
  }

  function object(): Expression {
    const properties: { name: string; value: Expression }[] = [];
    if (!isSymbol('}')) {
      do {
        const key = peek();
        if (key.kind !== 'string' && key.kind !== 'word') wrong();
        next += 1;
        expectSymbol(':');
        properties.push({ name: key.text, value: expression() });
      } while (acceptSymbol(','));
    }
    expectSymbol('}');
    return { kind: 'object', properties };
  }

  function word(token: Token): Expression {
    const upper = token.text.toUpperCase();
    // true, false, null and undefined are written in lower case.
    if (token.text === 'true') return { kind: 'literal', value: true };
    if (token.text === 'false') return { kind: 'literal', value: false };
    if (token.text === 'null') return { kind: 'literal', value: null };
    if (token.text === 'undefined') return { kind: 'literal', value: undefined };
    if (upper === 'UDF') refuse('A user-defined function');
    if (upper === 'EXISTS' || upper === 'ARRAY') refuse(`The subquery ${upper}`);
    if (isSymbol('(')) {
      next += 1;
      const list: Expression[] = [];
      if (!isSymbol(')')) {
        do list.push(expression());
        while (acceptSymbol(','));
      }
      expectSymbol(')');
      if (AGGREGATES.has(upper)) refuse('An aggregate other than SELECT VALUE of it');
      return { kind: 'call', name: upper, arguments: list };
    }
    if (token.text === alias) return { kind: 'path', names: [] };
    if (KEYWORDS.has(upper)) {
      next -= 1;
      wrong();
    }
    throw new QueryProblem(`Identifier '${token.text}' could not be resolved.`);
  }

  return { query, condition };
}

function findAlias(tokens: Token[]): string {
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === 'symbol' && '([{'.includes(token.text)) depth += 1;
    if (token.kind === 'symbol' && ')]}'.includes(token.text)) depth -= 1;
    if (depth !== 0 || token.kind !== 'word' || token.text.toUpperCase() !== 'FROM') continue;
    const before = tokens[i - 1];
    if (before?.kind === 'symbol' && before.text === '.') continue;
    const named = tokens[i + 1];
    if (named?.kind !== 'word') break;
    let alias = tokens[i + 2];
    if (alias?.kind === 'word' && alias.text.toUpperCase() === 'AS') alias = tokens[i + 3];
    if (alias?.kind === 'word' && !KEYWORDS.has(alias.text.toUpperCase())) return alias.text;
    return named.text;
  }
  throw new QueryProblem('Syntax error: the query has no FROM clause.');
}
