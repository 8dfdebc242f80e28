import { createLogger, type Logger } from '../observability/logger';
import { OperatorError } from '../observability/operator-error';
import { runProcess } from '../observability/process';

/**
 * What every composition root does: read its settings (all mistakes at once, exit 1), make the logger, and run what
 * `compose` puts together until a signal drains it.
 */
export function run<Settings extends { LOG_LEVEL: string }>(
  name: string,
  readSettings: () => Settings,
  compose: (settings: Settings, logger: Logger) => Promise<{ stop: () => Promise<void> }>,
  options: { drainMilliseconds?: number } = {},
): void {
  let settings: Settings;
  try {
    settings = readSettings();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
  const logger = createLogger({ name, level: settings.LOG_LEVEL });
  logger.info({ pid: process.pid }, 'started');
  runProcess({ name, logger, ...options, start: () => compose(settings, logger) });
}

/** Stops parts in the order given, each even when one before it failed; the first failure is thrown at the end. */
export async function stopInOrder(...stops: (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
