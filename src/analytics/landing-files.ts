import { type ContainerClient } from '@azure/storage-blob';
import { partitionOf } from '../domain/partition';
import { landingFolder, parseLandingPath } from '../store/landing-path';
import { type LandedEnd } from '../store/recent-tail';
import { type BlobFile } from './blob-cache';

/** A landing file as a listing tells of it. */
export interface ListedLanding extends BlobFile {
  incarnation: string;
  partition: number;
  firstSequence: number;
  /** Where the hour begins in which its first event was enqueued. No event in it was enqueued before. */
  hour: number;
}

export interface Landed {
  /** In stream order, of each life of the stream after the other. */
  files: ListedLanding[];
  /** Of each partition that was looked at in each life: how far the same listing goes, whatever the hour. */
  ends: LandedEnd[];
}

/** The landing files of the cold store, listed at most about a second ago. */
export interface LandingFiles {
  /**
   * Those that may hold readings of the buildings (of all, where none are named) whose hour is not before `since`.
   */
  of(asked: { buildingIds: readonly string[] | null; since: number }): Promise<Landed>;
  /** What was listed is gone: the next asking lists everything again. */
  forget(): void;
}

const LIVES = 'landing/';
const HOUR_MS = 3_600_000;

export function createLandingFiles({
  container,
  freshMs = 1_000,
  livesFreshMs = 10_000,
  now = Date.now,
}: {
  container: ContainerClient;
  /** How old a listing of files may be. */
  freshMs?: number;
  /** How old the listing of the stream's lives may be. */
  livesFreshMs?: number;
  now?: () => number;
}): LandingFiles {
  interface Chain {
    files: ListedLanding[];
    listedAt: number;
    listing?: Promise<void> | undefined;
  }
  let chains = new Map<string, Chain>();
  let lives: { names: Promise<string[]>; listedAt: number } | undefined;

  async function listLives(): Promise<string[]> {
    const names: string[] = [];
    for await (const item of container.listBlobsByHierarchy('/', { prefix: LIVES })) {
      if (item.kind === 'prefix') names.push(item.name.slice(LIVES.length, -1));
    }
    return names.sort((a, b) => bornAt(a) - bornAt(b));
  }

  function knownLives(): Promise<string[]> {
    if (lives === undefined || now() - lives.listedAt >= livesFreshMs) {
      const listing = listLives();
      lives = { names: listing, listedAt: now() };
      // A failure is told to those who wait for it and not remembered.
      listing.catch(() => (lives = undefined));
    }
    return lives.names;
  }

  async function list(prefix: string): Promise<ListedLanding[]> {
    const files: ListedLanding[] = [];
    for await (const { name, properties } of container.listBlobsFlat({ prefix })) {
      const place = parseLandingPath(name);
      if (place === undefined) continue;
      const { incarnation, partition, firstSequence, hour } = place;
      const bytes = properties.contentLength ?? 0;
      const etag = quoted(properties.etag);
      files.push({
        name,
        etag,
        bytes,
        incarnation,
        partition,
        firstSequence,
        hour: Date.parse(`${hour}:00:00Z`),
      });
    }
    return files.sort((a, b) => a.firstSequence - b.firstSequence);
  }

  /**
   * Files are created in the order of the stream, and their hours follow it: what is new lies in the hour of the last one
   * known or a later one.
   */
  async function refresh(chain: Chain, folder: string): Promise<void> {
    const last = chain.files.at(-1);
    if (last === undefined) {
      chain.files = await list(folder);
      return;
    }
    const hours = Math.floor((now() - last.hour) / HOUR_MS) + 1;
    const fresh =
      hours > 24
        ? await list(folder)
        : (
            await Promise.all(
              Array.from({ length: Math.max(hours, 1) }, (_, i) =>
                list(`${folder}${hourFolder(last.hour + i * HOUR_MS)}`),
              ),
            )
          ).flat();
    chain.files = hours > 24 ? fresh : [...chain.files.filter(({ hour }) => hour < last.hour), ...fresh];
  }

  async function chainOf(incarnation: string, partition: number): Promise<ListedLanding[]> {
    const folder = landingFolder({ incarnation, partition });
    let chain = chains.get(folder);
    if (chain === undefined) chains.set(folder, (chain = { files: [], listedAt: -Infinity }));
    const mine = chain;
    if (now() - mine.listedAt >= freshMs) {
      mine.listing ??= (async () => {
        const begunAt = now();
        await refresh(mine, folder);
        mine.listedAt = begunAt;
      })().finally(() => (mine.listing = undefined));
      await mine.listing;
    }
    return mine.files;
  }

  return {
    async of({ buildingIds, since }) {
      const sinceHour = Math.floor(since / HOUR_MS) * HOUR_MS;
      const found: ListedLanding[] = [];
      const ends: LandedEnd[] = [];
      for (const incarnation of await knownLives()) {
        const count = partitionCountOf(incarnation);
        const partitions =
          buildingIds === null
            ? Array.from({ length: count }, (_, partition) => partition)
            : [...new Set(buildingIds.map((id) => partitionOf(id, count)))].sort((a, b) => a - b);
        const chainsOfLife = await Promise.all(partitions.map((each) => chainOf(incarnation, each)));
        chainsOfLife.forEach((files, i) => {
          found.push(...files.filter(({ hour }) => hour >= sinceHour));
          const last = files.at(-1);
          ends.push({
            incarnation,
            partition: partitions[i]!,
            sequence: last?.firstSequence ?? -1,
            since: last?.hour ?? bornAt(incarnation),
          });
        });
      }
      return { files: found, ends };
    },
    forget() {
      chains = new Map();
      lives = undefined;
    },
  };
}

/** A listing gives etags without their quotes, a header with them. */
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

/** `incarnationOf` of the stream: when the hub was created and its partition count. */
function bornAt(incarnation: string): number {
  return Number(incarnation.split('-')[0]);
}

/** @throws on a folder that is no life's of the stream. */
export function partitionCountOf(incarnation: string): number {
  const count = Number(incarnation.split('-')[1]);
  if (!Number.isInteger(count) || count < 1 || count > 2_048) {
    throw new Error(`the landing folder ${incarnation} does not say how many partitions its stream has`);
  }
  return count;
}

function hourFolder(hour: number): string {
  const text = new Date(hour).toISOString();
  return `dt=${text.slice(0, 10)}/hr=${text.slice(11, 13)}/`;
}
