import DataLoader from 'dataloader';
import { type TenantScope } from '../auth/scope';
import { type QuantityName } from '../domain/quantity';
import { type StoredAverage } from '../store/averages';
import { type LastSeen, type SeenKey } from '../store/device-activity';
import {
  type BuildingDocument,
  type DeviceDocument,
  type SpaceDocument,
  type TenantDocument,
  type TwinDocument,
} from '../store/documents';
import { type Revealed } from '../store/jobs/jobs';
import { type LatestKey, type LatestReading } from '../store/recent';
import { type ToldDevices } from '../store/registry/traces';
import { type Services } from './context';

export interface SpaceKey {
  buildingId: string;
  id: string;
}

export interface JobRowKey {
  jobId: string;
  index: number;
}

export interface TwinKey {
  buildingId: string;
  /** Where the device stands. */
  spaceId: string;
  deviceId: string;
}

/**
 * One call to the store for all that a level of a query asks of a kind. They belong to one request and one scope: what
 * one caller loaded is never another's answer.
 */
export interface Loaders {
  tenant: DataLoader<string, TenantDocument | null>;
  building: DataLoader<string, BuildingDocument | null>;
  space: DataLoader<SpaceKey, SpaceDocument | null, string>;
  spacesOf: DataLoader<string, SpaceDocument[]>;
  device: DataLoader<string, DeviceDocument | null>;
  twin: DataLoader<TwinKey, TwinDocument | null, string>;
  lastSeen: DataLoader<SeenKey, LastSeen | null, string>;
  latestAverages: DataLoader<string, StoredAverage[]>;
  /** Of a building: of which devices it may be told when they sent. */
  toldDevices: DataLoader<string, ToldDevices>;
  /** Of a building: in how many spaces each quantity is measured. */
  measuredSpaces: DataLoader<string, Partial<Record<QuantityName, number>>>;
  /** Of the points of each list: null for one that was not heard, and for a quantity whose readings the scope does not show. */
  latestReadings: DataLoader<readonly LatestKey[], (LatestReading | null)[]>;
  /** The message of a dead letter. */
  deadLetterPayload: DataLoader<LetterKey, Buffer | null, string>;
  /** Shows secrets: each once, however often one request asks. */
  jobSecret: DataLoader<JobRowKey, Revealed, string>;
}

/** A building or tenant, and a letter of it. */
export interface LetterKey {
  scopeKey: string;
  id: string;
}

/** Each may be read with a document of half a megabyte. */
const MAXIMUM_LETTERS = 50;

/** More than this in one call would be a query that the page limits forbid. */
const MAXIMUM_BATCH = 1000;

export function createLoaders(
  { registry, jobs, averages, recent }: Pick<Services, 'registry' | 'jobs' | 'averages' | 'recent'>,
  scope: TenantScope,
): Loaders {
  const options = { maxBatchSize: MAXIMUM_BATCH };
  return {
    // Tenants and spaces of a building have keys of their own in the store: no call is made twice.
    tenant: new DataLoader((ids) => Promise.all(ids.map((id) => registry.tenant(scope, id))), options),
    building: new DataLoader((ids) => registry.buildingsById(scope, ids), options),
    space: new DataLoader<SpaceKey, SpaceDocument | null, string>(
      (keys) => registry.spacesById(scope, keys),
      {
        ...options,
        cacheKeyFn: (key) => `${key.buildingId}/${key.id}`,
      },
    ),
    spacesOf: new DataLoader((ids) => Promise.all(ids.map((id) => registry.spaces(scope, id))), options),
    device: new DataLoader((ids) => registry.devicesById(scope, ids), options),
    twin: new DataLoader<TwinKey, TwinDocument | null, string>((keys) => registry.twinsById(scope, keys), {
      ...options,
      cacheKeyFn: (key) => `${key.buildingId}/${key.deviceId}`,
    }),
    lastSeen: new DataLoader<SeenKey, LastSeen | null, string>((keys) => registry.lastSeen(scope, keys), {
      ...options,
      cacheKeyFn: ({ tenantId, buildingId, ordinal }) => `${tenantId}/${buildingId}/${ordinal}`,
    }),
    jobSecret: new DataLoader<JobRowKey, Revealed, string>(
      async (keys) => {
        const answers: Revealed[] = [];
        for (const jobId of new Set(keys.map((key) => key.jobId))) {
          const asked = keys.flatMap((key, i) => (key.jobId === jobId ? [{ i, index: key.index }] : []));
          const revealed = await jobs.reveal(
            scope,
            jobId,
            asked.map(({ index }) => index),
          );
          asked.forEach(({ i }, n) => (answers[i] = revealed[n]!));
        }
        return answers;
      },
      { ...options, cacheKeyFn: ({ jobId, index }) => `${jobId}/${index}` },
    ),
    deadLetterPayload: new DataLoader<LetterKey, Buffer | null, string>(
      (keys) => registry.deadLetterPayloads(scope, keys),
      { maxBatchSize: MAXIMUM_LETTERS, cacheKeyFn: ({ scopeKey, id }) => `${scopeKey}/${id}` },
    ),
    toldDevices: new DataLoader(
      (ids) => Promise.all(ids.map((id) => registry.toldDevices(scope, id))),
      options,
    ),
    measuredSpaces: new DataLoader(
      (ids) => Promise.all(ids.map((id) => registry.measuredSpaces(scope, id))),
      options,
    ),
    latestAverages: new DataLoader((ids) => averages.latest(scope, ids), options),
    // Lists of points, as those of a device are asked for together: a key and a promise for each would cost more than they save.
    latestReadings: new DataLoader<readonly LatestKey[], (LatestReading | null)[]>(
      async (lists) => {
        const found = await recent.latest(scope, lists.flat());
        let next = 0;
        return lists.map(({ length }) => found.slice(next, (next += length)));
      },
      { ...options, cache: false },
    ),
  };
}
