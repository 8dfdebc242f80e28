import { type Server, type Socket } from 'node:net';
import { type Held } from './holding';
import { type GatewayLimits } from './limits';
import { type Listening, listenOn } from './listening';
import { createTurnEnd, type TurnEnd } from './turn-writes';

/** One connection of one device, from its first byte to its last, whatever it speaks. */
export interface DeviceConnection {
  /** Goes on with what was read, as far as it may. */
  proceed(): void;
  /** Silence, slowness, and whether its device may still be here. */
  check(now: number): void;
  end(why: 'taken-over'): void;
  /** Takes nothing more; resolves once all that it took was answered and the connection is closed. */
  drain(): Promise<void>;
}

/** What all connections of one transport share. */
export interface SharedByConnections<Connection> extends Held {
  turnEnd: TurnEnd;
  limits: GatewayLimits;
  /** The device has proved who it is: an older connection of it ends. */
  connected(deviceId: string, connection: Connection): void;
  /** It waits for something nobody will tell it of: `proceed` is called now and then. */
  stalled(connection: Connection): void;
  closed(connection: Connection, deviceId: string | undefined): void;
  /** Connections whose device the registry is being asked about, as they were silent. */
  checksUnderWay: number;
}

/** Listens for devices that stay connected, and looks after their connections. */
export interface DeviceListener {
  /**
   * @returns the ports.
   * @throws OperatorError when one cannot be had.
   */
  start(): Promise<number[]>;
  /** Takes no further message, answers those it took, closes every connection. */
  stop(): Promise<void>;
  /** Bytes that were read and not yet taken. */
  bytesHeld(): number;
  /** Connections of devices that proved who they are. */
  devices(): number;
}

export interface Endpoint {
  server: Server;
  /** 0 for a free one. */
  port: number;
  /** For whoever is told that the port cannot be had. */
  what: string;
}

/** How often connections that wait are tried again. */
const TICK_MS = 100;
/** Shorter than a process is given to drain. */
const DRAIN_MS = 6_000;
/**
 * What connections may hold together before they have proved whose they are, as a part of what the gateway may: beside
 * it and not within it, so that nobody without a key takes the room of those that have one.
 */
const UNPROVED_SHARE = 4;

export function createDeviceListener<Connection extends DeviceConnection>(options: {
  host: string;
  limits: GatewayLimits;
  /** Connections at once that have not proved whose they are; a further one is closed. */
  mostUnproved?: number;
  /** @param open takes a new connection in, a secure one after its handshake. */
  endpoints: (open: (socket: Socket) => void) => Endpoint[];
  /** Called once. */
  connections: (shared: SharedByConnections<Connection>) => (socket: Socket) => Connection;
}): DeviceListener {
  const { host, limits, mostUnproved = Infinity } = options;
  const connections = new Set<Connection>();
  /** One a device: whoever comes later is the device, and the one before it a connection that nobody has missed yet. */
  const byDevice = new Map<string, Connection>();
  let stalled = new Set<Connection>();
  let held = 0;
  let unproved = 0;
  let stopping = false;
  let ticking: NodeJS.Timeout | undefined;
  let sweep = connections.values();

  const shared: SharedByConnections<Connection> = {
    turnEnd: createTurnEnd(),
    limits,
    held: (bytes) => (held += bytes),
    heldUnproved(bytes) {
      unproved += bytes;
      return unproved <= limits.bytesInFlight / UNPROVED_SHARE;
    },
    connected(deviceId, connection) {
      byDevice.get(deviceId)?.end('taken-over');
      byDevice.set(deviceId, connection);
    },
    checksUnderWay: 0,
    stalled: (connection) => stalled.add(connection),
    closed(connection, deviceId) {
      connections.delete(connection);
      stalled.delete(connection);
      if (deviceId !== undefined && byDevice.get(deviceId) === connection) byDevice.delete(deviceId);
    },
  };

  const tick = (): void => {
    const waiting = stalled;
    stalled = new Set();
    for (const connection of waiting) connection.proceed();
    // A share of all connections each time, so that ten thousand are looked at without a pause for the others.
    const now = Date.now();
    let share = Math.ceil((connections.size * TICK_MS) / limits.sweepMilliseconds);
    for (; share > 0; share--) {
      const { value, done } = sweep.next();
      if (done) {
        sweep = connections.values();
        return;
      }
      value.check(now);
    }
  };

  const create = options.connections(shared);
  const open = (socket: Socket): void => {
    if (stopping || socket.destroyed || connections.size - byDevice.size >= mostUnproved)
      return void socket.destroy();
    connections.add(create(socket));
  };
  const endpoints = options.endpoints(open);
  /** The bare ones, those in their TLS handshake too. */
  const sockets = new Set<Socket>();
  for (const { server } of endpoints) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  }

  const listening: Listening[] = [];
  const close = (): Promise<unknown> => Promise.all(listening.map((each) => each.close()));

  return {
    async start() {
      try {
        for (const endpoint of endpoints) {
          listening.push(await listenOn({ ...endpoint, host, connections: limits.connections }));
        }
        ticking = setInterval(tick, TICK_MS);
        return listening.map(({ port }) => port);
      } catch (error) {
        await close();
        throw error;
      }
    },
    async stop() {
      stopping = true;
      clearInterval(ticking);
      const closed = close();
      const cut = (): void => {
        for (const socket of sockets) socket.destroy();
      };
      const late = setTimeout(cut, DRAIN_MS);
      await Promise.all([...connections].map((connection) => connection.drain()));
      clearTimeout(late);
      cut();
      await closed;
    },
    bytesHeld: () => held,
    devices: () => byDevice.size,
  };
}
