import { type AlertConditionKind } from '../domain/alert';
import { type QuantityName } from '../domain/quantity';
import { allows, type TenantScope } from './scope';

/** What decides who may see an alert. */
export interface AlertInQuestion {
  tenantId: string;
  subject: { buildingId: string; spaceId: string | null; quantity: QuantityName | null };
  condition: { kind: AlertConditionKind };
}

/** What they measure tells whether somebody is there, or how many. */
const REVEALS_PRESENCE: ReadonlySet<QuantityName> = new Set([
  'OCCUPANCY',
  'MOTION_LEVEL',
  'CO2_LEVEL',
  'ILLUMINANCE',
]);

/** These tell of devices, whatever they measure. */
const OF_DEVICES: ReadonlySet<AlertConditionKind> = new Set(['DEVICE_SILENT', 'TOO_FEW_REPORTING']);

/**
 * The one place that says who may see an alert. Who keeps devices running sees those of devices' health and alarms such as
 * SMOKE or INTRUSION, which somebody must act on, and none from which it could be read who is in. Who has a right to some
 * quantities only sees alerts of those, and none of a device as such, which tells of all its quantities. Who has a right to
 * some spaces only sees alerts of what is in them, and none of the building as a whole.
 */
export function maySeeAlert(scope: TenantScope, alert: AlertInQuestion, now = Date.now()): boolean {
  const { buildingId, spaceId, quantity } = alert.subject;
  const presence =
    !OF_DEVICES.has(alert.condition.kind) && quantity !== null && REVEALS_PRESENCE.has(quantity);
  return allows(
    scope,
    presence ? 'alert.read-presence' : 'alert.read',
    { tenantId: alert.tenantId, buildingId, spaceId, quantity },
    now,
  );
}
