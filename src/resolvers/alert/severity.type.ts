import { registerEnumType } from 'type-graphql';
import { ALERT_CHANGES, ALERT_SEVERITIES, type AlertChange as Change } from '../../domain/alert';
import { type AlertSeverity as Severity } from '../../domain/alert';

export const AlertSeverity = Object.fromEntries(ALERT_SEVERITIES.map((each) => [each, each])) as Record<
  Severity,
  Severity
>;
registerEnumType(AlertSeverity, {
  name: 'AlertSeverity',
  description: 'How bad it is, the worst first, in the words of ITU-T X.733.',
  valuesConfig: {
    CRITICAL: { description: 'Somebody must act at once.' },
    MAJOR: { description: 'Somebody must act soon.' },
    MINOR: { description: 'Somebody should act, to prevent worse.' },
    WARNING: { description: 'It may become worse.' },
  },
});

export const AlertChange = Object.fromEntries(ALERT_CHANGES.map((each) => [each, each])) as Record<
  Change,
  Change
>;
registerEnumType(AlertChange, {
  name: 'AlertChange',
  description: 'What happened to an alert. Further changes may come.',
  valuesConfig: {
    RAISED: { description: 'It began.' },
    CLEARED: { description: 'It is over; `clearedBecause` says why.' },
    ACKNOWLEDGED: { description: 'Somebody has seen to it.' },
    ESCALATED: { description: 'It became worse.' },
  },
});
