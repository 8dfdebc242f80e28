import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { healthAnswers } from '../../src/observability/health';
import { type Registry } from '../../src/observability/metrics';
import { listenError } from '../../src/observability/operator-error';
import { type EventHubsEmulator } from './emulator';
import { FAULT_KINDS, type FaultKind } from './faults';

/**
 * The health port: `/healthz`, `/readyz`, `/metrics`, and, where faults were asked for at start, the surface that
 * makes them happen:
 *
 * - `POST /faults` `{kind, hub?, partition?, group?, count?, milliseconds?}` plans one (201 with its id);
 * - `GET /faults` lists those still to come; `DELETE /faults` or `/faults/{id}` calls them off;
 * - `POST /detach` `{hub?, partition?, group?}` closes links by force at once, `POST /drop` cuts all connections,
 *   `POST /retain` applies retention. Each answers with a count.
 */
export function createControlServer(options: {
  host: string;
  port: number;
  metrics: Registry;
  emulator: EventHubsEmulator;
  faults: boolean;
}): { start(): Promise<number>; stop(): Promise<void> } {
  const { emulator } = options;
  const health = healthAnswers({
    metrics: options.metrics,
    readiness() {
      const reasons = emulator.problems();
      return { ready: reasons.length === 0, reasons };
    },
  });
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const isControl = /^\/(faults(\/\d+)?|detach|drop|retain)$/.test(path);
    const answer =
      options.faults && isControl
        ? control(request, path)
        : request.method === 'GET' || request.method === 'HEAD'
          ? health(path)
          : Promise.resolve(json(405, { error: 'faults are off: start with --faults' }));
    answer.then(
      (reply) => {
        response.writeHead(reply.status, { 'content-type': reply.type });
        response.end(reply.body);
      },
      (error: unknown) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      },
    );
  });

  async function control(request: IncomingMessage, path: string): Promise<Answer> {
    const call = `${request.method} ${path.replace(/\d+$/, '{id}')}`;
    switch (call) {
      case 'GET /faults':
        return json(200, emulator.faults.list());
      case 'DELETE /faults':
        emulator.faults.clear();
        return json(200, []);
      case 'DELETE /faults/{id}':
        emulator.faults.clear(Number(path.split('/')[2]));
        return json(200, emulator.faults.list());
      case 'POST /faults':
        return json(201, emulator.faults.add(faultOf(await body(request))));
      case 'POST /detach':
        return json(200, { detached: emulator.detach(whereOf(await body(request))) });
      case 'POST /drop':
        return json(200, { dropped: emulator.drop() });
      case 'POST /retain':
        return json(200, { removed: await emulator.retain() });
      default:
        return json(405, { error: `${request.method} is not for ${path}` });
    }
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) =>
          reject(listenError(error, 'event-hubs (health)', options.host, options.port)),
        );
        server.listen(options.port, options.host, () => resolve((server.address() as AddressInfo).port));
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});

const MAX_BODY = 16 * 1024;

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY) throw new Error(`the body is longer than ${MAX_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('the body must be a JSON object');
  }
  return value as Record<string, unknown>;
}

function whereOf(value: Record<string, unknown>): { hub?: string; partition?: number; group?: string } {
  const where: { hub?: string; partition?: number; group?: string } = {};
  if (value.hub !== undefined) where.hub = String(value.hub);
  if (value.group !== undefined) where.group = String(value.group);
  if (value.partition !== undefined) where.partition = whole(value, 'partition');
  return where;
}

function faultOf(value: Record<string, unknown>): {
  kind: FaultKind;
  hub?: string;
  partition?: number;
  group?: string;
  count?: number;
  milliseconds: number;
} {
  const kind = FAULT_KINDS.find((each) => each === value.kind);
  if (kind === undefined) throw new Error(`kind must be one of ${FAULT_KINDS.join(', ')}`);
  return {
    kind,
    ...whereOf(value),
    ...(value.count === undefined ? {} : { count: whole(value, 'count') }),
    milliseconds: value.milliseconds === undefined ? 1000 : whole(value, 'milliseconds'),
  };
}

function whole(value: Record<string, unknown>, name: string): number {
  const number = Number(value[name]);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${name} must be a whole number`);
  return number;
}
