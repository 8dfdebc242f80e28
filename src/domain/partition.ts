/** Which partition of the telemetry stream holds a building: every producer and consumer must agree (FNV-1a, mixed). */
export function partitionOf(buildingId: string, partitionCount: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < buildingId.length; i++) {
    hash = Math.imul(hash ^ buildingId.charCodeAt(i), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  return (hash >>> 0) % partitionCount;
}
