import { eachDocument } from '../store/erasure/removal';
import { type Cosmos } from '../store/cosmos';
import { type DeviceDocument } from '../store/documents';
import { erasingKey, type ErasureIdsDocument } from '../store/erasure/documents';
import { retrying } from '../store/store-error';

/** What was the tenant's, by its ids. */
export interface Inventory {
  buildings: string[];
  ids: Set<string>;
  /** Every other tenant that there is. */
  otherTenants: string[];
}

const IDS_A_DOCUMENT = 2_000;
const IDS_A_PAGE = 100;
const KINDS = /^(?:bld|spc|pnt|dev|grp|alr|alt|whk|whd|key|inv)_/;

/**
 * Notes the ids of all that is the tenant's, together with those that were noted before, so that nothing is forgotten
 * whose document is gone already. A device that was somebody else's, or came from another's stock, is left out: its id
 * stands in what is theirs.
 */
export async function takeInventory(
  cosmos: Pick<Cosmos, 'changes' | 'query' | 'bulkUpsert'>,
  tenantId: string,
): Promise<Inventory> {
  const before = await notedIds(cosmos, tenantId);
  const buildings = new Set(before.buildings);
  const others = new Set(before.others);
  const tenants = new Set<string>();
  await eachDocument(cosmos, 'registry', (documents) => {
    for (const each of documents as { id: string; type?: string; tenantId?: string }[]) {
      if (each.tenantId !== tenantId) continue;
      if (each.type === 'building') buildings.add(each.id);
      else if (each.type !== 'departed' && KINDS.test(each.id)) {
        if (each.type !== 'device' || isOnly(each as DeviceDocument, tenantId)) others.add(each.id);
      }
    }
  });
  await eachDocument(cosmos, 'directory', (documents) => {
    for (const each of documents as {
      id: string;
      key: string;
      kind?: string;
      tenantId?: string;
      jobId?: string;
    }[]) {
      if (each.id === 'tenant' && each.key === `tenant:${each.tenantId}`) tenants.add(each.tenantId!);
      if (each.tenantId !== tenantId) continue;
      if (each.kind === 'building') buildings.add(each.id);
      else if (each.jobId !== undefined) others.add(each.jobId);
      else if (KINDS.test(each.id)) others.add(each.id);
    }
  });
  await note(cosmos, tenantId, { buildings: [...buildings], others: [...others] });
  tenants.delete(tenantId);
  return { buildings: [...buildings], ids: new Set([...buildings, ...others]), otherTenants: [...tenants] };
}

/** What was noted, without looking anew. */
export async function readInventory(
  cosmos: Pick<Cosmos, 'changes' | 'query'>,
  tenantId: string,
): Promise<Inventory> {
  const { buildings, others } = await notedIds(cosmos, tenantId);
  const tenants = new Set<string>();
  await eachDocument(cosmos, 'directory', (documents) => {
    for (const each of documents as { id: string; tenantId?: string }[]) {
      if (each.id === 'tenant' && each.tenantId !== undefined) tenants.add(each.tenantId);
    }
  });
  tenants.delete(tenantId);
  return { buildings, ids: new Set([...buildings, ...others]), otherTenants: [...tenants] };
}

function isOnly({ assignments, manufacturerId }: DeviceDocument, tenantId: string): boolean {
  return (
    (assignments ?? []).every((each) => each.tenantId === tenantId) &&
    (manufacturerId == null || manufacturerId === tenantId)
  );
}

async function notedIds(
  cosmos: Pick<Cosmos, 'query'>,
  tenantId: string,
): Promise<{ buildings: string[]; others: string[] }> {
  const found = await cosmos.query<ErasureIdsDocument>(
    'registry',
    erasingKey(tenantId),
    'SELECT * FROM c',
    {},
    {
      limit: IDS_A_PAGE * IDS_A_PAGE,
    },
  );
  return {
    buildings: [...new Set(found.flatMap(({ buildings }) => buildings))],
    others: [...new Set(found.flatMap(({ others }) => others))],
  };
}

async function note(
  cosmos: Pick<Cosmos, 'bulkUpsert'>,
  tenantId: string,
  { buildings, others }: { buildings: string[]; others: string[] },
): Promise<void> {
  const documents: ErasureIdsDocument[] = [];
  const most = Math.max(buildings.length, others.length);
  for (let start = 0; start < most; start += IDS_A_DOCUMENT) {
    documents.push({
      ...{ id: `ids_${documents.length}`, type: 'erasureIds', buildingId: erasingKey(tenantId) },
      buildings: buildings.slice(start, start + IDS_A_DOCUMENT),
      others: others.slice(start, start + IDS_A_DOCUMENT),
    });
  }
  await retrying(() => cosmos.bulkUpsert('registry', documents));
}
