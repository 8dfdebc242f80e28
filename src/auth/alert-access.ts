import { type AlertConditionKind } from '../domain/alert';
import { QUANTITY_NAMES, type QuantityName } from '../domain/quantity';
import { allows, allowsSomewhere, type TenantScope } from './scope';

/** What decides who may see an alert. */
export interface AlertInQuestion {
  tenantId: string;
  subject: { buildingId: string; spaceId: string | null; quantity: QuantityName | null };
  condition: { kind: AlertConditionKind };
}

/** An alert of what they measure tells whether somebody is there, or how many, also where the owner says nothing of it. */
const OF_OCCUPANTS: readonly QuantityName[] = [
  'OCCUPANCY',
  'INTRUSION',
  'MOTION_LEVEL',
  'CO2_LEVEL',
  'ILLUMINANCE',
];

/** These tell of devices, whatever they measure. */
const OF_DEVICES: readonly AlertConditionKind[] = ['DEVICE_SILENT', 'TOO_FEW_REPORTING'];

/**
 * The one place that says who may see an alert. Who keeps devices running sees those of devices' health and alarms such as
 * SMOKE, which somebody must act on, and none from which it could be read who is in: an intruder is somebody, too, and a
 * false alarm is who lives there. Who has a right to some quantities only sees alerts of those, and none of a device as
 * such, which tells of all its quantities. Who has a right to some spaces only sees alerts of what is in them, and none of
 * the building as a whole.
 */
export function maySeeAlert(scope: TenantScope, alert: AlertInQuestion, now = Date.now()): boolean {
  const { buildingId, spaceId, quantity } = alert.subject;
  const presence =
    !OF_DEVICES.includes(alert.condition.kind) && quantity !== null && OF_OCCUPANTS.includes(quantity);
  return allows(
    scope,
    presence ? 'alert.read-presence' : 'alert.read',
    { tenantId: alert.tenantId, buildingId, spaceId, quantity },
    now,
  );
}

/** Alerts of a building that the scope sees none of, wherever they are. */
export interface UnseenAlerts {
  /** All of these quantities. */
  quantities: QuantityName[];
  /** Of these those of other kinds than `ofDevices`. */
  ofOccupants: QuantityName[];
  ofDevices: readonly AlertConditionKind[];
}

/** For a query that leaves them out: how many there are in between must not show in how long a page is. */
export function unseenAlerts(
  scope: TenantScope,
  owners: readonly string[],
  buildingId: string,
): UnseenAlerts {
  const without = (permission: 'alert.read' | 'alert.read-presence', of: readonly QuantityName[]) =>
    of.filter(
      (quantity) =>
        !owners.some((tenantId) => allowsSomewhere(scope, permission, { tenantId, buildingId, quantity })),
    );
  return {
    quantities: without('alert.read', QUANTITY_NAMES),
    ofOccupants: without('alert.read-presence', OF_OCCUPANTS),
    ofDevices: OF_DEVICES,
  };
}

/**
 * Whether all alerts of a building are the scope's to see: else it is not told how many there are, as numbers of events
 * would tell.
 */
export function seesAllAlerts(scope: TenantScope, place: { tenantId: string; buildingId: string }): boolean {
  return (
    allows(scope, 'alert.read', { ...place, quantity: null }) &&
    allows(scope, 'alert.read-presence', { ...place, quantity: null }) &&
    allows(scope, 'presence.read', { ...place, quantity: null })
  );
}
