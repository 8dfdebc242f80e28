import { type JSONValue } from '@azure/cosmos';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, type DeviceEntryDocument } from '../documents';
import { type Registry } from '../registry';
import { ownersIn, visible } from './access';
import { pageOf, sortKeyAfter } from './position';

export function createDevices({ cosmos }: { cosmos: Cosmos }): Pick<Registry, 'devices' | 'devicesById'> {
  return {
    async devices(scope, buildingId, { first, after, state, spaceId }) {
      const parameters: Record<string, JSONValue> = {
        after: sortKeyAfter(after),
        owners: ownersIn(scope, 'device.read', buildingId),
      };
      let filter = "c.type = 'device' AND c.sortKey > @after AND ARRAY_CONTAINS(@owners, c.tenantId)";
      if (state !== undefined) {
        filter += ' AND c.state = @state';
        parameters.state = state;
      }
      if (spaceId !== undefined) {
        filter += ' AND c.spaceId = @spaceId';
        parameters.spaceId = spaceId;
      }
      const found = await cosmos.query<DeviceDocument>(
        'registry',
        buildingId,
        `SELECT * FROM c WHERE ${filter} ORDER BY c.sortKey`,
        parameters,
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

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
