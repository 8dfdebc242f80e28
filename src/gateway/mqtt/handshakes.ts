import { type Socket } from 'node:net';
import { type Server as TlsServer } from 'node:tls';

/**
 * TLS handshakes, a bounded number at a time and a few new ones in each turn. One costs the one thread about a
 * millisecond: when thousands of devices come back at once, those that are connected are still served between two
 * portions of them, and far-away devices, whose handshakes take long but cost no more, do not hold up the others. Whoever
 * waits its turn has sent its first bytes at most, which stay in the network's own buffers.
 */
export interface Handshakes {
  /** @param socket paused, bare, of which nothing was read. */
  begin(socket: Socket): void;
  waiting(): number;
}

/** Begun in one turn of the event loop: what a connected device waits for them is a few milliseconds. */
const PER_TURN = 8;

/** @param server one that does not listen itself. */
export function createHandshakes(server: TlsServer, atOnce: number): Handshakes {
  let waiting: Socket[] = [];
  /** The next of those that wait: taking from the head of a long array would move all of it. */
  let next = 0;
  let underWay = 0;

  let scheduled = false;

  const proceed = (): void => {
    for (let begun = 0; begun < PER_TURN && underWay < atOnce && next < waiting.length;) {
      const socket = waiting[next++]!;
      if (socket.destroyed) continue;
      begun++;
      underWay++;
      server.emit('connection', socket);
    }
    if (next < waiting.length) return;
    waiting = [];
    next = 0;
  };
  const schedule = (): void => {
    if (scheduled || underWay >= atOnce || next === waiting.length) return;
    scheduled = true;
    // In another turn: what connected devices have sent meanwhile comes first.
    setImmediate(() => {
      scheduled = false;
      proceed();
      schedule();
    });
  };
  const ended = (): void => {
    underWay--;
    schedule();
  };
  // Node tells of each handshake exactly once: it succeeded, or it failed, timed out or its socket was closed.
  server.on('secureConnection', ended);
  server.on('tlsClientError', ended);

  return {
    begin(socket) {
      waiting.push(socket);
      schedule();
    },
    waiting: () => waiting.length - next,
  };
}
