import { Encoder } from 'cbor-x';
import { generate, type Packet } from 'mqtt-packet';
import { type DirectoryDevice } from '../../src/store/device-directory';

/** Payloads as devices send them, each with its content type. */
export function payloadsOf({ deviceId }: DirectoryDevice): { contentType: string; body: Buffer }[] {
  const cbor = new Encoder({ useRecords: false, useTag259ForMaps: false } as object);
  const now = new Date().toISOString();
  const text = (contentType: string, value: unknown) => ({
    contentType,
    body: Buffer.from(JSON.stringify(value)),
  });
  const hex = (contentType: string, bytes: string) => ({ contentType, body: Buffer.from(bytes, 'hex') });
  const pack = [
    { bn: `${deviceId}/`, bt: Math.floor(Date.now() / 1000), bu: 'Cel', n: 'temperature', v: 20 },
    { n: 'temperature', t: -60, v: 19.5 },
    { n: 'humidity', u: '%RH', v: 40, s: 1 },
  ];
  const labels: Record<string, number> = { bn: -2, bt: -3, bu: -4, n: 0, u: 1, v: 2, s: 5, t: 6 };
  const cborPack = pack.map(
    (record) => new Map(Object.entries(record).map(([name, value]) => [labels[name]!, value])),
  );
  return [
    text('application/json', { temperature: 21.5, observedAt: now }),
    text('application/json; charset=utf-8', [{ temperature: 21.5 }, { humidity: 40, observedAt: now }]),
    text('application/senml+json', pack),
    { contentType: 'application/senml+cbor', body: Buffer.from(cbor.encode(cborPack)) },
    // The examples of the Cayenne LPP reference: two thermometers; humidity, presence, light, an accelerometer, a place.
    hex('application/vnd.cayenne-lpp', '03670110056700FF'),
    hex('application/x-cayenne-lpp', '016850026601036500C806710 4D2FB2E0000'.replaceAll(' ', '')),
    hex('application/vnd.cayenne-lpp', '018806765FF2960A0003E8'),
    text('application/vnd.microsoft.iothub.json', [
      {
        body: Buffer.from('{"temperature": 21.5}').toString('base64'),
        properties: { 'iothub-messageid': 'm-1' },
      },
    ]),
  ];
}

const BAGS = [
  '',
  '$.mid=m-1&$.ct=application%2Fjson&$.ce=utf-8',
  '$.ct=application%2Fsenml%2Bcbor',
  '$.ctime=2026-03-01T12%3A00%3A00.000Z&room=512&a=%C3%A4',
  '?$.ct=application%2Fsenml%2Bjson/',
];
const TWIN_TOPICS = [
  '$iothub/twin/GET/?$rid=1',
  '$iothub/twin/PATCH/properties/reported/?$rid=abc&x=%20',
  '$iothub/methods/res/200/?$rid=5',
];

/** What a device that was let in sends, as whole packets. */
export function packetsOf(device: DirectoryDevice): Buffer[] {
  const events = `devices/${device.deviceId}/messages/events/`;
  const payloads = payloadsOf(device);
  const publish = (topic: string, payload: Buffer | string, qos: 0 | 1 | 2, messageId: number): Packet => ({
    ...{ cmd: 'publish', topic, payload, qos, messageId, dup: false, retain: false },
  });
  const packets: Packet[] = [
    ...BAGS.flatMap((bag, i) => [
      publish(events + bag, payloads[i]!.body, 1, i + 1),
      publish(events + bag, payloads[0]!.body, 0, i + 1),
    ]),
    ...payloads.map(({ contentType, body }, i) =>
      publish(`${events}$.ct=${encodeURIComponent(contentType)}`, body, 1, 100 + i),
    ),
    ...TWIN_TOPICS.map((topic, i) =>
      publish(topic, i === 1 ? '{"interval": 5, "a": {"b": null}}' : '', 0, 1),
    ),
    publish(events, '{}', 2, 7),
    {
      cmd: 'subscribe',
      messageId: 3,
      subscriptions: [
        { topic: '$iothub/twin/res/#', qos: 1 },
        { topic: '$iothub/twin/PATCH/properties/desired/#', qos: 0 },
        { topic: `devices/${device.deviceId}/messages/devicebound/#`, qos: 1 },
      ],
    },
    { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['$iothub/twin/res/#'] },
    { cmd: 'pingreq' },
    { cmd: 'puback', messageId: 9 },
    { cmd: 'disconnect' },
  ];
  return packets.map((packet) => generate(packet));
}

export function connectOf(device: DirectoryDevice, token: string): Buffer {
  return generate({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 },
    clientId: device.deviceId,
    username: `127.0.0.1/${device.deviceId}/?api-version=2021-04-12`,
    password: Buffer.from(token),
  });
}

export function requestOf(
  device: DirectoryDevice,
  token: string,
  { contentType, body }: { contentType: string; body: Buffer },
  length = body.length,
): Buffer {
  const head =
    `POST /devices/${device.deviceId}/messages/events?api-version=2021-04-12 HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
    `authorization: ${token}\r\ncontent-type: ${contentType}\r\niothub-messageid: m-1\r\n` +
    `iothub-creationtimeutc: 2026-03-01T12:00:00Z\r\ncontent-length: ${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Frames of the line protocol: the address, the channel, the value, a status, and their checksum. */
export const LINE_FRAMES = [
  '\u0002UNIT-001T1+0021.50A0000000F3\r\n\u0003',
  '\u0002B7      HUM  40.0F12\u0003',
].map((text) => Buffer.from(text, 'latin1'));
