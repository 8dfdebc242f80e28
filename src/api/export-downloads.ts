import { pipeline } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { EXPORT_FILES } from '../domain/export';
import { explain, type Logger } from '../observability/logger';
import { type ErrorCode } from '../resolvers/errors';
import { type Exports } from '../store/exports/exports';
import { byteRangeOf } from './byte-range';

export const EXPORTS_PATH = '/exports/';

/** Of this replica, and of one caller: each holds a connection to Blob and its buffers. */
const AT_ONCE = 100;
const AT_ONCE_EACH = 4;
const NONE = 'there is no such part of an export, it has expired, or it is not yours to see';

/**
 * Parts of exports, for whoever may read all that the export holds at the time of the request. What is unknown, foreign,
 * expired or not ready is answered alike. The bytes come from Blob as fast as the client takes them; where the client
 * goes, nothing more is read. Ranges by RFC 9110: one range of bytes, so that a download that broke off goes on.
 */
export function registerExportRoutes(
  app: FastifyInstance,
  {
    signIn,
    refuse,
    exports,
    logger,
  }: {
    /** Sets `request.graphql`, or answers. */
    signIn: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
    refuse: (reply: FastifyReply, status: number, code: ErrorCode, message: string) => FastifyReply;
    exports: Pick<Exports, 'part' | 'open'>;
    logger: Logger;
  },
): void {
  const underWay = new Map<string, number>();
  let open = 0;

  app.route<{ Params: { id: string; part: string } }>({
    method: 'GET',
    url: `${EXPORTS_PATH}:id/:part`,
    // It would read the whole part to throw it away.
    exposeHeadRoute: false,
    onRequest: signIn,
    async handler(request, reply) {
      const { scope, signal, principal } = request.graphql!;
      const { id, part: name } = request.params;
      const found = await exports.part(scope, id, name);
      if (found === null) return refuse(reply, 404, 'NOT_FOUND', NONE);
      const { bytes } = found.part;
      // A part never changes: its name within its export says which bytes these are.
      const etag = `"${id}/${name}"`;
      const ifRange = request.headers['if-range'];
      const asked = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
      const range = byteRangeOf(asked, bytes);
      if (range === 'unsatisfiable') {
        void reply.header('content-range', `bytes */${bytes}`);
        return refuse(reply, 416, 'BAD_REQUEST', `the part has ${bytes} bytes: ask for some of them`);
      }
      const mine = underWay.get(principal.id) ?? 0;
      if (open >= AT_ONCE || mine >= AT_ONCE_EACH) {
        void reply.header('retry-after', '5');
        const whose = mine >= AT_ONCE_EACH ? `you have ${AT_ONCE_EACH}` : 'there are too many';
        return refuse(
          reply,
          mine >= AT_ONCE_EACH ? 429 : 503,
          mine >= AT_ONCE_EACH ? 'RATE_LIMITED' : 'UNAVAILABLE',
          `${whose} downloads under way: try again later`,
        );
      }
      open++;
      underWay.set(principal.id, mine + 1);
      const over = (): void => {
        open--;
        const left = underWay.get(principal.id)! - 1;
        if (left > 0) underWay.set(principal.id, left);
        else underWay.delete(principal.id);
      };
      const { start, end } = range ?? { start: 0, end: bytes - 1 };
      const opened = await exports.open(scope, found, { start, end }, signal).catch((error: unknown) => {
        over();
        // Nobody hears the answer.
        if (signal.aborted) return undefined;
        throw error;
      });
      if (opened === undefined) return reply.hijack();
      if (opened === null) {
        over();
        return refuse(reply, 404, 'NOT_FOUND', NONE);
      }
      const response = reply.raw;
      void reply
        .code(range === undefined ? 200 : 206)
        .headers({
          'content-type': EXPORT_FILES[found.of.format].contentType,
          'content-disposition': `attachment; filename="${name}"`,
          'content-length': String(end - start + 1),
          'accept-ranges': 'bytes',
          'cache-control': 'no-store',
          etag,
          ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${bytes}` }),
        })
        .hijack();
      response.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
      pipeline(opened.body, response, (error) => {
        over();
        // The client sees a body that is too short; nothing more can be said in it.
        if (error && !signal.aborted) {
          logger.warn({ requestId: request.id, error: explain(error) }, 'a download broke off');
        }
      });
      return reply;
    },
  });
}
