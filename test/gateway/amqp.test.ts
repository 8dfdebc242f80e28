import fc from 'fast-check';
import { message as messages, string_to_uuid } from 'rhea';
import { endOfValue } from '../../src/gateway/amqp/encoding';
import { createFramer } from '../../src/gateway/amqp/framer';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import {
  AMQP_HEADER,
  type AmqpClient,
  ATTACH,
  BEGIN,
  connectAmqp,
  eventsOf,
  frameOf,
  OPEN,
  outcomeOf,
  rawSocket,
  SASL_HEADER,
  transferOf,
} from './amqp.support';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';

describe('the AMQP listener', () => {
  const { ca, ...certificate } = createCertificates();
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  const clients: AmqpClient[] = [];
  beforeAll(async () => {
    platform = await startPlatform({
      devices: [],
      tls: { ...certificate, ca } as never,
      limits: { packetWithinMilliseconds: 2_500, sweepMilliseconds: 100 },
    });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => platform.stop());

  const newDevice = () => {
    const device = buildDevice();
    platform.directory.put(device);
    return device;
  };
  const open = async (): Promise<AmqpClient> => {
    const client = await connectAmqp(platform.amqpsPort, ca);
    clients.push(client);
    return client;
  };
  const letIn = async () => {
    const device = newDevice();
    const client = await open();
    expect(await client.putToken(device)).toBe(200);
    return { device, client };
  };
  const readingsOf = ({ deviceId }: { deviceId: string }) =>
    platform.stream.readings.filter((each) => each.deviceId === deviceId);
  const quiet = () =>
    eventually(async () => {
      const metrics = await platform.metrics.metrics();
      expect(metrics).toMatch(/bytes_in_flight\{process="gateway"\} 0\n/);
      expect(metrics).not.toMatch(/amqp_endings_total\{reason="fault"/);
    });

  test('takes id, time and content type from the properties of a message', async () => {
    const { device, client } = await letIn();
    const sender = await client.sender(eventsOf(device));
    const created = new Date(Date.now() - 60_000);
    const id = '2f4d6a8e-0c1b-4d3a-9b5f-7e8c9d0a1b2c';
    const properties = {
      message_id: string_to_uuid(id),
      content_type: 'application/json',
      content_encoding: 'utf-8',
      creation_time: created,
    };
    expect(await outcomeOf(sender, { light: 4 }, properties)).toBe('accepted');
    expect(await outcomeOf(sender, { light: 5 }, { message_id: 'x'.repeat(200) })).toBe('accepted');
    await eventually(() => {
      expect(readingsOf(device)).toMatchObject([{ value: 4, observedAt: created.getTime() }]);
      const [refused] = platform.stream.refused.filter((each) => each.deviceId === device.deviceId);
      expect(refused?.message).toMatch(/^message-id is a text of at most 128/);
    });
  });

  test('takes a batch as one delivery', async () => {
    const { device, client } = await letIn();
    const sender = await client.sender(eventsOf(device));
    const inner = [1, 2, 3].map((light) =>
      messages.encode({ body: messages.data_section(Buffer.from(JSON.stringify({ light }))) } as never),
    );
    const batch = messages.encode({ body: messages.data_sections(inner as never) } as never);
    const accepted = new Promise<void>((resolve) => sender.on('accepted', () => resolve()));
    sender.send(batch as never, undefined, 0x80013700);
    await accepted;
    await eventually(() =>
      expect(
        readingsOf(device)
          .map(({ value }) => value)
          .sort(),
      ).toEqual([1, 2, 3]),
    );
  });

  test('ends a connection that attaches a link in another device’s name, or in any without a proof', async () => {
    const { client } = await letIn();
    const other = newDevice();
    await client.sender(eventsOf(other)).catch(() => undefined);
    await eventually(() => expect(client.closedWith()?.condition).toBe('amqp:unauthorized-access'));
    const stranger = await open();
    await stranger.sender(eventsOf(other)).catch(() => undefined);
    await eventually(() => expect(stranger.closedWith()?.condition).toBe('amqp:unauthorized-access'));
    const words = [client.closedWith()?.description, stranger.closedWith()?.description];
    expect(new Set(words).size).toBe(1);
  });

  test('refuses another device’s token on a connection that is a device’s', async () => {
    const { client } = await letIn();
    expect(await client.putToken(newDevice())).toBe(401);
  });

  test('ends a connection when its token expires', async () => {
    const device = newDevice();
    const client = await open();
    expect(await client.putToken(device, tokenOf(device, { ttlSeconds: 3 }))).toBe(200);
    await eventually(() => expect(client.closedWith()?.condition).toBe('amqp:unauthorized-access'));
  });

  test('ends a connection whose client does not say who it is in time', async () => {
    const client = await open();
    const silent = await rawSocket(platform.amqpsPort, ca);
    const half = await rawSocket(platform.amqpsPort, ca);
    half.write(Buffer.concat([AMQP_HEADER, OPEN.subarray(0, 5)]));
    await Promise.all([silent.closed, half.closed, eventually(() => expect(client.gone()).toBe(true))]);
    await quiet();
  });

  test('says that the registry cannot be reached so that a device tries again', async () => {
    const device = newDevice();
    platform.directory.forget(device.deviceId);
    platform.directory.failing = true;
    const client = await open();
    void client.putToken(device);
    await eventually(() => expect(client.closedWith()?.condition).toBe('com.microsoft:timeout'));
    platform.directory.failing = false;
    expect(await (await open()).putToken(device)).toBe(200);
  });

  test('gives no more credit than there is room for', async () => {
    const { device, client } = await letIn();
    const sender = await client.sender(eventsOf(device));
    await eventually(() => expect((sender as unknown as { credit: number }).credit).toBe(128));
    await Promise.all(Array.from({ length: 500 }, (_, motion) => outcomeOf(sender, { motion })));
    await eventually(() => expect(readingsOf(device)).toHaveLength(500));
    expect((sender as unknown as { credit: number }).credit).toBeLessThanOrEqual(128);
  });

  test('ends a connection with more links than a device has use for', async () => {
    const { client, device } = await letIn();
    for (let i = 0; i < 20; i++) client.connection.open_sender({ target: { address: eventsOf(device) } });
    await eventually(() => expect(client.closedWith()?.condition).toBe('amqp:resource-limit-exceeded'));
  });

  test('answers a client that speaks in frames by hand, and hears it out', async () => {
    const socket = await rawSocket(platform.amqpsPort, ca);
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('hex')));
    socket.write(Buffer.concat([AMQP_HEADER, OPEN, BEGIN, ATTACH]));
    const request = messages.encode({ application_properties: { operation: 'x' }, body: 'x' } as never);
    // Descriptors of OPEN, BEGIN, ATTACH and FLOW; then it has credit.
    await eventually(() => expect(heard).toMatch(/005310.*005311.*005312.*005313/));
    socket.write(transferOf(request.subarray(0, 5), true));
    socket.write(transferOf(request.subarray(5)));
    // More of them than it has credit at once, of which each is given back.
    await eventually(() => expect(heard.match(/005313/g)!.length).toBeGreaterThan(1));
    expect(heard).not.toContain('005318');
    socket.destroy();
    await quiet();
  });

  const nulls = Buffer.from([0x00, 0x53, 0x10, 0xf0, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0x40, 0, 0, 0, 0]);
  const deep = Buffer.concat([Buffer.alloc(4_000, 0x00), Buffer.from([0x53, 0x10, 0x45])]);
  const small = Buffer.from([0x00, 0x53, 0x10, 0xc0, 7, 3, 0xa1, 1, 65, 0x40, 0x52, 60]);
  test.each([
    ['no AMQP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame before the header', OPEN],
    ['a frame without end', Buffer.concat([AMQP_HEADER, Buffer.from([0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0])])],
    ['a frame of no size', Buffer.concat([AMQP_HEADER, Buffer.alloc(8)])],
    ['an array of four billion nulls', Buffer.concat([AMQP_HEADER, frameOf(nulls)])],
    ['a value that is too deep', Buffer.concat([AMQP_HEADER, frameOf(deep)])],
    ['frames that are too small', Buffer.concat([AMQP_HEADER, frameOf(small)])],
    ['a second open', Buffer.concat([AMQP_HEADER, OPEN, OPEN])],
    ['a transfer on no link', Buffer.concat([AMQP_HEADER, OPEN, BEGIN, transferOf(Buffer.alloc(3))])],
    [
      'a message that is none',
      Buffer.concat([AMQP_HEADER, OPEN, BEGIN, ATTACH, transferOf(Buffer.alloc(9))]),
    ],
    ['a mechanism that is none', Buffer.concat([SASL_HEADER, frameOf(OPEN.subarray(8), { type: 1 })])],
  ])('ends a connection that sends %s at once', async (_what, bytes) => {
    const socket = await rawSocket(platform.amqpsPort, ca);
    const taken = startOwnTime();
    socket.write(bytes);
    await socket.closed;
    expect(taken()).toBeLessThan(700);
    await quiet();
  });

  test('ends a connection that begins a message and never finishes it', async () => {
    const { client, device } = await letIn();
    const sender = await client.sender(eventsOf(device));
    await eventually(() => expect(sender.sendable()).toBe(true));
    // By the client's own rhea, up to the first of two frames.
    const { socket } = client.connection as unknown as { socket: NodeJS.WritableStream };
    const write = socket.write.bind(socket);
    let frames = 0;
    socket.write = ((bytes: Buffer) =>
      bytes.length < 10_000 || frames++ === 0 ? write(bytes) : true) as never;
    sender.send({ body: messages.data_section(Buffer.alloc(100_000, 32)) } as never);
    await eventually(() => expect(client.gone()).toBe(true));
    await quiet();
  });

  test('whatever bytes come, they end their connection and nothing else', async () => {
    const whole = [AMQP_HEADER, OPEN, BEGIN, ATTACH, transferOf(messages.encode({ body: 'x' } as never))];
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(4),
      insert: fc.uint8Array({ maxLength: 4 }),
    });
    const throwBytes = async (bytes: Buffer): Promise<void> => {
      const socket = await rawSocket(platform.amqpsPort, ca);
      socket.on('error', () => undefined);
      socket.end(bytes);
      await socket.closed;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(whole.length - 1),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        async (noise, which, mutations) => {
          await throwBytes(Buffer.concat([AMQP_HEADER, noise]));
          const parts = [...whole];
          for (const { at, remove, insert } of mutations) {
            const from = Math.floor(at * parts[which]!.length);
            const part = parts[which]!;
            parts[which] = Buffer.concat([part.subarray(0, from), insert, part.subarray(from + remove)]);
            // Its frame keeps its size, so that what is inside is looked at.
            if (which > 0 && parts[which].length >= 8) parts[which].writeUInt32BE(parts[which].length, 0);
          }
          await throwBytes(Buffer.concat(parts));
        },
      ),
      { numRuns: 150 },
    );
    await quiet();
    const { client, device } = await letIn();
    expect(await outcomeOf(await client.sender(eventsOf(device)), { light: 1 })).toBe('accepted');
  });
});

describe('an AMQP listener that is stopped', () => {
  test('settles what it took, and tells its devices to connect again', async () => {
    const { ca, ...certificate } = createCertificates();
    const device = buildDevice();
    const platform = await startPlatform({ devices: [device], tls: { ...certificate, ca } as never });
    const client = await connectAmqp(platform.amqpsPort, ca);
    expect(await client.putToken(device)).toBe(200);
    const sender = await client.sender(eventsOf(device));
    const accepted: number[] = [];
    for (let motion = 0; motion < 200; motion++) {
      void outcomeOf(sender, { motion }).then((outcome) => {
        if (outcome === 'accepted') accepted.push(motion);
      });
    }
    await eventually(() => expect(accepted.length).toBeGreaterThan(0));
    await platform.gateway.stop();
    await eventually(() => expect(client.closedWith()?.condition).toBe('com.microsoft:timeout'));
    await eventually(() => {
      const stored = new Set(platform.stream.readings.map(({ value }) => value));
      expect(accepted.filter((value) => !stored.has(value))).toEqual([]);
      // And nothing that was taken is left without its outcome.
      expect(stored.size).toBe(accepted.length);
    });
    client.close();
    await platform.stop();
  });
});

describe('AMQP’s values and frames', () => {
  const encoded = (value: unknown): Buffer => messages.encode({ body: value } as never);

  test('what rhea writes is well-formed, and ends where it ends', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noInteger: true }),
      fc.boolean(),
      fc.constant(null),
    );
    const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf));
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 3 }), (each, behind) => {
        const bytes = encoded(each);
        const whole = Buffer.concat([bytes, behind]);
        let at = 0;
        while (at < bytes.length) {
          at = endOfValue(whole, at, whole.length);
          expect(at).toBeGreaterThan(0);
        }
        expect(at).toBe(bytes.length);
        // And cut short it is not.
        expect(endOfValue(bytes.subarray(0, bytes.length - 1), 0, bytes.length - 1)).not.toBe(bytes.length);
      }),
    );
  });

  test('frames are the same, however their bytes are cut', () => {
    const parts = [SASL_HEADER, AMQP_HEADER, OPEN, frameOf(Buffer.alloc(0)), BEGIN, ATTACH];
    const whole = Buffer.concat(parts);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 100 }), (cuts) => {
        const framer = createFramer(() => 1_000);
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const frames: string[] = [];
        for (let i = 1; i < at.length; i++) {
          framer.push(whole.subarray(at[i - 1], at[i]));
          for (let { frame } = framer.next(); frame !== undefined; { frame } = framer.next()) {
            frames.push(frame.bytes.toString('hex'));
          }
        }
        expect(frames).toEqual(parts.map((each) => each.toString('hex')));
        expect(framer.bytes()).toBe(0);
      }),
    );
  });
});
