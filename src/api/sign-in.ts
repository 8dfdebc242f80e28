import { type ServerResponse } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Services } from '../resolvers/context';
import { type Admission } from './admission';
import { authenticate, type Tokens } from './authentication';
import { payerOf } from './cost';
import { type Crowd } from './crowd';
import { type ApiMeters } from './meters';
import { PATH, STREAM_PATH, wantsPage } from './paths';
import { type Refusals } from './refusals';
import { createContext } from './request-context';
import { type Scopes } from './scopes';

export type SignIn = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * Says who asks and whether there is room for them, before the body is read: who is not signed in costs no parsing. Sets
 * `request.graphql`, or answers.
 */
export function createSignIn(options: {
  tokens: Tokens;
  crowd: Crowd;
  /** For the message to whom it is refused. */
  maximumOfClient: number;
  services: Services;
  scopes: Scopes;
  admission: Admission;
  meters: Pick<ApiMeters, 'errors'>;
  refusals: Refusals;
}): SignIn {
  const { tokens, crowd, maximumOfClient, services, scopes, admission, meters, refusals } = options;
  const { refuse, admit } = refusals;
  return async (request, reply) => {
    // A socket signs in by its first message; GraphiQL asks its user for the token.
    if (request.ws || wantsPage(request)) return;
    void reply.header('cache-control', 'no-store');
    const authentication = await authenticate(tokens, request.headers.authorization, request.ip);
    if (!authentication.ok) {
      const { code, message, reason } = authentication;
      meters.errors.inc({ code });
      if (code === 'UNAVAILABLE') return refuse(reply, 503, code, message, reason);
      if (code === 'RATE_LIMITED') {
        void reply.header('retry-after', '1');
        return refuse(reply, 429, code, message, reason);
      }
      void reply.header('www-authenticate', `Bearer realm="atrium", error="invalid_token"`);
      return refuse(reply, 401, code, message, reason);
    }
    const { principal } = authentication;
    // What is long by its nature, a stream or a download, has limits of its own.
    const brief = request.routeOptions.url === PATH;
    const crowded = brief ? crowd.enter(principal.id, reply.raw) : null;
    if (crowded !== null) {
      void reply.header('retry-after', '1');
      if (crowded === 'all') return refuse(reply, 503, 'UNAVAILABLE', 'too many requests at once');
      const message = `at most ${maximumOfClient} requests of yours at a time`;
      return refuse(reply, 429, 'RATE_LIMITED', message);
    }
    request.graphql = await createContext({
      services,
      scopes,
      principal,
      from: { address: request.ip, transport: request.routeOptions.url === STREAM_PATH ? 'SSE' : 'HTTP' },
      requestId: request.id,
      signal: goneSignal(reply.raw),
    });
    const payer = payerOf(request.graphql.scope);
    return admit(reply, () => admission.admitBody(payer, Number(request.headers['content-length'] ?? 0)));
  };
}

/** Aborted where the connection closes before the answer is out. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went'));
  });
  return gone.signal;
}
