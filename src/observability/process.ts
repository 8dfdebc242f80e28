import { flushCompileCache } from 'node:module';
import { explain, type Logger } from './logger';
import { OperatorError } from './operator-error';

const MINIMUM_NODE = 24;

/**
 * Runs one process: checks the runtime, starts the composition, and on SIGTERM or SIGINT drains it within the
 * deadline. What was accepted is finished or handed back by `stop`; past the deadline the process exits 1.
 *
 * An `OperatorError` at start is printed as its one sentence; any other error with its stack. Both exit 1.
 */
export function runProcess(options: {
  name: string;
  logger: Logger;
  drainMilliseconds?: number;
  start: () => Promise<{ stop: () => Promise<void> }>;
}): void {
  const { name, logger } = options;
  if (Number(process.versions.node.split('.')[0]) < MINIMUM_NODE) {
    process.stderr.write(
      `${name} needs Node ${MINIMUM_NODE} or newer and this is ${process.version}: run it through npm, whose scripts use the pinned runtime.\n`,
    );
    process.exit(1);
  }
  let running: { stop: () => Promise<void> } | undefined;
  let stopping = false;

  const shutdown = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'draining');
    const deadline = setTimeout(() => {
      logger.error({ milliseconds: options.drainMilliseconds ?? 10_000 }, 'drain deadline passed');
      process.exit(1);
    }, options.drainMilliseconds ?? 10_000);
    deadline.unref();
    Promise.resolve(running?.stop()).then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ error: explain(error) }, 'drain failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => shutdown('SIGTERM'));
  process.on('SIGINT', () => shutdown('SIGINT'));
  // A child of the supervisor must not outlive it: the supervisor holds this channel open for as long as it lives.
  if (process.channel) {
    process.on('disconnect', () => shutdown('supervisor gone'));
    process.channel.unref();
  }

  const fail = (error: unknown): void => {
    if (error instanceof OperatorError) process.stderr.write(`${name}: ${error.message}\n`);
    else logger.fatal({ error: explain(error), stack: (error as Error)?.stack }, 'failed');
    process.exit(1);
  };
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);

  options.start().then((composition) => {
    running = composition;
    // Otherwise written at the exit alone, which a process that is killed does not have. Without effect where none is kept.
    flushCompileCache();
  }, fail);
}
