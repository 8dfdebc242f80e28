import { alertIdOf } from '../../domain/alert';
import {
  ALERT_HEAD_ID,
  type AlertDocument,
  alertEventIdOf,
  type AlertEventDocument,
  type AlertHeadDocument,
  alertSortKeyOf,
  toldAlert,
} from '../../store/alert-documents';
import { type AlertsView } from '../../store/alerts-store';
import { type ActiveAlert, type Effect } from './effect';
import { keyOf } from './rule';

/** Of which life of which partition sequence numbers are. */
export interface Life {
  incarnation: string;
  partition: number;
}

/** Three changes each at most, and the head: below the hundred of a batch. */
const EFFECTS_A_BATCH = 24;

export interface StoredChanges {
  alerts: AlertDocument[];
  events: AlertEventDocument[];
  head: AlertHeadDocument;
  /** Whether something was already as it should be, or otherwise than was thought. */
  found: boolean;
}

/** Up to which event this life's owners have decided; -1 for none. */
export function decidedIn(head: AlertHeadDocument | null, { incarnation, partition }: Life): number {
  const position = head?.position;
  return position?.incarnation === incarnation && position.partition === partition ? position.sequence : -1;
}

/** What some effects change in what stands of a building; of what was decided by others, or stands already, nothing. */
export function changesOf(given: {
  buildingId: string;
  view: AlertsView;
  effects: readonly Effect[];
  /** The effect behind them. */
  next: Effect | undefined;
  life: Life;
  /** How long an alert is kept after it was cleared, and an event after it was told. */
  keepSeconds: number;
}): StoredChanges {
  const { view, effects, next, life, keepSeconds } = given;
  const decided = decidedIn(view.head, life);
  const alerts = new Map<string, AlertDocument>();
  const events: AlertEventDocument[] = [];
  let number = view.head?.number ?? 0;
  let sequence = decided;
  /** Whether something was already as it should be, or otherwise than was thought. */
  let found = false;
  const standing = (): AlertDocument[] => [
    ...alerts.values(),
    ...view.alerts.filter(({ id }) => !alerts.has(id)),
  ];
  const tell = (change: AlertEventDocument['change'], at: number, alert: AlertDocument): void => {
    number++;
    events.push({
      id: alertEventIdOf(number),
      type: 'alertEvent',
      buildingId: given.buildingId,
      tenantId: alert.tenantId,
      number,
      change,
      at,
      alert: toldAlert(alert),
      ttl: keepSeconds,
    });
  };
  const over = (
    alert: AlertDocument,
    at: number,
    because: AlertDocument['clearedBecause'],
  ): AlertDocument => ({
    ...alert,
    clearedAt: at,
    clearedBecause: because,
    ttl: keepSeconds,
  });
  for (const effect of effects) {
    const position = { ...life, sequence: effect.sequence };
    if (isDecided(effect, decided)) {
      // Another owner has come further, and has decided on this event.
      found = true;
      continue;
    }
    if (effect.kind === 'raise') {
      if (standing().some((each) => isSame(each, effect))) {
        found = true;
        continue;
      }
      const alert = alertOf(effect, position);
      alerts.set(alert.id, alert);
      tell('RAISED', effect.raisedAt, alert);
      if (effect.clearedAt !== null) {
        const ended = over(alert, effect.clearedAt, 'BACK_IN_ORDER');
        alerts.set(alert.id, ended);
        tell('CLEARED', effect.clearedAt, ended);
      }
    } else {
      const alert = standing().find(
        (each) =>
          each.clearedAt === null && each.tenantId === effect.tenantId && storedKeyOf(each) === effect.key,
      );
      if (alert === undefined) {
        found = true;
        continue;
      }
      const ended = over({ ...alert, position }, Math.max(effect.at, alert.raisedAt), effect.because);
      alerts.set(ended.id, ended);
      tell('CLEARED', ended.clearedAt!, ended);
    }
    sequence = Math.max(sequence, effect.sequence);
  }
  // An event with more than a batch's effects is decided once the last of them is stored.
  if (next?.ofEvent && next.sequence === sequence) sequence = Math.max(decided, sequence - 1);
  const head: AlertHeadDocument = {
    ...(view.head ?? { id: ALERT_HEAD_ID, type: 'alertHead', buildingId: given.buildingId }),
    number,
    position: { ...life, sequence },
  };
  return { alerts: [...alerts.values()], events, head, found };
}

/** What is active of what stands, with what waits put to it. */
export function activeWith(
  view: AlertsView,
  effects: readonly Effect[],
  decided: number,
): (ActiveAlert & { tenantId: string })[] {
  const active = new Map(
    view.alerts.filter(({ clearedAt }) => clearedAt === null).map((each) => [ownKeyOf(each), activeOf(each)]),
  );
  for (const effect of effects) {
    if (isDecided(effect, decided)) continue;
    const own = `${effect.tenantId} ${effect.key}`;
    if (effect.kind === 'clear') active.delete(own);
    else if (effect.clearedAt === null && !active.has(own) && !isKnown(view, effect)) {
      active.set(own, activeOfEffect(effect));
    }
  }
  return [...active.values()];
}

/** Whoever has stored what the clock found after an event may not have stored all that it found, unlike the event's own. */
function isDecided({ sequence, ofEvent }: Effect, decided: number): boolean {
  return sequence < decided || (ofEvent === true && sequence === decided);
}

/** The oldest effects, an event's all or none where they have room. */
export function batchOf(effects: readonly Effect[]): Effect[] {
  const isWithin = (at: number): boolean =>
    effects[at]?.ofEvent === true && effects[at].sequence === effects[at - 1]?.sequence;
  let length = Math.min(EFFECTS_A_BATCH, effects.length);
  while (length > 0 && isWithin(length)) length--;
  return effects.slice(0, length > 0 ? length : EFFECTS_A_BATCH);
}

function alertOf(
  effect: Extract<Effect, { kind: 'raise' }>,
  position: AlertDocument['position'],
): AlertDocument {
  const { rule, subject, onset, raisedAt, buildingId, tenantId, condition, value } = effect;
  const id = alertIdOf(rule, subject, onset);
  return {
    id,
    type: 'alert',
    buildingId,
    tenantId,
    ruleId: rule.id,
    ruleRevision: rule.revision,
    ruleName: rule.name,
    severity: rule.severity,
    subject,
    condition,
    onset,
    raisedAt,
    value,
    clearedAt: null,
    clearedBecause: null,
    acknowledged: null,
    position,
    sortKey: alertSortKeyOf(raisedAt, id),
  };
}

/**
 * Whether what was found is an alert that stands: of the same rule, revision and subject, while the one held the other did.
 * A replay that begins in the midst of it, or an owner whose clock differs by a second, finds another onset.
 */
function isSame(alert: AlertDocument, effect: Extract<Effect, { kind: 'raise' }>): boolean {
  if (alert.id === alertIdOf(effect.rule, effect.subject, effect.onset)) return true;
  if (alert.tenantId !== effect.tenantId || storedKeyOf(alert) !== effect.key) return false;
  return effect.onset < (alert.clearedAt ?? Infinity) && (effect.clearedAt ?? Infinity) > alert.onset;
}

function isKnown({ alerts }: AlertsView, effect: Extract<Effect, { kind: 'raise' }>): boolean {
  return alerts.some((each) => isSame(each, effect));
}

function storedKeyOf({ ruleId, ruleRevision, subject }: AlertDocument): string {
  return keyOf({ id: ruleId, revision: ruleRevision }, subject);
}

function ownKeyOf(alert: AlertDocument): string {
  return `${alert.tenantId} ${storedKeyOf(alert)}`;
}

function activeOf(alert: AlertDocument): ActiveAlert & { tenantId: string } {
  const { tenantId, ruleId, ruleRevision: revision, subject, onset, raisedAt, value } = alert;
  return { tenantId, key: storedKeyOf(alert), ruleId, revision, subject, onset, raisedAt, value };
}

function activeOfEffect(effect: Extract<Effect, { kind: 'raise' }>): ActiveAlert & { tenantId: string } {
  const { tenantId, key, rule, subject, onset, raisedAt, value } = effect;
  return { tenantId, key, ruleId: rule.id, revision: rule.revision, subject, onset, raisedAt, value };
}
