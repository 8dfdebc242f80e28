import { parseArgs } from 'node:util';
import { OperatorError } from '../../src/observability/operator-error';
import { DEFAULT_KEY } from './emulator';

/** What the process was asked to do, by flags first and the environment second. */
export interface Arguments {
  host: string;
  port: number;
  healthPort: number;
  data: string;
  config: string | undefined;
  key: string;
  fsync: boolean;
  faults: boolean;
  durableJournal: string | undefined;
  tlsKey: string | undefined;
  tlsCert: string | undefined;
  segmentMegabytes: number;
  logLevel: string;
  help: boolean;
}

const OPTIONS = {
  host: { variable: 'EVENT_HUBS_HOST', default: '127.0.0.1', help: 'address to listen on' },
  port: { variable: 'EVENT_HUBS_PORT', default: '5672', help: 'AMQP port; 0 takes a free one' },
  'health-port': {
    variable: 'EVENT_HUBS_HEALTH_PORT',
    default: '9104',
    help: 'port of /healthz, /readyz, /metrics and, with --faults, /faults',
  },
  data: { variable: 'EVENT_HUBS_DATA', default: '.data/event-hubs', help: 'folder of the logs' },
  config: {
    variable: 'EVENT_HUBS_CONFIG',
    default: undefined,
    help: "event hubs, in the JSON shape of Microsoft's emulator; without it one hub, eh1",
  },
  key: {
    variable: 'EVENT_HUBS_KEY',
    default: DEFAULT_KEY,
    help: 'shared access key of RootManageSharedAccessKey',
  },
  'tls-key': {
    variable: 'EVENT_HUBS_TLS_KEY',
    default: undefined,
    help: 'PEM file; with --tls-cert: speak TLS',
  },
  'tls-cert': {
    variable: 'EVENT_HUBS_TLS_CERT',
    default: undefined,
    help: 'PEM file of the certificate chain',
  },
  'segment-mb': {
    variable: 'EVENT_HUBS_SEGMENT_MB',
    default: '64',
    help: 'size of a log segment, the unit of retention',
  },
  'log-level': { variable: 'LOG_LEVEL', default: 'info', help: 'trace, debug, info, warn, error or silent' },
  'durable-journal': {
    variable: 'EVENT_HUBS_DURABLE_JOURNAL',
    default: undefined,
    help: 'file that notes what each sync made durable, for the crash proof',
  },
} as const;

const SWITCHES = {
  'no-fsync': 'acknowledge before the disk has it: quicker, and a power cut may lose acknowledged events',
  faults: 'offer faults on demand at /faults of the health port',
  help: 'print this',
} as const;

/** Reads flags and environment; throws an `OperatorError` that names the mistake. */
export function readArguments(args: string[], environment: NodeJS.ProcessEnv): Arguments {
  const value = (name: keyof typeof OPTIONS): string | undefined =>
    (values[name] as string | undefined) ?? environment[OPTIONS[name].variable] ?? OPTIONS[name].default;
  const values = parse(args);
  const problems: string[] = [];
  const number = (name: keyof typeof OPTIONS, from: number, to: number): number => {
    const text = value(name)!;
    const parsed = Number(text);
    if (/^\d+$/.test(text) && parsed >= from && parsed <= to) return parsed;
    problems.push(`--${name} must be a whole number from ${from} to ${to}, not '${text}'`);
    return from;
  };
  const tlsKey = value('tls-key');
  const tlsCert = value('tls-cert');
  if ((tlsKey === undefined) !== (tlsCert === undefined)) {
    problems.push('--tls-key and --tls-cert are given together');
  }
  const result: Arguments = {
    host: value('host')!,
    port: number('port', 0, 65_535),
    healthPort: number('health-port', 0, 65_535),
    data: value('data')!,
    config: value('config'),
    key: value('key')!,
    fsync: values['no-fsync'] !== true,
    faults: values.faults === true,
    durableJournal: value('durable-journal'),
    tlsKey,
    tlsCert,
    segmentMegabytes: number('segment-mb', 1, 1024),
    logLevel: value('log-level')!,
    help: values.help === true,
  };
  if (problems.length > 0) throw new OperatorError(`${problems.join('; ')}: see --help`);
  return result;
}

function parse(args: string[]): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({
      args,
      options: {
        ...Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' as const }])),
        ...Object.fromEntries(Object.keys(SWITCHES).map((name) => [name, { type: 'boolean' as const }])),
      },
    }).values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new OperatorError(`${(error as Error).message.split('\n')[0]}: see --help`);
  }
}

export function helpText(): string {
  const lines = Object.entries(OPTIONS).map(([name, option]) => {
    const standard = option.default === undefined ? '' : ` (default ${option.default})`;
    return `  ${`--${name} VALUE`.padEnd(26)}${option.help}${standard}; ${option.variable}`;
  });
  const switches = Object.entries(SWITCHES).map(([name, help]) => `  ${`--${name}`.padEnd(26)}${help}`);
  return `Usage: npm run emulator -- event-hubs [options]

A local stand-in for Azure Event Hubs: AMQP 1.0 for the unmodified SDK, with a durable log for every partition.

${[...lines, ...switches].join('\n')}

Each option may also be set by the variable named last. Connect with:
  Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=KEY;UseDevelopmentEmulator=true
`;
}
