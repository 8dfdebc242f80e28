import { derivedId } from '../../domain/id';
import { type Origin } from '../../domain/origin';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, OF_KIND } from '../documents';
import { auditBy } from './audit';

/**
 * Gives the children of a field gateway that is there no longer to another, or to none: of the one that replaced it, or of
 * nobody where it was retired or went to another building. One child a batch with its audit event, as a gateway may have
 * more children than a batch has room. Whoever repeats it does what is left, and each child once: until then a child names
 * a parent that may not relay any more, which harms nobody.
 *
 * @param actor whose change it is that the children follow.
 */
export async function releaseChildren(
  cosmos: Cosmos,
  {
    buildingId,
    parentId,
    next,
    actor,
    from,
  }: { buildingId: string; parentId: string; next: string | null; actor: string; from: Origin | undefined },
): Promise<void> {
  const query = `SELECT * FROM c WHERE ${OF_KIND.device} AND c.parentId = @parentId`;
  for (let round = 0; round < MAXIMUM_RACES; round++) {
    const children = await cosmos.query<DeviceDocument>('registry', buildingId, query, { parentId });
    let left = 0;
    for (const child of children) {
      // On its way elsewhere it has no parent there, and nothing else may happen to it.
      if (child.type !== 'device' || child.departing) continue;
      const at = Date.now();
      const { ok } = await cosmos.batch('registry', buildingId, [
        { replace: { ...child, parentId: next } as DeviceDocument, etag: child._etag! },
        {
          create: auditBy(
            actor,
            {
              // A child that was set under the same parent again is released again.
              id: derivedId('aud', buildingId, `${parentId} ${child.id} ${child._etag!}`, 'release'),
              buildingId,
              tenantId: child.tenantId,
              at,
              action: 'device.set-parent',
              subject: child.id,
              before: { parentId },
              after: { parentId: next },
            },
            from,
          ),
        },
      ]);
      if (!ok) left++;
    }
    if (left === 0) return;
  }
  throw new Error(`the children of device ${parentId} changed ${MAXIMUM_RACES} times`);
}

const MAXIMUM_RACES = 50;
