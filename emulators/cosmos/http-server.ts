import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { listenError } from '../../src/observability/operator-error';
import { type Answer } from './service';

export interface HttpServer {
  /** Resolves with the port that was bound. */
  start(): Promise<number>;
  /** Takes no new requests, finishes those under way, closes. */
  stop(): Promise<void>;
}

const KEEP_ALIVE_MILLISECONDS = 65_000;

/** Turns answers into HTTP with the headers that the SDK reads. */
export function createHttpServer(options: {
  host: string;
  port: number;
  answer: (request: IncomingMessage) => Promise<Answer>;
  /** Told of each request: its answer and its server-side duration in milliseconds. */
  observe: (answer: Answer, milliseconds: number) => void;
}): HttpServer {
  const activity = activityIds();
  let stopping = false;

  const server = createServer((request, response) => {
    const started = performance.now();
    void options.answer(request).then((answer) => {
      if (!response.destroyed) write(response, answer);
      options.observe(answer, performance.now() - started);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS;

  function write(response: ServerResponse, { reply, route, container }: Answer): void {
    const headers: (string | number)[] = [
      'content-type',
      'application/json',
      'x-ms-request-charge',
      reply.charge,
      'x-ms-activity-id',
      activity(),
      'x-ms-version',
      '2020-07-15',
      'x-ms-gatewayversion',
      '2.0.0',
    ];
    if (reply.etag !== undefined) headers.push('etag', reply.etag);
    if (reply.substatus !== undefined) headers.push('x-ms-substatus', reply.substatus);
    if (reply.lsn !== undefined) headers.push('lsn', reply.lsn, 'x-ms-session-token', `0:-1#${reply.lsn}`);
    if (container) {
      headers.push('x-ms-content-path', container.rid);
      headers.push('x-ms-alt-content-path', encodeURI(`dbs/${route!.database}/colls/${route!.container}`));
    }
    if (reply.headers) for (const name in reply.headers) headers.push(name, reply.headers[name]!);
    if (stopping) headers.push('connection', 'close');
    if (reply.body === undefined) {
      if (reply.status !== 204 && reply.status !== 304) headers.push('content-length', 0);
      response.writeHead(reply.status, headers as never);
      response.end();
      return;
    }
    headers.push('content-length', Buffer.byteLength(reply.body));
    response.writeHead(reply.status, headers as never);
    response.end(reply.body);
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) =>
          reject(listenError(error, 'the Cosmos stand-in', options.host, options.port)),
        );
        server.listen(options.port, options.host, () => resolve((server.address() as AddressInfo).port));
      }),
    stop: () =>
      new Promise((resolve) => {
        stopping = true;
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Activity ids: unique, in the form of a UUID, without a random draw a request. */
function activityIds(): () => string {
  const random = randomBytes(10).toString('hex');
  const head = `-${random.slice(0, 4)}-4${random.slice(4, 7)}-a${random.slice(7, 10)}-${random.slice(8, 20)}`;
  let count = 0;
  return () => {
    count = (count + 1) >>> 0;
    return count.toString(16).padStart(8, '0') + head;
  };
}
