import { Counter, Gauge, type Registry } from '../../observability/metrics';

export interface AlertMetrics {
  changes: Counter<'change'>;
  waiting: Gauge<'partition'>;
  failures: Counter;
  conflicts: Counter;
  givenUp: Counter;
  unpublished: Counter;
  platform: Gauge<'kind'>;
}

export function createAlertMetrics(registry: Registry): AlertMetrics {
  const registers = [registry];
  return {
    changes: new Counter({
      name: 'atrium_alert_changes_total',
      help: 'Alerts raised and cleared by this worker. A flood of RAISED: look at the rule that was created last, or at a network that many devices share.',
      labelNames: ['change'],
      registers,
    }),
    waiting: new Gauge({
      name: 'atrium_alert_changes_waiting',
      help: 'Alerts that are raised or cleared and not stored yet, by partition. Rising: Cosmos is away or throttles; nobody is told of them until it answers.',
      labelNames: ['partition'],
      registers,
    }),
    failures: new Counter({
      name: 'atrium_alert_writes_failed_total',
      help: 'Batches of alerts that Cosmos did not take; they are tried again after reading what stands. Sustained: Cosmos is away or throttles.',
      registers,
    }),
    conflicts: new Counter({
      name: 'atrium_alert_conflicts_total',
      help: 'Batches that found the building’s alerts changed by somebody else: an acknowledgement, or another owner of the partition. Sustained without acknowledgements: two workers hold one partition.',
      registers,
    }),
    givenUp: new Counter({
      name: 'atrium_alert_changes_given_up_total',
      help: 'Alerts given up because too many waited for Cosmos. When it answers again the partition is replayed and they are found anew.',
      registers,
    }),
    unpublished: new Counter({
      name: 'atrium_alert_events_unpublished_total',
      help: 'Alert events that Event Hubs did not take and that will be sent again. Sustained: the averages hub is unreachable; subscribers hear late, what is stored is whole.',
      registers,
    }),
    platform: new Gauge({
      name: 'atrium_platform_alert',
      help: '1 while something of ours is out of order for everybody, by kind. gateways_silent: no gateway was heard for 15 s; no device is called silent meanwhile. Look at the gateways, then at Cosmos.',
      labelNames: ['kind'],
      registers,
    }),
  };
}
