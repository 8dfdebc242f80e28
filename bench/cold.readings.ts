import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { type ReceivedEventData } from '@azure/event-hubs';
import { createRandom } from '../simulator/random';
import { quantityNamed } from '../src/domain/quantity';
import { type Reading } from '../src/domain/reading';
import { createFrameBuilder, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../src/stream/frame';

/** A frame as it comes out of the stream. */
export type StreamedFrame = Pick<
  ReceivedEventData,
  'body' | 'properties' | 'sequenceNumber' | 'offset' | 'enqueuedTimeUtc'
>;

const CHANNELS = [
  ['temperature', 'AIR_TEMPERATURE'],
  ['humidity', 'RELATIVE_HUMIDITY'],
  ['co2', 'CO2_LEVEL'],
  ['light', 'ILLUMINANCE'],
  ['pir', 'MOTION_LEVEL'],
] as const;

const id = (prefix: string, number: number): string => {
  // As long as real ids, and as random.
  const random = createRandom(prefix.charCodeAt(0) * 1_000_003 + number);
  return `${prefix}_${Array.from({ length: 26 }, () => '0123456789abcdefghjkmnpqrstvwxyz'[Math.floor(random.next() * 32)]).join('')}`;
};

/**
 * A recording as its devices would have sent it: a message of all channels a minute and room, each at the room's own
 * moment of the minute, received and enqueued with the delays of a network. What lies outside a quantity's range is left
 * out, as the gateway refuses it. Batches of one message each, in stream order.
 */
export async function* recordedMessages(file: string): AsyncGenerator<Reading[]> {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()) });
  const rows: { room: string; at: number; values: string[] }[] = [];
  let header: string[] | undefined;
  for await (const line of lines) {
    const fields = line.split(',');
    if (header === undefined) header = fields;
    else rows.push({ room: fields[0]!, at: Date.parse(fields[1]!), values: fields });
  }
  const columns = CHANNELS.map(([channel]) => header!.indexOf(channel));
  const quantities = CHANNELS.map(([, name]) => quantityNamed(name));
  const rooms = new Map([...new Set(rows.map(({ room }) => room))].sort().map((room, i) => [room, i]));
  const random = createRandom(7);
  const messages = rows
    .map((row) => {
      const room = rooms.get(row.room)!;
      return { ...row, room, receivedAt: row.at + room * 4_900 + 40 + Math.floor(random.next() * 120) };
    })
    .sort((a, b) => a.receivedAt - b.receivedAt);
  for (const { room, at, receivedAt, values } of messages) {
    yield quantities.flatMap((quantity, channel): Reading[] => {
      const value = Number(values[columns[channel]!]);
      if (values[columns[channel]!] === '' || !(value >= quantity.minimum && value <= quantity.maximum))
        return [];
      const pointOrdinal = room * CHANNELS.length + channel;
      return [
        {
          tenantId: id('ten', 0),
          buildingId: id('bld', 0),
          spaceId: id('spc', room),
          pointId: id('pnt', pointOrdinal),
          pointOrdinal,
          deviceId: id('dev', room),
          deviceOrdinal: room,
          quantity: quantity.code,
          observedAt: at + room * 4_900,
          receivedAt,
          value,
        },
      ];
    });
  }
}

/** Events of one message each, enqueued some milliseconds behind its receipt. */
export async function* recordedFrames(file: string): AsyncGenerator<StreamedFrame> {
  const random = createRandom(11);
  let sequenceNumber = 0;
  let enqueued = 0;
  for await (const readings of recordedMessages(file)) {
    if (readings.length === 0) continue;
    const builder = createFrameBuilder();
    for (const reading of readings) builder.add(reading);
    enqueued = Math.max(enqueued, readings[0]!.receivedAt + 3 + Math.floor(random.next() * 20));
    yield frameOf(builder.take(), sequenceNumber++, enqueued);
  }
}

/** Readings of many tenants' buildings, once a minute a point: round by round, `rows` a frame. */
export function* madeUpFrames(options: {
  tenants: number;
  buildings: number;
  /** Number of the first building, so that several calls make up buildings that are not each other's. */
  firstBuilding?: number;
  /** Of each building, of five channels each. */
  devices: number;
  rounds: number;
  rows: number;
  start: number;
  firstSequence?: number;
}): Generator<StreamedFrame> {
  const random = createRandom(5);
  let sequenceNumber = options.firstSequence ?? 0;
  const quantities = CHANNELS.map(([, name]) => quantityNamed(name));
  const perBuilding = options.devices * CHANNELS.length;
  const first = (options.firstBuilding ?? 0) * perBuilding;
  const points = Array.from({ length: options.buildings * perBuilding }, (_, i) => {
    const point = first + i;
    const building = Math.floor(point / perBuilding);
    const pointOrdinal = point % perBuilding;
    const device = Math.floor(point / CHANNELS.length);
    return {
      tenantId: id('ten', building % options.tenants),
      buildingId: id('bld', building),
      spaceId: id('spc', Math.floor(device / 2)),
      pointId: id('pnt', point),
      pointOrdinal,
      deviceId: id('dev', device),
      deviceOrdinal: device % options.devices,
      quantity: quantities[point % CHANNELS.length]!.code,
    };
  });
  const values = points.map(() => 20 + Math.round(random.next() * 1000) / 100);
  for (let round = 0; round < options.rounds; round++) {
    let builder = createFrameBuilder();
    const minute = options.start + round * 60_000;
    for (const [i, point] of points.entries()) {
      const observedAt = minute + Math.floor((i / points.length) * 59_000);
      values[i] = Math.round((values[i]! + (random.next() - 0.5) / 5) * 100) / 100;
      builder.add({
        ...point,
        observedAt,
        receivedAt: observedAt + 40 + Math.floor(random.next() * 120),
        value: values[i]!,
      });
      if (builder.size() === options.rows || i === points.length - 1) {
        yield frameOf(builder.take(), sequenceNumber++, observedAt + 200);
        builder = createFrameBuilder();
      }
    }
  }
}

function frameOf(body: Buffer, sequenceNumber: number, enqueuedAt: number): StreamedFrame {
  return {
    body,
    properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA, 'atrium-refused': 0 },
    sequenceNumber,
    offset: String(sequenceNumber),
    enqueuedTimeUtc: new Date(enqueuedAt),
  };
}
