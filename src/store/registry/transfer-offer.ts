import { type DeviceDocument, sortKeyOf, type TransferEntryDocument } from '../documents';

/** The partition of the directory in which a tenant finds what it was offered. */
export function transferEntryKey(tenantId: string): string {
  return `transfers:${tenantId}`;
}

/** What the tenant that a device is offered to gets to see of it. */
export function offerEntry(device: DeviceDocument, fromName: string, now: number): TransferEntryDocument {
  const { id, to, at, expiresAt } = device.transfer!;
  return {
    id,
    key: transferEntryKey(to),
    deviceId: device.id,
    from: device.tenantId,
    fromName,
    deviceName: device.name,
    model: device.model,
    serialNumber: device.serialNumber,
    at,
    expiresAt,
    sortKey: sortKeyOf(device.name, id),
    ttl: Math.max(1, Math.ceil((expiresAt - now) / 1000)),
  };
}

/** Takes an entry away; without a sort key it is listed no more, even before it is gone. */
export function forgottenOffer(
  tenantId: string,
  transferId: string,
): Pick<TransferEntryDocument, 'id' | 'key' | 'ttl'> {
  return { id: transferId, key: transferEntryKey(tenantId), ttl: 1 };
}
