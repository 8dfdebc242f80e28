import { type ServerResponse } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type ExecutionArgs, type ExecutionResult } from 'graphql';
import { createHandler } from 'graphql-sse';
import { explain, type Logger } from '../observability/logger';
import { type Memberships } from '../store/memberships';
import { errorAnswer } from './error-answers';
import { type ApiMeters } from './meters';
import { isArguments, type Operations } from './operations';
import { SESSION_ENDS, watchSession } from './session';
import { createStreamAnswers } from './stream-answers';

/** Operations by server-sent events: one request, one operation, one stream. */
export interface EventStreams {
  /** Of a request whose principal is known. */
  handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  open(): number;
  /** Ends every stream, so that its client comes again, to another replica. */
  close(): void;
}

interface Stream {
  readonly requestId: string;
  readonly response: ServerResponse;
  /** Writes the head of the answer, once. */
  begin(): void;
  /** What had left at the last look. */
  written: number;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  connection: 'keep-alive',
  // No proxy on the way may wait for more.
  'x-accel-buffering': 'no',
};
/** A stream that ends without `complete` is come back for: see `GraphQL over Server-Sent Events`, distinct connections. */
const NEXT = Buffer.from('event: next\ndata: ');
const END = Buffer.from('\n\n');
const COMPLETE = 'event: complete\ndata:\n\n';

/**
 * Carries the protocol of graphql-sse in its distinct connections mode. What is wrong with an operation is a result, as
 * over WebSocket, and not a status, at which its clients would try again. An expired token ends the stream without
 * `complete`, so that a client comes again, with a new one; who has lost all access is told so and completed.
 */
export function createEventStreams(options: {
  operations: Operations;
  memberships: Pick<Memberships, 'watch'>;
  /** A stream of which the network has taken nothing for so long is cut off. */
  keepAliveMilliseconds: number;
  meters: ApiMeters;
  logger: Logger;
}): EventStreams {
  const { operations, memberships, keepAliveMilliseconds, logger } = options;
  const answers = createStreamAnswers(options);
  const streams = new Set<Stream>();
  let looking: NodeJS.Timeout | undefined;

  const handler = createHandler<FastifyRequest, Stream, never>({
    // Distinct connections only: no stream is reserved, and nobody's is found by a token.
    authenticate: () => null,
    async onSubscribe({ raw, context: { requestId } }, { query, operationName, variables }) {
      const { principal, signal } = raw.graphql!;
      const prepared = await operations.prepare(
        { principal, from: { address: raw.ip, transport: 'SSE' }, requestId, signal },
        { query, documentId: documentIdIn(raw), operationName, variables },
      );
      if (isArguments(prepared)) {
        carried.set(prepared, raw);
        return prepared as never;
      }
      return { data: undefined, errors: prepared } as never;
    },
    execute: operations.execute as never,
    subscribe: ((args: ExecutionArgs) => {
      const stream = opened.get(carried.get(args)!)!;
      return operations.subscribe(args, (result, sent) => {
        stream.begin();
        write(stream.response, Buffer.concat([NEXT, result, END]), sent);
      });
    }) as never,
    onNext(_context, { context: { requestId } }, result) {
      options.meters.deliveries.inc();
      return answers.result(result as ExecutionResult, requestId) as never;
    },
  });
  const carried = new WeakMap<ExecutionArgs, FastifyRequest>();
  const opened = new WeakMap<FastifyRequest, Stream>();

  function look(): void {
    for (const stream of streams) {
      const { response } = stream;
      const written = response.socket?.bytesWritten ?? 0;
      if (response.writableLength > 0 && written === stream.written) response.destroy();
      stream.written = written;
    }
  }

  /** Says why, in a comment, and ends without `complete`. */
  function breakOff({ begin, response }: Stream, why: string): void {
    if (response.writableEnded) return;
    begin();
    response.end(`: ${why}\n\n`);
  }

  return {
    open: () => streams.size,
    close() {
      clearInterval(looking);
      looking = undefined;
      for (const stream of streams) breakOff(stream, 'the server restarts');
    },
    async handle(request, reply) {
      const response = reply.raw;
      const requestId = request.id;
      const stream: Stream = {
        requestId,
        response,
        written: 0,
        begin() {
          if (!response.headersSent) response.writeHead(200, { ...ownHeaders(reply), ...HEADERS });
        },
      };
      opened.set(request, stream);
      const [body, init] = await handler({
        method: request.method,
        url: documentIdIn(request) === undefined ? request.url : withQuery(request.url),
        headers: { get: (name) => headerOf(request, name) },
        body: bodyOf(request),
        raw: request,
        context: stream,
      });
      if (body === null || typeof body === 'string') {
        const { message, code } = refusalOf(init.status, body);
        if (init.headers) void reply.headers(init.headers);
        return reply
          .code(init.status)
          .type('application/json; charset=utf-8')
          .send({ errors: [errorAnswer(code, message, requestId)] });
      }
      void reply.hijack();
      request.raw.socket.setKeepAlive(true, keepAliveMilliseconds);
      streams.add(stream);
      looking ??= setInterval(look, keepAliveMilliseconds).unref();
      const unwatch = watchSession({
        principal: request.graphql!.principal,
        memberships,
        end(reason) {
          if (reason !== 'access-withdrawn') return breakOff(stream, SESSION_ENDS[reason]);
          const error = errorAnswer('UNAUTHENTICATED', SESSION_ENDS[reason], requestId, 'ACCESS_WITHDRAWN');
          stream.begin();
          response.end(`event: next\ndata: ${JSON.stringify({ errors: [error] })}\n\n${COMPLETE}`);
        },
      });
      const closed = (): void => {
        streams.delete(stream);
        unwatch();
        void body.return(undefined);
      };
      response.once('close', closed);
      if (response.destroyed) closed();
      stream.begin();
      try {
        // Beside what is shared: pings, and the end.
        for await (const text of body) {
          await new Promise<void>((resolve) => write(response, text, resolve));
        }
        if (!response.writableEnded) response.end();
      } catch (error) {
        logger.error({ requestId, error: explain(error) }, 'an event stream failed');
        breakOff(stream, 'a fault of ours: try again');
      }
      return reply;
    },
  };
}

function documentIdIn({ method, body, query }: FastifyRequest): unknown {
  return ((method === 'GET' ? query : body) as { documentId?: unknown } | null)?.documentId ?? undefined;
}

/** The library takes no request without a text; an empty one stands for the document that is named by its id. */
function bodyOf(request: FastifyRequest): Record<string, unknown> | null {
  const body = request.body as Record<string, unknown> | null;
  return body !== null && documentIdIn(request) !== undefined
    ? { ...body, query: body['query'] ?? '' }
    : body;
}

function withQuery(url: string): string {
  return /[?&]query=/.test(url) ? url : `${url}&query=`;
}

/** Calls `sent` when the text has left for the network, or never will. */
function write(response: ServerResponse, text: string | Buffer, sent: () => void): void {
  // A stream that has ended meanwhile is told by its close event.
  if (response.writableEnded || response.destroyed) sent();
  else response.write(text, () => sent());
}

function ownHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  // The library takes one spelling.
  if (name === 'accept') return 'text/event-stream';
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** What the library refuses before an operation is looked at. */
function refusalOf(status: number, body: string | null) {
  if (status === 415) {
    return { code: 'BAD_REQUEST' as const, message: 'send the operation as application/json' };
  }
  let message = 'the request is not one of GraphQL over Server-Sent Events';
  try {
    const said = (JSON.parse(body ?? '') as { errors?: { message?: unknown }[] }).errors?.[0]?.message;
    if (typeof said === 'string') message = said;
  } catch {
    // It says nothing.
  }
  return { code: 'BAD_REQUEST' as const, message };
}
