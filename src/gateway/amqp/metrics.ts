import { createCounters } from '../counters';
import { Gauge, type Registry } from '../../observability/metrics';

/** Why a connection ended. */
export type Ending =
  /** The device said so, or its connection broke off. */
  | 'disconnect'
  | 'lost'
  /** The device connected anew: the newer connection wins. */
  | 'taken-over'
  | 'idle'
  /** Suspended, retired, another key, or the token expired. */
  | 'not-permitted'
  | 'refused'
  /** A link in another device's name. */
  | 'forbidden-link'
  | 'unavailable'
  | 'malformed'
  | 'too-many'
  /** Did not prove who it is, or finish what it began, in time; or does not read what it is told. */
  | 'slow'
  | 'stopping'
  | 'fault';

export interface AmqpMetrics {
  connect(outcome: 'accepted' | 'refused' | 'unavailable'): void;
  ended(why: Ending): void;
  message(settlement: 'settled' | 'unsettled'): void;
  lost(): void;
}

export function createAmqpMetrics(registry: Registry, connections: () => number): AmqpMetrics {
  const { tally, sum } = createCounters(registry);
  new Gauge({
    name: 'atrium_gateway_amqp_connections',
    help: 'Open AMQP connections of devices that proved who they are. A fall by thousands at once: a network or a load balancer broke them off; watch the connects that follow.',
    registers: [registry],
    collect() {
      this.set(connections());
    },
  });
  const connect = tally(
    'atrium_gateway_amqp_connects_total',
    'outcome',
    'Tokens put and certificates judged, by outcome; renewals too. refused: wrong credentials, unknown, suspended or retired; many are a fleet with lost or expired credentials, or somebody guessing. unavailable: the registry cannot be reached.',
  );
  const ended = tally(
    'atrium_gateway_amqp_endings_total',
    'reason',
    'Connections that ended, by reason. taken-over in numbers: two devices share one identity. forbidden-link, too-many, malformed: firmware that speaks another protocol. fault: ours, see the log.',
  );
  const message = tally(
    'atrium_gateway_amqp_messages_total',
    'settlement',
    'Transfers of telemetry taken over AMQP. Settled ones are never answered, and lost when Event Hubs does not take them.',
  );
  const lost = sum(
    'atrium_gateway_amqp_messages_lost_total',
    'Messages sent settled that Event Hubs did not accept. Sustained: see send failures; devices that must not lose readings wait for the outcome.',
  );
  return { connect, ended, message, lost: () => lost(1) };
}
