import { createServer, type Server, type Socket, type AddressInfo } from 'node:net';
import { type DeviceModelChannel } from '../domain/device';
import { explain, type Logger } from '../observability/logger';
import { listenError } from '../observability/operator-error';
import { ACK, CAN, createLineScanner, type LineFrame, NAK, parseLineFrame } from './line-protocol';
import { type FieldGatewayMetrics } from './metrics';
import { type StoreAndForwardQueue } from './queue';
import { senmlOf } from './senml';

/** A unit of the line protocol and the child that it is to the cloud. */
export interface LineUnit {
  address: string;
  deviceId: string;
  channels: readonly DeviceModelChannel[];
}

export interface LineLimits {
  connections: number;
  /** A frame that has begun ends within this, or the connection does. */
  frameWithinMilliseconds: number;
  idleMilliseconds: number;
  /** Bytes that belong to no frame, and damaged frames in a row, after which the other end is taken for something else. */
  noiseBytes: number;
  damagedFrames: number;
}

export const DEFAULT_LINE_LIMITS: LineLimits = {
  connections: 1_000,
  frameWithinMilliseconds: 5_000,
  idleMilliseconds: 600_000,
  noiseBytes: 256,
  damagedFrames: 8,
};

/** Takes frames of the line protocol over TCP. Each is answered only after it is on disk. */
export interface LineListener {
  /** @throws OperatorError when the port cannot be had. */
  start(): Promise<number>;
  stop(): Promise<void>;
  connections(): number;
}

const BLANK = 0x20;

export function createLineListener(options: {
  logger: Logger;
  metrics: FieldGatewayMetrics;
  queue: StoreAndForwardQueue;
  host: string;
  port: number;
  units: readonly LineUnit[];
  limits?: Partial<LineLimits>;
}): LineListener {
  const { logger, metrics, queue } = options;
  const limits = { ...DEFAULT_LINE_LIMITS, ...options.limits };
  const units = new Map(options.units.map((unit) => [unit.address, unit]));
  const sockets = new Set<Socket>();
  /** The last instant of each unit's channel. */
  const instants = new Map<string, number>();
  /** Frames that are being kept, those of connections that have ended among them. */
  let keeping = 0;

  const onSocket = (socket: Socket): void => {
    // While the queue is full, units that lose patience and come back must not leave a frame behind each time.
    if (keeping >= limits.connections) return void socket.destroy();
    sockets.add(socket);
    const scanner = createLineScanner();
    let damaged = 0;
    let overdue: NodeJS.Timeout | undefined;

    const ended = (): void => {
      clearTimeout(overdue);
      overdue = undefined;
    };

    const close = (reason: string): void => {
      if (socket.destroyed) return;
      metrics.closed(reason);
      logger.debug({ from: socket.remoteAddress, reason }, 'a line connection was closed');
      socket.destroy();
    };

    /** @returns false where the connection is to end. */
    const take = async (bytes: Buffer): Promise<boolean> => {
      const frame = parseLineFrame(bytes);
      const answer = (code: number): void =>
        void socket.write(
          Buffer.of(code, 'sequence' in frame ? frame.sequence.charCodeAt(0) || BLANK : BLANK),
        );
      if ('fault' in frame) {
        metrics.frame(frame.damaged ? 'damaged' : 'unwanted');
        damaged += Number(frame.damaged);
        answer(frame.damaged ? NAK : CAN);
        return damaged < limits.damagedFrames;
      }
      damaged = 0;
      keeping++;
      try {
        answer(await keep(frame));
      } finally {
        keeping--;
      }
      return true;
    };

    const takeAll = async (frames: readonly Buffer[]): Promise<void> => {
      // Not read meanwhile: the queue's pace is the unit's pace.
      socket.pause();
      if (frames.length > 0) ended();
      for (const bytes of frames) {
        if (socket.destroyed) return;
        if (!(await take(bytes))) return close('damaged');
      }
      if (scanner.noise() > limits.noiseBytes) return close('noise');
      // Counted from its first byte, so that a byte now and then does not hold the connection for ever.
      if (scanner.pending() > 0) overdue ??= setTimeout(() => close('slow'), limits.frameWithinMilliseconds);
      else ended();
      socket.resume();
    };

    socket.setTimeout(limits.idleMilliseconds, () => close('idle'));
    socket.on('data', (chunk: Buffer) => {
      const frames: Buffer[] = [];
      scanner.feed(chunk, (frame) => frames.push(frame));
      takeAll(frames).catch((error: unknown) => {
        // Unanswered, the unit sends again.
        logger.error({ error: explain(error) }, 'a frame could not be kept');
        close('not kept');
      });
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      ended();
      sockets.delete(socket);
    });
  };

  /**
   * A reading is its point and its millisecond: of two frames that come at once the second would else be taken for the
   * first sent again, and be lost.
   */
  const instantOf = (source: string, measuredAt: number): number => {
    const last = instants.get(source) ?? -Infinity;
    const instant = measuredAt <= last && last - measuredAt < 1_000 ? last + 1 : measuredAt;
    instants.set(source, instant);
    return instant;
  };

  const keep = async (frame: LineFrame): Promise<number> => {
    const unit = units.get(frame.address);
    const channel = unit?.channels.find(({ quantity }) => quantity === frame.quantity);
    if (unit === undefined || channel === undefined) {
      metrics.frame('unwanted');
      const { address, quantity } = frame;
      logger.warn(
        { address, quantity },
        'a frame of a unit or quantity that the configuration does not name',
      );
      return CAN;
    }
    if (frame.status !== 'A') {
      metrics.frame('no value');
      logger.info({ address: unit.address, status: frame.status }, 'a frame without a value');
      return ACK;
    }
    // The answer to the one before was lost: it was kept then, and keeping it again would give it another time.
    const key = `line:${unit.address}`;
    const identity = `${frame.sequence} ${frame.quantity} ${frame.value}`;
    if (frame.sequence !== '' && queue.mark(key) === identity) {
      metrics.frame('repeated');
      return ACK;
    }
    const now = Date.now();
    const body = senmlOf(
      unit.deviceId,
      instantOf(`${unit.address} ${channel.name}`, now - frame.age * 1000),
      [{ channel: channel.name, unit: channel.unit, value: frame.value }],
    );
    const { deviceId } = unit;
    await queue.append({ deviceId, body, queuedAt: now }, { key, value: identity });
    metrics.frame('kept');
    return ACK;
  };

  const server: Server = createServer({ keepAlive: true }, onSocket);
  server.maxConnections = limits.connections;

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) =>
          reject(listenError(error, 'the line protocol', options.host, options.port)),
        );
        server.listen(options.port, options.host, () => resolve((server.address() as AddressInfo).port));
      }),
    stop: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    connections: () => sockets.size,
  };
}
