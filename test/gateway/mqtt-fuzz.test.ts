import { connect } from 'node:net';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { createFramer } from '../../src/gateway/mqtt/framer';
import { eventually } from '../support/eventually';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';
import { connectDevice, connectPacket, eventsTopic, publishPacket } from './mqtt.support';

const RUNS = 200;

describe('whatever bytes are thrown at the MQTT listener', () => {
  const device = buildDevice();
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  beforeAll(async () => {
    platform = await startPlatform({
      devices: [device],
      limits: {
        packetWithinMilliseconds: 5_000,
        sweepMilliseconds: 200,
        device: { perSecond: 1e6, burst: 1e6 },
      },
    });
  });
  afterAll(() => platform.stop());

  /** Writes the bytes, ends, and resolves when the connection has ended. */
  const throwBytes = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(platform.mqttPort, '127.0.0.1', () => socket.end(bytes));
      socket.on('data', () => undefined);
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });

  const stillWorks = async (): Promise<void> => {
    const client = await connectDevice(platform.mqttPort, device);
    await client.publishAsync(eventsTopic(device), '{"light": 4}', { qos: 1 });
    await client.endAsync();
    await eventually(async () => {
      const metrics = await platform.metrics.metrics();
      expect(metrics).toMatch(/bytes_in_flight\{process="gateway"\} 0\n/);
      expect(metrics).toMatch(/mqtt_connections\{process="gateway"\} 0\n/);
      expect(metrics).not.toMatch(/reason="fault"/);
    });
  };

  const packets: Packet[] = [
    publishPacket(device, 1, { temperature: 21.5 }),
    publishPacket(device, 0, [{ light: 3 }], {
      qos: 0,
      topic: eventsTopic(device, '$.mid=m&$.ct=application%2Fjson'),
    }),
    publishPacket(device, 2, '', { topic: '$iothub/twin/GET/?$rid=1' }),
    { cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: '$iothub/twin/res/#', qos: 1 }] },
    { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['$iothub/twin/res/#'] },
    { cmd: 'pingreq' },
    { cmd: 'puback', messageId: 9 },
    { cmd: 'disconnect' },
  ];
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(6),
    insert: fc.uint8Array({ maxLength: 6 }),
  });
  type Mutation = { at: number; remove: number; insert: Uint8Array };
  const mutated = (original: Buffer, mutations: readonly Mutation[]): Buffer =>
    mutations.reduce((bytes, { at, remove, insert }) => {
      const from = Math.floor(at * bytes.length);
      return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
    }, original);
  const mutations = fc.array(mutation, { maxLength: 4 });
  const connecting = () => generate(connectPacket(device, tokenOf(device)));

  test('made-up bytes and mutated CONNECTs end their connection and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), mutations, async (noise, changes) => {
        await throwBytes(noise);
        await throwBytes(mutated(connecting(), changes));
      }),
      { numRuns: RUNS },
    );
    await stillWorks();
  });

  test('mutated packets of a device that was let in end its connection and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ packet: fc.constantFrom(...packets), changes: mutations }), { maxLength: 6 }),
        async (thrown) => {
          const bytes = thrown.map(({ packet, changes }) => mutated(generate(packet), changes));
          await throwBytes(Buffer.concat([connecting(), ...bytes]));
        },
      ),
      { numRuns: RUNS },
    );
    await stillWorks();
  });

  test('packets are the same, however their bytes are cut', () => {
    const whole = Buffer.concat(packets.map((packet) => generate(packet)));
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 200 }), (cuts) => {
        const framer = createFramer(() => 1_000);
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const frames: Buffer[] = [];
        for (let i = 1; i < at.length; i++) {
          framer.push(whole.subarray(at[i - 1], at[i]));
          for (let { frame } = framer.next(); frame !== undefined; { frame } = framer.next())
            frames.push(frame);
        }
        expect(frames.map((each) => each.toString('hex'))).toEqual(
          packets.map((packet) => generate(packet).toString('hex')),
        );
        expect(framer.bytes()).toBe(0);
      }),
    );
  });
});
