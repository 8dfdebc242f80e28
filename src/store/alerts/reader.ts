import { type JSONValue } from '@azure/cosmos';
import { maySeeAlert, unseenAlerts } from '../../auth/alert-access';
import { ALERT_SEVERITIES, type AlertSeverity } from '../../domain/alert';
import {
  ALERT_HEAD_ID,
  type AlertDocument,
  type AlertEventDocument,
  alertEventIdOf,
  type AlertHeadDocument,
} from '../alert-documents';
import { type Cosmos } from '../cosmos';
import { ownersSomewhere } from '../registry/access';
import { positionAfter, sortKeyAfter } from '../registry/position';
import { parseAlertId } from './alert-id';
import { type Alerting } from './alerting';

/** What one page looks at: where few of many may be seen, they are found over several pages. */
const ALERTS_A_PAGE = 500;

export function createAlertsReader({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Alerting, 'alerts' | 'alert' | 'newestAlertEvents' | 'alertEvents'> {
  return {
    async alerts(scope, buildingId, { first, after, state, acknowledged, minimumSeverity }) {
      const conditions = ['ARRAY_CONTAINS(@owners, c.tenantId)', 'c.sortKey < @before'];
      const owners = ownersSomewhere(scope, 'alert.read', buildingId);
      const parameters: Record<string, JSONValue> = {
        owners,
        // Behind every digit.
        before: after === null ? ':' : sortKeyAfter(after),
      };
      if (state !== undefined) {
        conditions.push(state === 'ACTIVE' ? 'c.clearedAt = null' : 'c.clearedAt >= 0');
      }
      if (acknowledged !== undefined) {
        conditions.push(acknowledged ? 'NOT (c.acknowledged = null)' : 'c.acknowledged = null');
      }
      if (minimumSeverity !== undefined) {
        conditions.push('ARRAY_CONTAINS(@severities, c.severity)');
        parameters.severities = atLeast(minimumSeverity);
      }
      const unseen = unseenAlerts(scope, owners, buildingId);
      if (unseen.quantities.length > 0) {
        conditions.push('NOT ARRAY_CONTAINS(@unseen, c.subject.quantity)');
        parameters.unseen = unseen.quantities;
      }
      if (unseen.ofOccupants.length > 0) {
        conditions.push(
          '(ARRAY_CONTAINS(@ofDevices, c.condition.kind) OR NOT ARRAY_CONTAINS(@ofOccupants, c.subject.quantity))',
        );
        parameters.ofDevices = [...unseen.ofDevices];
        parameters.ofOccupants = unseen.ofOccupants;
      }
      const pages = cosmos.pages<AlertDocument>(
        'alerts',
        buildingId,
        `SELECT * FROM c WHERE ${conditions.join(' AND ')} ORDER BY c.sortKey DESC`,
        parameters,
        { pageSize: Math.min(2 * first + 1, ALERTS_A_PAGE) },
      );
      const items: AlertDocument[] = [];
      const positions: string[] = [];
      let lookedAt = 0;
      for await (const page of pages) {
        for (const alert of page) {
          if (!maySeeAlert(scope, alert)) continue;
          if (items.length === first) return { items, positions, next: positions.at(-1)! };
          items.push(alert);
          positions.push(positionAfter(alert.sortKey));
        }
        lookedAt += page.length;
        if (lookedAt >= ALERTS_A_PAGE) {
          return { items, positions, next: positionAfter(page.at(-1)!.sortKey) };
        }
      }
      return { items, positions, next: null };
    },

    async alert(scope, text) {
      const key = parseAlertId(text);
      if (!key) return null;
      const alert = await cosmos.read<AlertDocument>('alerts', key.buildingId, key.id);
      return alert?.type === 'alert' && maySeeAlert(scope, alert) ? alert : null;
    },

    async newestAlertEvents(buildingIds) {
      const heads = await cosmos.readMany<AlertHeadDocument>(
        'alerts',
        buildingIds.map((partition) => ({ partition, id: ALERT_HEAD_ID })),
      );
      return heads.map((head) => head?.number ?? 0);
    },

    alertEvents: (buildingId, { from, to, limit }) =>
      cosmos.query<AlertEventDocument>(
        'alerts',
        buildingId,
        'SELECT * FROM c WHERE c.id >= @from AND c.id <= @to ORDER BY c.id',
        { from: alertEventIdOf(from), to: alertEventIdOf(to) },
        { limit },
      ),
  };
}

/** A severity and all that are worse. */
export function atLeast(severity: AlertSeverity): AlertSeverity[] {
  return ALERT_SEVERITIES.slice(0, ALERT_SEVERITIES.indexOf(severity) + 1);
}
