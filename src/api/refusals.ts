import { type FastifyError, type FastifyReply } from 'fastify';
import { GraphQLError } from 'graphql';
import { type Logger } from '../observability/logger';
import { type ErrorCode } from '../resolvers/errors';
import { isTransient } from '../store/store-error';
import { errorAnswer, INTERNAL_MESSAGE, maskError, UNAVAILABLE_MESSAGE } from './error-answers';
import { type ApiMeters } from './meters';

/** Answers requests that never reach GraphQL, in the shape in which GraphQL answers errors. */
export interface Refusals {
  refuse(
    reply: FastifyReply,
    status: number,
    code: ErrorCode,
    message: string,
    reason?: string,
  ): FastifyReply;
  /** Sends what is thrown as an answer, as it would be sent from a request that came further; else undefined. */
  admit(reply: FastifyReply, pay: () => void): FastifyReply | undefined;
  /** Sends an error that is meant for the client; throws any other. */
  refuseWith(reply: FastifyReply, error: unknown): FastifyReply;
}

/** Of what is refused for another reason than the request itself, which is 400. */
const STATUSES: Partial<Record<ErrorCode, number>> = { RATE_LIMITED: 429, DOCUMENT_NOT_ALLOWED: 403 };

export function createRefusals({
  logger,
  meters,
}: {
  logger: Logger;
  meters: Pick<ApiMeters, 'errors'>;
}): Refusals {
  const refuseWith: Refusals['refuseWith'] = (reply, error) => {
    if (!(error instanceof GraphQLError)) throw error;
    const answer = maskError(error, reply.request.id, logger);
    const { code, retryAfterSeconds } = answer.extensions;
    meters.errors.inc({ code });
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
    const type = (reply.request.headers.accept ?? '').includes('application/graphql-response+json')
      ? 'application/graphql-response+json; charset=utf-8'
      : 'application/json; charset=utf-8';
    return reply
      .code(STATUSES[code] ?? 400)
      .type(type)
      .send({ errors: [answer] });
  };
  return {
    refuseWith,
    refuse(reply, status, code, message, reason) {
      return reply
        .code(status)
        .type('application/json; charset=utf-8')
        .send({ errors: [errorAnswer(code, message, reply.request.id, reason)] });
    },
    admit(reply, pay) {
      try {
        pay();
        return undefined;
      } catch (error) {
        return refuseWith(reply, error);
      }
    },
  };
}

/** What Fastify refuses before GraphQL is reached. */
export function refusalOf(error: FastifyError): { status: number; code: ErrorCode; message: string } {
  // An error of the store may carry a status too, and its message is not for the caller.
  const status = error.code?.startsWith('FST_') ? (error.statusCode ?? 500) : 500;
  if (status === 413) {
    return { status, code: 'PAYLOAD_TOO_LARGE', message: 'the body is over the limit: send less at a time' };
  }
  if (status >= 400 && status < 500) return { status, code: 'BAD_REQUEST', message: error.message };
  if (isTransient(error)) return { status: 503, code: 'UNAVAILABLE', message: UNAVAILABLE_MESSAGE };
  return { status: 500, code: 'INTERNAL_SERVER_ERROR', message: INTERNAL_MESSAGE };
}
