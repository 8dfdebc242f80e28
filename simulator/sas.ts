/** `npm run -s sas -- --connection-string '...'`: prints a device's SAS token. */
import { parseArgs } from 'node:util';
import { OperatorError } from '../src/observability/operator-error';
import { duration } from './arguments';
import { createSasToken } from './sas-token';

const USAGE = `Usage: npm run -s sas -- --connection-string 'HostName=...;DeviceId=...;SharedAccessKey=...' [--ttl 1h]

Prints a SAS token with which the device sends, as the value of the Authorization header:
  curl -H "Authorization: $(npm run -s sas -- --connection-string '...')" ...

  --connection-string TEXT   the device's, as provisioning showed it
  --ttl DURATION             how long the token is valid, such as 15m, 1h (the default) or 7d
`;

const DEFAULT_TTL = '1h';

function main(): void {
  const { values } = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const connectionString = values['connection-string'];
  if (connectionString === undefined) throw new OperatorError(`--connection-string is missing\n\n${USAGE}`);
  process.stdout.write(`${createSasToken(connectionString, duration(values.ttl, 'ttl') / 1000)}\n`);
}

function parse() {
  try {
    return parseArgs({
      options: {
        'connection-string': { type: 'string' },
        ttl: { type: 'string', default: DEFAULT_TTL },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OperatorError(`${(error as Error).message} (--help lists the options)`);
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`sas: ${error.message}\n`);
  process.exitCode = 1;
}
