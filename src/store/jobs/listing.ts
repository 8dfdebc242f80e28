import { allows, type TenantScope } from '../../auth/scope';
import { JOB_KINDS } from '../../domain/job';
import { type QuantityName } from '../../domain/quantity';
import { type Cosmos } from '../cosmos';
import { positionAfter, sortKeyAfter } from '../registry/position';
import { type JobDocument, type JobEntryDocument, jobKey, jobsOfKey } from './documents';
import { type Jobs } from './jobs';

/** Behind every digit. */
const NEWEST = '~';
const NOTHING = '';

export function createJobListing({ cosmos }: { cosmos: Cosmos }): Pick<Jobs, 'byId' | 'ofTenant'> {
  return {
    async byId(scope, jobId) {
      // An id is opaque but never holds what would make another key of it.
      if (!/^[\w-]{1,128}$/.test(jobId)) return null;
      const job = await cosmos.read<JobDocument>('directory', jobKey(jobId), 'job');
      return job && maySee(scope, job) ? job : null;
    },

    async ofTenant(scope, tenantId, { first, after }) {
      // Pages tell how many there are, also of those that are left out: not to whoever has a right to a part alone.
      const before = allows(scope, 'tenant.read', { tenantId }) ? sortKeyAfter(after) || NEWEST : NOTHING;
      const entries = await cosmos.query<JobEntryDocument>(
        'directory',
        jobsOfKey(tenantId),
        'SELECT * FROM c WHERE c.sortKey < @before ORDER BY c.sortKey DESC',
        { before },
        { limit: first + 1 },
      );
      const shown = entries.slice(0, first);
      const jobs = await cosmos.readMany<JobDocument>(
        'directory',
        shown.map(({ id }) => ({ partition: jobKey(id), id: 'job' })),
      );
      // An entry comes before its job and may stay a little longer.
      const found = shown.flatMap(({ sortKey }, i) => {
        const item = jobs[i];
        return item && maySee(scope, item) ? [{ item, position: positionAfter(sortKey) }] : [];
      });
      const last = shown.at(-1);
      return {
        items: found.map(({ item }) => item),
        positions: found.map(({ position }) => position),
        next: last && entries.length > first ? positionAfter(last.sortKey) : null,
      };
    },
  };
}

/** Of a kind that a later release knows nobody sees anything here. */
export function maySee(
  scope: TenantScope,
  {
    kind,
    tenantId,
    buildingId,
    parameters,
  }: Pick<JobDocument, 'kind' | 'tenantId' | 'buildingId' | 'parameters'>,
): boolean {
  if (!Object.hasOwn(JOB_KINDS, kind)) return false;
  if (buildingId === null) return allows(scope, JOB_KINDS[kind], { tenantId });
  const { spaceIds, quantities = [] } = parameters as {
    spaceIds?: readonly string[] | null;
    quantities?: readonly QuantityName[];
  };
  // What is of some spaces or quantities alone needs the right to each of them.
  const places = spaceIds == null || spaceIds.length === 0 ? [null] : spaceIds;
  return places.every((spaceId) => {
    const target = { tenantId, buildingId, spaceId };
    return quantities.length === 0
      ? allows(scope, JOB_KINDS[kind], target)
      : quantities.every((quantity) => allows(scope, JOB_KINDS[kind], { ...target, quantity }));
  });
}
