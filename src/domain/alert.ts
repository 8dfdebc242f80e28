import { derivedId } from './id';
import { type QuantityName } from './quantity';

/** In the words of building automation and telecommunications (ITU-T X.733), the worst first. */
export const ALERT_SEVERITIES = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export type Comparison = 'ABOVE' | 'BELOW' | 'OUTSIDE';

/**
 * What is out of order. Values are in the quantity's own unit. `forMs` is how long a condition must hold, on the clock of
 * what was observed, before the alert is raised; 0: at once. A value counts as back in order only when it lies
 * `hysteresis` within the bound it crossed.
 */
export type AlertCondition =
  /** Each point by itself. `low` stands for BELOW and OUTSIDE, `high` for ABOVE and OUTSIDE. */
  | {
      kind: 'READING';
      comparison: Comparison;
      low: number | null;
      high: number | null;
      hysteresis: number;
      forMs: number;
    }
  /** The rolling average of the rule's space, or of its building. */
  | {
      kind: 'AVERAGE';
      comparison: Comparison;
      low: number | null;
      high: number | null;
      hysteresis: number;
      forMs: number;
    }
  /** A point's value changed by more than `change` (in either direction, or only upwards) within `withinMs`. */
  | { kind: 'RATE_OF_CHANGE'; change: number; withinMs: number; direction: 'ANY' | 'RISING' | 'FALLING' }
  /** A point of a state quantity says `value`, e.g. SMOKE 1; `forMs` is usually 0. */
  | { kind: 'STATE'; value: number; forMs: number }
  /** A device was not heard for `intervals` times the interval it is expected to send at. */
  | { kind: 'DEVICE_SILENT'; intervals: number }
  /** Fewer than this share (0 to 1) of the expected devices of the rule's space or building were heard in the window. */
  | { kind: 'TOO_FEW_REPORTING'; share: number; forMs: number };

export type AlertConditionKind = AlertCondition['kind'];

/** What a rule looks at: everything of its tenant, narrowed by what is not null. */
export interface AlertScope {
  buildingId: string | null;
  /** The space and all that lies in it. */
  spaceId: string | null;
  deviceId: string | null;
}

/** What an alert is about: the narrowest thing that is out of order. */
export interface AlertSubject {
  buildingId: string;
  /** Where it is: the point's or the rule's space; null for the building as a whole. */
  spaceId: string | null;
  deviceId: string | null;
  pointId: string | null;
  /** Null for what is not of one quantity, such as a silent device. */
  quantity: QuantityName | null;
}

export const ALERT_CHANGES = ['RAISED', 'CLEARED', 'ACKNOWLEDGED', 'ESCALATED'] as const;
export type AlertChange = (typeof ALERT_CHANGES)[number];

/**
 * An alert's id: the same for whoever finds the same rule broken by the same subject since the same instant, after a crash,
 * in a replay or as a second owner.
 *
 * @param onset milliseconds since 1970.
 */
export function alertIdOf(
  rule: { id: string; revision: number },
  subject: AlertSubject,
  onset: number,
): string {
  const { buildingId, spaceId, deviceId, pointId, quantity } = subject;
  // A point or a device is one wherever it stands; what is of neither is told apart by its place.
  const one = pointId ?? deviceId;
  const of = one === null ? [spaceId ?? '', quantity ?? ''] : [one];
  return derivedId('alt', rule.id, String(rule.revision), buildingId, ...of, String(onset));
}
