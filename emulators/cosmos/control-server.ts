import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { healthAnswers, type Readiness } from '../../src/observability/health';
import { type Registry } from '../../src/observability/metrics';
import { listenError } from '../../src/observability/operator-error';
import { type Faults, readFault } from './faults';
import { readBody } from './request';

interface Answer {
  status: number;
  type: string;
  body: string;
}

/**
 * `/healthz`, `/readyz` and `/metrics`, and, where faults are allowed, `/faults`: POST one, GET those that wait,
 * DELETE them all.
 */
export function createControlServer(options: {
  host: string;
  port: number;
  metrics: Registry;
  readiness: () => Readiness;
  faults?: Faults;
}): { start(): Promise<number>; stop(): Promise<void> } {
  const { faults } = options;
  const health = healthAnswers(options);

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (path !== '/faults') return health(path);
    if (!faults) return json(404, { error: 'faults are off: start with --faults' });
    if (request.method === 'DELETE') faults.clear();
    else if (request.method === 'POST') {
      const text = await readBody(request);
      let input: unknown;
      try {
        input = JSON.parse(text ?? '');
      } catch {
        return json(400, { error: 'the body is not JSON' });
      }
      const fault = readFault(input);
      if ('problem' in fault) return json(400, { error: fault.problem });
      faults.add(fault);
    } else if (request.method !== 'GET') return json(405, { error: 'GET, POST and DELETE are served here' });
    return json(200, { faults: faults.list() });
  }

  const server = createServer((request, response) => {
    void answer(request)
      .catch(() => json(500, { error: 'internal error' }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type });
        response.end(body);
      });
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) =>
          reject(listenError(error, 'the Cosmos stand-in (health)', options.host, options.port)),
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

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}
