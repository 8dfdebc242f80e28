import { GraphQLError, type GraphQLErrorExtensions, type GraphQLFormattedError } from 'graphql';
import { explain, type Logger } from '../observability/logger';
import { type ErrorCode, isErrorCode } from '../resolvers/errors';
import { isTransient } from '../store/store-error';
import { type CostExtension } from './cost';

export const INTERNAL_MESSAGE = 'a fault of ours: report it with the request id';
export const UNAVAILABLE_MESSAGE = 'a service behind the API cannot be reached: try again shortly';

/** Every error the API answers with, over HTTP and WebSocket, in the body of a refused request and beside partial data. */
export interface ErrorAnswer extends GraphQLFormattedError {
  extensions: {
    code: ErrorCode;
    requestId: string;
    reason?: string;
    /** Of RATE_LIMITED. */
    retryAfterSeconds?: number;
    cost?: CostExtension;
  };
}

export function errorAnswer(
  code: ErrorCode,
  message: string,
  requestId: string,
  reason?: string,
): ErrorAnswer {
  return { message, extensions: { code, requestId, ...(reason === undefined ? {} : { reason }) } };
}

/**
 * What a client may know of an error: the message of those meant for it, where it arose, a stable code and the request id.
 * Anything else is a fault of ours: logged whole, answered without a word of it.
 */
export function maskError(error: unknown, requestId: string, logger: Logger): ErrorAnswer {
  const { locations, path } = error instanceof GraphQLError ? error : {};
  const place = {
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
  };
  const code = clientCodeOf(error);
  if (code !== undefined) {
    const { message, extensions } = error as GraphQLError;
    return {
      message,
      ...place,
      extensions: { code, requestId, ...(code === 'RATE_LIMITED' && waitIn(extensions)) },
    };
  }
  const original = originalOf(error);
  const details = { requestId, path, error: explain(original) };
  if (isTransient(original)) {
    logger.warn(details, 'a service behind the API is away');
    return { ...place, ...errorAnswer('UNAVAILABLE', UNAVAILABLE_MESSAGE, requestId) };
  }
  const stack = original instanceof Error ? original.stack : undefined;
  logger.error({ ...details, stack }, 'a resolver failed');
  return { ...place, ...errorAnswer('INTERNAL_SERVER_ERROR', INTERNAL_MESSAGE, requestId) };
}

/** When a refused operation may come again, and what it would cost. */
function waitIn(
  extensions: GraphQLErrorExtensions,
): Pick<ErrorAnswer['extensions'], 'retryAfterSeconds' | 'cost'> {
  return {
    retryAfterSeconds: Number(extensions['retryAfterSeconds']),
    cost: extensions['cost'] as CostExtension,
  };
}

/** The code, where the error was made for the client; undefined for any other. */
function clientCodeOf(error: unknown): ErrorCode | undefined {
  const original = originalOf(error);
  // Whatever a library threw may carry `extensions` too; only a GraphQLError was written for the client.
  if (!(original instanceof GraphQLError) || !(error instanceof GraphQLError)) return undefined;
  for (const { extensions } of [original, error]) {
    if (isErrorCode(extensions['code']) && extensions['code'] !== 'INTERNAL_SERVER_ERROR') {
      return extensions['code'];
    }
  }
  return undefined;
}

function originalOf(error: unknown): unknown {
  let original = error;
  while (original instanceof GraphQLError && original.originalError) original = original.originalError;
  return original;
}
