import { type Socket } from 'node:net';
import { type Server as TlsServer } from 'node:tls';
import { type GatewayMetrics } from './metrics';

/**
 * TLS handshakes, a bounded number at a time and a few new ones in each turn. One costs the one thread about a
 * millisecond: when thousands of devices come back at once, those that are connected are still served between two
 * portions of them, and far-away devices, whose handshakes take long but cost no more, do not hold up the others: nor do
 * those that say nothing, which are not counted any more after a moment. Whoever waits its turn has sent its first bytes
 * at most, which stay in the network's own buffers.
 */
export interface Handshakes {
  waiting(): number;
  underWay(): number;
}

/** Begun in one turn of the event loop: what a connected device waits for them is a few milliseconds. */
const PER_TURN = 8;
/** After that long a handshake waits for its client and costs nothing: it may go on, and no other waits for it. */
const COUNTED_MS = 500;

/**
 * @param server one that does not listen yet. What it does with a new connection is done here from now on, in its turn.
 */
export function createHandshakes(
  server: TlsServer,
  options: { atOnce: number; metrics: Pick<GatewayMetrics, 'handshake'>; beforeEach?: () => void },
): Handshakes {
  const { atOnce, metrics, beforeEach } = options;
  const [shake] = server.listeners('connection') as [(socket: Socket) => void];
  // An option of every server (net.createServer). Node's TLS server hands it on to what it makes of a connection.
  const accepting = server as TlsServer & { pauseOnConnect: boolean };
  accepting.pauseOnConnect = true;
  let waiting: Socket[] = [];
  /** The next of those that wait: taking from the head of a long array would move all of it. */
  let next = 0;
  let underWay = 0;
  /**
   * When each of those under way began, `atOnce` at most. One that ends takes the oldest with it, which may be another:
   * how many there are is what counts.
   */
  const began: number[] = [];
  let scheduled = false;
  let waking: NodeJS.Timeout | undefined;

  const hasRoom = (now: number): boolean => {
    while (began.length > 0 && now - began[0]! >= COUNTED_MS) began.shift();
    return began.length < atOnce;
  };
  const proceed = (): void => {
    const now = performance.now();
    for (let begun = 0; begun < PER_TURN && next < waiting.length && hasRoom(now);) {
      const socket = waiting[next++]!;
      if (socket.destroyed) continue;
      begun++;
      underWay++;
      began.push(now);
      beforeEach?.();
      accepting.pauseOnConnect = false;
      shake.call(server, socket);
      accepting.pauseOnConnect = true;
    }
    if (next < waiting.length) return;
    waiting = [];
    next = 0;
  };
  const schedule = (): void => {
    if (scheduled || next === waiting.length) return;
    const now = performance.now();
    if (!hasRoom(now)) {
      waking ??= setTimeout(
        () => {
          waking = undefined;
          schedule();
        },
        Math.max(1, Math.min(COUNTED_MS, began[0]! + COUNTED_MS - now)),
      ).unref();
      return;
    }
    scheduled = true;
    // In another turn: what connected devices have sent meanwhile comes first.
    setImmediate(() => {
      scheduled = false;
      proceed();
      schedule();
    });
  };
  const ended = (how: 'full' | 'resumed' | 'failed'): void => {
    metrics.handshake(how);
    underWay--;
    began.shift();
    schedule();
  };
  // Node tells of each handshake exactly once: it succeeded, or it failed, timed out or its socket was closed.
  server.on('secureConnection', (socket) => ended(socket.isSessionReused() ? 'resumed' : 'full'));
  server.on('tlsClientError', () => ended('failed'));

  server.off('connection', shake);
  server.on('connection', (socket: Socket) => {
    waiting.push(socket);
    schedule();
  });

  return { waiting: () => waiting.length - next, underWay: () => underWay };
}
