import { isIPv4 } from 'node:net';

/** How long a credential to a tenant's folder of the cold store is good, in milliseconds. */
export const SHORTEST_COLD_ACCESS_MS = 60_000;
export const USUAL_COLD_ACCESS_MS = 8 * 3_600_000;
/** What was handed out cannot be taken back one by one: so no revocation takes longer than this to be whole. */
export const LONGEST_COLD_ACCESS_MS = 24 * 3_600_000;

/** Approvals that a tenant may keep, those among them that ended within a day. */
export const MAXIMUM_COLD_APPROVALS = 100;
export const LONGEST_COLD_APPROVAL_MS = 366 * 86_400_000;

/** One IPv4 address or a range of them, both ends included, as a SAS token takes them: it knows no others. */
export interface ColdAccessAddresses {
  start: string;
  end: string;
}

/** @returns undefined for what is neither `203.0.113.7` nor `203.0.113.0-203.0.113.255`. */
export function coldAccessAddressesOf(text: string): ColdAccessAddresses | undefined {
  const parts = text.split('-');
  const [start, end = start] = parts;
  if (parts.length > 2 || !isIPv4(start!) || !isIPv4(end!)) return undefined;
  return numberOf(start!) <= numberOf(end!) ? { start: start!, end: end! } : undefined;
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
