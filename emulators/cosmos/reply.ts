/** What an operation answers, before it becomes HTTP or one entry of a batch's reply. */
export interface Reply {
  status: number;
  /** JSON text, complete; absent for 204 and 304. */
  body?: string;
  etag?: string;
  /** Cosmos's second status, such as 1001 for a partition key that differs from the document's. */
  substatus?: number;
  /** Request units, by charges.ts. */
  charge: number;
  /** What was wrong, for replies of 400 and above. */
  message?: string;
  /** The session and change-feed position that this reply stands at. */
  lsn?: number;
  headers?: Record<string, string>;
}

/** Cosmos's names for statuses, the `code` of an error's body. */
const CODES: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'RequestTimeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'PreconditionFailed',
  413: 'RequestEntityTooLarge',
  424: 'FailedDependency',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
};

/** An error reply with Cosmos's body: `{code, message}`. */
export function refusal(
  status: number,
  message: string,
  more: { substatus?: number; charge?: number; headers?: Record<string, string> } = {},
): Reply {
  return {
    status,
    message,
    body: JSON.stringify({ code: CODES[status] ?? 'Error', message }),
    charge: more.charge ?? 1,
    substatus: more.substatus,
    headers: more.headers,
  };
}

/** 400 for what Azure does and this stand-in does not: it refuses rather than answer wrongly. */
export function unsupported(what: string): Reply {
  return refusal(
    400,
    `${what} is not supported by the local Cosmos stand-in (see docs/emulators/cosmos.md).`,
  );
}

/** The reply for a document that is not there (or has expired). */
export function notFound(what = 'Entity with the specified id does not exist in the system.'): Reply {
  return refusal(404, what);
}
