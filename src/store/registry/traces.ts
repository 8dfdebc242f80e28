import { allowsTraces, seesAllPresence } from '../../auth/presence';
import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, OF_KIND } from '../documents';
import { type Registry } from '../registry';
import { ownersSomewhere } from './access';

/** Of which devices of a building it may be told when, and that, they sent something. */
export interface ToldDevices {
  has(deviceId: string): boolean;
}

const ALL: ToldDevices = { has: () => true };

export type TracedDevice = Pick<
  DeviceDocument,
  'id' | 'tenantId' | 'buildingId' | 'spaceId' | 'parentId' | 'assignments'
>;

/** Whether what a device measures, or measured, tells of presence to somebody who is not to know. */
export function leavesTraces(scope: TenantScope, device: Omit<TracedDevice, 'id' | 'parentId'>): boolean {
  const { tenantId, buildingId, spaceId } = device;
  return device.assignments.some(
    ({ quantity }) => !allowsTraces(scope, { tenantId, buildingId, spaceId, quantity }),
  );
}

/** A field gateway that relays for such a device is heard whenever that is. */
export function createTraces({ cosmos }: { cosmos: Cosmos }): Pick<Registry, 'toldDevices'> {
  return {
    async toldDevices(scope, buildingId) {
      const owners = ownersSomewhere(scope, 'building.read', buildingId);
      if (owners.length > 0 && owners.every((tenantId) => seesAllPresence(scope, { tenantId, buildingId })))
        return ALL;
      const devices = await cosmos.query<TracedDevice>(
        'registry',
        buildingId,
        `SELECT c.id, c.tenantId, c.buildingId, c.spaceId, c.parentId, c.assignments FROM c
         WHERE ${OF_KIND.device} AND ARRAY_CONTAINS(@owners, c.tenantId)`,
        { owners },
      );
      const hidden = devices.filter((each) => leavesTraces(scope, each));
      const relays = new Set(hidden.map(({ parentId }) => parentId));
      const told = new Set(devices.map(({ id }) => id));
      for (const { id } of hidden) told.delete(id);
      for (const id of relays) if (id != null) told.delete(id);
      return told;
    },
  };
}
