import { type DirectoryScope } from '../../auth/directory-scope';
import { type Assignment } from '../../domain/device';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, type DeviceEntryDocument } from '../documents';
import { retrying } from '../store-error';
import { type DeadLettersDocument, type LetterReplay } from './documents';

/** What of a device its messages are judged by. */
export interface JudgedDevice {
  deviceId: string;
  /** The owner now. */
  tenantId: string;
  /** The field gateway that may relay for it, or null. */
  parentId: string | null;
  assignments: readonly Assignment[];
}

/** What replaying needs of the store beside the letters themselves. */
export interface ReplayStore {
  documents(scopeKey: string, ids: readonly string[]): Promise<(DeadLettersDocument | null)[]>;
  /**
   * Devices as they are now: read afresh, because a replay follows upon the change that mended them. Null for one that
   * does not exist or is on its way from one building to another.
   */
  devices(ids: readonly string[]): Promise<(JudgedDevice | null)[]>;
  /** Notes what came of a document's letters, by row. Nothing where the document has expired meanwhile. */
  note(scopeKey: string, id: string, replays: ReadonlyMap<number, LetterReplay>): Promise<void>;
}

const MAXIMUM_RACES = 20;

export function createReplayStore({
  cosmos,
}: {
  cosmos: Cosmos;
  /** Devices are looked up whoever owns them now: whoever makes this says why it may. */
  scope: DirectoryScope;
}): ReplayStore {
  return {
    documents: (scopeKey, ids) =>
      cosmos.readMany<DeadLettersDocument>(
        'deadletters',
        ids.map((id) => ({ partition: scopeKey, id })),
      ),

    async devices(ids) {
      const entries = await cosmos.readMany<DeviceEntryDocument>(
        'directory',
        ids.map((id) => ({ partition: `device:${id}`, id: 'device' })),
      );
      const keys = entries.flatMap((entry, index) =>
        entry === null ? [] : [{ partition: entry.buildingId, id: ids[index]! }],
      );
      const devices = keys.length === 0 ? [] : await cosmos.readMany<DeviceDocument>('registry', keys);
      const byId = new Map(
        devices.flatMap((device) => (device?.type === 'device' ? [[device.id, device]] : [])),
      );
      return ids.map((deviceId) => {
        const device = byId.get(deviceId);
        if (device === undefined) return null;
        const { tenantId, assignments, parentId = null } = device;
        return { deviceId, tenantId, parentId, assignments };
      });
    },

    async note(scopeKey, id, replays) {
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const document = await cosmos.read<DeadLettersDocument>('deadletters', scopeKey, id);
        if (!document) return;
        const letters = document.letters.map((letter, row) => {
          const replay = replays.get(row);
          return replay === undefined ? letter : { ...letter, replay };
        });
        const replace = { ...document, letters };
        const outcome = await retrying(() =>
          cosmos.batch('deadletters', scopeKey, [{ replace, etag: document._etag! }]),
        );
        if (outcome.ok) return;
      }
      throw new Error(`the dead letters ${id} were changed by others ${MAXIMUM_RACES} times in a row`);
    },
  };
}
