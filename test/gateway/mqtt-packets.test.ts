import fc from 'fast-check';
import { generate, type IPublishPacket, parser as createParser } from 'mqtt-packet';
import { createPacketReader } from '../../src/gateway/mqtt/packets';

describe('a PUBLISH', () => {
  const reader = createPacketReader();
  const read = (frame: Buffer) => reader.packet(frame) as IPublishPacket | undefined;
  const said = (packet: IPublishPacket | undefined) =>
    packet && {
      ...{ cmd: packet.cmd, topic: packet.topic, qos: packet.qos, dup: packet.dup, retain: packet.retain },
      messageId: packet.messageId,
      payload: Buffer.from(packet.payload).toString('hex'),
    };
  /** The same by mqtt-packet alone. */
  const peer = (frame: Buffer): IPublishPacket | undefined => {
    let packet: IPublishPacket | undefined;
    const parser = createParser({ protocolVersion: 4 });
    parser.on('packet', (found) => (packet = found as IPublishPacket));
    parser.on('error', () => (packet = undefined));
    try {
      return parser.parse(frame) === 0 ? packet : undefined;
    } catch {
      return undefined;
    }
  };
  const publish = fc.record({
    topic: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter((text) => !/[#+\0]/.test(text)),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1, 2),
    dup: fc.boolean(),
    retain: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
  });
  const frameOf = (parts: object): Buffer => generate({ cmd: 'publish', ...parts } as IPublishPacket);

  test('is read as mqtt-packet reads it', () => {
    fc.assert(
      fc.property(publish, (parts) => {
        const frame = frameOf(parts.qos === 0 ? { ...parts, dup: false } : parts);
        expect(said(read(frame))).toEqual(said(peer(frame)));
      }),
    );
  });

  test('that is cut off is malformed, however it is cut', () => {
    fc.assert(
      fc.property(publish, fc.nat(), (parts, at) => {
        const frame = frameOf(parts);
        // A shorter remaining length: what the framer would hand over whole.
        const length = at % Math.min(frame.length - 2, 120);
        const cut = Buffer.concat([
          Buffer.from([frame[0]!, length]),
          frame.subarray(frame.length > 129 ? 3 : 2),
        ]);
        const whole = cut.subarray(0, 2 + length);
        expect(said(read(whole))).toEqual(said(peer(whole)));
      }),
    );
  });
});
