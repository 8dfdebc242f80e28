import { createCounters } from '../counters';
import { Gauge, type Registry } from '../../observability/metrics';

/** Why a connection ended. */
export type Ending =
  /** The device said so, or its connection broke off. */
  | 'disconnect'
  | 'lost'
  /** The device connected anew: the newer connection wins. */
  | 'taken-over'
  | 'keep-alive'
  /** Suspended, retired, another key, or the token expired. */
  | 'not-permitted'
  | 'refused'
  | 'forbidden-topic'
  | 'qos-2'
  | 'malformed'
  | 'too-large'
  /** Pings or subscribes without end. */
  | 'too-many'
  /** Did not send its CONNECT, or the rest of a packet, in time; or does not read what it is told of its twin. */
  | 'slow'
  | 'not-accepted'
  | 'stopping'
  | 'fault';

export interface MqttMetrics {
  connack(returnCode: number): void;
  ended(why: Ending): void;
  message(qos: number): void;
  lost(): void;
}

export function createMqttMetrics(registry: Registry, connections: () => number): MqttMetrics {
  const { tally, sum } = createCounters(registry);
  new Gauge({
    name: 'atrium_gateway_mqtt_connections',
    help: 'Open MQTT connections. A fall by thousands at once: a network or a load balancer broke them off; watch the connects that follow.',
    registers: [registry],
    collect() {
      this.set(connections());
    },
  });
  const connack = tally(
    'atrium_gateway_mqtt_connects_total',
    'code',
    'CONNECTs by return code. 0: let in. 5: wrong credentials, unknown, suspended or retired; many are a fleet with lost or expired credentials, or somebody guessing. 3: the registry cannot be reached. 1: no MQTT 3.1.1.',
  );
  const ended = tally(
    'atrium_gateway_mqtt_endings_total',
    'reason',
    'Connections that ended, by reason. not-accepted: Event Hubs did not take messages, devices send them again. taken-over in numbers: two devices share one identity. forbidden-topic, qos-2, too-large, too-many, malformed: firmware that speaks another protocol. fault: ours, see the log.',
  );
  const message = tally(
    'atrium_gateway_mqtt_messages_total',
    'qos',
    'Telemetry messages taken over MQTT, by quality of service. QoS 0 is never answered, and lost when Event Hubs does not take it.',
  );
  const lost = sum(
    'atrium_gateway_mqtt_messages_lost_total',
    'Messages at QoS 0 that Event Hubs did not accept. Sustained: see send failures; devices that must not lose readings use QoS 1.',
  );
  return {
    connack: (returnCode) => connack(String(returnCode)),
    ended,
    message: (qos) => message(String(qos)),
    lost: () => lost(1),
  };
}
