import { isIP } from 'node:net';
import { z } from 'zod';
import { OperatorError } from '../observability/operator-error';

/**
 * The only reader of `process.env`. Every process names the settings it needs; all mistakes are reported together, each
 * with the variable's name, what was found (never a secret's value) and what is expected.
 */
export type Variables = Record<string, string | undefined>;

const SECRETS = /KEY|CONNECTION_STRING|SECRET|TOKEN$/;

function parse<Shape extends z.ZodRawShape>(
  shape: Shape,
  variables: Variables,
  rule?: (settings: Record<string, unknown>) => string[],
): z.infer<z.ZodObject<Shape>> {
  const present = Object.fromEntries(
    Object.keys(shape).flatMap((name) => {
      const value = variables[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const result = z.object(shape).safeParse(present);
  const mistakes = result.success
    ? []
    : result.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        const found = present[name];
        if (found === undefined) return `${name} is missing (${expectation(shape, name)})`;
        const shown = SECRETS.test(name) ? 'a value' : `'${found}'`;
        return `${name} is ${shown}: ${issue.message} (${expectation(shape, name)})`;
      });
  mistakes.push(...(rule?.(present) ?? []));
  if (mistakes.length > 0) throw new OperatorError(`the settings need mending: ${mistakes.join('; ')}`);
  return result.data as z.infer<z.ZodObject<Shape>>;
}

function expectation(shape: z.ZodRawShape, name: string): string {
  return (shape[name] as z.ZodType).description ?? 'see docs/settings.md';
}

const port = (fallback: number, what: string) =>
  z.coerce.number().int().min(0).max(65_535).default(fallback).describe(`port of ${what}, 0 for a free one`);
const seconds = (fallback: number, what: string) =>
  z.coerce.number().positive().default(fallback).describe(what);
const count = (fallback: number, what: string) =>
  z.coerce.number().int().positive().default(fallback).describe(what);
const list = (what: string) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    )
    .describe(what);
const key32 = (what: string) =>
  z
    .string()
    .refine((text) => Buffer.from(text, 'base64').length === 32, 'it must be 32 bytes in base64')
    .transform((text) => Buffer.from(text, 'base64'))
    .describe(what);

const process_ = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('least level that is logged: trace, debug, info, warn, error or fatal'),
  HOST: z.string().default('127.0.0.1').describe('address to listen on'),
};

const stream = {
  EVENT_HUBS_CONNECTION_STRING: z
    .string()
    .optional()
    .describe('connection string of the namespace; or set EVENT_HUBS_NAMESPACE'),
  EVENT_HUBS_NAMESPACE: z
    .string()
    .optional()
    .describe('host name of the namespace, e.g. example.servicebus.windows.net'),
  TELEMETRY_HUB: z.string().default('telemetry').describe('event hub of the readings'),
  AVERAGES_HUB: z.string().default('averages').describe('event hub of the live averages'),
};

const blobs = {
  BLOB_CONNECTION_STRING: z
    .string()
    .optional()
    .describe('connection string of the storage account; or set BLOB_ACCOUNT_URL'),
  BLOB_ACCOUNT_URL: z.string().optional().describe('e.g. https://example.blob.core.windows.net'),
};

const coldContainer = z.string().default('telemetry').describe('blob container of the cold store');

const documents = {
  COSMOS_ENDPOINT: z.string().describe('address of the Cosmos DB account, e.g. http://127.0.0.1:8081'),
  COSMOS_KEY: z.string().optional().describe('account key; left out, the process signs in with its identity'),
  COSMOS_DATABASE: z.string().default('atrium').describe('database that holds the containers'),
};

/** Of questions over the cold store. */
const questions = {
  COLD_CACHE_DIR: z
    .string()
    .optional()
    .describe('folder of this process alone for copies of cold files; left out, a temporary one'),
  COLD_CACHE_MEGABYTES: count(2_048, 'what the copies of cold files may take of the disk, in megabytes'),
  QUESTION_MEMORY_MEGABYTES: count(512, 'memory of all questions together, in megabytes'),
  QUESTION_THREADS: count(2, 'threads that work on questions'),
  QUESTION_SECONDS: seconds(20, 'longest time that a question may take, in seconds'),
};

/** Of exports of readings. An export is known as long as its job is: a week. */
const exportSettings = {
  EXPORT_CONTAINER: z.string().default('exports').describe('blob container of exported readings'),
  EXPORT_DAYS: z.coerce
    .number()
    .positive()
    .max(7)
    .default(7)
    .describe('how long an export can be downloaded, in days, at most 7'),
};

const deviceKeys = {
  DEVICE_KEY_ENCRYPTION_KEY: key32('32 bytes in base64 that seal the devices’ keys'),
};

/** Of the device gateway beside HTTP. HTTPS, MQTTS and AMQPS are served where a certificate is given. */
const mqtt = {
  GATEWAY_HTTPS_PORT: port(8443, 'the device gateway’s HTTPS'),
  MQTT_PORT: port(1883, 'the device gateway’s MQTT without TLS'),
  MQTTS_PORT: port(8883, 'the device gateway’s MQTT with TLS'),
  AMQPS_PORT: port(5671, 'the device gateway’s AMQP with TLS'),
  TLS_CERT_FILE: z
    .string()
    .optional()
    .describe('PEM file of the device gateway’s certificate with its chain; it goes with TLS_KEY_FILE'),
  TLS_KEY_FILE: z
    .string()
    .optional()
    .describe('PEM file of that certificate’s key; it goes with TLS_CERT_FILE'),
};

const together = (first: string, second: string) => (settings: Record<string, unknown>) =>
  (settings[first] === undefined) === (settings[second] === undefined)
    ? []
    : [`${first} and ${second} go together: set both or neither`];
const needsWholeTls = together('TLS_CERT_FILE', 'TLS_KEY_FILE');

const eitherOf = (first: string, second: string) => (settings: Record<string, unknown>) =>
  settings[first] === undefined && settings[second] === undefined
    ? [`${first} is missing (or set ${second})`]
    : [];
const needsStream = eitherOf('EVENT_HUBS_CONNECTION_STRING', 'EVENT_HUBS_NAMESPACE');
const needsBlobs = eitherOf('BLOB_CONNECTION_STRING', 'BLOB_ACCOUNT_URL');

export const gatewaySettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...stream,
      ...documents,
      ...deviceKeys,
      ...mqtt,
      GATEWAY_PORT: port(8080, 'the device gateway’s HTTP'),
      GATEWAY_HEALTH_PORT: port(9101, 'the gateway’s health and metrics'),
      GATEWAY_HOST_NAMES: list('host names that a SAS token’s audience may name, with commas').default([
        '127.0.0.1',
        'localhost',
      ]),
      LAST_SEEN_SECONDS: seconds(
        60,
        'how often when a building’s devices were last heard is written, in seconds',
      ),
    },
    variables,
    (settings) => [...needsStream(settings), ...needsWholeTls(settings)],
  );

const webhookAllowPrivate = z
  .enum(['on', 'off'])
  .default('off')
  .transform((text) => text === 'on')
  .describe('on or off: webhooks may be sent to any address, also without TLS; for tests and laptops alone');

const alertDays = count(400, 'how long an alert is kept once it is over, in days');

const worker = {
  WORKER_SLOT: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('0')
    .describe('stable name of this worker among its like: small letters, digits and hyphens'),
};

/** @param given what the command line names; it goes before the variables. */
export const fieldGatewaySettings = (
  given: { config: string | undefined },
  variables: Variables = process.env,
) =>
  parse(
    {
      ...process_,
      FIELD_GATEWAY_CONFIG: z
        .string()
        .describe('the field gateway’s configuration file; or --config on the command line'),
      FIELD_GATEWAY_CONNECTION_STRING: z
        .string()
        .optional()
        .describe('the field gateway’s own connection string; or connectionStringFile in its configuration'),
      FIELD_GATEWAY_HEALTH_PORT: port(9110, 'the field gateway’s health and metrics'),
    },
    { ...variables, ...(given.config !== undefined && { FIELD_GATEWAY_CONFIG: given.config }) },
  );

export const ingestSettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...stream,
      ...blobs,
      ...worker,
      INGEST_HEALTH_PORT: port(9102, 'the ingest worker’s health and metrics'),
      INGEST_FLUSH_SECONDS: seconds(60, 'longest time that a reading waits for its file, in seconds'),
      INGEST_FLUSH_ROWS: count(250_000, 'rows at which a file is closed'),
      COLD_CONTAINER: coldContainer,
    },
    variables,
    (settings) => [...needsStream(settings), ...needsBlobs(settings)],
  );

export const aggregateSettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...stream,
      ...blobs,
      ...documents,
      ...worker,
      AGGREGATE_HEALTH_PORT: port(9103, 'the aggregate worker’s health and metrics'),
      ALERT_DAYS: alertDays,
      RECORD_DAYS: z.coerce
        .number()
        .int()
        .min(1)
        .max(36_500)
        .default(90)
        .describe('how long the rolling record, a point a minute, is kept'),
      ALLOWED_LATENESS_SECONDS: seconds(
        300,
        'a reading at most this late is counted at once; a later one, up to 48 h, corrects the record, in seconds',
      ),
      // What comes 48 h late is counted with the readings around it, which must still be there.
      RECENT_HOURS: z.coerce
        .number()
        .int()
        .min(50)
        .default(72)
        .describe('how long single readings are kept warm, in hours: at least 50'),
    },
    variables,
    (settings) => [...needsStream(settings), ...needsBlobs(settings)],
  );

export const jobsSettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...stream,
      ...blobs,
      ...documents,
      ...deviceKeys,
      ...worker,
      JOBS_HEALTH_PORT: port(9106, 'the jobs process’s health and metrics'),
      COLD_CONTAINER: coldContainer,
      CURATE_SECONDS: seconds(3_600, 'how often what has landed is curated, in seconds'),
      RECONCILE_SECONDS: seconds(300, 'how often it is reckoned what became of every reading, in seconds'),
      LANDING_DAYS: z.coerce
        .number()
        .min(0)
        .default(7)
        .describe('how long a landing file is kept once it is curated, in days'),
      WEBHOOK_ALLOW_PRIVATE: webhookAllowPrivate,
      ...exportSettings,
      WEBHOOK_DAYS: count(30, 'how long deliveries to webhooks can be asked about and repeated, in days'),
      DEAD_LETTER_DAYS: count(30, 'how long a dead letter can be asked for and replayed, in days'),
    },
    variables,
    (settings) => [...needsStream(settings), ...needsBlobs(settings)],
  );

/** Of the operator's command line: without COSMOS_ENDPOINT it works on the laptop's platform. */
export const atriumSettings = (variables: Variables = process.env) =>
  parse(
    {
      DATA_DIR: z
        .string()
        .default('.data')
        .describe('folder of the laptop’s Atrium that is meant where COSMOS_ENDPOINT is not set'),
      COSMOS_ENDPOINT: documents.COSMOS_ENDPOINT.optional(),
      COSMOS_KEY: documents.COSMOS_KEY,
      COSMOS_DATABASE: documents.COSMOS_DATABASE,
      DEVICE_KEY_ENCRYPTION_KEY: deviceKeys.DEVICE_KEY_ENCRYPTION_KEY.optional(),
      ...blobs,
      COLD_CONTAINER: coldContainer,
    },
    variables,
  );

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** An IP address, or one with the length of its prefix (RFC 4632). */
function isAddressRange(text: string): boolean {
  const [address, length, ...more] = text.split('/');
  const version = isIP(address!);
  if (version === 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}

const amount = (standard: number, what: string) =>
  z.coerce.number().int().min(1).max(1e9).default(standard).describe(what);

/**
 * An object takes some ten microseconds of a core: a client may have a twentieth of one for ever and half a second of one at
 * once, a tenant four times as much. Ordinary dashboards stay far below.
 */
const cost = {
  CLIENT_COST_CAPACITY: amount(50_000, 'cost a client may spend at once; an object of an answer costs 1'),
  CLIENT_COST_PER_SECOND: amount(5_000, 'cost a client gets back each second'),
  TENANT_COST_CAPACITY: amount(200_000, 'cost that all clients of a tenant may spend at once'),
  TENANT_COST_PER_SECOND: amount(20_000, 'cost that a tenant gets back each second'),
};

export const apiSettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...stream,
      ...documents,
      ...blobs,
      ...deviceKeys,
      API_PORT: port(4000, 'the GraphQL API'),
      TOKEN_ISSUERS: list('issuers whose access tokens are taken, with commas'),
      TOKEN_AUDIENCE: z
        .string()
        .default('https://api.atrium.example/')
        .describe('audience an access token must name'),
      GRAPHIQL_CLIENT_ID: z
        .string()
        .optional()
        .describe(
          'by which the first of TOKEN_ISSUERS knows the GraphiQL page, a public client; left out, its users bring a token',
        ),
      GRAPHIQL_SCOPE: z
        .string()
        .default('openid email api')
        .describe('scope that GraphiQL asks for, e.g. openid api://atrium/.default'),
      CURSOR_KEY: key32('32 bytes in base64 that bind cursors to their caller'),
      GATEWAY_PUBLIC_HOST: z
        .string()
        .default('127.0.0.1:8080')
        .describe('host and port that devices’ connection strings name'),
      COLD_CONTAINER: coldContainer,
      ...questions,
      ...exportSettings,
      ALERT_DAYS: alertDays,
      WEBHOOK_ALLOW_PRIVATE: webhookAllowPrivate,
      ...cost,
      PRIVACY_MINIMUM_SPACES: count(
        3,
        'spaces that must take part in an average of a building that is told to whoever has a right to single spaces',
      ),
      DELIVERIES_PER_SECOND: amount(
        10_000,
        'live values that a replica delivers of one tenant each second; beyond it their intervals grow',
      ),
      API_ORIGINS: list('web origins whose pages may ask, with commas, e.g. https://dashboard.example')
        .default([])
        .refine((origins) => origins.every(isOrigin), 'each must be a scheme and a host, without a path'),
      API_TRUSTED_PROXIES: list(
        'addresses and ranges of proxies whose x-forwarded-for says whence a request comes, with commas, e.g. 10.0.0.0/8',
      )
        .default([])
        .refine(
          (proxies) => proxies.every(isAddressRange),
          'each must be an IP address or a range such as 10.0.0.0/8',
        ),
      LIVE_GROUP: z.string().default('live-0').describe('this replica’s consumer group of the averages hub'),
    },
    variables,
    (settings) => [...needsStream(settings), ...needsBlobs(settings)],
  );

export const localSettings = (variables: Variables = process.env) =>
  parse(
    {
      ...process_,
      ...mqtt,
      DATA_DIR: z
        .string()
        .default('.data')
        .describe('folder that holds everything the laptop’s Atrium keeps'),
      DEMO: z.enum(['on', 'off']).default('on').describe('on or off: two tenants’ buildings with devices'),
      API_PORT: port(4000, 'the GraphQL API'),
      IDENTITY_PORT: port(4001, 'the identity stand-in'),
      GATEWAY_PORT: port(8080, 'the device gateway’s HTTP'),
      EVENT_HUBS_PORT: port(5672, 'the Event Hubs stand-in'),
      COSMOS_PORT: port(8081, 'the Cosmos stand-in'),
      BLOB_PORT: port(10_000, 'the Blob stand-in'),
      GATEWAY_HEALTH_PORT: port(9101, 'the gateway’s health and metrics'),
      INGEST_HEALTH_PORT: port(9102, 'the ingest worker’s health and metrics'),
      AGGREGATE_HEALTH_PORT: port(9103, 'the aggregate worker’s health and metrics'),
      EVENT_HUBS_HEALTH_PORT: port(9104, 'the Event Hubs stand-in’s health and metrics'),
      COSMOS_HEALTH_PORT: port(9105, 'the Cosmos stand-in’s health and metrics'),
      JOBS_HEALTH_PORT: port(9106, 'the jobs process’s health and metrics'),
      INGEST_FLUSH_SECONDS: seconds(15, 'longest time that a reading waits for its file, in seconds'),
      CURATE_SECONDS: seconds(300, 'how often what has landed is curated, in seconds'),
      RECONCILE_SECONDS: seconds(60, 'how often it is reckoned what became of every reading, in seconds'),
    },
    variables,
    needsWholeTls,
  );

/** What somebody may want otherwise on a laptop too, and the supervisor neither needs nor makes up. */
const HANDED_TO_API = [
  ...Object.keys(cost),
  ...['PRIVACY_MINIMUM_SPACES', 'DELIVERIES_PER_SECOND', 'API_ORIGINS', 'API_TRUSTED_PROXIES'],
];

/** Settings of the API that the supervisor hands on as they are; the API checks them. */
export function handedToApi(variables: Variables = process.env): Record<string, string> {
  return chosen(HANDED_TO_API, variables);
}

/** The variables that a child of the supervisor keeps of the supervisor's own: enough to run, and no setting. */
export function inheritedVariables(variables: Variables = process.env): Variables {
  const kept = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'LOG_LEVEL'];
  return chosen(kept, variables);
}

function chosen(names: readonly string[], variables: Variables): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])));
}
