import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCloud } from '../../src/field-gateway/cloud';
import { parseConfiguration } from '../../src/field-gateway/configuration';
import { parseConnectionString } from '../../src/field-gateway/connection-string';
import { createFieldGateway } from '../../src/field-gateway/field-gateway';
import { type LineLimits } from '../../src/field-gateway/line-listener';
import { createQueue } from '../../src/field-gateway/queue';
import { senmlOf } from '../../src/field-gateway/senml';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { type DirectoryDevice } from '../../src/store/device-directory';
import { connectionStringOf } from '../gateway/devices.support';
import { startPlatform } from '../gateway/gateway.support';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { heldMemory } from '../support/held-memory';
import {
  buildFamily,
  connectLine,
  createFieldGatewayProcess,
  frameOf,
  openDoor,
  startModbusServer,
} from './field-gateway.support';

const ACK = '\x06';
const NAK = '\x15';
const CAN = '\x18';
const TRANSMITTER = 'modbus-climate-transmitter';

/** A field gateway in this process. */
async function startFieldGateway(options: {
  gateway: DirectoryDevice;
  host: string;
  configuration: object;
  queueBytes?: number;
  lineLimits?: Partial<LineLimits>;
}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-field-'));
  const text = JSON.stringify({ dataDir, ...options.configuration });
  const configuration = parseConfiguration(text, 'field-gateway.json');
  const queue = createQueue({ dataDir, maximumBytes: options.queueBytes ?? 10_000_000 });
  const metrics = createMetrics({ process: 'field-gateway' });
  const cloud = createCloud({
    identity: parseConnectionString(connectionStringOf(options.gateway, options.host)),
    protocol: 'http',
  });
  const fieldGateway = createFieldGateway({
    logger: createLogger({ name: 'field-gateway', level: 'silent' }),
    metrics,
    configuration,
    queue,
    cloud,
    backoff: { first: 50, longest: 200 },
    ...(options.lineLimits && { lineLimits: options.lineLimits }),
  });
  const { linePort = 0 } = await fieldGateway.start();
  return {
    ...fieldGateway,
    linePort,
    queue,
    metrics: async () => (await metrics.metrics()).split('\n'),
    async stop() {
      await fieldGateway.stop();
      queue.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const lineOf = (device: DirectoryDevice, model: string, address = 'HALL-1') => ({
  host: '127.0.0.1',
  port: 0,
  units: [{ address, deviceId: device.deviceId, model }],
});

describe('the field gateway, before the real gateway', () => {
  let gateway: DirectoryDevice;
  let transmitter: DirectoryDevice;
  let detector: DirectoryDevice;
  const certificates = createCertificates();
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  let door: Awaited<ReturnType<typeof openDoor>>;

  beforeAll(async () => {
    platform = await startPlatform({ devices: [], tls: certificates });
    door = await openDoor(platform.port);
  });
  afterAll(async () => {
    await door.shut();
    await platform.stop();
  });
  // A family for each test: what the one before left on its way is nobody's here.
  beforeEach(() => {
    const family = buildFamily(TRANSMITTER, 'smoke-detector');
    ({ gateway } = family);
    [transmitter, detector] = family.children as [DirectoryDevice, DirectoryDevice];
    for (const device of [gateway, ...family.children]) platform.directory.put(device);
  });

  const host = () => `127.0.0.1:${door.port}`;
  const readingsOf = (device: DirectoryDevice) =>
    platform.stream.readings.filter((each) =>
      device.assignments.some((assignment) => assignment.pointId === each.pointId),
    );
  const pointOf = (device: DirectoryDevice, channel: string) =>
    device.assignments.find((each) => each.channel === channel)!.pointId;

  test('what a Modbus device holds and what a line unit sends become readings of the right points', async () => {
    const modbus = await startModbusServer({ input: [0xffd7, 405, 812] });
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: {
        line: lineOf(detector, 'smoke-detector'),
        modbus: {
          devices: [
            {
              host: '127.0.0.1',
              port: modbus.port,
              unitId: 7,
              deviceId: transmitter.deviceId,
              model: TRANSMITTER,
              everySeconds: 60,
            },
          ],
        },
      },
    });
    try {
      const line = await connectLine(field.linePort);
      const sentAt = Date.now();
      line.send({ sequence: '1', quantity: 'SMOKE', value: 1, age: 90 }, 0);
      line.send({ sequence: '2', quantity: 'BATTERY_LEVEL', value: 87.5 });
      expect(await line.answered(2)).toBe(`${ACK}1${ACK}2`);
      const arrived = () => [...readingsOf(transmitter), ...readingsOf(detector)];
      await eventually(() => expect(arrived()).toHaveLength(5));
      const byPoint = Object.fromEntries(arrived().map((each) => [each.pointId, each.value]));
      expect(byPoint).toEqual({
        [pointOf(transmitter, 'temperature')]: -4.1,
        [pointOf(transmitter, 'humidity')]: 40.5,
        [pointOf(transmitter, 'co2')]: 812,
        [pointOf(detector, 'smoke')]: 1,
        [pointOf(detector, 'battery')]: 87.5,
      });
      expect(platform.stream.undated).toEqual([]);
      const smoke = arrived().find((each) => each.pointId === pointOf(detector, 'smoke'))!;
      expect(Math.abs(smoke.observedAt - (sentAt - 90_000))).toBeLessThan(2_000);
      expect(modbus.requests).toEqual(['input 7 0', 'input 7 1', 'input 7 2']);
      await eventually(() => expect(field.queue.depth().messages).toBe(0));
      expect(field.readiness()).toEqual({ ready: true, reasons: [] });
      line.end();
    } finally {
      await field.stop();
      await modbus.stop();
    }
  });

  test('over HTTPS the cloud is trusted by the authority that is configured, and by no other', async () => {
    const identity = parseConnectionString(connectionStringOf(gateway, `127.0.0.1:${platform.httpsPort}`));
    const trusting = createCloud({ identity, protocol: 'https', ca: Buffer.from(certificates.ca) });
    const wary = createCloud({ identity, protocol: 'https' });
    const body = senmlOf(detector.deviceId, Date.now(), [{ channel: 'battery', unit: '%', value: 42 }]);
    try {
      expect(await trusting.send([{ id: 1, body }])).toEqual({ kind: 'delivered', refused: [] });
      expect(await wary.send([{ id: 2, body }])).toMatchObject({ kind: 'failed', status: undefined });
      await eventually(() => expect(readingsOf(detector)).toHaveLength(1));
    } finally {
      await Promise.all([trusting.stop(), wary.stop()]);
    }
  });

  test('a Modbus device that goes away and comes back is polled again', async () => {
    const first = await startModbusServer({ input: [215, 400, 800] });
    const way = await openDoor(first.port);
    const devices = [
      {
        host: '127.0.0.1',
        port: way.port,
        deviceId: transmitter.deviceId,
        model: TRANSMITTER,
        everySeconds: 0.1,
      },
    ];
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: { modbus: { devices } },
    });
    try {
      await eventually(() => expect(readingsOf(transmitter).length).toBeGreaterThan(0));
      await way.shut();
      await eventually(async () =>
        expect((await field.metrics()).join('\n')).toMatch(/modbus_polls_total\{outcome="failed".*\} [2-9]/),
      );
      const before = readingsOf(transmitter).length;
      await way.open();
      await eventually(() => expect(readingsOf(transmitter).length).toBeGreaterThan(before + 3));
    } finally {
      await field.stop();
      await way.shut();
      await first.stop();
    }
  });

  test('a Modbus server that answers nonsense costs its own polls', async () => {
    const { createServer } = await import('node:net');
    const hostile = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (request) => {
        const kinds = [
          Buffer.concat([request.subarray(0, 5), Buffer.of(2, 1, 4)]),
          Buffer.concat([request.subarray(0, 4), Buffer.of(0xff, 0xff), Buffer.alloc(70_000)]),
          Buffer.alloc(64, 0xff),
        ];
        socket.write(kinds[request[1]! % kinds.length]!);
      });
    });
    const port = await new Promise<number>((resolve) =>
      hostile.listen(0, '127.0.0.1', () => resolve((hostile.address() as { port: number }).port)),
    );
    const devices = [
      { host: '127.0.0.1', port, deviceId: transmitter.deviceId, model: TRANSMITTER, everySeconds: 0.1 },
    ];
    const configuration = { line: lineOf(detector, 'smoke-detector'), modbus: { devices } };
    const field = await startFieldGateway({ gateway, host: host(), configuration });
    try {
      await eventually(async () =>
        expect((await field.metrics()).join('\n')).toMatch(/modbus_polls_total\{outcome="failed".*\} [2-9]/),
      );
      const line = await connectLine(field.linePort);
      line.send({ sequence: '1' });
      expect(await line.answered(1)).toBe(`${ACK}1`);
      await eventually(() => expect(readingsOf(detector)).toHaveLength(1));
      expect(readingsOf(transmitter)).toEqual([]);
      line.end();
    } finally {
      await field.stop();
      await new Promise((resolve) => hostile.close(resolve));
    }
  });

  test('a frame that is sent again because its answer was lost is answered and not kept twice', async () => {
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: { line: lineOf(detector, 'smoke-detector') },
    });
    try {
      const line = await connectLine(field.linePort);
      for (const sequence of ['4', '4', '5', '5'])
        line.send({ sequence, quantity: 'BATTERY_LEVEL', value: 50 });
      expect(await line.answered(4)).toBe(`${ACK}4${ACK}4${ACK}5${ACK}5`);
      await eventually(() => expect(readingsOf(detector)).toHaveLength(2));
      await eventually(() => expect(field.queue.depth().messages).toBe(0));
      expect(readingsOf(detector)).toHaveLength(2);
      line.end();
    } finally {
      await field.stop();
    }
  });

  test('frames that are damaged, not wanted or without a value are answered for what they are', async () => {
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: { line: lineOf(detector, 'smoke-detector') },
    });
    try {
      const line = await connectLine(field.linePort);
      const damaged = frameOf({ sequence: '1' });
      damaged[19] = 0x39;
      line.write(damaged);
      line.send({ sequence: '2', address: 'NOBODY' });
      line.send({ sequence: '3', quantity: 'CO2_LEVEL' });
      line.send({ sequence: '4', status: 'F' });
      line.send({ sequence: '5' });
      expect(await line.answered(5)).toBe(`${NAK} ${CAN}2${CAN}3${ACK}4${ACK}5`);
      await eventually(() => expect(readingsOf(detector)).toHaveLength(1));
      line.end();
    } finally {
      await field.stop();
    }
  });

  test('noise, half frames and damage without end close their connection and no other', async () => {
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: { line: lineOf(detector, 'smoke-detector') },
      lineLimits: { frameWithinMilliseconds: 200 },
    });
    try {
      const good = await connectLine(field.linePort);
      const noisy = await connectLine(field.linePort);
      const huge = await connectLine(field.linePort);
      const half = await connectLine(field.linePort);
      const slow = await connectLine(field.linePort);
      const broken = await connectLine(field.linePort);
      noisy.write('GET / HTTP/1.1\r\n'.repeat(20));
      half.write(frameOf({}).subarray(0, 31));
      const dripping = setInterval(() => slow.write('\x02H'), 50);
      const taken = startOwnTime();
      broken.write(
        Buffer.concat(
          Array.from({ length: 20 }, () => Buffer.concat([frameOf({}).subarray(0, 31), Buffer.of(0)])),
        ),
      );
      const before = heldMemory();
      const chunk = Buffer.alloc(1024 * 1024, 'A');
      for (let sent = 0; sent < 64 && huge.isOpen(); sent++) {
        huge.write(chunk);
        await new Promise(setImmediate);
      }
      await Promise.all([noisy, huge, half, slow, broken].map((each) => each.closed()));
      clearInterval(dripping);
      expect(taken()).toBeLessThan(5_000);
      expect(broken.answers()).toBe(`${NAK} `.repeat(8));
      await eventually(() => expect(heldMemory() - before).toBeLessThan(20 * 1024 * 1024));
      good.send({ sequence: '1' });
      expect(await good.answered(1)).toBe(`${ACK}1`);
      good.end();
    } finally {
      await field.stop();
    }
  });

  test('with its queue full it answers nobody and says so, and goes on when the cloud is back', async () => {
    await door.shut();
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: { line: lineOf(detector, 'smoke-detector') },
      queueBytes: 2_000,
    });
    try {
      const line = await connectLine(field.linePort);
      for (let sent = 0; sent < 30; sent++) {
        line.send({ sequence: String(sent % 10), quantity: 'BATTERY_LEVEL', value: sent });
      }
      await eventually(() => expect(field.readiness().reasons.join()).toContain('the queue is full'));
      expect(field.queue.depth()).toMatchObject({ waiting: 1, full: true });
      const answered = line.answers().length / 2;
      expect(answered).toBeGreaterThan(3);
      expect(answered).toBeLessThan(15);
      expect(field.queue.depth().messages).toBe(answered);
      await door.open();
      await line.answered(30);
      await eventually(() => expect(readingsOf(detector)).toHaveLength(30));
      expect(
        readingsOf(detector)
          .map((each) => each.value)
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: 30 }, (_, index) => index));
      await eventually(() => expect(field.readiness().ready).toBe(true));
      line.end();
    } finally {
      await field.stop();
    }
  });

  test('a child of somebody else is refused by the cloud, which keeps the dead letter; the others stand', async () => {
    const stranger = buildFamily('smoke-detector').children[0]!;
    platform.directory.put(stranger);
    const field = await startFieldGateway({
      gateway,
      host: host(),
      configuration: {
        line: {
          host: '127.0.0.1',
          port: 0,
          units: [
            { address: 'HALL-1', deviceId: detector.deviceId, model: 'smoke-detector' },
            { address: 'HALL-2', deviceId: stranger.deviceId, model: 'smoke-detector' },
          ],
        },
      },
    });
    try {
      const line = await connectLine(field.linePort);
      line.send({ address: 'HALL-2' });
      line.send({ address: 'HALL-1' });
      await line.answered(2);
      await eventually(() => expect(readingsOf(detector)).toHaveLength(1));
      await eventually(() => expect(field.queue.depth()).toMatchObject({ messages: 0, setAside: 0 }));
      expect(readingsOf(stranger)).toEqual([]);
      expect((await field.metrics()).join('\n')).toMatch(/readings_refused_total\{.*\} 1/);
      expect(platform.stream.refused.length).toBeGreaterThan(0);
      line.end();
    } finally {
      await field.stop();
    }
  });

  test('killed while the cloud is away, it loses nothing that it acknowledged and doubles nothing', async () => {
    const process_ = createFieldGatewayProcess(
      {
        connectionStringFile: 'connection-string',
        dataDir: 'queue',
        cloud: { protocol: 'http' },
        line: lineOf(detector, 'smoke-detector'),
      },
      connectionStringOf(gateway, host()),
    );
    try {
      let { linePort } = await process_.start();
      let sequence = 0;
      const acknowledged: number[] = [];
      /** As a unit does: one frame at a time, again and again until it is acknowledged. */
      const send = async (line: Awaited<ReturnType<typeof connectLine>>, count: number): Promise<void> => {
        for (let sent = 0; sent < count; sent++) {
          const value = (acknowledged.length + 1) / 10;
          const before = line.answers().length / 2;
          line.send({ sequence: String(sequence % 10), quantity: 'BATTERY_LEVEL', value });
          await line.answered(before + 1);
          acknowledged.push(value);
          sequence++;
        }
      };
      let line = await connectLine(linePort);
      await send(line, 20);
      await door.shut();
      await send(line, 50);
      await process_.kill();
      ({ linePort } = await process_.start());
      line = await connectLine(linePort);
      // Its last answer might have been lost: the unit cannot know.
      sequence--;
      line.send({ sequence: String(sequence % 10), quantity: 'BATTERY_LEVEL', value: acknowledged.at(-1)! });
      await line.answered(1);
      sequence++;
      await send(line, 30);
      await door.open();
      // Killed once more while it empties its queue.
      await eventually(() => expect(readingsOf(detector).length).toBeGreaterThan(20), { every: 1 });
      await process_.kill();
      const { healthPort } = await process_.start();
      await eventually(() => {
        const identities = new Set(readingsOf(detector).map((each) => `${each.pointId} ${each.observedAt}`));
        expect(identities.size).toBe(100);
      });
      const values = new Map(readingsOf(detector).map((each) => [each.observedAt, each.value]));
      expect([...values.values()].sort((a, b) => a - b)).toEqual(acknowledged);
      await eventually(async () => {
        const ready = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
        expect(await ready.json()).toEqual({ ready: true, reasons: [] });
      });
      expect(await process_.stop()).toBe(0);
    } finally {
      await process_.kill();
      process_.remove();
    }
  });
});
