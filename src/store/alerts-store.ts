import {
  ALERT_HEAD_ID,
  type AlertDocument,
  alertEventIdOf,
  type AlertEventDocument,
  type AlertHeadDocument,
} from './alert-documents';
import { type Change, type Cosmos } from './cosmos';

/** A building's alerts as they stood at one instant, as far as a writer needs them: those active, and the newest. */
export interface AlertsView {
  /** Null before the first alert. */
  head: AlertHeadDocument | null;
  alerts: AlertDocument[];
}

export interface AlertChanges {
  /** With an etag they replace what stands. */
  alerts: readonly AlertDocument[];
  events: readonly AlertEventDocument[];
  head: AlertHeadDocument;
}

/** The container `alerts` as the worker uses it. */
export interface AlertsStore {
  heads(buildingIds: readonly string[]): Promise<(AlertHeadDocument | null)[]>;
  /** What is read is as of its head or newer: a commit by its etag then finds that out. */
  view(buildingId: string): Promise<AlertsView>;
  /** The etags by id; null where somebody else has changed the building's alerts since its head was read. */
  commit(buildingId: string, changes: AlertChanges): Promise<Map<string, string> | null>;
  /** Those of the numbers that are still kept. */
  events(buildingId: string, numbers: readonly number[]): Promise<AlertEventDocument[]>;
}

/** Enough that an alert which is found again in a replay is among them. */
const NEWEST = 200;

export function createAlertsStore({
  cosmos,
}: {
  cosmos: Pick<Cosmos, 'read' | 'readMany' | 'query' | 'batch'>;
}): AlertsStore {
  return {
    heads: (buildingIds) =>
      cosmos.readMany<AlertHeadDocument>(
        'alerts',
        buildingIds.map((partition) => ({ partition, id: ALERT_HEAD_ID })),
      ),

    async view(buildingId) {
      const head = await cosmos.read<AlertHeadDocument>('alerts', buildingId, ALERT_HEAD_ID);
      if (head === null) return { head, alerts: [] };
      const active = await cosmos.query<AlertDocument>(
        'alerts',
        buildingId,
        'SELECT * FROM c WHERE c.clearedAt = null',
      );
      const newest = await cosmos.query<AlertDocument>(
        'alerts',
        buildingId,
        "SELECT * FROM c WHERE c.sortKey > '' ORDER BY c.sortKey DESC",
        {},
        { limit: NEWEST },
      );
      const alerts = new Map([...active, ...newest].map((each) => [each.id, each]));
      return { head, alerts: [...alerts.values()].filter(({ type }) => type === 'alert') };
    },

    async commit(buildingId, { alerts, events, head }) {
      const written = [...alerts, ...events, head];
      const changes: Change[] = written.map((document) => {
        const etag = '_etag' in document ? document._etag : undefined;
        return etag === undefined ? { create: document } : { replace: document, etag };
      });
      const outcome = await cosmos.batch('alerts', buildingId, changes);
      if (!outcome.ok) return null;
      return new Map(written.map(({ id }, index) => [id, outcome.etags[index]!]));
    },

    async events(buildingId, numbers) {
      const found = await cosmos.readMany<AlertEventDocument>(
        'alerts',
        numbers.map((number) => ({ partition: buildingId, id: alertEventIdOf(number) })),
      );
      return found.filter((each) => each !== null);
    },
  };
}
