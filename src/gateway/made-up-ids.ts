import { isIPv6 } from 'node:net';
import { type GatewayLimits } from './limits';
import { createTokenBuckets } from './token-bucket';

/**
 * Keeps whoever makes up device ids from keeping the store busy, which also feeds the directory its changes. What exists
 * nowhere counts, and nothing else: a fleet that comes back to a gateway that knows none of it is looked up as quickly as
 * can be, also from behind one address.
 */
export interface MadeUpIds {
  /** Look-ups that may be under way for one more from there to begin. */
  mostLookups(source: { remoteAddress?: string | undefined } | undefined, now: number): number;
  /** One more id from there was not found. */
  found(source: { remoteAddress?: string | undefined } | undefined, now: number): void;
}

/** While ids are made up everywhere: the first device of a building that is looked up makes all of it known. */
const FEW_LOOKUPS = 50;
const MOST_ADDRESSES = 50_000;
/** Seconds of the rate that may be owed: many look-ups may be under way before the first is answered. */
const OWED_BY_ADDRESS = 60;
const OWED_IN_ALL = 200;
const EVERYWHERE = '';

export function createMadeUpIds(
  limits: Pick<GatewayLimits, 'lookupsInFlight' | 'madeUpIds' | 'madeUpIdsInAll'>,
): MadeUpIds {
  const byAddress = createTokenBuckets(limits.madeUpIds, {
    maximumKeys: MOST_ADDRESSES,
    maximumDebt: OWED_BY_ADDRESS * limits.madeUpIds.perSecond,
  });
  const inAll = createTokenBuckets(limits.madeUpIdsInAll, {
    maximumDebt: OWED_IN_ALL * limits.madeUpIdsInAll.perSecond,
  });
  return {
    mostLookups(source, now) {
      const address = networkOf(source?.remoteAddress);
      if (address !== undefined && byAddress.waitFor(address, now) > 0) return 0;
      return inAll.waitFor(EVERYWHERE, now) > 0
        ? Math.min(FEW_LOOKUPS, limits.lookupsInFlight)
        : limits.lookupsInFlight;
    },
    found(source, now) {
      const address = networkOf(source?.remoteAddress);
      if (address !== undefined) byAddress.spend(address, 1, now);
      inAll.spend(EVERYWHERE, 1, now);
    },
  };
}

/** Of IPv6 the first four groups: whoever has one address there has all of its network. */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1];
  const [head = '', tail] = address.split('%')[0]!.split('::') as [string, string?];
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
