/**
 * Where the curated cold store is: the one formula that the curator and every reader share. Names are inside the cold
 * store's container. All that is a tenant's lies under one folder, so that access to it can be given and taken as one.
 */
export const CURATED = 'curated/v1/';

/** @throws on an id that would lead out of its folder. */
export function tenantFolder(tenantId: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(tenantId)) throw new Error('a tenant id is letters, digits, _ and -');
  return `${CURATED}tenant=${tenantId}/`;
}

/** @returns undefined for a folder that is no tenant's. */
export function tenantOfFolder(folder: string): string | undefined {
  return /^curated\/v1\/tenant=([A-Za-z0-9_-]+)\/$/.exec(folder)?.[1];
}

export function manifestPath(tenantId: string): string {
  return `${tenantFolder(tenantId)}manifest.json`;
}

export function rootPath(): string {
  return `${CURATED}root.json`;
}

/**
 * @param token tells two curators apart that make the same generation at once: neither ever writes into the other's
 * folder, and the one that is not published is swept.
 */
export function generationFolder(place: {
  tenantId: string;
  period: string;
  generation: number;
  token: string;
}): string {
  return `${tenantFolder(place.tenantId)}period=${place.period}/g=${place.generation}-${place.token}/`;
}

export function partPath(folder: string, part: number): string {
  return `${folder}part-${String(part).padStart(3, '0')}.parquet`;
}

/** Where the guarded head of a partition is: see `heads.ts`. */
export function headPath({ incarnation, partition }: { incarnation: string; partition: number }): string {
  return `heads/${incarnation}/p=${String(partition).padStart(2, '0')}.json`;
}
