import { type FleetBuilding } from '../../simulator/fleet';
import { type Source } from '../../simulator/load';
import { flatBody } from '../../simulator/payload';
import { type RecordedRow, type Recording } from '../../simulator/recording';
import { readingsOfRows } from '../../simulator/replay';
import { type Message, type SendingDevice } from '../../simulator/sender';
import { createSendingDevice } from '../../simulator/sending-device';

/** Rows of one room in a message: ten minutes of the recording. */
const ROWS_A_MESSAGE = 10;

/** A recording cut at an instant of its own. */
export function splitRecording(recording: Recording, at: number): { before: Recording; after: Recording } {
  const since = recording.firstAt + at;
  return {
    before: { ...recording, rows: recording.rows.filter(({ recordedAt }) => recordedAt < since) },
    after: {
      ...recording,
      rows: recording.rows.filter(({ recordedAt }) => recordedAt >= since),
      firstAt: since,
    },
  };
}

/**
 * The rows of a recording as a building sends them that was cut off while they were recorded: at their recorded distances,
 * the recording's span before `start` and later, the oldest first, evenly within `takesMs`.
 */
export function createBacklog(options: {
  recording: Recording;
  /** What of recorded time lies between the first row and `start`. */
  span: number;
  building: FleetBuilding;
  start: number;
  takesMs: number;
}): Source {
  const { recording, span, building, start, takesMs } = options;
  const readingsOf = readingsOfRows(recording);
  const devices = new Map<string, SendingDevice>(
    building.devices.map(({ room, connectionString }) => [room, createSendingDevice(connectionString)]),
  );
  const packs = packsOf(recording.rows);
  let next = 0;
  return {
    total: packs.length,
    advance(now, submit) {
      for (; next < packs.length; next++) {
        const dueAt = Math.round(start + (next / packs.length) * takesMs);
        if (dueAt > now) return false;
        const message = messageOf(packs[next]!, dueAt);
        if (message !== undefined) submit(message);
      }
      return true;
    },
  };

  function messageOf(rows: readonly RecordedRow[], dueAt: number): Message | undefined {
    const objects: string[] = [];
    const readings = rows.flatMap((row) => {
      const observedAt = start - span + (row.recordedAt - recording.firstAt);
      const own = readingsOf(row, observedAt, objects.length);
      if (own.length > 0) objects.push(flatBody(observedAt, own));
      return own;
    });
    if (readings.length === 0) return undefined;
    return { device: devices.get(rows[0]!.room)!, body: `[${objects.join(',')}]`, readings, dueAt };
  }
}

/** Rows of a room together, packs in the order of their first rows. */
function packsOf(rows: readonly RecordedRow[]): RecordedRow[][] {
  const packs: RecordedRow[][] = [];
  const open = new Map<string, RecordedRow[]>();
  for (const row of rows) {
    let pack = open.get(row.room);
    if (pack === undefined || pack.length >= ROWS_A_MESSAGE) {
      pack = [];
      packs.push(pack);
      open.set(row.room, pack);
    }
    pack.push(row);
  }
  return packs;
}
