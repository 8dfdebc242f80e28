import { allows, tenantsWith, type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { type Change, type Cosmos, LARGEST_BATCH } from '../cosmos';
import {
  type BuildingDocument,
  type BuildingEntryDocument,
  sortKeyOf,
  type SpaceDocument,
} from '../documents';
import { type Registry } from '../registry';
import { type Reads } from '../remembered-reads';
import { retrying } from '../store-error';
import { notFound, refused, visible } from './access';
import { auditOf } from './audit';
import { attemptOf, claim, KEPT_SECONDS, recordOf } from './idempotency';
import { bySortKey, positionAfter, sortKeyAfter } from './position';
import { buildingProblem, keyProblem } from './validation';

/** Audit, record and the building itself share the last batch with spaces; the earlier ones have an audit and a record. */
const SPACES_A_BATCH = LARGEST_BATCH - 3;

export function createBuildings({
  cosmos,
  reads,
}: {
  cosmos: Cosmos;
  reads: Reads;
}): Pick<Registry, 'buildings' | 'buildingsById' | 'createBuilding'> {
  async function buildingsById(
    scope: TenantScope,
    ids: readonly string[],
  ): Promise<(BuildingDocument | null)[]> {
    const documents = await reads.readMany<BuildingDocument>(
      ids.map((id) => ({ partition: id, id })),
      (document) => visible(scope, 'building.read', document) !== null,
    );
    return documents.map((document) => visible(scope, 'building.read', document));
  }

  /** A tenant's buildings by its directory partition, which holds no other tenant's. */
  function entriesOf(tenantId: string, after: string, limit: number): Promise<BuildingEntryDocument[]> {
    return cosmos.query<BuildingEntryDocument>(
      'directory',
      `tenant:${tenantId}`,
      "SELECT * FROM c WHERE c.kind = 'building' AND c.sortKey > @after ORDER BY c.sortKey",
      { after },
      { limit },
    );
  }

  return {
    buildingsById,

    async buildings(scope, { tenantId, first, after }) {
      const position = sortKeyAfter(after);
      const tenants = tenantsWith(scope, 'building.read').filter((each) => !tenantId || each === tenantId);
      // A right to the whole tenant lists it; a right to single buildings names them.
      const whole = tenants.filter((each) => allows(scope, 'building.read', { tenantId: each }));
      const single = scope.entitlements.flatMap((each) =>
        each.buildingId !== null && tenants.includes(each.tenantId) && !whole.includes(each.tenantId)
          ? [each.buildingId]
          : [],
      );
      const [listed, granted] = await Promise.all([
        Promise.all(whole.map((each) => entriesOf(each, position, first + 1))),
        buildingsById(scope, [...new Set(single)]),
      ]);
      const keys = [
        ...listed.flat().map(({ id, sortKey }) => ({ id, sortKey })),
        ...granted
          .flatMap((each) => (each ? [{ id: each.id, sortKey: sortKeyOf(each.name, each.id) }] : []))
          .filter((each) => bySortKey(each, { sortKey: position }) > 0),
      ].sort(bySortKey);
      const shown = keys.slice(0, first);
      const documents = await buildingsById(
        scope,
        shown.map(({ id }) => id),
      );
      // An entry is written before its building: where a creation was broken off it leads nowhere yet.
      const found = shown.flatMap(({ sortKey }, i) => {
        const item = documents[i];
        return item ? [{ item, position: positionAfter(sortKey) }] : [];
      });
      const last = shown.at(-1);
      return {
        items: found.map(({ item }) => item),
        positions: found.map(({ position }) => position),
        next: last && keys.length > first ? positionAfter(last.sortKey) : null,
      };
    },

    async createBuilding(scope, input, idempotencyKey) {
      const { tenantId, name, timeZone } = input;
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!allows(scope, 'building.create', { tenantId })) {
        return refused('FORBIDDEN', 'your role may not create buildings here');
      }
      const problem = keyProblem(idempotencyKey) ?? buildingProblem(input);
      if (problem) return { ok: false, refusal: problem };

      const spacesAsked = input.spaces.map(({ name, kind, parent }) => ({ name, kind, parent }));
      const variables = { name, timeZone, spaces: spacesAsked };
      const attempt = attemptOf(scope, tenantId, 'createBuilding', idempotencyKey, variables);
      const claimed = await claim(cosmos, attempt);
      if (!claimed)
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');

      const at = claimed.claimedAt;
      const id = derivedId('bld', attempt.hash, String(at));
      const building: BuildingDocument = {
        id,
        type: 'building',
        buildingId: id,
        tenantId,
        name,
        timeZone,
        createdAt: at,
        nextPointOrdinal: 0,
        nextDeviceOrdinal: 0,
        devices: 0,
        devicesByQuantity: {},
      };
      const spaceId = (index: number): string => derivedId('spc', id, String(index));
      const spaces = spacesAsked.map((space, i): SpaceDocument => ({
        id: spaceId(i),
        type: 'space',
        buildingId: id,
        tenantId,
        name: space.name,
        kind: space.kind,
        parentId: space.parent === null ? null : spaceId(space.parent),
        createdAt: at,
      }));

      const existing = await cosmos.read<BuildingDocument>('registry', id, id);
      if (existing) return { ok: true, value: { building: existing, spaces } };

      // First, so that a building that exists is always listed.
      const entry: BuildingEntryDocument = {
        id,
        key: `tenant:${tenantId}`,
        kind: 'building',
        tenantId,
        name,
        sortKey: sortKeyOf(name, id),
      };
      await cosmos.bulkUpsert('directory', [entry]);

      // The building comes last: until then nobody can see its spaces, and a resumed try skips the batches that stand.
      for (let start = 0; ; start += SPACES_A_BATCH) {
        const part = spaces.slice(start, start + SPACES_A_BATCH);
        const last = start + SPACES_A_BATCH >= spaces.length;
        const audit = auditOf(scope, {
          id: derivedId('aud', id, String(start)),
          buildingId: id,
          tenantId,
          at,
          action: last ? 'building.create' : 'building.spaces.create',
          subject: id,
          before: null,
          after: { name, timeZone, spaces: part.map((space) => ({ id: space.id, name: space.name })) },
        });
        const changes: Change[] = [audit, ...part].map((create) => ({ create }));
        if (last) {
          const record = recordOf(attempt, id, { buildingId: id, spaces: spaces.length }, KEPT_SECONDS);
          changes.push({ create: building }, { create: record });
        }
        await retrying(() => cosmos.batch('registry', id, changes));
        if (last) break;
      }
      return { ok: true, value: { building, spaces } };
    },
  };
}
