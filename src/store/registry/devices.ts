import { type Cosmos } from '../cosmos';
import { createActivityReader } from '../device-activity-reader';
import { type DeviceDocument, type DeviceEntryDocument } from '../documents';
import { type Registry } from '../registry';
import { ownersIn, visible } from './access';
import { conditionsOf, DEVICES_LOOKED_AT, silentOf } from './device-filters';
import { pageOf, sortKeyAfter } from './position';

export function createDevices({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Registry, 'devices' | 'devicesById' | 'lastSeen'> {
  const activity = createActivityReader({ cosmos });
  return {
    async devices(scope, buildingId, { first, after, ...filter }) {
      const { conditions, parameters } = conditionsOf(filter);
      const { silentSince } = filter;
      const looked = silentSince === undefined ? first : DEVICES_LOOKED_AT;
      const found = await cosmos.query<DeviceDocument>(
        'registry',
        buildingId,
        `SELECT * FROM c WHERE c.type = 'device' AND c.sortKey > @after AND ARRAY_CONTAINS(@owners, c.tenantId)${conditions}
         ORDER BY c.sortKey`,
        {
          ...parameters,
          after: sortKeyAfter(after),
          owners: ownersIn(scope, 'device.read', buildingId),
        },
        { limit: looked + 1 },
      );
      const page = pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        looked,
      );
      return silentSince === undefined ? page : silentOf(activity, scope, page, silentSince, first);
    },

    lastSeen: activity.lastSeen,

    async devicesById(scope, ids) {
      const entries = await cosmos.readMany<DeviceEntryDocument>('directory', ids.map(entryKey));
      // The entry tells the owner, so that another tenant's device costs what an unknown one does: this one read.
      const mine = entries.flatMap((entry, i) =>
        visible(scope, 'device.read', entry) ? [{ partition: entry!.buildingId, id: ids[i]! }] : [],
      );
      const documents = mine.length === 0 ? [] : await cosmos.readMany<DeviceDocument>('registry', mine);
      const byId = new Map(documents.flatMap((each) => (each ? [[each.id, each]] : [])));
      return ids.map((id) => visible(scope, 'device.read', byId.get(id) ?? null));
    },
  };
}

/** Where the directory tells in which building a device stands. */
export function entryKey(deviceId: string): { partition: string; id: string } {
  return { partition: `device:${deviceId}`, id: 'device' };
}
