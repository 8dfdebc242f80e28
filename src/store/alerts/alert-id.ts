import { type AlertDocument } from '../alert-documents';

/**
 * An alert's id as the API and webhooks give it: where it is kept stands in it, so that it is found without a directory of
 * its own. Ids hold no dot.
 */
export function alertIdOf({ id, buildingId }: Pick<AlertDocument, 'id' | 'buildingId'>): string {
  return `${id}.${buildingId}`;
}

/** Undefined for what is no alert's id. */
export function parseAlertId(text: string): { id: string; buildingId: string } | undefined {
  const parts = text.split('.');
  const [id, buildingId] = parts;
  if (parts.length !== 2 || !id?.startsWith('alt_') || !buildingId || text.length > 200) return undefined;
  return { id, buildingId };
}
