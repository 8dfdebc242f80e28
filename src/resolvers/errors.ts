import { GraphQLError } from 'graphql';

/**
 * Every code that stands in `errors[].extensions.code`, with what it means to a client. A code is never renamed and never
 * changes its meaning. Refusals of a mutation are not here: they are values of its result, see `user-error.type.ts`.
 */
export const ERROR_CODES = {
  UNAUTHENTICATED: 'No token, or one that is expired, forged or meant for another API: sign in again.',
  FORBIDDEN: 'You may see the object but not this field of it: ask an owner of the tenant for the role.',
  NOT_FOUND: 'There is no such object, or it is not yours to see; the two are not told apart.',
  BAD_USER_INPUT: 'An argument or a variable is not acceptable; the message says which and why.',
  GRAPHQL_PARSE_FAILED: 'The document is not GraphQL; the location points at the fault.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit the schema: see /schema.graphql.',
  OPERATION_RESOLUTION_FAILURE:
    'The document holds several operations and operationName chooses none of them.',
  DOCUMENT_TOO_COMPLEX: 'The document is deeper, wider or longer than allowed; the message names the limit.',
  RATE_LIMITED: 'You, or your tenant, ask for more than your share: wait for `retryAfterSeconds`.',
  QUESTION_TOO_COSTLY:
    'A question over stored readings takes longer, or looks at more, than one may: ask for a shorter range.',
  PERSISTED_QUERY_NOT_SUPPORTED:
    'Nobody stores a document by sending it: register your client’s documents and send `documentId`.',
  DOCUMENT_NOT_FOUND: 'No document of that `documentId` is registered with a tenant of yours: send the text.',
  DOCUMENT_NOT_ALLOWED: 'The API key may execute certain documents only, and this is none of them.',
  BAD_REQUEST: 'The request is not GraphQL over HTTP; the message says what is missing.',
  PAYLOAD_TOO_LARGE: 'The request body is over the limit: send less at a time.',
  TOO_SLOW:
    'A subscription’s events were taken more slowly than they came: subscribe again, with `after` where it takes one.',
  UNAVAILABLE: 'A service behind the API cannot be reached: try again, with a growing delay.',
  INTERNAL_SERVER_ERROR: 'A fault of ours: report it with the request id.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}

/** An error whose message is meant for the client; any other error is masked. */
export function clientError(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
