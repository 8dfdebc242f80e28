import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BlobServiceClient, RestError } from '@azure/storage-blob';
import { parseLandingPath } from '../../src/store/landing-path';

interface Collected {
  incarnation: string;
  partition: number;
  firstSequence: number;
  lastSequence: number;
  rows: number;
  path: string;
}

/** Keeps a copy of every landing file as it first stood, before it is curated and removed. */
export interface LandingCollector {
  /** Copies what has come since. */
  collect(): Promise<void>;
  /** Files seen so far. */
  files(): number;
  /** The last sequence of a partition's whole chain as far as it was seen; -1 where nothing was. */
  landedTo(incarnation: string, partition: number): number;
  /**
   * Copies the files of the chains to a folder, `INCARNATION/p=N/`, and says in words where a chain is not whole up to
   * its stream's end. Files beside the chains, of writers that came too late, are counted.
   */
  chains(
    into: string,
    ends: readonly { incarnation: string; partition: number; last: number }[],
  ): Promise<{ differences: string[]; files: number; events: number; rows: number; beside: number }>;
  stop(): Promise<void>;
}

const EVERY_MS = 150;

export function createLandingCollector(blobs: BlobServiceClient, folder: string): LandingCollector {
  const container = blobs.getContainerClient('telemetry');
  const files = new Map<string, Collected>();
  let stopping = false;
  let collecting = Promise.resolve();

  const collectOnce = async (): Promise<void> => {
    if (!(await container.exists())) return;
    for await (const { name, metadata } of container.listBlobsFlat({
      prefix: 'landing/',
      includeMetadata: true,
    })) {
      if (files.has(name)) continue;
      const place = parseLandingPath(name);
      if (place === undefined) throw new Error(`${name} is not the name of a landing file`);
      const said = (key: string): number =>
        Number(Object.entries(metadata ?? {}).find(([each]) => each.toLowerCase() === key)?.[1]);
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      try {
        await container.getBlobClient(name).downloadToFile(`${path}.part`);
      } catch (error) {
        // Taken back by its writer, or removed since it was listed.
        if (error instanceof RestError && error.statusCode === 404) continue;
        throw error;
      }
      await rename(`${path}.part`, path);
      files.set(name, { ...place, path, lastSequence: said('lastsequence'), rows: said('rows') });
    }
  };
  const collect = (): Promise<void> => (collecting = collecting.then(collectOnce));
  const loop = (async () => {
    while (!stopping) {
      await collect();
      await delay(EVERY_MS);
    }
  })();
  // Told to whoever stops it.
  loop.catch(() => undefined);

  const chainOf = (incarnation: string, partition: number): { chain: Collected[]; beside: Collected[] } => {
    const own = [...files.values()].filter(
      (each) => each.incarnation === incarnation && each.partition === partition,
    );
    const chain: Collected[] = [];
    for (let next = 0; ;) {
      const file = own.find(({ firstSequence }) => firstSequence === next);
      if (file === undefined) break;
      chain.push(file);
      next = file.lastSequence + 1;
    }
    return { chain, beside: own.filter((each) => !chain.includes(each)) };
  };

  return {
    collect,
    files: () => files.size,
    landedTo: (incarnation, partition) => chainOf(incarnation, partition).chain.at(-1)?.lastSequence ?? -1,
    async chains(into, ends) {
      const differences: string[] = [];
      const counts = { files: 0, events: 0, rows: 0, beside: 0 };
      for (const { incarnation, partition, last } of ends) {
        const { chain, beside } = chainOf(incarnation, partition);
        const reached = chain.at(-1)?.lastSequence ?? -1;
        if (reached !== last) {
          differences.push(`${incarnation} partition ${partition} is landed up to ${reached}, not ${last}`);
        }
        counts.beside += beside.length;
        counts.events += reached + 1;
        for (const file of chain) {
          const copy = join(into, incarnation, `p=${partition}`, `s${file.firstSequence}.parquet`);
          await mkdir(dirname(copy), { recursive: true });
          if (!existsSync(copy)) await copyFile(file.path, copy);
          counts.files++;
          counts.rows += file.rows;
        }
      }
      return { differences, ...counts };
    },
    async stop() {
      stopping = true;
      await loop;
    },
  };
}
