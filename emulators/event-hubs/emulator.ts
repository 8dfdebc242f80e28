import { createLogger, type Logger } from '../../src/observability/logger';
import { createMetrics, type Registry } from '../../src/observability/metrics';
import { type AmqpServer, createAmqpServer } from './amqp/server';
import { type Configuration, parseConfiguration, type Policy, SAMPLE_CONFIGURATION } from './configuration';
import { lockData } from './data-lock';
import { createFaults, type Faults } from './faults';
import { type Hubs, openHubs } from './hubs';
import { createDisk, type Disk } from './log/disk';
import { createEventHubsMetrics } from './metrics';

export interface EventHubsEmulatorOptions {
  /** The folder of the logs; created where it is absent. */
  dataDir: string;
  host?: string;
  /** 0 (the default) takes a free one. */
  port?: number;
  /** Event hubs and further policies; `{ hubs: { name: partitions } }` says the same in short. */
  configuration?: Configuration;
  hubs?: Record<string, number | { partitions: number; consumerGroups?: string[] }>;
  /** The key of `RootManageSharedAccessKey`. */
  key?: string;
  tls?: { key: string | Buffer; cert: string | Buffer };
  /** False is the mode without fsync: quicker, and a power cut may lose what was acknowledged. */
  fsync?: boolean;
  segmentBytes?: number;
  retentionEveryMilliseconds?: number;
  idleMilliseconds?: number;
  logger?: Logger;
  metrics?: Registry;
  /** Told what is durable after each sync; for the crash proof. */
  onDurable?: (path: string, length: number) => void;
  now?: () => number;
}

export interface EventHubsEmulator {
  start(): Promise<{ port: number; connectionString: string }>;
  /** Finishes and acknowledges what was accepted, then closes connections and files. */
  stop(): Promise<void>;
  faults: Faults;
  /** Closes links by force (`amqp:link:detach-forced`); all, or those of a hub, partition or group. */
  detach(where?: { hub?: string; partition?: number; group?: string }): number;
  /** Cuts every connection without a word. */
  drop(): number;
  /** Applies retention now. Resolves with the number of events removed. */
  retain(): Promise<number>;
  /** Why it cannot do all of its work, empty when it can. */
  problems(): string[];
  hubs(): Hubs;
}

export const ROOT_KEY_NAME = 'RootManageSharedAccessKey';
/** The key that Microsoft's emulator documents. */
export const DEFAULT_KEY = 'SAS_KEY_VALUE';
const SEGMENT_BYTES = 64 * 1024 * 1024;
const RETENTION_EVERY = 60_000;
const IDLE = 240_000;

/** A local stand-in for an Event Hubs namespace, spoken to by the unmodified SDK. */
export function createEventHubsEmulator(options: EventHubsEmulatorOptions): EventHubsEmulator {
  const logger = options.logger ?? createLogger({ name: 'event-hubs', level: 'warn' });
  const registry = options.metrics ?? createMetrics({ process: 'event-hubs' });
  const host = options.host ?? '127.0.0.1';
  const now = options.now ?? Date.now;
  const configuration = configurationOf(options);
  const root: Policy = {
    keyName: ROOT_KEY_NAME,
    key: options.key ?? DEFAULT_KEY,
    rights: ['Manage', 'Send', 'Listen'],
  };
  const faults = createFaults();
  let hubs: Hubs | undefined;
  let server: AmqpServer | undefined;
  let lock: { release(): void } | undefined;
  let retention: NodeJS.Timeout | undefined;
  const metrics = createEventHubsMetrics({
    registry,
    now: () => ({
      connections: server?.counts().connections ?? 0,
      readers: server?.counts().readers ?? 0,
      pendingBytes: hubs?.pendingBytes() ?? 0,
      logBytes:
        hubs
          ?.all()
          .reduce((sum, hub) => hub.partitions.reduce((each, log) => each + log.state().bytes, sum), 0) ?? 0,
    }),
  });

  async function start(): Promise<{ port: number; connectionString: string }> {
    lock = lockData(options.dataDir);
    try {
      hubs = await openHubs({
        data: options.dataDir,
        configuration,
        disk: withFullDisk(
          createDisk({
            fsync: options.fsync ?? true,
            ...(options.onDurable ? { onDurable: options.onDurable } : {}),
          }),
          faults,
        ),
        logger,
        segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
        now,
        onGroup({ batches, milliseconds }) {
          metrics.groupBatches.observe(batches);
          metrics.groupSeconds.observe(milliseconds / 1000);
        },
      });
      server = createAmqpServer({
        host,
        port: options.port ?? 0,
        ...(options.tls ? { tls: options.tls } : {}),
        idleMilliseconds: options.idleMilliseconds ?? IDLE,
        hubs,
        policies: [root, ...configuration.policies],
        faults,
        metrics,
        logger,
        now,
      });
      const port = await server.start();
      retention = setInterval(() => void retain(), options.retentionEveryMilliseconds ?? RETENTION_EVERY);
      retention.unref();
      await retain();
      return { port, connectionString: connectionString(host, port, root, options.tls !== undefined) };
    } catch (error) {
      await hubs?.close();
      lock.release();
      throw error;
    }
  }

  async function retain(): Promise<number> {
    try {
      return (await hubs?.retain()) ?? 0;
    } catch (error) {
      logger.error({ error: (error as Error).message }, 'retention failed');
      return 0;
    }
  }

  return {
    start,
    async stop() {
      clearInterval(retention);
      await hubs?.close();
      await server?.stop();
      lock?.release();
      hubs = undefined;
      server = undefined;
      lock = undefined;
    },
    faults,
    detach: (where = {}) =>
      server?.detach(
        (link) =>
          (where.hub === undefined || link.hub.toLowerCase() === where.hub.toLowerCase()) &&
          (where.partition === undefined || link.partition === where.partition) &&
          (where.group === undefined || link.group?.toLowerCase() === where.group.toLowerCase()),
      ) ?? 0,
    drop: () => server?.drop() ?? 0,
    retain,
    problems: () => (hubs === undefined ? ['not started'] : hubs.failures()),
    hubs() {
      if (hubs === undefined) throw new Error('the emulator is not started');
      return hubs;
    },
  };
}

function connectionString(host: string, port: number, policy: Policy, tls: boolean): string {
  return `Endpoint=sb://${host}:${port};SharedAccessKeyName=${policy.keyName};SharedAccessKey=${policy.key}${
    tls ? '' : ';UseDevelopmentEmulator=true'
  }`;
}

function configurationOf(options: EventHubsEmulatorOptions): Configuration {
  if (options.configuration !== undefined) return options.configuration;
  const asked = options.hubs;
  const value =
    asked === undefined
      ? SAMPLE_CONFIGURATION
      : {
          UserConfig: {
            NamespaceConfig: [
              {
                Type: 'EventHub',
                Name: 'local',
                Entities: Object.entries(asked).map(([name, hub]) => ({
                  Name: name,
                  PartitionCount: typeof hub === 'number' ? hub : hub.partitions,
                  ConsumerGroups:
                    typeof hub === 'number'
                      ? []
                      : (hub.consumerGroups ?? []).map((group) => ({ Name: group })),
                })),
              },
            ],
          },
        };
  const { configuration, problems } = parseConfiguration(value);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return configuration;
}

/** A fault: the disk has no room. Fails before anything is written, as a file system that checks first does. */
function withFullDisk(disk: Disk, faults: Faults): Disk {
  return {
    ...disk,
    write(file, buffers, position) {
      if (faults.takes('diskFull', {})) {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      disk.write(file, buffers, position);
    },
  };
}
