import { eventually } from '../support/eventually';
import { buildDevice, directoryOf } from './devices.support';
import { createEventHubsProcess } from './event-hubs-process.support';
import { readStream, startGateway } from './gateway.support';
import { connectDevice, eventsTopic } from './mqtt.support';

describe('when Event Hubs is lost under MQTT devices', () => {
  test('they wait or connect again by themselves, and every acknowledged reading is in the stream', async () => {
    const devices = Array.from({ length: 8 }, () => buildDevice());
    const eventHubs = await createEventHubsProcess({ partitions: () => 4 });
    await eventHubs.start();
    const gateway = await startGateway({
      connectionString: eventHubs.connectionString,
      directory: directoryOf(devices),
      limits: { acceptedWithinMilliseconds: 2_000 },
    });
    const acknowledged: number[] = [];
    let next = 1;
    let stop = false;
    // A stock client that reconnects, and then sends again what was not acknowledged.
    const loops = devices.map(async (device) => {
      const client = await connectDevice(gateway.mqttPort, device, { reconnectPeriod: 100, clean: false });
      client.on('error', () => undefined);
      while (!stop) {
        const motion = next++;
        await client.publishAsync(eventsTopic(device), JSON.stringify({ motion }), { qos: 1 });
        acknowledged.push(motion);
      }
      await client.endAsync();
    });
    const goesOn = () => {
      const before = acknowledged.length;
      return eventually(() => expect(acknowledged.length).toBeGreaterThan(before + 100));
    };
    await goesOn();
    await eventHubs.kill();
    await eventually(() => expect(gateway.gateway.readiness().ready).toBe(false));
    // Nobody is let down, and nobody is told what is not so.
    await eventually(async () =>
      expect(await gateway.metrics.metrics()).toMatch(/mqtt_connections\{process="gateway"\} 8\n/),
    );
    await eventHubs.start();
    await goesOn();
    eventHubs.pause();
    await eventually(() => expect(gateway.gateway.readiness().ready).toBe(false));
    eventHubs.resume();
    await goesOn();
    stop = true;
    await Promise.all(loops);

    const stream = await readStream(eventHubs.connectionString);
    await eventually(() => {
      const stored = new Set(stream.readings.map((each) => each.value));
      expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
    });
    await stream.stop();
    await gateway.stop();
    await eventHubs.remove();
  });
});
