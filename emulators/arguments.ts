import { OperatorError } from '../src/observability/operator-error';

/** Runs `parseArgs` so that a mistyped option is one sentence to the operator. */
export function argumentError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new OperatorError(`${(error as Error).message} (--help lists the options)`);
  }
}

export function portOf(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new OperatorError(`${option} is '${text}', expected a port from 0 to 65535`);
  }
  return port;
}
