import { createHash } from 'node:crypto';
import { type Cosmos } from '../cosmos';
import {
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type SerialNumberDocument,
  type StockDocument,
  stockOf,
} from '../documents';
import { retrying } from '../store-error';
import { entryKey } from './devices';
import { KEPT_SECONDS } from './idempotency';

/** A serial number that somebody wants to give to a device. */
export interface WantedSerialNumber {
  serialNumber: string;
  manufacturer: string;
  /** The same at each try of one mutation or row, and of no other. */
  holder: string;
  deviceId: string | null;
}

export interface SerialNumbers {
  /**
   * Takes serial numbers of a tenant, or finds them taken by an earlier try of the same holder. Where others hold some,
   * answers their indexes and leaves none of the rest taken by this call.
   */
  take(tenantId: string, wanted: readonly WantedSerialNumber[]): Promise<number[]>;
  /** The document that says which device has the number, for whoever has taken it. */
  documentOf(tenantId: string, wanted: WantedSerialNumber): SerialNumberDocument;
}

/** How long a number stays taken for a device that never came to be, once nobody resumes the mutation any more. */
const ABANDONED_MS = 2 * KEPT_SECONDS * 1000;

/**
 * Serial numbers are unique by manufacturer within the tenant that has the devices: were they so over all tenants, one
 * could take the numbers of another's devices, and would be told which are there.
 */
export function createSerialNumbers({ cosmos }: { cosmos: Cosmos }): SerialNumbers {
  function documentOf(tenantId: string, wanted: WantedSerialNumber): SerialNumberDocument {
    const { serialNumber, manufacturer, holder, deviceId } = wanted;
    const key = serialKeyOf(tenantId, manufacturer, serialNumber);
    return { id: 'serial', key, holder, deviceId, at: Date.now() };
  }

  /** Whether the device that has the number has given it up: it was retired, or it never came to be. */
  async function givenUp(tenantId: string, { deviceId, at }: SerialNumberDocument): Promise<boolean> {
    const abandoned = Date.now() - at > ABANDONED_MS;
    if (deviceId === null) return abandoned;
    const { partition, id } = entryKey(deviceId);
    const entry = await cosmos.read<DeviceEntryDocument>('directory', partition, id);
    // What became of a device in somebody else's hands is not to be learnt here.
    if (entry && entry.tenantId !== tenantId) return false;
    // A device in stock has no entry.
    const home = entry?.buildingId ?? stockOf(tenantId);
    const device = await cosmos.read<DeviceDocument | StockDocument | DepartedDocument>(
      'registry',
      home,
      deviceId,
    );
    if (device === null) return abandoned;
    return device.type !== 'departed' && device.state === 'RETIRED';
  }

  async function release(mine: readonly SerialNumberDocument[]): Promise<void> {
    for (const document of mine) {
      const found = await cosmos.read<SerialNumberDocument>('directory', document.key, 'serial');
      if (found?.holder !== document.holder) continue;
      const released: SerialNumberDocument = { ...found, ttl: 1 };
      await cosmos.batch('directory', document.key, [{ replace: released, etag: found._etag! }]);
    }
  }

  return {
    documentOf,

    take: (tenantId, wanted) =>
      retrying(async () => {
        if (wanted.length === 0) return [];
        const documents = wanted.map((each) => documentOf(tenantId, each));
        const keys = documents.map(({ key }) => ({ partition: key, id: 'serial' }));
        const before = await cosmos.readMany<SerialNumberDocument>('directory', keys);
        const refused: number[] = [];
        for (const [i, found] of before.entries()) {
          if (!found || found.ttl || found.holder === documents[i]!.holder) continue;
          if (!(await givenUp(tenantId, found))) refused.push(i);
        }
        // Nothing was taken so far: a mutation that is refused leaves nothing behind.
        if (refused.length > 0) return refused;

        const open = documents.map((_, i) => i).filter((i) => before[i]?.holder !== documents[i]!.holder);
        const mine: SerialNumberDocument[] = [];
        const fresh = open.filter((i) => !before[i]);
        const made = await cosmos.bulkCreate(
          'directory',
          fresh.map((i) => documents[i]!),
        );
        for (const [n, i] of fresh.entries()) {
          if (made[n]) mine.push(documents[i]!);
          else {
            const found = await cosmos.read<SerialNumberDocument>('directory', documents[i]!.key, 'serial');
            if (found?.holder !== documents[i]!.holder) refused.push(i);
          }
        }
        for (const i of open.filter((each) => before[each])) {
          const { key } = documents[i]!;
          const change = { replace: documents[i]!, etag: before[i]!._etag! };
          const outcome = await cosmos.batch('directory', key, [change]);
          if (outcome.ok) mine.push(documents[i]!);
          else refused.push(i);
        }
        if (refused.length > 0) await release(mine);
        return refused;
      }),
  };
}

function serialKeyOf(tenantId: string, manufacturer: string, serialNumber: string): string {
  const hash = createHash('sha256');
  for (const part of [manufacturer, serialNumber]) hash.update(`${part.length}:${part}`);
  return `serial:${tenantId}:${hash.digest('base64url')}`;
}
