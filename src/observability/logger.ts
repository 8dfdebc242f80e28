import pino, { type Logger } from 'pino';

export type { Logger };

/**
 * Structured JSON lines on standard output. Secrets never reach a log: whatever stands under these names is
 * replaced before the line is written.
 */
export function createLogger(options: { name: string; level?: string }): Logger {
  return pino({
    name: options.name,
    level: options.level ?? 'info',
    redact: {
      paths: [
        'authorization',
        '*.authorization',
        'req.headers.authorization',
        'key',
        '*.key',
        'token',
        '*.token',
        'connectionString',
        '*.connectionString',
        'password',
        '*.password',
      ],
      censor: '[redacted]',
    },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}

/** What an error says to an operator: its message and those of its causes, without a stack. */
export function explain(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(explain).join('; ');
  }
  if (error instanceof Error) {
    return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
  }
  return String(error);
}
