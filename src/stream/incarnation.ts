import { type EventHubProperties } from '@azure/event-hubs';

/**
 * One life of a hub: positions mean nothing outside it. A hub that was deleted and made again, or whose stand-in lost its
 * log, has another creation instant and so another incarnation. Fits in a path and in a container's name.
 */
export function incarnationOf(hub: Pick<EventHubProperties, 'createdOn' | 'partitionIds'>): string {
  return `${hub.createdOn.getTime()}-${hub.partitionIds.length}`;
}

/** How many partitions the hub has in that life. */
export function partitionCountOf(incarnation: string): number {
  return Number(incarnation.slice(incarnation.lastIndexOf('-') + 1));
}

/** Checkpoints live in a blob container of their incarnation, so that none is ever applied to another life of the hub. */
export function checkpointContainerName(hub: string, incarnation: string): string {
  return `checkpoints-${hub}-${incarnation}`;
}
