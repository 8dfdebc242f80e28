import { openSync, readFileSync, writeSync } from 'node:fs';
import { argv, env } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { OperatorError } from '../../src/observability/operator-error';
import { runProcess } from '../../src/observability/process';
import { type Arguments, helpText, readArguments } from './arguments';
import { readConfiguration } from './configuration';
import { createControlServer } from './control';
import { createEventHubsEmulator } from './emulator';

/** Runs the stand-in as a process of its own. */
export function main(args: string[], environment: NodeJS.ProcessEnv): void {
  const asked = understand(args, environment);
  if (asked.help) {
    process.stdout.write(helpText());
    process.exit(0);
  }
  const logger = createLogger({ name: 'event-hubs', level: asked.logLevel });
  runProcess({ name: 'event-hubs', logger, start: () => start(asked, logger) });
}

function understand(args: string[], environment: NodeJS.ProcessEnv): Arguments {
  try {
    return readArguments(args, environment);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`event-hubs: ${error.message}\n`);
    process.exit(1);
  }
}

async function start(
  asked: Arguments,
  logger: ReturnType<typeof createLogger>,
): Promise<{ stop: () => Promise<void> }> {
  const began = performance.now();
  const metrics = createMetrics({ process: 'event-hubs' });
  const emulator = createEventHubsEmulator({
    dataDir: asked.data,
    host: asked.host,
    port: asked.port,
    ...(asked.config === undefined ? {} : { configuration: readConfiguration(asked.config) }),
    key: asked.key,
    ...(asked.tlsKey === undefined || asked.tlsCert === undefined
      ? {}
      : { tls: { key: pem(asked.tlsKey), cert: pem(asked.tlsCert) } }),
    fsync: asked.fsync,
    segmentBytes: asked.segmentMegabytes * 1024 * 1024,
    ...(asked.durableJournal === undefined ? {} : { onDurable: durableJournal(asked.durableJournal) }),
    logger,
    metrics,
  });
  const control = createControlServer({
    host: asked.host,
    port: asked.healthPort,
    metrics,
    emulator,
    faults: asked.faults,
  });
  const healthPort = await control.start();
  const { port } = await emulator.start();
  logger.info(
    {
      host: asked.host,
      port,
      healthPort,
      data: asked.data,
      fsync: asked.fsync,
      faults: asked.faults,
      hubs: emulator
        .hubs()
        .all()
        .map((hub) => `${hub.name}/${hub.partitions.length}`),
      milliseconds: Math.round(performance.now() - began),
    },
    'ready',
  );
  return {
    async stop() {
      await emulator.stop();
      await control.stop();
    },
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): name PEM files with --tls-key and --tls-cert`,
    );
  }
}

/**
 * Notes each sync in a file, before its acknowledgements leave. The note itself is not synced: it outlives the
 * process, which is all that the proof kills, and the proof then drops what the log had not synced.
 */
function durableJournal(path: string): (file: string, length: number) => void {
  const descriptor = openSync(path, 'a');
  return (file, length) => void writeSync(descriptor, `${length} ${file}\n`);
}

// Events live for one commit or one delivery. Left alone, V8 answers a stream of them by doubling its young generation
// again and again, and the process grows by 70 MB over the first million events without holding any of them.
setFlagsFromString('--semi-space-growth-factor=1');

// Loaded by emulators/main.ts, which runs whichever stand-in was named by importing it.
main(argv.slice(2), env);
