import { type Type } from 'avsc';
import { type Reading, type RefusedReading } from '../domain/reading';
import { decodeRaw, encodeRaw } from './letter';
import { loadSchema } from './schema';

/** The property that names the schema of an event's body, with its version. */
export const SCHEMA_PROPERTY = 'atrium-schema';
export const FRAME_SCHEMA = 'telemetry-frame/1';
/**
 * The property that counts the refused readings of a frame, so that whoever looks for those need not decode the frames
 * that hold none. The first release's frames do not have it.
 */
export const REFUSED_PROPERTY = 'atrium-refused';

/** A frame is closed before its body passes this; one that a single refused message fills may be larger. */
export const MAXIMUM_FRAME_BYTES = 64 * 1024;

export interface FrameBuilding {
  tenantId: string;
  buildingId: string;
}

export interface FramePoint {
  /** Index into `buildings`. */
  building: number;
  spaceId: string;
  pointId: string;
  pointOrdinal: number;
  deviceId: string;
  deviceOrdinal: number;
  /** `Quantity.code`. */
  quantity: number;
}

/** A decoded frame: dictionaries and columns, a row a reading, instants resolved to milliseconds since 1970. */
export interface Frame {
  buildings: FrameBuilding[];
  points: FramePoint[];
  /** Rows. The four columns below have this length. */
  count: number;
  point: number[];
  observedAt: number[];
  receivedAt: number[];
  value: number[];
  undated: { row: number; messageId: string | null; messageIndex: number }[];
  originals: { row: number; value: number; unit: string }[];
  refused: RefusedReading[];
  /** Where rows were left out: for each that is left the place it has in its event. */
  rowOf?: number[];
}

interface WireFrame {
  buildings: FrameBuilding[];
  points: FramePoint[];
  receivedBase: number;
  observedBase: number;
  point: number[];
  observed: number[];
  received: number[];
  value: number[];
  undated: { row: number; messageId: { string: string } | string | null; messageIndex: number }[];
  originals: { row: number; value: number; unit: string }[];
  refused: WireRefused[];
}

type WireRefused = Omit<RefusedReading, 'raw' | 'letter'> & { raw: Buffer };

/** Whole days apart, receivedAt of one frame do not fit into its column: just below 2**31 ms, which are 24.8 days. */
const MAXIMUM_RECEIVED_SPAN_MS = 2 ** 31 - 1;

const frameType: Type = loadSchema('frame');

/** A body that is not a frame this release can read. The reader keeps it as a dead letter and goes on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * Decodes an event's body.
 * @throws FrameError when the schema is unknown or the body is damaged; never anything else.
 */
export function decodeFrame(body: unknown, properties: Record<string, unknown> | undefined): Frame {
  const schema = properties?.[SCHEMA_PROPERTY];
  if (schema !== FRAME_SCHEMA) {
    throw new FrameError(`unknown schema ${JSON.stringify(schema ?? null)}, expected ${FRAME_SCHEMA}`);
  }
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let wire: WireFrame;
  try {
    wire = frameType.fromBuffer(body) as WireFrame;
  } catch (error) {
    throw new FrameError(`damaged frame of ${body.length} bytes: ${(error as Error).message}`);
  }
  const count = wire.point.length;
  if (wire.observed.length !== count || wire.received.length !== count || wire.value.length !== count) {
    throw new FrameError('the columns of the frame differ in length');
  }
  for (const point of wire.points) {
    if (wire.buildings[point.building] === undefined) {
      throw new FrameError('a point of the frame names no building');
    }
  }
  const { observed, received } = wire;
  let instant = wire.observedBase;
  for (let row = 0; row < count; row++) {
    if (wire.points[wire.point[row]!] === undefined) throw new FrameError(`row ${row} names no point`);
    instant += observed[row]!;
    observed[row] = instant;
    received[row] = wire.receivedBase + received[row]!;
  }
  return {
    buildings: wire.buildings,
    points: wire.points,
    count,
    point: wire.point,
    observedAt: observed,
    receivedAt: received,
    value: wire.value,
    undated: wire.undated as Frame['undated'],
    originals: wire.originals,
    refused: wire.refused.map(({ raw, ...refused }) => ({ ...refused, ...decodeRaw(raw) })),
  };
}

/** Whether an event surely holds no refused reading, as far as can be told without decoding it. */
export function holdsNoRefused(properties: Record<string, unknown> | undefined): boolean {
  return properties?.[SCHEMA_PROPERTY] === FRAME_SCHEMA && properties[REFUSED_PROPERTY] === 0;
}

export interface FrameBuilder {
  /** Whether a reading can stand in one frame with those that were added before. */
  admits(reading: Reading): boolean;
  /** Adds a reading. The caller closes the frame when `bytes()` nears the limit. */
  add(reading: Reading): void;
  refuse(refused: RefusedReading): void;
  /** An upper estimate of the encoded size. */
  bytes(): number;
  /** Readings and refused ones. */
  size(): number;
  refused(): number;
  /** The body of one event; the builder is empty afterwards. */
  take(): Buffer;
}

// Varints of small indexes and deltas: 2 for the point, up to 6 for observedAt, up to 3 for receivedAt, 8 for the value.
const ROW_BYTES = 20;

export function createFrameBuilder(): FrameBuilder {
  let wire = emptyFrame();
  let buildings = new Map<string, number>();
  let points = new Map<string, number[]>();
  let lastObserved = 0;
  let estimate = 0;

  const buildingIndex = (reading: Reading): number => {
    // A building that changes hands may stand in one frame for two owners.
    const key = `${reading.tenantId}\n${reading.buildingId}`;
    let index = buildings.get(key);
    if (index === undefined) {
      index = wire.buildings.length;
      buildings.set(key, index);
      wire.buildings.push({ tenantId: reading.tenantId, buildingId: reading.buildingId });
      estimate += key.length + 6;
    }
    return index;
  };

  const pointIndex = (reading: Reading): number => {
    // By the point's own id, which costs no string a reading. Nearly always it is in the frame once; seen from another
    // device, or under another owner, it is there again.
    let held = points.get(reading.pointId);
    if (held === undefined) points.set(reading.pointId, (held = []));
    for (const index of held) {
      const point = wire.points[index]!;
      const sameOwner = wire.buildings[point.building]!.tenantId === reading.tenantId;
      if (sameOwner && point.deviceId === reading.deviceId) return index;
    }
    const index = wire.points.length;
    held.push(index);
    wire.points.push({
      building: buildingIndex(reading),
      spaceId: reading.spaceId,
      pointId: reading.pointId,
      pointOrdinal: reading.pointOrdinal,
      deviceId: reading.deviceId,
      deviceOrdinal: reading.deviceOrdinal,
      quantity: reading.quantity,
    });
    estimate += reading.spaceId.length + reading.pointId.length + reading.deviceId.length + 16;
    return index;
  };

  return {
    admits: ({ receivedAt }) =>
      wire.point.length === 0 || Math.abs(receivedAt - wire.receivedBase) <= MAXIMUM_RECEIVED_SPAN_MS,
    add(reading) {
      const row = wire.point.length;
      if (row === 0) {
        wire.observedBase = reading.observedAt;
        wire.receivedBase = reading.receivedAt;
        lastObserved = reading.observedAt;
      }
      wire.point.push(pointIndex(reading));
      wire.observed.push(reading.observedAt - lastObserved);
      lastObserved = reading.observedAt;
      wire.received.push(reading.receivedAt - wire.receivedBase);
      wire.value.push(reading.value);
      estimate += ROW_BYTES;
      if (reading.undated) {
        const { messageId, messageIndex } = reading.undated;
        wire.undated.push({ row, messageId, messageIndex });
        estimate += 8 + (messageId === null ? 0 : Buffer.byteLength(messageId));
      }
      if (reading.original) {
        wire.originals.push({ row, ...reading.original });
        estimate += 12 + Buffer.byteLength(reading.original.unit);
      }
    },
    refuse({ letter, ...refused }) {
      const raw = encodeRaw({ raw: refused.raw, ...(letter && { letter }) });
      wire.refused.push({ ...refused, raw });
      estimate +=
        64 +
        refused.tenantId.length +
        refused.buildingId.length +
        refused.deviceId.length +
        Buffer.byteLength(refused.channel) +
        Buffer.byteLength(refused.message) +
        raw.length;
    },
    bytes: () => estimate + 128,
    size: () => wire.point.length + wire.refused.length,
    refused: () => wire.refused.length,
    take() {
      const body = frameType.toBuffer(wire);
      wire = emptyFrame();
      buildings = new Map();
      points = new Map();
      estimate = 0;
      return body;
    },
  };
}

function emptyFrame(): WireFrame {
  return {
    buildings: [],
    points: [],
    receivedBase: 0,
    observedBase: 0,
    point: [],
    observed: [],
    received: [],
    value: [],
    undated: [],
    originals: [],
    refused: [],
  };
}
