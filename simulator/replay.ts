import { deviceModelNamed } from '../src/domain/device';
import { type QuantityName } from '../src/domain/quantity';
import { type FleetBuilding, type PlannedBuilding } from './fleet';
import { type Source } from './load';
import { flatBody } from './payload';
import { type RecordedRow, type Recording } from './recording';
import { type MessageReading, type SendingDevice } from './sender';
import { createSendingDevice } from './sending-device';

export const REPLAY_MODEL = 'room-sensor';

/** The building of a recording: a room and a room sensor for each of its rooms. */
export function planOfRecording(name: string, recording: Recording): PlannedBuilding {
  return {
    name,
    timeZone: 'America/Los_Angeles',
    rooms: recording.rooms,
    devices: recording.rooms.map((room) => ({ name: `${REPLAY_MODEL} ${room}`, model: REPLAY_MODEL, room })),
  };
}

/** When a recorded row leaves, and when it claims to have been observed: both in milliseconds since 1970. */
export function timesOf(
  row: RecordedRow,
  recording: Pick<Recording, 'firstAt'>,
  replay: { start: number; speed: number; originalTime: boolean },
): { dueAt: number; observedAt: number } {
  const dueAt = Math.round(replay.start + (row.recordedAt - recording.firstAt) / replay.speed);
  return { dueAt, observedAt: replay.originalTime ? row.recordedAt : dueAt };
}

/** What recorded rows say, as their room's sensor sends it. `index` is a row's place in a message of several. */
export function readingsOfRows({
  channels,
}: Pick<Recording, 'channels'>): (row: RecordedRow, observedAt: number, index?: number) => MessageReading[] {
  const known = deviceModelNamed(REPLAY_MODEL)!.channels;
  const quantities = channels.map(
    (name): QuantityName => known.find((channel) => channel.name === name)!.quantity,
  );
  return ({ values }, observedAt, index = 0) =>
    values.flatMap((value, at): MessageReading[] =>
      value === null ? [] : [{ index, channel: channels[at]!, quantity: quantities[at]!, value, observedAt }],
    );
}

/** Sends each row of a recording as one message of its room's sensor when its time comes. */
export function createReplay(options: {
  recording: Recording;
  building: FleetBuilding;
  start: number;
  /** How many recorded seconds pass in one. */
  speed: number;
  /** Keeps the recorded instants: such readings reach the cold store only. */
  originalTime: boolean;
}): Source {
  const { recording, building } = options;
  const readingsOf = readingsOfRows(recording);
  const devices = new Map<string, SendingDevice>(
    building.devices.map(({ room, connectionString }) => [room, createSendingDevice(connectionString)]),
  );
  let next = 0;
  return {
    total: recording.rows.length,
    advance(now, submit) {
      for (; next < recording.rows.length; next++) {
        const row = recording.rows[next]!;
        const { dueAt, observedAt } = timesOf(row, recording, options);
        if (dueAt > now) return false;
        const readings = readingsOf(row, observedAt);
        if (readings.length === 0) continue;
        submit({
          device: devices.get(row.room)!,
          body: flatBody(observedAt, readings),
          readings,
          dueAt,
        });
      }
      return true;
    },
  };
}
