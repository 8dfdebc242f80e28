import { type Cosmos } from '../cosmos';
import { createActivityReader } from '../device-activity-reader';
import { type DepartedDocument, type DeviceDocument, type DeviceEntryDocument } from '../documents';
import { type Registry } from '../registry';
import { type Reads } from '../remembered-reads';
import { placedIn, visible, whereToLook } from './access';
import { conditionsOf, DEVICES_LOOKED_AT, silentOf } from './device-filters';
import { pageOf, sortKeyAfter } from './position';
import { createTraces } from './traces';

export function createDevices({
  cosmos,
  reads,
}: {
  cosmos: Cosmos;
  reads: Reads;
}): Pick<Registry, 'devices' | 'devicesById' | 'lastSeen'> {
  const activity = createActivityReader({ cosmos });
  const traces = createTraces({ cosmos });
  return {
    async devices(scope, buildingId, { first, after, ...filter }) {
      const { conditions, parameters } = conditionsOf(filter);
      const seen = placedIn(scope, 'device.read', buildingId);
      const { silentSince } = filter;
      const looked = silentSince === undefined ? first : DEVICES_LOOKED_AT;
      const found = await reads.query<DeviceDocument>(
        buildingId,
        `SELECT * FROM c WHERE c.type = 'device' AND c.sortKey > @after AND ${seen.condition}${conditions}
         ORDER BY c.sortKey`,
        {
          ...parameters,
          after: sortKeyAfter(after),
          ...seen.parameters,
        },
        { limit: looked + 1 },
      );
      const page = pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        looked,
      );
      if (silentSince === undefined) return page;
      const told = await traces.toldDevices(scope, buildingId);
      return silentOf(activity, scope, page, silentSince, first, told);
    },

    lastSeen: activity.lastSeen,

    async devicesById(scope, ids) {
      const byId = new Map<string, DeviceDocument>();
      let asked: readonly string[] = ids;
      // Again for those that left their building between the reading of their entry and of themselves.
      for (let tries = 0; tries < 2 && asked.length > 0; tries++) {
        const entries = await cosmos.readMany<DeviceEntryDocument>('directory', asked.map(entryKey));
        // The entry tells the owner, so that another tenant's device costs what an unknown one does.
        const mine = entries.flatMap((entry, i) => {
          const partition = whereToLook(scope, 'device.read', entry);
          return partition === null ? [] : [{ partition, id: asked[i]! }];
        });
        if (mine.length === 0) break;
        const documents = await reads.readMany<DeviceDocument | DepartedDocument>(
          mine,
          (each) => each.type === 'device' && visible(scope, 'device.read', each) !== null,
        );
        for (const each of documents) if (each?.type === 'device') byId.set(each.id, each);
        asked = documents.flatMap((each) => (each?.type === 'departed' ? [each.id] : []));
      }
      return ids.map((id) => visible(scope, 'device.read', byId.get(id) ?? null));
    },
  };
}

/** Where the directory tells in which building a device stands. */
export function entryKey(deviceId: string): { partition: string; id: string } {
  return { partition: `device:${deviceId}`, id: 'device' };
}
