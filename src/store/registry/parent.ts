import { type Cosmos } from '../cosmos';
import { type DeviceDocument, OF_KIND } from '../documents';
import { type Refusal, type Registry } from '../registry';
import { visible } from './access';
import { type DeviceChanges } from './device-change';

/**
 * Which field gateway may relay for a device: another device of the same owner in the same building. One level only: a
 * parent has no parent and a child has no children, which is looked up here and not fenced against another process that
 * sets one of the two at the same moment. Nothing rests on it: the gateway takes a child's messages from its own parent
 * and never follows further.
 */
export function createParents({
  cosmos,
  changes,
}: {
  cosmos: Cosmos;
  changes: DeviceChanges;
}): Pick<Registry, 'setDeviceParent'> {
  async function hasChildren({ id, buildingId }: DeviceDocument): Promise<boolean> {
    const query = `SELECT VALUE c.id FROM c WHERE ${OF_KIND.device} AND c.parentId = @id`;
    return (await cosmos.query('registry', buildingId, query, { id }, { limit: 1 })).length > 0;
  }

  return {
    setDeviceParent(scope, deviceId, parentId) {
      return changes.apply(scope, deviceId, 'SET_PARENT', async ({ device }) => {
        const before = device.parentId ?? null;
        if (before === parentId) return 'unchanged';
        if (parentId !== null) {
          // A device of another building is not found there, whoever owns it.
          const parent = visible(
            scope,
            'device.read',
            await cosmos.read<DeviceDocument>('registry', device.buildingId, parentId),
          );
          const problem = parentProblem(device, parent, parentId);
          if (problem) return problem;
          if (await hasChildren(device)) return invalid(`device ${deviceId} is a parent itself`);
        }
        return {
          device: { ...device, parentId },
          audit: { action: 'device.set-parent', before: { parentId: before }, after: { parentId } },
        };
      });
    },
  };
}

function parentProblem(
  device: DeviceDocument,
  parent: DeviceDocument | null,
  parentId: string,
): Refusal | undefined {
  if (!parent || parent.type !== 'device' || parent.tenantId !== device.tenantId) {
    const message = `there is no device ${parentId} in the building of device ${device.id}`;
    return { code: 'NOT_FOUND', message, path: 'parentId' };
  }
  if (parent.id === device.id) return invalid('a device cannot be its own parent');
  if (parent.state === 'RETIRED') {
    return { code: 'WRONG_STATE', message: `device ${parentId} is RETIRED`, path: 'parentId' };
  }
  return parent.parentId ? invalid(`device ${parentId} has a parent itself`) : undefined;
}

function invalid(message: string): Refusal {
  return { code: 'INVALID_INPUT', message: `${message}: only one level is allowed`, path: 'parentId' };
}
