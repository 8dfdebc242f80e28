import { quantityNamed } from '../domain/quantity';
import { type AlertEventDocument } from '../store/alert-documents';
import { alertIdOf } from '../store/alerts/alert-id';

/** What a receiver is told of an event, in the words of the API. */
export function payloadOf(event: AlertEventDocument): { type: string; body: string } {
  const { alert, change, at, number, tenantId } = event;
  const { subject, acknowledged } = alert;
  const type = `alert.${change.toLowerCase()}`;
  const instant = (each: number | null): string | null =>
    each === null ? null : new Date(each).toISOString();
  const data = {
    tenantId,
    number,
    alert: {
      id: alertIdOf(alert),
      ruleId: alert.ruleId,
      ruleName: alert.ruleName,
      ruleRevision: alert.ruleRevision,
      severity: alert.severity,
      state: alert.clearedAt === null ? 'ACTIVE' : 'CLEARED',
      ...subject,
      unit: subject.quantity === null ? null : quantityNamed(subject.quantity).unit,
      value: alert.value,
      onset: instant(alert.onset),
      raisedAt: instant(alert.raisedAt),
      clearedAt: instant(alert.clearedAt),
      clearedBecause: alert.clearedBecause,
      acknowledgement: acknowledged && { ...acknowledged, at: instant(acknowledged.at) },
    },
  };
  return { type, body: JSON.stringify({ type, timestamp: instant(at), data }) };
}
