import { type Reading } from '../../src/domain/reading';

/** A reading of some building's air, complete, with what a test cares about put in its place. */
export function buildReading(parts: Partial<Reading> = {}): Reading {
  const pointOrdinal = parts.pointOrdinal ?? 0;
  return {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    spaceId: 'spc_a',
    pointId: `pnt_${pointOrdinal}`,
    pointOrdinal,
    deviceId: `dev_${parts.deviceOrdinal ?? pointOrdinal}`,
    deviceOrdinal: pointOrdinal,
    quantity: 1,
    observedAt: 1_790_000_000_000,
    receivedAt: 1_790_000_000_050,
    value: 21.5,
    ...parts,
  };
}
