import { type Reading } from '../../src/domain/reading';
import { type Person, type TestApi } from '../api/api.support';

/**
 * What the tables of rights are judged in: an API in this process over stand-ins (`in-process.ts`), or a running platform
 * (`test/verify/isolation-platform.ts`). People, tenants and what no client may make are put there through the stores.
 */
export interface World extends Pick<
  TestApi,
  'url' | 'registry' | 'cosmos' | 'keyring' | 'person' | 'token' | 'ask' | 'subscriber' | 'publishStates'
> {
  /** The ids of two tenants that nobody else has, equally long. */
  north: string;
  south: string;
  /** Makes readings known wherever workers do: landed, recent. */
  hear(readings: readonly Reading[]): Promise<void>;
  /** Makes averages known as the aggregate worker does; nothing, where one does so of its own. */
  publish: TestApi['publish'];
  /** An export of the building's readings that is ready, and the name of a part of it. */
  exported(
    owner: Person,
    tenantId: string,
    buildingId: string,
  ): Promise<{ readyExport: string; readyPart: string }>;
  /** The store calls since the last asking; none, where nobody can look. */
  storeCalls(): string[];
}
