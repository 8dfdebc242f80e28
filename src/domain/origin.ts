/** How a caller reached the API. */
export const ORIGIN_TRANSPORTS = ['HTTP', 'WEBSOCKET', 'SSE'] as const;

/** Whence somebody asked. */
export interface Origin {
  /** IPv4 or IPv6: of the connection, or what a trusted proxy says of it. */
  address: string;
  transport: (typeof ORIGIN_TRANSPORTS)[number];
}
