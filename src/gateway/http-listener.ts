import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Socket } from 'node:net';
import { bareAnswer, type ErrorCode } from './answers';
import { type Handshakes } from './handshakes';
import { type GatewayLimits } from './limits';
import { type GatewayMetrics } from './metrics';
import { type Listening, listenOn } from './listening';
import { createSecureServer, type ServerCertificate } from './tls';

/** Where HTTP is listened for. */
export interface HttpPorts {
  /** Without TLS; 0 for a free one. */
  port: number;
  /** HTTPS beside it. */
  tls?: { port: number } & ServerCertificate;
}

export interface HttpListener {
  /** @throws OperatorError when a port cannot be had. */
  start(): Promise<{ port: number; tlsPort?: number }>;
  /** Takes no further connection and finishes the requests it has. */
  finish(): Promise<void>;
  /** Closes what is still open. */
  close(): Promise<void>;
  handshakes?: Handshakes;
}

// Devices that send once a minute keep their connection from one reading to the next.
const KEEP_ALIVE_MS = 75_000;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;
// Shorter than a process is given to drain.
const DRAIN_MS = 6_000;

/**
 * HTTP, and HTTPS where a certificate is given. node:http itself, without a framework: one route, and a framework's share
 * of a request's CPU can be measured.
 */
export function createHttpListener(options: {
  host: string;
  ports: HttpPorts;
  limits: Pick<GatewayLimits, 'connections' | 'handshakes'>;
  metrics: Pick<GatewayMetrics, 'handshake'>;
  /** Resolves when the request has been answered, whatever it was; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}): HttpListener {
  const { host, ports, limits, handle } = options;
  let active = 0;
  let stopping = false;
  let idle: (() => void) | undefined;

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    active++;
    if (stopping) response.setHeader('connection', 'close');
    await handle(request, response);
    active--;
    if (active === 0) idle?.();
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void onRequest(request, response);

  const timeouts = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 5_000,
  };
  const servers: Server[] = [createServer(timeouts, listener)];
  const { tls } = ports;
  const secure =
    tls &&
    createSecureServer(tls, { handshakes: limits.handshakes, metrics: options.metrics }, (secureOptions) =>
      createTlsServer({ ...timeouts, ...secureOptions }, listener),
    );
  if (secure) servers.push(secure.server);
  for (const server of servers) {
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
      const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? NOT_HTTP;
      socket.end(bareAnswer(code, message));
    });
    // Whoever does not speak TLS, or does not trust us, is not answered.
    server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  }

  const listening: Listening[] = [];
  const listen = async (server: Server, port: number, what: string): Promise<number> => {
    const { connections } = limits;
    const one = await listenOn({ server, port, host, connections, what });
    listening.push(one);
    return one.port;
  };
  const cut = (): void => {
    for (const server of servers) server.closeAllConnections();
  };
  let closed: Promise<unknown> = Promise.resolve();

  return {
    async start() {
      const port = await listen(servers[0]!, ports.port, 'the device gateway');
      try {
        const tlsPort = tls && (await listen(servers[1]!, tls.port, 'the device gateway’s HTTPS'));
        return { port, ...(tlsPort === undefined ? {} : { tlsPort }) };
      } catch (error) {
        await listening[0]!.close();
        throw error;
      }
    },
    async finish() {
      stopping = true;
      closed = Promise.all(listening.map((each) => each.close()));
      for (const server of servers) server.closeIdleConnections();
      if (active === 0) return;
      const finished = new Promise<void>((resolve) => (idle = resolve));
      // A client that does not finish its request is cut off: nothing of it was taken.
      const late = setTimeout(cut, DRAIN_MS);
      await finished;
      clearTimeout(late);
    },
    async close() {
      cut();
      await closed;
    },
    ...(secure && { handshakes: secure.handshakes }),
  };
}

const NOT_HTTP: [ErrorCode, string] = ['BAD_REQUEST', 'this is no HTTP request'];
const CLIENT_ERRORS: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request took too long to arrive'],
};
