import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fieldGatewaySettings } from '../config/environment';
import { createCloud } from '../field-gateway/cloud';
import { parseConfiguration } from '../field-gateway/configuration';
import { parseConnectionString } from '../field-gateway/connection-string';
import { createFieldGateway } from '../field-gateway/field-gateway';
import { createQueue } from '../field-gateway/queue';
import { createHealthServer } from '../observability/health';
import { createMetrics } from '../observability/metrics';
import { OperatorError } from '../observability/operator-error';
import { run, stopInOrder } from './run';

const HELP = `Translates for devices that speak no protocol of the cloud's.

  node dist/src/main/field-gateway.js --config FILE

  --config FILE   JSON that names the children, how they are reached and where the queue lives; relative paths in it are
                  relative to FILE. docs/guides/field-gateway.md shows one. Or set FIELD_GATEWAY_CONFIG.
  --help          this text

The gateway's own connection string stands in the file that "connectionStringFile" names, or in the variable
FIELD_GATEWAY_CONNECTION_STRING.
`;

const settingsWithArguments = () => {
  let config: string | undefined;
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    config = values.config;
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}: --help says what is taken`);
  }
  return fieldGatewaySettings({ config });
};

const read = (what: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new OperatorError(`${what} cannot be read (${why}): ${file}`);
  }
};

/** The field gateway: legacy devices in, the public device protocol out. */
run('field-gateway', settingsWithArguments, async (settings, logger) => {
  const file = resolve(settings.FIELD_GATEWAY_CONFIG);
  const beside = (path: string): string => resolve(dirname(file), path);
  const configuration = parseConfiguration(read('the configuration', file).toString('utf8'), file);
  const { connectionStringFile, cloud: way } = configuration;
  const connectionString =
    settings.FIELD_GATEWAY_CONNECTION_STRING ??
    (connectionStringFile && read('the connection string', beside(connectionStringFile)).toString('utf8'));
  if (connectionString === undefined) {
    throw new OperatorError(
      'the connection string is missing: name its file as "connectionStringFile" or set FIELD_GATEWAY_CONNECTION_STRING',
    );
  }
  const metrics = createMetrics({ process: 'field-gateway' });
  const cloud = createCloud({
    identity: parseConnectionString(connectionString),
    protocol: way.protocol,
    ...(way.caFile && { ca: read('the authority', beside(way.caFile)) }),
  });
  const queue = createQueue({
    dataDir: beside(configuration.dataDir),
    maximumBytes: configuration.queue.maximumMegabytes * 1024 * 1024,
  });
  const gateway = createFieldGateway({ logger, metrics, configuration, queue, cloud });
  const health = createHealthServer({
    what: 'field-gateway',
    host: settings.HOST,
    port: settings.FIELD_GATEWAY_HEALTH_PORT,
    metrics,
    readiness: gateway.readiness,
  });
  const healthPort = await health.start();
  logger.info({ healthPort }, 'health and metrics are served');
  await gateway.start();
  return { stop: () => stopInOrder(gateway.stop, queue.close, health.stop) };
});
