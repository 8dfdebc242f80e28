import { type ContainerName } from '../store/containers';
import { type Change, type Cosmos } from '../store/cosmos';
import { CONTAINERS, type DeviceDocument, stockOf } from '../store/documents';
import { ERASURES, erasingKey } from '../store/erasure/documents';
import { type Mentions } from '../store/erasure/mentions';
import { eachDocument, removeDocuments, removePartition } from '../store/erasure/removal';
import { retrying } from '../store/store-error';
import { tenantKey as ingestionKey } from '../store/ingestion/documents';
import { type Inventory } from './inventory';

type Found = Record<string, unknown> & { id: string; _etag?: string };

/** Containers whose partitions are buildings, and hold nothing but what is known of them. */
const BY_BUILDING = ['warm', 'recent', 'alerts', 'deadletters'] as const;

/** Averages, recent readings, last seen, alerts and dead letters. @returns documents removed. */
export async function removeWarm(
  cosmos: Cosmos,
  tenantId: string,
  { buildings }: Inventory,
): Promise<number> {
  let removed = await removePartition(cosmos, 'deadletters', tenantId);
  removed += await removePartition(cosmos, 'ingestion', ingestionKey(tenantId));
  for (const building of buildings) {
    for (const container of BY_BUILDING) removed += await removePartition(cosmos, container, building);
  }
  return removed;
}

/** Buildings and all that stands in them, and the stock. */
export async function removeRegistry(
  cosmos: Cosmos,
  tenantId: string,
  { buildings }: Inventory,
): Promise<number> {
  let removed = 0;
  for (const partition of [...buildings, stockOf(tenantId)]) {
    removed += await removePartition(cosmos, 'registry', partition);
  }
  return removed;
}

/**
 * What stands in the directory under keys of many kinds: the tenant, its buildings, its people's memberships, where its
 * devices are, serial numbers, claim codes, offers, jobs, rules, webhooks and their deliveries.
 */
export async function removeDirectory(
  cosmos: Cosmos,
  tenantId: string,
  inventory: Inventory,
  mentions: Mentions,
): Promise<number> {
  let removed = 0;
  await eachDocument(cosmos, 'directory', async (documents) => {
    const mine = new Map<string, string[]>();
    for (const each of documents as Found[]) {
      const key = each.key as string;
      if (key === ERASURES || !isOwn(each, key, tenantId, inventory, mentions)) continue;
      const ids = mine.get(key);
      if (ids) ids.push(each.id);
      else mine.set(key, [each.id]);
    }
    for (const [key, ids] of mine) removed += await removeDocuments(cosmos, 'directory', key, ids);
  });
  return removed;
}

function isOwn(
  document: Found,
  key: string,
  tenantId: string,
  { ids }: Inventory,
  mentions: Mentions,
): boolean {
  const {
    tenantId: owner,
    job,
    from,
    webhookId,
  } = document as {
    tenantId?: string;
    job?: { tenantId?: string };
    from?: unknown;
    webhookId?: string;
  };
  // A device's key names it alone, whoever has it now.
  if (owner !== undefined) return owner === tenantId;
  return (
    job?.tenantId === tenantId ||
    from === tenantId ||
    (webhookId !== undefined && ids.has(webhookId)) ||
    mentions.in(key) !== undefined
  );
}

/**
 * Where others' documents name the tenant (a device that it once had, an offer, an audit event of a handing over), its
 * ids are taken out of them. What is the tenant's own and was not found in its place goes. @returns documents changed.
 */
export async function removeMentions(cosmos: Cosmos, tenantId: string, mentions: Mentions): Promise<number> {
  let changed = 0;
  for (const container of Object.keys(CONTAINERS) as ContainerName[]) {
    const path = CONTAINERS[container].partitionKey.slice(1);
    await eachDocument(cosmos, container, async (documents) => {
      for (const each of documents as Found[]) {
        const partition = each[path] as string;
        if (isTombstone(partition, tenantId) || mentions.in(textOf(each)) === undefined) continue;
        if (await settle(cosmos, container, partition, each, tenantId, mentions)) changed++;
      }
    });
  }
  return changed;
}

async function settle(
  cosmos: Cosmos,
  container: ContainerName,
  partition: string,
  document: Found,
  tenantId: string,
  mentions: Mentions,
): Promise<boolean> {
  // Under way: the sweep of sagas brings it to its end, and with it this document.
  if (partition === 'sagas:pending') return false;
  const { id } = document;
  if (document.tenantId === tenantId || mentions.in(`${partition} ${id}`) !== undefined) {
    return (await removeDocuments(cosmos, container, partition, [id])) > 0;
  }
  const own =
    container === 'ingestion'
      ? withoutCounts(document, tenantId)
      : document.type === 'device'
        ? withoutFormerOwner(document as never, tenantId)
        : document;
  const clean = JSON.parse(mentions.redacted(textOf(own))) as Found;
  const change: Change = { replace: clean, etag: document._etag! };
  // Refused where it was changed since: the next round finds it again.
  return (await retrying(() => cosmos.batch(container, partition, [change]))).ok;
}

/** What is counted of all tenants together, by tenant. */
function withoutCounts(document: Found, tenantId: string): Found {
  const { [tenantId]: _own, ...tenants } = (document.tenants ?? {}) as Record<string, unknown>;
  return { ...document, ...(document.tenants !== undefined && { tenants }) };
}

/** A device of another's that the tenant had before, registered, or was offered. */
function withoutFormerOwner(device: DeviceDocument, tenantId: string): DeviceDocument {
  return {
    ...device,
    assignments: device.assignments.filter((each) => each.tenantId !== tenantId),
    ...(device.transfer?.to === tenantId && { transfer: null }),
    ...(device.manufacturerId === tenantId && { manufacturerId: null }),
  };
}

/** What is kept of the tenant on purpose, and the notes of the erasure itself. */
export function isTombstone(partition: string, tenantId: string): boolean {
  return partition === ERASURES || partition === erasingKey(tenantId);
}

/** Without the fields that are Cosmos's own. */
export function textOf(document: object): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_'))),
  );
}
