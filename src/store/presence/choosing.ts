import { isDeepStrictEqual } from 'node:util';
import { allows } from '../../auth/scope';
import { CHOOSABLE } from '../../domain/presence';
import { derivedId } from '../../domain/id';
import { createConfigurationOf } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument } from '../documents';
import { type Registry } from '../registry';
import { notFound, refused, visible } from '../registry/access';
import { inOrder, type PresenceDocument, presenceOf } from './documents';

/** One for each building. */
const MAXIMUM_CHOICES = 100_000;

/**
 * What of a building tells of presence, where that is its owner's to say: a document of its own in the directory, whose
 * change feed every replica follows for rights, written with its audit event. Saying the same again changes nothing.
 */
export function createPresenceChoosing({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Registry, 'setPresenceRevealing'> {
  const configuration = createConfigurationOf<PresenceDocument>({
    cosmos,
    what: 'choices of what tells of presence',
    maximum: MAXIMUM_CHOICES,
  });
  return {
    async setPresenceRevealing(scope, { buildingId, quantities: wanted }) {
      const building = visible(
        scope,
        'building.read',
        await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
      );
      if (building === null) return notFound('building', buildingId, 'buildingId');
      const { tenantId } = building;
      if (!allows(scope, 'presence.manage', { tenantId, buildingId, quantity: null })) {
        return refused('FORBIDDEN', 'your role may not say what tells of presence here');
      }
      const quantities = inOrder(wanted);
      const other = wanted.find((each) => !(quantities as readonly string[]).includes(each));
      if (other !== undefined) {
        const message = `${other} is not for you to choose: it may be ${CHOOSABLE.join(' or ')}`;
        return refused('INVALID_INPUT', message, 'quantities');
      }
      const key = presenceOf(tenantId);
      let found = await cosmos.read<PresenceDocument>('directory', key, buildingId);
      if (found === null) {
        if (quantities.length === 0) return { ok: true, value: { building, quantities } };
        const changedAt = Date.now();
        const made = await configuration.create(
          scope,
          { id: buildingId, key, kind: 'presence', tenantId, quantities, changedAt, endedAt: null },
          {
            id: derivedId('aud', buildingId, key),
            action: 'building.set-presence-revealing',
            after: { quantities },
          },
        );
        if (!made.ok) return made;
        if (made.value.created) return { ok: true, value: { building, quantities } };
        // Somebody else was quicker.
        found = made.value.document;
      }
      const changed = await configuration.change(scope, found, (current, changedAt) =>
        isDeepStrictEqual(current.quantities, quantities)
          ? { ok: true, value: null }
          : {
              ok: true,
              value: {
                document: { ...current, quantities, changedAt },
                audit: {
                  action: 'building.set-presence-revealing',
                  before: { quantities: current.quantities },
                  after: { quantities },
                },
              },
            },
      );
      return changed.ok ? { ok: true, value: { building, quantities: changed.value.quantities } } : changed;
    },
  };
}
