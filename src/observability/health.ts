import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Registry } from './metrics';
import { listenError } from './operator-error';

/** Whether the process can do its work now, and, where it cannot, why. */
export interface Readiness {
  ready: boolean;
  reasons: string[];
}

export interface HealthServer {
  /** Resolves with the port that was bound (the one asked for, or a free one when 0 was asked). */
  start(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * `/healthz` (the process answers), `/readyz` (it can do its work: 200, or 503 with the reasons) and `/metrics`
 * (Prometheus text) on a port of their own.
 */
export function createHealthServer(options: {
  what: string;
  host: string;
  port: number;
  metrics: Registry;
  readiness: () => Readiness | Promise<Readiness>;
}): HealthServer {
  const answer = healthAnswers(options);
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    void answer(path).then((reply) => {
      response.writeHead(reply.status, { 'content-type': reply.type });
      response.end(reply.body);
    });
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) =>
          reject(listenError(error, `${options.what} (health)`, options.host, options.port)),
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

/** The same three answers for a process that has an HTTP server of its own. */
export function healthAnswers(options: {
  metrics: Registry;
  readiness: () => Readiness | Promise<Readiness>;
}): (path: string) => Promise<{ status: number; type: string; body: string }> {
  return async (path) => {
    try {
      if (path === '/healthz') {
        return { status: 200, type: 'application/json', body: '{"status":"ok"}' };
      }
      if (path === '/readyz') {
        const readiness = await options.readiness();
        return {
          status: readiness.ready ? 200 : 503,
          type: 'application/json',
          body: JSON.stringify(readiness),
        };
      }
      if (path === '/metrics') {
        return { status: 200, type: options.metrics.contentType, body: await options.metrics.metrics() };
      }
      return {
        status: 404,
        type: 'application/json',
        body: '{"error":"not found: /healthz, /readyz and /metrics are served here"}',
      };
    } catch {
      return { status: 500, type: 'application/json', body: '{"error":"internal error"}' };
    }
  };
}
