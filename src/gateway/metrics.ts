import { createCounters } from './counters';
import { Gauge, Histogram, type Registry } from '../observability/metrics';

/** The gateway's metrics. Counters that run once a request are kept as plain numbers and read when scraped. */
export interface GatewayMetrics {
  request(status: number): void;
  accepted(readings: number): void;
  refused(code: string): void;
  throttled(reason: string): void;
  sent(frames: number, bytes: number, milliseconds: number): void;
  sendFailed(): void;
  decoderFault(contentType: string): void;
  handshake(how: 'full' | 'resumed' | 'failed'): void;
  lookup(outcome: 'found' | 'unknown' | 'unavailable'): void;
}

/** What is asked for when the metrics are read. */
export interface GatewayNow {
  bytesInFlight(): number;
  handshakesWaiting(): number;
  handshakesUnderWay(): number;
  lookupsInFlight(): number;
  directoryBehindMs(): number;
}

export function createGatewayMetrics(registry: Registry, now: GatewayNow): GatewayMetrics {
  const registers = [registry];
  const { tally, sum } = createCounters(registry);

  const request = tally(
    'atrium_gateway_requests_total',
    'status',
    'Requests by status. Many 401: a device fleet with lost or expired credentials, or somebody guessing. Many 400: see readings refused. 503: Event Hubs or Cosmos cannot be reached from here.',
  );
  const refused = tally(
    'atrium_gateway_readings_refused_total',
    'code',
    'Readings kept as dead letters, by reason. A step after a rollout of devices points at their firmware or model: read the dead letters of their tenant.',
  );
  const throttled = tally(
    'atrium_gateway_throttled_total',
    'reason',
    'Requests answered 429, and MQTT connections that were not read for a while. device, tenant: one sender is over its rate, others are not harmed. bytes: the gateway holds all it may, add replicas or see why Event Hubs is slow. lookups: unknown ids in masses.',
  );
  const decoderFault = tally(
    'atrium_gateway_decoder_faults_total',
    'decoder',
    'Messages on which a decoder threw something other than a refusal. Any is a fault of ours: the log has the error, the dead letter the payload.',
  );
  const accepted = sum(
    'atrium_gateway_readings_accepted_total',
    'Readings that Event Hubs has accepted and whose devices were told so. A fall to zero while requests come in means that nothing is taken: see requests by status.',
  );
  const frames = sum(
    'atrium_gateway_frames_total',
    'Frames that Event Hubs has accepted. Readings divided by frames says how well readings share events; near 1 the consumers pay the most.',
  );
  const frameBytes = sum(
    'atrium_gateway_frame_bytes_total',
    'Bytes of accepted frames: set against the throughput units of the namespace.',
  );
  const sendFailures = sum(
    'atrium_gateway_send_failures_total',
    'Sends that Event Hubs did not accept. Sustained: it cannot be reached or refuses; devices get 503 and send again. Look at the log line of the same time.',
  );
  const handshake = tally(
    'atrium_gateway_tls_handshakes_total',
    'how',
    'TLS handshakes that ended. full ones cost about three times what resumed ones do: many while devices come back mean that they keep no session, or that replicas have different keys. failed: no TLS, or clients that do not trust the certificate.',
  );
  const lookup = tally(
    'atrium_gateway_device_lookups_total',
    'outcome',
    'Devices that the directory did not know and asked the registry about. unavailable: the registry did not answer in time or at all, and devices come again. unknown in masses: somebody makes up ids.',
  );
  const gauge = (name: string, help: string, value: () => number): void =>
    void new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge(
    'atrium_gateway_bytes_in_flight',
    'Bytes of bodies and frames held now. Near its limit devices are answered 429: Event Hubs is slower than the devices, or too few replicas run.',
    now.bytesInFlight,
  );
  gauge(
    'atrium_gateway_tls_handshakes_waiting',
    'Connections whose TLS handshake has not begun. Thousands for a minute are a storm of devices that come back; for longer, too few replicas.',
    now.handshakesWaiting,
  );
  gauge(
    'atrium_gateway_tls_handshakes_under_way',
    'TLS handshakes that have begun. Sustained hundreds with few that end: clients that say nothing, or whose network is slow.',
    now.handshakesUnderWay,
  );
  gauge(
    'atrium_gateway_device_lookups',
    'Devices the registry is being asked about. Sustained hundreds: Cosmos is slow or throttles.',
    now.lookupsInFlight,
  );
  gauge(
    'atrium_gateway_directory_behind_seconds',
    'How far the directory of devices is behind the registry. Above 2 it is not believed, and each device is read from the store: the process or Cosmos has too much to do.',
    () => Math.min(3600, now.directoryBehindMs() / 1000),
  );
  const sendSeconds = new Histogram({
    name: 'atrium_gateway_send_seconds',
    help: 'Time from handing frames to Event Hubs to its acceptance. A sustained p99 over a second: the namespace throttles (raise throughput units) or the network is at fault.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });

  return {
    request: (status) => request(String(status)),
    accepted: (readings) => accepted(readings),
    refused,
    throttled,
    sent(count, bytes, milliseconds) {
      frames(count);
      frameBytes(bytes);
      sendSeconds.observe(milliseconds / 1000);
    },
    sendFailed: () => sendFailures(1),
    decoderFault,
    handshake,
    lookup,
  };
}
