import { type TenantScope } from '../auth/scope';
import { type DeviceProtocol } from '../domain/device-protocol';

/**
 * When devices of a thousand neighbouring ordinals were last seen, by ordinal less the chunk's first. Both arrays have
 * the same length; what is beyond it was not seen.
 */
export interface SeenChunk {
  /** The ordinals from `index * SEEN_CHUNK_DEVICES` on. */
  index: number;
  /** Seconds since 1970 of the last accepted message; 0: none. */
  seconds: Uint32Array;
  /** `codeOfProtocol`. */
  protocols: Uint8Array;
}

export interface SeenBuilding {
  buildingId: string;
  chunks: readonly SeenChunk[];
}

/** What gateways write of the devices they hear, coalesced. */
export interface ActivityWriter {
  /**
   * Merges by the later instant, so that it may be repeated, in any order, by several gateways. A read for each hundred
   * chunks, and one write a building. Rejects where something of it may not be stored.
   */
  write(buildings: readonly SeenBuilding[]): Promise<void>;
}

/** Where a device's last seen is kept, and since when it is its owner's. */
export interface SeenKey {
  tenantId: string;
  buildingId: string;
  /** Where it stands now; left out, a right to the whole building is asked for. */
  spaceId?: string;
  ordinal: number;
  /** Milliseconds since 1970: what was seen before belongs to somebody else. */
  since: number;
}

export interface LastSeen {
  /** Milliseconds since 1970, in whole seconds. */
  at: number;
  protocol: DeviceProtocol | null;
}

/** What the API reads of it: at most a minute behind the gateways. */
export interface ActivityReader {
  /** In the order of the keys; null for a device that was never seen and for one outside the scope. */
  lastSeen(scope: TenantScope, keys: readonly SeenKey[]): Promise<(LastSeen | null)[]>;
}
