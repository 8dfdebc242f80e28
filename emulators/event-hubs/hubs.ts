import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Logger } from '../../src/observability/logger';
import { type Configuration, type HubConfiguration } from './configuration';
import { type Incarnation, openIncarnation, partitionDirectory } from './incarnation';
import { type Disk } from './log/disk';
import { openPartitionLog, type PartitionLog, type PartitionLogOptions } from './log/partition-log';

/** An event hub that is being served. */
export interface Hub {
  name: string;
  configuration: HubConfiguration;
  incarnation: Incarnation;
  partitions: PartitionLog[];
  /** The consumer group as it was configured, whatever the case it is asked for in. */
  group(name: string): string | undefined;
  /** For sends that name neither partition nor key: each goes to the next partition in turn. */
  nextPartition(): number;
}

export interface Hubs {
  /** By name, in any case, as in Azure. */
  find(name: string): Hub | undefined;
  all(): Hub[];
  /** Bytes accepted and not yet on disk, in all partitions. */
  pendingBytes(): number;
  /** Partitions that take nothing more, and why. */
  failures(): string[];
  retain(): Promise<number>;
  close(): Promise<void>;
}

export async function openHubs(options: {
  data: string;
  configuration: Configuration;
  disk: Disk;
  logger: Logger;
  segmentBytes: number;
  now: () => number;
  onGroup?: PartitionLogOptions['onGroup'];
}): Promise<Hubs> {
  const { logger, disk, segmentBytes, now, onGroup } = options;
  const log = { disk, logger, segmentBytes, now, ...(onGroup ? { onGroup } : {}) };
  const hubs = new Map<string, Hub>();
  for (const { namespace } of options.configuration.hubs) {
    mkdirSync(join(options.data, namespace), { recursive: true });
  }
  // The names of these folders; `openIncarnation` sees to what is below them.
  await disk.syncFolder(options.data);
  await disk.syncFolder(dirname(resolve(options.data)));
  for (const configuration of options.configuration.hubs) {
    const directory = join(options.data, configuration.namespace, configuration.name);
    const incarnation = await openIncarnation({
      directory,
      hub: configuration.name,
      partitionCount: configuration.partitionCount,
      log,
      logger,
    });
    const partitions = Array.from({ length: incarnation.partitionCount }, (_, partition) =>
      openPartitionLog({
        ...log,
        directory: partitionDirectory(directory, partition),
        incarnation: incarnation.id,
      }),
    );
    const groups = new Map(configuration.consumerGroups.map((name) => [name.toLowerCase(), name]));
    let turn = 0;
    hubs.set(configuration.name.toLowerCase(), {
      name: configuration.name,
      configuration,
      incarnation,
      partitions,
      group: (name) => groups.get(name.toLowerCase()),
      nextPartition: () => turn++ % partitions.length,
    });
  }
  const all = (): Hub[] => [...hubs.values()];
  return {
    find: (name) => hubs.get(name.toLowerCase()),
    all,
    pendingBytes: () =>
      all().reduce((sum, hub) => hub.partitions.reduce((each, log) => each + log.pendingBytes(), sum), 0),
    failures: () =>
      all().flatMap((hub) =>
        hub.partitions.flatMap((each, partition) => {
          const failure = each.failure();
          return failure ? [`${hub.name}/${partition}: ${failure.message}`] : [];
        }),
      ),
    async retain() {
      let removed = 0;
      for (const hub of all()) {
        const { retentionMilliseconds: maxAge, retentionBytes: maxBytes } = hub.configuration;
        for (const [partition, each] of hub.partitions.entries()) {
          const events = await each.retain({ maxAge, maxBytes });
          if (events > 0) logger.info({ hub: hub.name, partition, events }, 'retention removed events');
          removed += events;
        }
      }
      return removed;
    },
    async close() {
      await Promise.all(all().flatMap((hub) => hub.partitions.map((each) => each.close())));
    },
  };
}

/** A partition's number from the text of an address, undefined when there is no such partition. */
export function partitionNumber(hub: Hub, text: string): number | undefined {
  const partition = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  return partition >= 0 && partition < hub.partitions.length ? partition : undefined;
}
