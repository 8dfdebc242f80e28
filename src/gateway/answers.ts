import { type ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';

/** Every error a device can be answered, with its status. Codes are stable; messages are for people. */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  PAYLOAD_INVALID: 400,
  ALL_REFUSED: 400,
  UNAUTHENTICATED: 401,
  DEVICE_REGISTERED: 403,
  DEVICE_SUSPENDED: 403,
  DEVICE_RETIRED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_CONTENT_TYPE: 415,
  GATEWAY_BUSY: 429,
  DEVICE_RATE_EXCEEDED: 429,
  TENANT_RATE_EXCEEDED: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL_ERROR: 500,
  STREAM_UNAVAILABLE: 503,
  DIRECTORY_UNAVAILABLE: 503,
} as const;
export type ErrorCode = keyof typeof ERROR_STATUS;

/** Whether nothing is known against the device: the registry could not be asked just now. */
export function isPassing(code: ErrorCode): boolean {
  return code === 'DIRECTORY_UNAVAILABLE' || code === 'GATEWAY_BUSY';
}

/** An error to be answered: `{error: {code, message, ...where}}`. */
export interface GatewayError {
  code: ErrorCode;
  message: string;
  /** What further names the place or the cause, e.g. `{contentType, expected}`. */
  where?: Record<string, unknown>;
  retryAfterSeconds?: number;
  /** Beside `error`, e.g. the list of refused readings. */
  beside?: Record<string, unknown>;
  /** Set where the rest of the request is not read: the connection ends with the answer. */
  close?: boolean;
}

export function answerError(response: ServerResponse, error: GatewayError): void {
  const headers: Record<string, string | number> = {};
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = Math.ceil(error.retryAfterSeconds);
  if (error.code === 'UNAUTHENTICATED') headers['www-authenticate'] = 'SharedAccessSignature';
  if (error.code === 'METHOD_NOT_ALLOWED') headers['allow'] = 'POST';
  if (error.close) headers['connection'] = 'close';
  answerJson(response, ERROR_STATUS[error.code], errorBody(error), headers);
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | number> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  headers['content-type'] = 'application/json';
  headers['content-length'] = Buffer.byteLength(text);
  response.writeHead(status, headers);
  response.end(text);
}

/** The same answer for bytes that are no HTTP request, written to the bare socket. */
export function bareAnswer(code: ErrorCode, message: string): string {
  const status = ERROR_STATUS[code];
  const text = JSON.stringify(errorBody({ code, message }));
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}

function errorBody({ code, message, where, beside }: GatewayError): Record<string, unknown> {
  return { error: { code, message, ...where }, ...beside };
}
