import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { earliestEventPosition, EventHubConsumerClient } from '@azure/event-hubs';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { type Reading, type RefusedReading } from '../../src/domain/reading';
import { createAcceptedCounts } from '../../src/gateway/accepted-counts';
import { type DeviceActivity } from '../../src/gateway/activity';
import { type PayloadDecoder } from '../../src/gateway/decoders';
import { createGateway, type Gateway } from '../../src/gateway/gateway';
import { type GatewayLimits } from '../../src/gateway/limits';
import { createLogger, type Logger } from '../../src/observability/logger';
import { createMetrics, type Registry } from '../../src/observability/metrics';
import { type DeviceDirectory, type DirectoryDevice } from '../../src/store/device-directory';
import { type AcceptedWriter } from '../../src/store/ingestion/accepted-writer';
import { decodeFrame } from '../../src/stream/frame';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { type Twins } from '../../src/store/twins';
import { directoryOf, tokenOf, twinsOf } from './devices.support';

export const HUB = 'telemetry';

/** What stands in the telemetry stream, read by a consumer of its own as any other consumer would. */
export interface StreamReader {
  readings: Omit<Reading, 'undated' | 'original'>[];
  undated: { pointId: string; messageId: string | null; messageIndex: number }[];
  originals: { pointId: string; value: number; unit: string }[];
  refused: RefusedReading[];
  frames: number;
  stop(): Promise<void>;
}

export async function readStream(connectionString: string): Promise<StreamReader> {
  const client = new EventHubConsumerClient('$Default', connectionString, HUB, {
    retryOptions: { maxRetries: 100, retryDelayInMs: 200 },
  });
  const reader: StreamReader = {
    readings: [],
    undated: [],
    originals: [],
    refused: [],
    frames: 0,
    stop: async () => {
      await subscription.close();
      await client.close();
    },
  };
  const subscription = client.subscribe(
    {
      processEvents(events) {
        for (const event of events) {
          const frame = decodeFrame(event.body, event.properties);
          reader.frames++;
          const pointAt = (row: number) => frame.points[frame.point[row]!]!;
          for (let row = 0; row < frame.count; row++) {
            const { building, ...point } = pointAt(row);
            reader.readings.push({
              ...point,
              ...frame.buildings[building]!,
              observedAt: frame.observedAt[row]!,
              receivedAt: frame.receivedAt[row]!,
              value: frame.value[row]!,
            });
          }
          for (const { row, ...rest } of frame.undated) {
            reader.undated.push({ pointId: pointAt(row).pointId, ...rest });
          }
          for (const { row, ...rest } of frame.originals) {
            reader.originals.push({ pointId: pointAt(row).pointId, ...rest });
          }
          reader.refused.push(...frame.refused);
        }
        return Promise.resolve();
      },
      processError: () => Promise.resolve(),
    },
    { startPosition: earliestEventPosition, maxBatchSize: 500, maxWaitTimeInSeconds: 1 },
  );
  return Promise.resolve(reader);
}

export interface RunningGateway {
  gateway: Gateway;
  url: string;
  port: number;
  /** 0 where no certificate was given. */
  httpsPort: number;
  mqttPort: number;
  /** 0 where no certificate was given. */
  mqttsPort: number;
  /** 0 where no certificate was given. */
  amqpsPort: number;
  metrics: Registry;
  stop(): Promise<void>;
}

/** A gateway over a stream that runs already. */
export async function startGateway(options: {
  connectionString: string;
  directory: DeviceDirectory;
  /** Left out, twins in memory. */
  twins?: Twins;
  limits?: Partial<GatewayLimits>;
  decoders?: readonly PayloadDecoder[];
  tls?: { cert: string; key: string };
  waitUntilReady?: boolean;
  /** Left out, only what is fatal is told. */
  logger?: Logger;
  /** Left out, nobody is told of what devices do. */
  activity?: DeviceActivity;
  /** Left out, nobody is told what was accepted. */
  accepted?: AcceptedWriter;
}): Promise<RunningGateway> {
  const metrics = createMetrics({ process: 'gateway' });
  const producer = createStreamProducer({
    namespace: { connectionString: options.connectionString },
    hub: HUB,
  });
  const gateway = createGateway({
    logger: options.logger ?? createLogger({ name: 'gateway', level: 'fatal' }),
    metrics,
    host: '127.0.0.1',
    port: 0,
    hostNames: ['127.0.0.1', 'localhost', 'hub.example'],
    ...(options.tls && { https: { port: 0, ...options.tls } }),
    mqtt: { port: 0, ...(options.tls && { tls: { port: 0, ...options.tls } }) },
    ...(options.tls && { amqps: { port: 0, ...options.tls } }),
    directory: options.directory,
    twins: options.twins ?? twinsOf(),
    producer,
    ...(options.activity && { activity: options.activity }),
    ...(options.accepted && {
      counts: createAcceptedCounts({
        logger: createLogger({ name: 'gateway', level: 'silent' }),
        writer: options.accepted,
        partitionCount: () => producer.partitionCount,
        intervalMilliseconds: 50,
      }),
    }),
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.decoders ? { decoders: options.decoders } : {}),
  });
  const { port, httpsPort = 0, mqttPort = 0, mqttsPort = 0, amqpsPort = 0 } = await gateway.start();
  if (options.waitUntilReady ?? true) {
    await eventually(() => {
      if (!gateway.readiness().ready) throw new Error(gateway.readiness().reasons.join());
    });
  }
  return {
    gateway,
    url: `http://127.0.0.1:${port}`,
    port,
    httpsPort,
    mqttPort,
    mqttsPort,
    amqpsPort,
    metrics,
    async stop() {
      await gateway.stop();
      await producer.stop();
    },
  };
}

/** An Event Hubs stand-in in this process with a temporary folder, and a gateway that sends to it. */
export async function startPlatform(options: {
  devices: readonly DirectoryDevice[];
  limits?: Partial<GatewayLimits>;
  decoders?: readonly PayloadDecoder[];
  tls?: { cert: string; key: string };
  logger?: Logger;
  partitions?: number;
}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-gateway-'));
  const eventHubs = createEventHubsEmulator({
    dataDir,
    hubs: { [HUB]: options.partitions ?? 4 },
    fsync: false,
  });
  const { connectionString } = await eventHubs.start();
  const directory = directoryOf(options.devices);
  const twins = twinsOf();
  const gateway = await startGateway({
    connectionString,
    directory,
    twins,
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.decoders ? { decoders: options.decoders } : {}),
    ...(options.tls ? { tls: options.tls } : {}),
    ...(options.logger ? { logger: options.logger } : {}),
  });
  const stream = await readStream(connectionString);
  return {
    ...gateway,
    directory,
    twins,
    eventHubs,
    stream,
    connectionString,
    async stop() {
      await gateway.stop();
      await stream.stop();
      await eventHubs.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  body: {
    error?: { code: string; message: string } & Record<string, unknown>;
    accepted?: number;
    refused?: { messageIndex?: number; index: number; channel: string; code: string; message: string }[];
  };
}

/** Sends as a device does. */
export async function post(
  { url }: { url: string },
  device: DirectoryDevice,
  body: unknown,
  options: { token?: string | null; headers?: Record<string, string>; path?: string; method?: string } = {},
): Promise<Answer> {
  const path = options.path ?? `/devices/${device.deviceId}/messages/events?api-version=2021-04-12`;
  const token = options.token === undefined ? tokenOf(device) : options.token;
  const response = await fetch(url + path, {
    method: options.method ?? 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: token }),
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
  };
}
