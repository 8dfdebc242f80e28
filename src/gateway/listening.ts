import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { listenError } from '../observability/operator-error';

/** A port that is listened on. */
export interface Listening {
  port: number;
  /** Resolves once no connection is left that came by it. */
  close(): Promise<void>;
}

/** The kernel takes no more than its own `net.core.somaxconn` of it: 4,096 where nobody set it. */
const BACKLOG = 65_535;
/** Sockets that listen on one port, each with a queue of its own. */
const QUEUES = 5;

/**
 * Listens so that a storm of ten thousand and more devices is queued by the kernel. A connection that finds its queue full
 * is neither refused nor told: the client has its SYN-ACK, takes itself for connected and sends again after ever longer
 * pauses, so that the last of them are back after minutes, with the gateway idle. One queue is too short for them while a
 * process starts or is busy for half a second, so there are several, among which the kernel shares out connections
 * (SO_REUSEPORT, socket(7)).
 *
 * @param server takes all of them.
 * @throws OperatorError when the port cannot be had.
 */
export async function listenOn(options: {
  server: Server;
  port: number;
  host: string;
  /** A further one is closed at once. */
  connections: number;
  /** For whoever is told that the port cannot be had. */
  what: string;
}): Promise<Listening> {
  const { server, host, what } = options;
  // Elsewhere a port is not shared out in this way.
  const shared = process.platform === 'linux';
  const others: Server[] = [];
  let open = 0;
  // The queues bound their own connections, and nobody those of all.
  server.prependListener('connection', (socket: Socket) => {
    open++;
    socket.once('close', () => open--);
    if (open > options.connections) socket.destroy();
  });
  const listen = (each: Server, port: number, reusePort: boolean): Promise<number> =>
    new Promise((resolve, reject) => {
      each.maxConnections = options.connections;
      const failed = (error: Error): void => reject(listenError(error, what, host, options.port));
      each.once('error', failed);
      each.listen({ port, host, backlog: BACKLOG, reusePort }, () => {
        each.off('error', failed);
        resolve((each.address() as AddressInfo).port);
      });
    });
  const close = async (): Promise<void> => {
    const ended = (each: Server): Promise<void> =>
      new Promise((resolve) => (each.listening ? each.close(() => resolve()) : resolve()));
    await Promise.all([server, ...others].map(ended));
  };

  // Who shares is not told that another process listens there: so the port is asked for alone first.
  if (shared && options.port !== 0) {
    const alone = createServer();
    await listen(alone, options.port, false);
    await new Promise((resolve) => alone.close(resolve));
  }
  try {
    const port = await listen(server, options.port, shared);
    for (let queue = 1; shared && queue < QUEUES; queue++) {
      const pauseOnConnect = (server as Server & { pauseOnConnect?: boolean }).pauseOnConnect === true;
      const other = createServer({ pauseOnConnect }, (socket) => void server.emit('connection', socket));
      others.push(other);
      await listen(other, port, true);
    }
    return { port, close };
  } catch (error) {
    await close();
    throw error;
  }
}
