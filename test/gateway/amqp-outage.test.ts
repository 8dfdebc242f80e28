import { type Client as ClientClass, type Message as MessageClass } from 'azure-iot-device';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { buildDevice, connectionStringOf, directoryOf } from './devices.support';
import { createEventHubsProcess } from './event-hubs-process.support';
import { readStream, startGateway } from './gateway.support';

/* eslint-disable @typescript-eslint/no-require-imports -- the device SDK is CommonJS with assignments to exports. */
const { Client, Message } = require('azure-iot-device') as {
  Client: typeof ClientClass;
  Message: typeof MessageClass;
};
const { Amqp } = require('azure-iot-device-amqp') as {
  Amqp: Parameters<typeof Client.fromConnectionString>[1];
};
/* eslint-enable @typescript-eslint/no-require-imports */

describe('when Event Hubs is lost under AMQP devices', () => {
  test('they wait or send again by themselves, and every accepted reading is in the stream', async () => {
    const certificates = createCertificates();
    const devices = Array.from({ length: 6 }, () => buildDevice());
    const eventHubs = await createEventHubsProcess({ partitions: () => 4 });
    await eventHubs.start();
    const gateway = await startGateway({
      connectionString: eventHubs.connectionString,
      directory: directoryOf(devices),
      tls: certificates,
      limits: { acceptedWithinMilliseconds: 2_000 },
    });
    const accepted: number[] = [];
    const failures: string[] = [];
    let next = 1;
    let stop = false;
    const loops = devices.map(async (device) => {
      const client = Client.fromConnectionString(
        connectionStringOf(device, `localhost:${gateway.amqpsPort}`),
        Amqp,
      );
      client.on('error', () => undefined);
      await client.setOptions({ ca: certificates.ca });
      await client.open();
      while (!stop) {
        const motion = next++;
        // It tries again by itself for four minutes.
        await client.sendEvent(new Message(JSON.stringify({ motion }))).then(
          () => accepted.push(motion),
          (error: Error) => failures.push(error.message),
        );
      }
      await client.close();
    });
    const goesOn = () => {
      const before = accepted.length;
      return eventually(() => expect(accepted.length).toBeGreaterThan(before + 100));
    };
    await goesOn();
    await eventHubs.kill();
    await eventually(() => expect(gateway.gateway.readiness().ready).toBe(false));
    // Nobody is let down, and nobody is told what is not so.
    await eventually(async () =>
      expect(await gateway.metrics.metrics()).toMatch(/amqp_connections\{process="gateway"\} 6\n/),
    );
    await eventHubs.start();
    await goesOn();
    stop = true;
    await Promise.all(loops);
    expect(failures).toEqual([]);

    const stream = await readStream(eventHubs.connectionString);
    await eventually(() => {
      const stored = new Set(stream.readings.map((each) => each.value));
      expect(accepted.filter((value) => !stored.has(value))).toEqual([]);
    });
    await stream.stop();
    await gateway.stop();
    await eventHubs.remove();
  });
});
