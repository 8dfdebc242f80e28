import { join } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { OperatorError } from '../src/observability/operator-error';
import { count, duration } from './arguments';
import { openSession, type Session } from './session';

/** The options that every command takes. */
export const COMMON_OPTIONS = {
  attach: { type: 'string' },
  user: { type: 'string', default: 'owner@north.example' },
  tenant: { type: 'string' },
  log: { type: 'string' },
  summary: { type: 'string' },
  connections: { type: 'string', default: '1024' },
  grace: { type: 'string', default: '60s' },
  help: { type: 'boolean', default: false },
} as const;

export const COMMON_HELP = `  --attach FILE        endpoints.json of the running platform (DATA_DIR/endpoints.json)
  --user EMAIL         the demo person who provisions (owner@north.example)
  --tenant ID          the tenant to provision in (the person's first)
  --log FILE           a JSON line for every attempt and every acknowledged reading
  --summary FILE       the totals as JSON
  --connections N      most requests under way at once (1024)
  --grace DURATION     how long what is outstanding at the end is still repeated (60s)
`;

/** `parseArgs`, with mistakes as one sentence. */
export function parsed<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    throw new OperatorError(`${(error as Error).message} (--help lists the options)`);
  }
}

interface Common {
  attach?: string | undefined;
  user: string;
  tenant?: string | undefined;
  log?: string | undefined;
  summary?: string | undefined;
  connections: string;
  grace: string;
}

export function endpointsFileOf(attach: string | undefined): string {
  return attach ?? join(process.env.DATA_DIR ?? '.data', 'endpoints.json');
}

export function sessionOf(values: Common): Promise<Session> {
  return openSession({
    endpointsFile: endpointsFileOf(values.attach),
    user: values.user,
    ...(values.tenant === undefined ? {} : { tenantId: values.tenant }),
  });
}

export function runOptionsOf(values: Common, session: Session) {
  return {
    gateway: session.endpoints.gateway,
    connections: count(values.connections, 'connections', 10_000),
    graceMs: duration(values.grace, 'grace'),
    ...(values.log === undefined ? {} : { log: values.log }),
    ...(values.summary === undefined ? {} : { summary: values.summary }),
  };
}
