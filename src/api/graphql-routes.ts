import { type AsyncLocalStorage } from 'node:async_hooks';
import { type ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Context } from '../resolvers/context';
import { type Admission } from './admission';
import { payerOf } from './cost';
import { type EventStreams } from './event-stream';
import { type ApiMeters } from './meters';
import { PATH, STREAM_PATH, wantsPage } from './paths';
import { type GraphiqlPage } from './public-routes';
import { type Refusals } from './refusals';
import { type DocumentRequest, type FoundDocument, type RequestedDocuments } from './requested-documents';
import { type SignIn } from './sign-in';
import { type createSocketHandler } from './socket-handler';
import { type Turns } from './turns';

/** The three transports of GraphQL and the page for people, on two paths. */
export function registerGraphqlRoutes(
  app: FastifyInstance,
  options: {
    apollo: ApolloServer<Context>;
    /** The id of the request under way, for whom Apollo tells of none. */
    requests: AsyncLocalStorage<string>;
    signIn: SignIn;
    admission: Admission;
    requested: RequestedDocuments;
    turns: Turns;
    refusals: Refusals;
    graphiql: GraphiqlPage;
    streams: EventStreams;
    onSocket: ReturnType<typeof createSocketHandler>;
    /** Of WebSockets and event streams together. */
    maximumSockets: number;
    isStopping: () => boolean;
    meters: Pick<ApiMeters, 'sockets'>;
  },
): void {
  const { apollo, requests, signIn, admission, requested, turns, graphiql, streams, onSocket, meters } =
    options;
  const { refuse, refuseWith } = options.refusals;
  const handle = fastifyApolloHandler<Context>(apollo, { context: async (request) => request.graphql! });
  /** With so many connections that are kept open, over either transport. */
  const isFull = (connections: number): boolean =>
    options.isStopping() || connections > options.maximumSockets;

  async function answer(this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
    if (wantsPage(request)) {
      return reply
        .type(graphiql.page.type)
        .headers(graphiql.headers(request.headers.host))
        .send(graphiql.page.body);
    }
    const { principal, scope } = request.graphql!;
    await turns.next(principal.id);
    try {
      const found = await requested.find(scope, documentIn(request));
      if (found?.trusted === true) putSource(request, found);
      else if (found !== undefined) admission.admitDocument(payerOf(scope), found.source);
    } catch (error) {
      return refuseWith(reply, error);
    }
    return requests.run(request.id, () => handle.call(this, request as never, reply as never));
  }

  app.route({
    method: 'GET',
    url: PATH,
    onRequest: signIn,
    handler: answer,
    wsHandler(socket, request) {
      const open = this.websocketServer.clients.size;
      meters.sockets.set(open);
      socket.once('close', () => meters.sockets.dec());
      if (isFull(open + streams.open())) {
        socket.close(1013, 'too many connections: try again later');
        return;
      }
      onSocket(socket, request);
    },
  });
  app.route({ method: 'POST', url: PATH, onRequest: signIn, handler: answer });
  app.route({
    method: ['GET', 'POST'],
    url: STREAM_PATH,
    onRequest: signIn,
    async handler(request, reply) {
      if (!(request.headers.accept ?? '').includes('text/event-stream')) {
        return refuse(reply, 406, 'BAD_REQUEST', 'accept text/event-stream here');
      }
      if (isFull(this.websocketServer.clients.size + streams.open() + 1)) {
        void reply.header('retry-after', '5');
        return refuse(reply, 503, 'UNAVAILABLE', 'too many connections: try again later');
      }
      return streams.handle(request, reply);
    },
  });
}

/** What a request says of its document. */
function documentIn({ method, body, query }: FastifyRequest): DocumentRequest {
  return ((method === 'GET' ? query : body) ?? {}) as DocumentRequest;
}

/** From here on it is as if the request had sent the text. */
function putSource(request: FastifyRequest, { source }: FoundDocument): void {
  if (request.method === 'GET') {
    const { url = '' } = request.raw;
    const address = new URL(url, 'http://host');
    address.searchParams.set('query', source);
    request.raw.url = `${address.pathname}${address.search}`;
  } else (request.body as DocumentRequest).query = source;
}
