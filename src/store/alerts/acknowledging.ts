import { maySeeAlert } from '../../auth/alert-access';
import { allows } from '../../auth/scope';
import {
  ALERT_HEAD_ID,
  type AlertDocument,
  type AlertEventDocument,
  alertEventIdOf,
  type AlertHeadDocument,
  toldAlert,
} from '../alert-documents';
import { type Cosmos } from '../cosmos';
import { type Outcome } from '../registry';
import { notFound, refused } from '../registry/access';
import { noteProblem } from '../registry/validation';
import { retrying } from '../store-error';
import { parseAlertId } from './alert-id';
import { type Alerting } from './alerting';

/** The worker that raises and clears writes the same head. */
const MAXIMUM_RACES = 50;

export function createAcknowledging({
  cosmos,
  keepSeconds,
}: {
  cosmos: Cosmos;
  keepSeconds: number;
}): Pick<Alerting, 'acknowledgeAlert'> {
  return {
    async acknowledgeAlert(scope, text, note) {
      const problem = note === null ? undefined : noteProblem(note);
      if (problem) return { ok: false, refusal: problem };
      const key = parseAlertId(text);
      if (!key) return notFound('alert', text, 'alertId');

      /** One try, or undefined where the alert or the head changed meanwhile. */
      async function attempt({
        id,
        buildingId,
      }: NonNullable<typeof key>): Promise<Outcome<AlertDocument> | undefined> {
        const [alert, head] = await Promise.all([
          cosmos.read<AlertDocument>('alerts', buildingId, id),
          cosmos.read<AlertHeadDocument>('alerts', buildingId, ALERT_HEAD_ID),
        ]);
        if (alert?.type !== 'alert' || !maySeeAlert(scope, alert)) return notFound('alert', text, 'alertId');
        const { tenantId, subject } = alert;
        if (!allows(scope, 'alert.acknowledge', { ...subject, tenantId, buildingId })) {
          return refused('FORBIDDEN', 'your role may not acknowledge alerts here');
        }
        if (alert.acknowledged !== null) return { ok: true, value: alert };
        const now = Date.now();
        const changed: AlertDocument = {
          ...alert,
          acknowledged: { by: scope.principal.id, at: now, note },
        };
        const number = (head?.number ?? 0) + 1;
        const event: AlertEventDocument = {
          id: alertEventIdOf(number),
          type: 'alertEvent',
          buildingId,
          tenantId,
          number,
          change: 'ACKNOWLEDGED',
          at: now,
          alert: toldAlert(changed),
          ttl: keepSeconds,
        };
        // What the worker keeps in it stays.
        const next: AlertHeadDocument = {
          ...(head ?? { id: ALERT_HEAD_ID, type: 'alertHead', buildingId }),
          number,
        };
        // Only together, and only if neither changed: numbers are dense, and the worker's part of the alert is kept.
        const outcome = await cosmos.batch('alerts', buildingId, [
          { replace: changed, etag: alert._etag! },
          { create: event },
          head ? { replace: next, etag: head._etag! } : { create: next },
        ]);
        return outcome.ok ? { ok: true, value: changed } : undefined;
      }

      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const outcome = await retrying(() => attempt(key));
        if (outcome) return outcome;
      }
      return refused('CONFLICT', 'alerts of this building are being changed by others: try again');
    },
  };
}
