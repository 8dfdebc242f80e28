import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { OperatorError } from '../../src/observability/operator-error';
import { runProcess } from '../../src/observability/process';
import { openSync, writeSync } from 'node:fs';
import { createControlServer } from './control-server';
import { createCosmosEmulator, LOCAL_KEY } from './emulator';
import { createFaults } from './faults';

const HELP = `Azure Cosmos DB for NoSQL over HTTP, on one SQLite file. Local only: it has no TLS and one key.

  --host HOST          address to listen on (127.0.0.1)
  --port PORT          port (8081; 0 for a free one)
  --health-port PORT   port of /healthz, /readyz and /metrics (9105)
  --data DIR           data folder (.data/cosmos); one process owns it
  --key KEY            account key, base64 (COSMOS_KEY, else the documented local key)
  --no-sync            leave flushing to the operating system: a power cut may lose acknowledged writes
  --faults             allow faults: POST /faults on the health port (docs/emulators/cosmos.md)
  --record-synced FILE write the flushed length of the write-ahead log to FILE, for the crash proof
  --log-level LEVEL    debug, info, warn, error (info)
  --help               this text

The local key: ${LOCAL_KEY}
`;

/**
 * Requests leave little behind, and V8 left to itself lets their garbage grow to 100 MB before it looks: with a young
 * generation of 4 MB the process stays at 160 MB with 200,000 documents instead of 210 to 280.
 */
const YOUNG_GENERATION = ['--max-semi-space-size=4', '--semi-space-growth-factor=1'];

function settings(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}: see --help`);
  }
}

function parse() {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8081' },
      'health-port': { type: 'string', default: '9105' },
      data: { type: 'string', default: '.data/cosmos' },
      key: { type: 'string', default: env.COSMOS_KEY ?? LOCAL_KEY },
      'no-sync': { type: 'boolean', default: false },
      faults: { type: 'boolean', default: false },
      'record-synced': { type: 'string' },
      'log-level': { type: 'string', default: 'info' },
      help: { type: 'boolean', default: false },
    },
  });
  const port = (name: 'port' | 'health-port'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0 || value > 65_535) {
      throw new Error(`--${name} takes a port, not '${values[name]}'`);
    }
    return value;
  };
  if (Buffer.from(values.key, 'base64').length === 0) throw new Error('--key takes a key in base64');
  return { ...values, port: port('port'), healthPort: port('health-port') };
}

for (const flag of YOUNG_GENERATION) setFlagsFromString(flag);
if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
} else {
  const logger = createLogger({ name: 'cosmos', level: 'info' });
  runProcess({
    name: 'cosmos',
    logger,
    async start() {
      const { host, port, healthPort, data, key, ...flags } = settings();
      logger.level = flags['log-level'];
      const metrics = createMetrics({ process: 'cosmos' });
      let ready = false;
      const faults = flags.faults ? createFaults() : undefined;
      const health = createControlServer({
        host,
        port: healthPort,
        metrics,
        faults,
        readiness: () => ({ ready, reasons: ready ? [] : ['starting or stopping'] }),
      });
      // Written in place and in one piece: a kill leaves the length of before or of after.
      const record = flags['record-synced'] === undefined ? undefined : openSync(flags['record-synced'], 'w');
      const emulator = createCosmosEmulator({
        logger,
        metrics,
        host,
        port,
        key,
        data,
        sync: !flags['no-sync'],
        faults,
        onSynced:
          record === undefined ? undefined : (bytes) => void writeSync(record, String(bytes).padStart(15), 0),
        onFatal(error) {
          logger.fatal(
            { error: error.message },
            'the disk refused to flush: what was written last is in doubt',
          );
          process.exit(1);
        },
      });
      await emulator.start();
      try {
        const bound = await health.start();
        logger.info({ port: bound }, 'health');
      } catch (error) {
        await emulator.stop();
        throw error;
      }
      ready = true;
      return {
        async stop() {
          ready = false;
          await emulator.stop();
          await health.stop();
        },
      };
    },
  });
}
