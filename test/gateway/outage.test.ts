import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { buildDevice, directoryOf } from './devices.support';
import { createEventHubsProcess, type EventHubsProcess } from './event-hubs-process.support';
import { post, readStream, type RunningGateway, startGateway } from './gateway.support';

describe('when Event Hubs is lost', () => {
  const devices = Array.from({ length: 16 }, () => buildDevice());
  let partitions = 4;
  let eventHubs: EventHubsProcess;
  let gateway: RunningGateway;

  beforeAll(async () => {
    eventHubs = await createEventHubsProcess({ partitions: () => partitions });
  });
  afterAll(async () => {
    await gateway?.stop();
    await eventHubs.remove();
  });

  const sendOnce = async (device: (typeof devices)[number], value: number): Promise<number> => {
    const observedAt = new Date(1_790_000_000_000 + value * 1000).toISOString();
    return (await post(gateway, device, { motion: value, observedAt })).status;
  };

  /** Sends until told to stop, each reading until it is taken, as devices do. */
  const keepSending = (first = 1) => {
    const statuses = new Map<number, number>();
    const acknowledged: number[] = [];
    let stop = false;
    let next = first;
    const loops = devices.map(async (device) => {
      while (!stop) {
        const value = next++;
        for (;;) {
          const status = await sendOnce(device, value);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 204) acknowledged.push(value);
          if (status === 204 || stop) break;
          await delay(50);
        }
        await delay(10);
      }
    });
    return {
      acknowledged,
      statuses,
      async stop() {
        stop = true;
        await Promise.all(loops);
        return { acknowledged, statuses };
      },
    };
  };

  test('before it was ever reached, devices are told to wait, and the gateway becomes ready by itself', async () => {
    gateway = await startGateway({
      connectionString: eventHubs.connectionString,
      directory: directoryOf(devices),
      waitUntilReady: false,
      limits: { acceptedWithinMilliseconds: 2_000 },
    });
    const answer = await post(gateway, devices[0]!, { temperature: 20 });
    expect([answer.status, answer.body.error!.code]).toEqual([503, 'STREAM_UNAVAILABLE']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(gateway.gateway.readiness()).toMatchObject({ ready: false });
    await eventHubs.start();
    await eventually(() => expect(gateway.gateway.readiness().ready).toBe(true));
    expect(await sendOnce(devices[0]!, 0)).toBe(204);
  });

  test('killed and back, it is found again, and every acknowledged reading is in the stream', async () => {
    const load = keepSending();
    await eventually(() => expect(load.acknowledged.length).toBeGreaterThan(100));
    await eventHubs.kill();
    await eventually(() => expect(load.statuses.get(503) ?? 0).toBeGreaterThan(5));
    await eventually(() => expect(gateway.gateway.readiness().ready).toBe(false));
    await eventHubs.start();
    const before = load.acknowledged.length;
    await eventually(() => expect(load.acknowledged.length).toBeGreaterThan(before + 100));
    expect(gateway.gateway.readiness().ready).toBe(true);
    const { acknowledged, statuses } = await load.stop();
    expect(new Set(statuses.keys())).toEqual(new Set([204, 503]));
    const stream = await readStream(eventHubs.connectionString);
    await eventually(() => {
      const stored = new Set(stream.readings.map((each) => each.value));
      expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
    });
    await stream.stop();
  });

  test('silent, it holds nobody longer than the limit, and what was held up goes on when it speaks again', async () => {
    eventHubs.pause();
    const answers = await Promise.all(devices.map((device, i) => sendOnce(device, 1_000_000 + i)));
    expect(new Set(answers)).toEqual(new Set([503]));
    expect(await sendOnce(devices[0]!, 1_000_100)).toBe(503);
    eventHubs.resume();
    const load = keepSending(1_000_200);
    await eventually(() => expect(load.acknowledged.length).toBeGreaterThan(100));
    await load.stop();
    await eventually(async () =>
      expect(await gateway.metrics.metrics()).toMatch(/bytes_in_flight\{process="gateway"\} 0\n/),
    );
  });

  test('made again with other partitions, it is used as it is now', async () => {
    await eventHubs.destroyHubs();
    partitions = 8;
    await eventHubs.start();
    const load = keepSending();
    await eventually(() => expect(load.acknowledged.length).toBeGreaterThan(200));
    const { acknowledged } = await load.stop();
    const stream = await readStream(eventHubs.connectionString);
    await eventually(() => {
      const stored = new Set(stream.readings.map((each) => each.value));
      expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
    });
    await stream.stop();
    expect(await gateway.metrics.metrics()).toMatch(/bytes_in_flight\{process="gateway"\} 0\n/);
  });
});
