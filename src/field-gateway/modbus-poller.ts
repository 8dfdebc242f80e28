import ModbusRTU from 'modbus-serial';
import { type DeviceModelChannel } from '../domain/device';
import { explain, type Logger } from '../observability/logger';
import { backoffMilliseconds, pause } from './backoff';
import { type FieldGatewayMetrics } from './metrics';
import { decodeRegister, type ModbusRead, planReads } from './modbus-registers';
import { type StoreAndForwardQueue } from './queue';
import { type MeasuredValue, senmlOf } from './senml';

/** A device that is polled, and the child that it is to the cloud. */
export interface ModbusDevice {
  unitId: number;
  deviceId: string;
  channels: readonly DeviceModelChannel[];
  everyMilliseconds: number;
}

/** Polls the Modbus TCP devices behind one address, one request at a time, as RTU converters need it. */
export interface ModbusPoller {
  start(): void;
  stop(): Promise<void>;
}

const BACKOFF = { first: 1_000, longest: 60_000 };

export function createModbusPoller(options: {
  logger: Logger;
  metrics: FieldGatewayMetrics;
  queue: StoreAndForwardQueue;
  host: string;
  port: number;
  devices: readonly ModbusDevice[];
  /** Of connecting and of each answer. Default 2 s. */
  timeoutMilliseconds?: number;
  backoff?: { first: number; longest: number };
}): ModbusPoller {
  const { logger, metrics, queue, host, port, timeoutMilliseconds = 2_000, backoff = BACKOFF } = options;
  const stopping = new AbortController();
  const address = `${host}:${port}`;
  let client: ModbusRTU | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let failures = 0;

  const disconnect = (): void => {
    client?.destroy(() => undefined);
    client = undefined;
  };

  const connected = async (): Promise<ModbusRTU> => {
    if (client?.isOpen) return client;
    disconnect();
    const fresh = new ModbusRTU();
    // Whatever the socket reports, the request that waits for it fails.
    fresh.on('error', () => undefined);
    // Taken for connecting too, and only when it stands before that.
    fresh.setTimeout(timeoutMilliseconds);
    client = fresh;
    await fresh.connectTCP(host, { port });
    return fresh;
  };

  const request = async (unitId: number, { table, address: from, length }: ModbusRead) => {
    const open = await connected();
    open.setID(unitId);
    const read = { 'coil': 'readCoils', 'discrete-input': 'readDiscreteInputs', 'holding-register': 'readHoldingRegisters', 'input-register': 'readInputRegisters' } as const; // prettier-ignore
    const { data } = await open[read[table]](from, length);
    if (data.length < length) throw new Error(`the device answered ${data.length} of ${length} values`);
    return data;
  };

  const poll = async (device: ModbusDevice, reads: readonly ModbusRead[]): Promise<void> => {
    const values: MeasuredValue[] = [];
    for (const read of reads) {
      const data = await request(device.unitId, read);
      for (const { channel, register, at } of read.channels) {
        const value = decodeRegister(register, data, at);
        if (Number.isFinite(value)) values.push({ channel: channel.name, unit: channel.unit, value });
        else metrics.poll('no value');
      }
    }
    if (values.length === 0) return;
    const now = Date.now();
    const { deviceId } = device;
    // Waits while the queue is full, and nothing is polled meanwhile.
    await queue.append({ deviceId, body: senmlOf(deviceId, now, values), queuedAt: now });
    metrics.poll('kept');
  };

  const run = async (): Promise<void> => {
    const due = options.devices.map((device) => ({
      device,
      reads: planReads(device.channels),
      // Spread over their interval, so that a converter is not asked for all at once.
      at: Date.now() + Math.random() * Math.min(device.everyMilliseconds, 1_000),
    }));
    while (!stopping.signal.aborted) {
      const next = due.reduce((first, each) => (each.at < first.at ? each : first));
      await pause(Math.max(0, next.at - Date.now()), stopping.signal);
      if (stopping.signal.aborted) return;
      const { device } = next;
      // What was missed is missed: a device has only the value of now. A clock set back does not stop the polling.
      next.at = Math.max(next.at + device.everyMilliseconds, Date.now());
      next.at = Math.min(next.at, Date.now() + device.everyMilliseconds);
      try {
        await poll(device, next.reads);
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        metrics.poll('failed');
        failures++;
        const { unitId, deviceId: child } = device;
        logger.warn({ address, unitId, child, error: explain(error) }, 'a Modbus device could not be polled');
        // An exception is an answer; after anything else nobody knows what the next bytes on this connection belong to.
        if (!isException(error)) {
          disconnect();
          await pause(backoffMilliseconds(Math.ceil(failures / due.length), backoff), stopping.signal);
        }
      }
    }
  };

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      disconnect();
      // A request that waits for a device's answer ends with its timeout; an append ends with the queue.
      await Promise.race([
        running,
        new Promise((resolve) => setTimeout(resolve, timeoutMilliseconds + 500).unref()),
      ]);
    },
  };
}

function isException(error: unknown): boolean {
  return typeof (error as { modbusCode?: unknown }).modbusCode === 'number';
}
