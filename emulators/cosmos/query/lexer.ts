import { QueryProblem } from './syntax';

export interface Token {
  kind: 'word' | 'number' | 'string' | 'parameter' | 'symbol' | 'end';
  /** A word as written, a symbol, a parameter with its @; a string's value. */
  text: string;
  at: number;
}

const PATTERN =
  /(?<space>\s+|--[^\n]*)|(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<parameter>@[A-Za-z_0-9]+)|(?<word>[A-Za-z_][A-Za-z_0-9]*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<symbol>!=|<>|<=|>=|<<|>>>|>>|\|\||\?\?|[-+*/%=<>(),.[\]{}:?~&|^])/y;

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(PATTERN);
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (!groups) throw new QueryProblem(`Syntax error, incorrect syntax near '${text.slice(at, at + 10)}'.`);
    if (groups.word !== undefined) tokens.push({ kind: 'word', text: groups.word, at });
    else if (groups.symbol !== undefined) tokens.push({ kind: 'symbol', text: groups.symbol, at });
    else if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number, at });
    else if (groups.parameter !== undefined) tokens.push({ kind: 'parameter', text: groups.parameter, at });
    else if (groups.string !== undefined) tokens.push({ kind: 'string', text: unescaped(groups.string), at });
  }
  tokens.push({ kind: 'end', text: 'the end', at: text.length });
  return tokens;
}

function unescaped(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(parseInt(escape.slice(1), 16));
    return ESCAPES[escape] ?? escape;
  });
}
