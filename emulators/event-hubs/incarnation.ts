import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type Logger } from '../../src/observability/logger';
import { OperatorError } from '../../src/observability/operator-error';
import { createPartition, type PartitionLogOptions } from './log/partition-log';
import { SEGMENT_HEADER } from './log/segment';

/**
 * One life of an event hub. Positions mean something only within it; its `createdAt` is what a client sees as
 * `createdOn`, and its `tag` marks every offset that it gives out: see `offsets.ts`.
 */
export interface Incarnation {
  id: string;
  createdAt: number;
  partitionCount: number;
  tag: number;
}

const OFFSET_TAGS = 10_000;

/** Finds the incarnation in an event hub's folder, or begins a new one where the folder is empty or absent. */
export async function openIncarnation(options: {
  directory: string;
  hub: string;
  partitionCount: number;
  log: Omit<PartitionLogOptions, 'directory' | 'incarnation'>;
  logger: Logger;
}): Promise<Incarnation> {
  const { directory, hub, partitionCount } = options;
  const file = join(directory, 'incarnation.json');
  if (existsSync(file)) {
    const found = parse(file);
    if (found.partitionCount !== partitionCount) {
      throw new OperatorError(
        `event hub '${hub}' has ${found.partitionCount} partitions in ${directory} and ${partitionCount} in the configuration: a change of the partition count is a new event hub, so give it a new name or remove the folder`,
      );
    }
    return found;
  }
  assertNoEvents(directory, hub);
  const now = options.log.now();
  const incarnation: Incarnation = {
    id: randomBytes(16).toString('hex'),
    createdAt: now,
    partitionCount,
    tag: randomBytes(4).readUInt32BE() % OFFSET_TAGS,
  };
  mkdirSync(directory, { recursive: true });
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const folder = partitionDirectory(directory, partition);
    mkdirSync(folder, { recursive: true });
    await createPartition({ ...options.log, directory: folder, incarnation: incarnation.id });
  }
  await options.log.disk.syncFolder(directory);
  await options.log.disk.syncFolder(dirname(directory));
  // Last: whoever finds this file may rely on every partition being there.
  options.log.disk.replace(file, `${JSON.stringify(incarnation, undefined, 2)}\n`);
  options.logger.info({ hub, incarnation: incarnation.id, partitionCount }, 'new incarnation');
  return incarnation;
}

export function partitionDirectory(hubDirectory: string, partition: number): string {
  return join(hubDirectory, `p${String(partition).padStart(2, '0')}`);
}

function parse(file: string): Incarnation {
  let value: Partial<Incarnation> | undefined;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Incarnation>;
  } catch {
    value = undefined;
  }
  const { id, createdAt, partitionCount, tag } = value ?? {};
  if (
    typeof id !== 'string' ||
    !/^[0-9a-f]{32}$/.test(id) ||
    !Number.isSafeInteger(createdAt) ||
    !Number.isSafeInteger(partitionCount) ||
    !Number.isSafeInteger(tag)
  ) {
    throw new OperatorError(
      `${file} is damaged: restore it from a copy, or remove its folder to begin a new incarnation`,
    );
  }
  return { id, createdAt: createdAt!, partitionCount: partitionCount!, tag: tag! };
}

/** Logs with events but no incarnation are somebody's data, not an interrupted creation. */
function assertNoEvents(directory: string, hub: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const folder = join(directory, name);
    if (!/^p\d+$/.test(name) || !statSync(folder).isDirectory()) continue;
    for (const segment of readdirSync(folder)) {
      if (statSync(join(folder, segment)).size > SEGMENT_HEADER) {
        throw new OperatorError(
          `event hub '${hub}' has events in ${directory} and no incarnation.json: restore the file from a copy, or remove the folder to begin a new incarnation`,
        );
      }
    }
  }
}
