import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { createHealthServer, type Readiness } from '../../src/observability/health';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { runProcess } from '../../src/observability/process';
import { argumentError, portOf } from '../arguments';
import { createBlobEmulator } from './emulator';

const USAGE = `Usage: npm run emulator -- blob [options]

A stand-in for Azure Blob Storage on this machine (Azurite), for the unmodified @azure/storage-blob SDK.

  --host HOST         address to listen on (127.0.0.1)
  --port PORT         port, 0 for a free one (10000)
  --data DIR          folder that keeps the blobs (.data/blob)
  --health-port PORT  also answer /healthz, /readyz and /metrics there
  --help              this text
`;

const name = 'blob emulator';
const logger = createLogger({ name: 'blob' });

runProcess({
  name,
  logger,
  async start() {
    const values = argumentError(() =>
      parseArgs({
        options: {
          host: { type: 'string', default: '127.0.0.1' },
          port: { type: 'string', default: '10000' },
          data: { type: 'string', default: '.data/blob' },
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
    const emulator = createBlobEmulator({ host, port: portOf('--port', values.port), dataDir });
    const { connectionString } = await emulator.start();
    const endpoint = new URL(/BlobEndpoint=([^;]+)/.exec(connectionString)![1]!);
    logger.info({ endpoint: endpoint.href, dataDir }, 'ready');
    const health =
      healthPort === undefined
        ? undefined
        : createHealthServer({
            what: name,
            host,
            port: portOf('--health-port', healthPort),
            metrics: createMetrics({ process: 'blob' }),
            readiness: () => portAnswers(host, Number(endpoint.port)),
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

/** Azurite has no health endpoint of its own: it is ready when its port takes connections. */
function portAnswers(host: string, port: number): Promise<Readiness> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const done = (reasons: string[]): void => {
      socket.destroy();
      resolve({ ready: reasons.length === 0, reasons });
    };
    socket.once('connect', () => done([]));
    socket.once('timeout', () => done([`${host}:${port} does not answer`]));
    socket.once('error', (error) => done([error.message]));
  });
}
