import { CHOOSABLE, type PresenceChoices } from '../../domain/presence';
import { type QuantityName } from '../../domain/quantity';
import { type Cosmos } from '../cosmos';

/** In `directory`, key `presenceOf(tenantId)`, id the building's: which quantities its owner says tell of presence there. */
export interface PresenceDocument {
  id: string;
  key: string;
  kind: 'presence';
  tenantId: string;
  /** Of `CHOOSABLE`; empty where nothing is chosen any more. */
  quantities: QuantityName[];
  changedAt: number;
  /** It never ends. */
  endedAt: null;
  _etag?: string;
}

const PRESENCE = 'presence:';

export function presenceOf(tenantId: string): string {
  return PRESENCE + tenantId;
}

/** The tenant whose partition it is; undefined for another partition. */
export function tenantOfPresence(key: string): string | undefined {
  return key.startsWith(PRESENCE) ? key.slice(PRESENCE.length) : undefined;
}

/** Of all buildings of a tenant. */
export function presenceDocuments(
  cosmos: Pick<Cosmos, 'query'>,
  tenantId: string,
): Promise<PresenceDocument[]> {
  return cosmos.query<PresenceDocument>(
    'directory',
    presenceOf(tenantId),
    "SELECT * FROM c WHERE c.kind = 'presence'",
  );
}

/** In the order of the buildings' ids: the same choices give the same text. */
export function choicesOf(documents: Iterable<PresenceDocument>): PresenceChoices {
  const chosen = [...documents].filter(({ quantities }) => quantities.length > 0);
  chosen.sort((one, other) => (one.id < other.id ? -1 : 1));
  return Object.fromEntries(chosen.map(({ id, quantities }) => [id, inOrder(quantities)]));
}

/** What can be chosen, each once, in the catalogue's order. */
export function inOrder(quantities: readonly QuantityName[]): QuantityName[] {
  return CHOOSABLE.filter((each) => quantities.includes(each));
}
