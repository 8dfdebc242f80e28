import { type AlertCondition, type AlertSeverity } from '../../src/domain/alert';
import { newId } from '../../src/domain/id';
import { type QuantityName } from '../../src/domain/quantity';
import {
  ALERT_HEAD_ID,
  type AlertDocument,
  type AlertEventDocument,
  alertEventIdOf,
  type AlertHeadDocument,
  alertSortKeyOf,
  toldAlert,
} from '../../src/store/alert-documents';
import { type Cosmos } from '../../src/store/cosmos';

export interface Raised {
  tenantId: string;
  buildingId: string;
  severity?: AlertSeverity;
  quantity?: QuantityName | null;
  condition?: AlertCondition;
  spaceId?: string | null;
  deviceId?: string | null;
  raisedAt?: number;
}

export const HOT: AlertCondition = {
  kind: 'READING',
  comparison: 'ABOVE',
  low: null,
  high: 30,
  hysteresis: 1,
  forMs: 0,
};

/** Raises and clears alerts in the store as the aggregate worker does: alert, event and head in one batch. */
export function createRaiser(cosmos: Cosmos) {
  let sequence = 0;

  async function write(
    alert: AlertDocument,
    change: AlertEventDocument['change'],
  ): Promise<AlertEventDocument> {
    const { buildingId, tenantId } = alert;
    for (;;) {
      const [head, existing] = await Promise.all([
        cosmos.read<AlertHeadDocument>('alerts', buildingId, ALERT_HEAD_ID),
        cosmos.read<AlertDocument>('alerts', buildingId, alert.id),
      ]);
      const position = { incarnation: 'test-2', partition: 0, sequence: ++sequence };
      const number = (head?.number ?? 0) + 1;
      const now: AlertDocument = { ...alert, acknowledged: existing?.acknowledged ?? null, position };
      const event: AlertEventDocument = {
        id: alertEventIdOf(number),
        type: 'alertEvent',
        buildingId,
        tenantId,
        number,
        change,
        at: Date.now(),
        alert: toldAlert(now),
        ttl: 86_400,
      };
      const next: AlertHeadDocument = {
        ...(head ?? { id: ALERT_HEAD_ID, type: 'alertHead', buildingId }),
        number,
        position,
      };
      const { ok } = await cosmos.batch('alerts', buildingId, [
        existing ? { replace: now, etag: existing._etag! } : { create: now },
        { create: event },
        head ? { replace: next, etag: head._etag! } : { create: next },
      ]);
      if (ok) return event;
    }
  }

  return {
    raise(given: Raised): Promise<AlertEventDocument> {
      const { tenantId, buildingId, severity = 'MAJOR', quantity = 'AIR_TEMPERATURE' } = given;
      const id = newId('alt');
      const raisedAt = given.raisedAt ?? Date.now();
      return write(
        {
          id,
          type: 'alert',
          buildingId,
          tenantId,
          ruleId: 'alr_1',
          ruleRevision: 1,
          ruleName: 'Too hot',
          severity,
          subject: {
            buildingId,
            spaceId: given.spaceId ?? null,
            deviceId: given.deviceId ?? null,
            pointId: null,
            quantity,
          },
          condition: given.condition ?? HOT,
          onset: raisedAt,
          raisedAt,
          value: quantity === null ? null : 31.5,
          clearedAt: null,
          clearedBecause: null,
          acknowledged: null,
          position: { incarnation: 'test-2', partition: 0, sequence: 0 },
          sortKey: alertSortKeyOf(raisedAt, id),
        },
        'RAISED',
      );
    },
    clear: ({ alert }: AlertEventDocument): Promise<AlertEventDocument> =>
      write({ ...alert, clearedAt: Date.now(), clearedBecause: 'BACK_IN_ORDER', ttl: 86_400 }, 'CLEARED'),
  };
}
