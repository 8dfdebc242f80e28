import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type Cloud } from './cloud';
import { type FieldGatewayConfiguration } from './configuration';
import { createLineListener, type LineLimits } from './line-listener';
import { createFieldGatewayMetrics } from './metrics';
import { createModbusPoller, type ModbusDevice } from './modbus-poller';
import { type StoreAndForwardQueue } from './queue';
import { createUplink } from './uplink';

/** Translates for devices that speak no protocol of the cloud's, and keeps what they say until the cloud has it. */
export interface FieldGateway {
  /**
   * @returns the port of the line protocol, where it is configured.
   * @throws OperatorError when that port cannot be had.
   */
  start(): Promise<{ linePort: number | undefined }>;
  /** Takes nothing more and lets the batch under way be answered; the rest stays in the queue. */
  stop(): Promise<void>;
  readiness(): Readiness;
}

const DAY_MS = 86_400_000;

export function createFieldGateway(options: {
  logger: Logger;
  metrics: Registry;
  configuration: Pick<FieldGatewayConfiguration, 'line' | 'modbus' | 'queue'>;
  queue: StoreAndForwardQueue;
  cloud: Cloud;
  backoff?: { first: number; longest: number };
  lineLimits?: Partial<LineLimits>;
}): FieldGateway {
  const { logger, configuration, queue, cloud, backoff } = options;
  const { line, modbus } = configuration;
  const metrics = createFieldGatewayMetrics(options.metrics, {
    depth: queue.depth,
    lineConnections: () => listener?.connections() ?? 0,
  });
  const { maximumAgeDays } = configuration.queue;
  const uplink = createUplink({
    logger,
    metrics,
    queue,
    cloud,
    ...(maximumAgeDays !== undefined && { maximumAgeMilliseconds: maximumAgeDays * DAY_MS }),
    ...(backoff && { backoff }),
  });
  const listener =
    line &&
    createLineListener({
      logger,
      metrics,
      queue,
      host: line.host,
      port: line.port,
      units: line.units.map(({ address, deviceId, model }) => ({
        address,
        deviceId,
        channels: model.channels,
      })),
      ...(options.lineLimits && { limits: options.lineLimits }),
    });
  const pollers = byAddress(modbus?.devices ?? []).map(({ host, port, devices }) =>
    createModbusPoller({ logger, metrics, queue, host, port, devices, ...(backoff && { backoff }) }),
  );

  return {
    async start() {
      const linePort = await listener?.start();
      for (const poller of pollers) poller.start();
      uplink.start();
      logger.info(
        { linePort, modbusAddresses: pollers.length, queued: queue.depth().messages },
        'the field gateway runs',
      );
      return { linePort };
    },
    async stop() {
      await listener?.stop();
      await Promise.all([...pollers.map((poller) => poller.stop()), uplink.stop()]);
    },
    readiness() {
      const { full, waiting, messages, bytes } = queue.depth();
      const failure = uplink.failure();
      const reasons = [
        ...(full
          ? [
              `the queue is full (${bytes} bytes): devices are not read until the cloud has taken some, ${waiting} wait`,
            ]
          : []),
        ...(failure === undefined ? [] : [`the cloud takes nothing (${failure}): ${messages} messages wait`]),
      ];
      return { ready: reasons.length === 0, reasons };
    },
  };
}

type ConfiguredDevice = NonNullable<FieldGatewayConfiguration['modbus']>['devices'][number];

/** Devices behind one converter share its connection. */
function byAddress(all: readonly ConfiguredDevice[]) {
  const groups = new Map<string, { host: string; port: number; devices: ModbusDevice[] }>();
  for (const { host, port, unitId, deviceId, model, everySeconds } of all) {
    const key = `${host} ${port}`;
    const group = groups.get(key) ?? { host, port, devices: [] };
    groups.set(key, group);
    group.devices.push({
      unitId,
      deviceId,
      channels: model.channels,
      everyMilliseconds: everySeconds * 1000,
    });
  }
  return [...groups.values()];
}
