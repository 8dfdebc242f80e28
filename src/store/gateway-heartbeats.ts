import { explain, type Logger } from '../observability/logger';
import { type Cosmos } from './cosmos';

/**
 * In `directory`, key `GATEWAY_HEARTBEATS`, id the gateway's: that it runs, and whether Event Hubs takes what it sends.
 * Followed by the workers of the warm path, which hold devices for silent only while some gateway is heard.
 *
 * An event in each partition of the stream was weighed: it proves each partition's way too, but costs each consumer of
 * the stream, the cold one a file in every hour in which nothing else came.
 */
export interface HeartbeatDocument {
  id: string;
  key: typeof GATEWAY_HEARTBEATS;
  kind: 'heartbeat';
  at: number;
  connected: boolean;
  /** Seconds. */
  ttl: number;
}

export const GATEWAY_HEARTBEATS = 'heartbeats:gateways';

const EVERY_MS = 5_000;
const FORGOTTEN_AFTER_SECONDS = 3_600;

export interface GatewayHeartbeat {
  start(): void;
  stop(): Promise<void>;
}

/** Says every five seconds that a gateway runs: one small write. Where the store is away, the next one tries again. */
export function createGatewayHeartbeat(options: {
  cosmos: Pick<Cosmos, 'batch'>;
  logger: Logger;
  /** Of this gateway; another process that takes its place may take its name. */
  id: string;
  /** Whether Event Hubs can be reached. */
  connected(): boolean;
  everyMs?: number;
}): GatewayHeartbeat {
  const { cosmos, logger, id, everyMs = EVERY_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;

  const beat = async (): Promise<void> => {
    const heartbeat: HeartbeatDocument = {
      id,
      key: GATEWAY_HEARTBEATS,
      kind: 'heartbeat',
      at: Date.now(),
      connected: options.connected(),
      ttl: FORGOTTEN_AFTER_SECONDS,
    };
    try {
      await cosmos.batch('directory', GATEWAY_HEARTBEATS, [{ upsert: heartbeat }]);
    } catch (error) {
      logger.debug({ error: explain(error) }, 'a heartbeat was not stored');
    } finally {
      beating = undefined;
    }
  };
  const next = (): void => void (beating ??= beat());

  return {
    start() {
      next();
      timer ??= setInterval(next, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await beating;
    },
  };
}
