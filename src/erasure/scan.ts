import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { type CuratedManifest } from '../domain/curated';
import { type ContainerName } from '../store/containers';
import { type Cosmos } from '../store/cosmos';
import { manifestPath } from '../store/curated-path';
import { CONTAINERS } from '../store/documents';
import { type Finding, type Looked } from '../store/erasure/documents';
import { type Mentions } from '../store/erasure/mentions';
import { eachDocument } from '../store/erasure/removal';
import { isTombstoneBlob, mentionIn } from './blobs';
import { isTombstone, textOf } from './documents';
import { openParquetIds, type ParquetIds } from './parquet-ids';

export interface ScanReport {
  looked: Looked;
  findings: number;
  /** The first of them. */
  examples: Finding[];
}

const MOST_EXAMPLES = 20;
const TIMEOUT_MS = 600_000;

/**
 * Looks through every document of every container of the store, and every blob of every container of the account, by name,
 * metadata and content, for the ids. It changes nothing: what it says is proof of what others did.
 */
export async function scanFor(options: {
  cosmos: Pick<Cosmos, 'changes'>;
  blobs: BlobServiceClient;
  tenantId: string;
  mentions: Mentions;
  signal: AbortSignal;
}): Promise<ScanReport> {
  const { cosmos, blobs, tenantId, mentions, signal } = options;
  const report: ScanReport = { looked: {}, findings: 0, examples: [] };
  const find = (container: string, place: string, found: string | undefined): void => {
    if (found === undefined) return;
    report.findings++;
    report.looked[container]!.found++;
    if (report.examples.length < MOST_EXAMPLES) report.examples.push({ container, place, found });
  };

  for (const container of Object.keys(CONTAINERS) as ContainerName[]) {
    const path = CONTAINERS[container].partitionKey.slice(1);
    const looked = { documents: 0, found: 0 };
    report.looked[container] = looked;
    await eachDocument(cosmos, container, (documents) => {
      signal.throwIfAborted();
      for (const each of documents) {
        const partition = String(each[path]);
        if (isTombstone(partition, tenantId)) continue;
        looked.documents++;
        find(container, `${partition} ${String(each.id)}`, mentions.in(textOf(each)));
      }
    });
  }

  const folder = await mkdtemp(join(tmpdir(), 'atrium-erasure-'));
  const ids = await openParquetIds(folder);
  try {
    for await (const { name: containerName } of blobs.listContainers()) {
      const client = blobs.getContainerClient(containerName);
      const container = `blob ${containerName}`;
      const looked = { blobs: 0, bytes: 0, rows: 0, found: 0 };
      report.looked[container] = looked;
      for await (const { name, metadata, properties } of client.listBlobsFlat({ includeMetadata: true })) {
        signal.throwIfAborted();
        looked.blobs++;
        looked.bytes += properties.contentLength ?? 0;
        if (isTombstoneBlob(name, tenantId)) {
          if (name === manifestPath(tenantId)) find(container, name, await leftIn(client, name));
          continue;
        }
        const found = mentions.in(`${name} ${JSON.stringify(metadata ?? {})}`);
        if (found !== undefined) {
          find(container, name, found);
          continue;
        }
        const within = await look(
          client,
          { name, bytes: properties.contentLength ?? 0 },
          { folder, ids, mentions },
        );
        looked.rows += within.rows;
        find(container, name, within.found);
      }
    }
  } finally {
    ids.close();
    await rm(folder, { recursive: true, force: true });
  }
  return report;
}

/** What is in a blob; nothing where it has gone meanwhile. */
async function look(
  container: ContainerClient,
  { name, bytes }: { name: string; bytes: number },
  { folder, ids, mentions }: { folder: string; ids: ParquetIds; mentions: Mentions },
): Promise<{ rows: number; found: string | undefined }> {
  const blob = container.getBlobClient(name);
  const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    if (bytes === 0) return { rows: 0, found: undefined };
    if (!name.endsWith('.parquet')) {
      const content = await blob.downloadToBuffer(undefined, undefined, { abortSignal });
      return { rows: 0, found: await mentionIn(content, mentions) };
    }
    const path = join(folder, 'file.parquet');
    await blob.downloadToFile(path, undefined, undefined, { abortSignal });
    const { ids: texts, rows } = await ids.in(path);
    return { rows, found: mentions.in(texts.join('\n')) };
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return { rows: 0, found: undefined };
    throw error;
  }
}

/** A manifest is a tombstone only once it names no generation any more. */
async function leftIn(container: ContainerClient, name: string): Promise<string | undefined> {
  const content = await container.getBlobClient(name).downloadToBuffer();
  const { erasedAt, periods, retired } = JSON.parse(content.toString('utf8')) as CuratedManifest;
  if (erasedAt === undefined) return 'no mark of the erasure';
  return periods.length + retired.length > 0 ? 'generations' : undefined;
}
