import { Agent } from 'node:https';
import { connect } from 'node:net';
import { type Client as ClientClass, type Message as MessageClass } from 'azure-iot-device';
import { eventually } from '../support/eventually';
import { buildDevice, connectionStringOf } from './devices.support';
import { startPlatform } from './gateway.support';

/* eslint-disable @typescript-eslint/no-require-imports -- the device SDK is CommonJS with assignments to exports. */
const { Client, Message } = require('azure-iot-device') as {
  Client: typeof ClientClass;
  Message: typeof MessageClass;
};
const { Http } = require('azure-iot-device-http') as {
  Http: Parameters<typeof Client.fromConnectionString>[1];
};

describe('the unmodified Azure IoT device SDK over HTTP', () => {
  test('sends a message and a batch, and both stand in the stream', async () => {
    const device = buildDevice();
    const platform = await startPlatform({ devices: [device] });
    const client = Client.fromConnectionString(connectionStringOf(device, 'hub.example'), Http);
    try {
      // Its transport knows port 443 only: the agent leads its connections here, in plain text.
      const agent = new Agent({ keepAlive: false });
      agent.createConnection = () => connect(platform.port, '127.0.0.1');
      // It takes the agent at once, and answers nothing.
      void client.setOptions({ http: { agent } } as Parameters<typeof client.setOptions>[0]);

      const single = new Message(JSON.stringify({ temperature: 21.5 }));
      single.messageId = 'sdk-1';
      single.contentType = 'application/json';
      single.contentEncoding = 'utf-8';
      single.properties.add('room', '511');
      await client.sendEvent(single);
      await client.sendEventBatch([
        new Message(JSON.stringify({ temperature: 22.5 })),
        new Message(JSON.stringify({ humidity: 41.5 })),
      ]);
      await eventually(() => {
        expect(platform.stream.readings.map((each) => each.value).sort()).toEqual([21.5, 22.5, 41.5]);
        expect(platform.stream.undated.map((each) => each.messageId)).toContain('sdk-1');
      });
    } finally {
      await client.close().catch(() => undefined);
      await platform.stop();
    }
  });
});
