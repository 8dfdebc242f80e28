import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { parseLandingPath } from '../../src/store/landing-path';
import { downloadLanding, type LandedFile, type Landing, openLanding } from '../support/landing';
import { type PlatformEndpoints } from '../support/platform';
import { streamEnd, type StreamEnd } from './stream-end';

const CONTAINER = 'telemetry';

/** Everything that the stream held at one moment, as it stands in the cold store. */
export interface CollectedLanding extends Landing {
  end: StreamEnd;
  files: LandedFile[];
  /** Where they lie until it is closed. */
  folder: string;
}

/**
 * Waits until everything in the stream has been landed, downloads it and opens it for SQL.
 * @throws when the landing stays behind the stream past the deadline, saying by how much.
 */
export async function collectLanding(
  endpoints: PlatformEndpoints,
  options: { withinMs: number },
): Promise<CollectedLanding> {
  const end = await streamEnd(endpoints.eventHubs);
  const blobs = BlobServiceClient.fromConnectionString(endpoints.blob);
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    const behind = await behindStream(blobs, end);
    if (behind.length === 0) break;
    if (Date.now() >= deadline) throw new Error(`the landing stays behind the stream: ${behind.join(', ')}`);
    await delay(500);
  }
  const folder = mkdtempSync(join(tmpdir(), 'atrium-landing-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const files = (await downloadLanding(blobs, folder, CONTAINER)).filter(
      ({ incarnation }) => incarnation === end.incarnation,
    );
    const landing = await openLanding(folder);
    return {
      ...landing,
      end,
      files,
      folder,
      close() {
        landing.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The partitions whose last event is in no landing file yet, in words. */
async function behindStream(blobs: BlobServiceClient, end: StreamEnd): Promise<string[]> {
  const container = blobs.getContainerClient(CONTAINER);
  const landed = new Map<number, number>();
  const prefix = `landing/${end.incarnation}/`;
  if (await container.exists()) {
    for await (const { name, metadata } of container.listBlobsFlat({ prefix, includeMetadata: true })) {
      const place = parseLandingPath(name);
      if (place === undefined) continue;
      const [, last] =
        Object.entries(metadata ?? {}).find(([key]) => key.toLowerCase() === 'lastsequence') ?? [];
      landed.set(place.partition, Math.max(landed.get(place.partition) ?? -1, Number(last)));
    }
  }
  return end.partitions.flatMap(({ last }, partition) =>
    last > (landed.get(partition) ?? -1)
      ? [`partition ${partition} is landed up to ${landed.get(partition) ?? -1} of ${last}`]
      : [],
  );
}
