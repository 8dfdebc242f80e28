import { parseArgs } from 'node:util';
import { createHealthServer } from '../../src/observability/health';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { runProcess } from '../../src/observability/process';
import { argumentError, portOf } from '../arguments';
import { createIdentityEmulator } from './emulator';
import { DEMO_PEOPLE } from './people';

const USAGE = `Usage: npm run emulator -- identity [options]

A stand-in for an identity provider (OpenID Connect) on this machine. It asks for no password and is no place for real
people: whoever reaches it may be any of ${DEMO_PEOPLE.map(({ email }) => email).join(', ')}.

  --host HOST         loopback address to listen on (127.0.0.1)
  --port PORT         port, 0 for a free one (4001)
  --data DIR          folder that keeps its keys, so that tokens outlive a restart (.data/identity)
  --health-port PORT  also answer /healthz, /readyz and /metrics there
  --help              this text
`;

const logger = createLogger({ name: 'identity' });

runProcess({
  name: 'identity emulator',
  logger,
  async start() {
    const values = argumentError(() =>
      parseArgs({
        options: {
          host: { type: 'string', default: '127.0.0.1' },
          port: { type: 'string', default: '4001' },
          data: { type: 'string', default: '.data/identity' },
          'health-port': { type: 'string' },
          help: { type: 'boolean', default: false },
        },
      }),
    ).values;
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const { host, data: dataDir, 'health-port': healthPort } = values;
    const emulator = createIdentityEmulator({ host, port: portOf('--port', values.port), dataDir });
    const { issuer } = await emulator.start();
    logger.info({ issuer, dataDir }, 'ready: a stand-in that signs anybody in as a demo person');
    const health =
      healthPort === undefined
        ? undefined
        : createHealthServer({
            what: 'identity emulator',
            host,
            port: portOf('--health-port', healthPort),
            metrics: createMetrics({ process: 'identity' }),
            // It has no dependency: once it has started it can do its work.
            readiness: () => ({ ready: true, reasons: [] }),
          });
    await health?.start();
    return {
      async stop() {
        await emulator.stop();
        await health?.stop();
      },
    };
  },
});
