import { type Socket } from 'node:net';
import { type Server as TlsServer } from 'node:tls';

/**
 * TLS handshakes, a bounded number at a time. Each costs the one thread about a millisecond: when thousands of devices
 * come back at once, those that are connected are still served between two portions of them. Whoever waits its turn has
 * sent its first bytes at most, which stay in the network's own buffers.
 */
export interface Handshakes {
  /** @param socket paused, bare, of which nothing was read. */
  begin(socket: Socket): void;
  waiting(): number;
}

/** @param server one that does not listen itself. */
export function createHandshakes(server: TlsServer, atOnce: number): Handshakes {
  let waiting: Socket[] = [];
  /** The next of those that wait: taking from the head of a long array would move all of it. */
  let next = 0;
  let underWay = 0;

  const proceed = (): void => {
    while (underWay < atOnce && next < waiting.length) {
      const socket = waiting[next++]!;
      if (socket.destroyed) continue;
      underWay++;
      server.emit('connection', socket);
    }
    if (next === waiting.length) {
      waiting = [];
      next = 0;
    }
  };
  const ended = (): void => {
    underWay--;
    // In another turn: what connected devices have sent meanwhile comes first.
    setImmediate(proceed);
  };
  // Node tells of each handshake exactly once: it succeeded, or it failed, timed out or its socket was closed.
  server.on('secureConnection', ended);
  server.on('tlsClientError', ended);

  return {
    begin(socket) {
      waiting.push(socket);
      proceed();
    },
    waiting: () => waiting.length - next,
  };
}
