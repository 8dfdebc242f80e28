import fc from 'fast-check';
import {
  type Frame,
  createFrameBuilder,
  decodeFrame,
  FRAME_SCHEMA,
  SCHEMA_PROPERTY,
} from '../../src/stream/frame';
import { buildReading } from '../support/readings';
import { type Row } from './plain-model';

/** One event: when the hub took it, how much later the worker gets it, and its readings. */
export interface StreamEvent {
  sequence: number;
  enqueuedAt: number;
  receivedAt: number;
  rows: Row[];
}

/** A whole number of minutes, so that boundaries are easy to meet. */
export const BEGINNING = 1_790_000_040_000;

interface Step {
  gap: number;
  latency: number;
  readings: Draft[];
}

interface Draft {
  point: number;
  /** How long before the event was enqueued it was observed; negative: its clock is ahead. */
  age: number;
  /** Cut to the whole second, where windows begin and end. */
  aligned: boolean;
  value: number;
  undated: number | undefined;
  /** Send again what this many readings ago was sent, with another value. */
  repeats: number | undefined;
}

const age = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 3_000, max: 330_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 60_000, 299_000, 299_999, 300_000, 300_001) },
  { weight: 1, arbitrary: fc.integer({ min: -30_000, max: 0 }) },
  // Up to the lateness that the record allows, and a little more.
  { weight: 1, arbitrary: fc.integer({ min: 330_000, max: 1_500_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_500_000, max: 48 * 3_600_000 + 60_000 }) },
);

const value = fc.oneof(fc.double({ min: -60, max: 85, noNaN: true }), fc.constantFrom(0, 1e6, -1e6, 21.5));

const draft: fc.Arbitrary<Draft> = fc.record({
  point: fc.integer({ min: 0, max: 9 }),
  age,
  aligned: fc.boolean(),
  value,
  undated: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 6 }),
  // Now and then one that came minutes before.
  repeats: fc.option(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 120 })), {
    nil: undefined,
    freq: 5,
  }),
});

const anyGap = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 8_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 8_000, max: 70_000 }) },
  // Long enough for a building to fall silent, and to be forgotten.
  { weight: 1, arbitrary: fc.constantFrom(301_000, 640_000, 1_500_000) },
);
const shortGap = fc.oneof(
  { weight: 50, arbitrary: fc.integer({ min: 0, max: 25_000 }) },
  { weight: 1, arbitrary: anyGap },
);

const stepAfter = (gap: fc.Arbitrary<number>): fc.Arbitrary<Step> =>
  fc.record({
    gap,
    latency: fc.integer({ min: 0, max: 4_000 }),
    readings: fc.array(draft, { minLength: 0, maxLength: 6 }),
  });

/**
 * Late, early, repeated, undated and silent readings of two buildings: points 0 to 3 measure the first building's
 * temperature with two devices of two points each, 4 its humidity, 5 and 6 the other's temperature, 7 and 8 the first's
 * smoke, 9 whether somebody is in the other. Each building has two spaces with readings; the first device measures in both,
 * as one that was moved does, and point 2 measures on the level that they lie on.
 */
export const randomStream: fc.Arbitrary<StreamEvent[]> = streamOf(anyGap, { minLength: 1, maxLength: 40 });

/** The same, steadier and for about half an hour, so that a checkpoint moves many times. */
export const longStream: fc.Arbitrary<StreamEvent[]> = streamOf(shortGap, {
  minLength: 120,
  maxLength: 200,
  size: 'max',
});

function streamOf(gap: fc.Arbitrary<number>, length: fc.ArrayConstraints): fc.Arbitrary<StreamEvent[]> {
  return fc.array(stepAfter(gap), length).map((steps) => {
    const events: StreamEvent[] = [];
    const sent: Row[] = [];
    let enqueuedAt = BEGINNING;
    let receivedAt = 0;
    steps.forEach(({ gap, latency, readings }, sequence) => {
      enqueuedAt += gap;
      receivedAt = Math.max(receivedAt, enqueuedAt + latency);
      const rows = readings.map((each) => {
        const row = rowOf(each, sequence, enqueuedAt, each.repeats && sent.at(-each.repeats));
        sent.push(row);
        return row;
      });
      events.push({ sequence, enqueuedAt, receivedAt, rows });
    });
    return events;
  });
}

function rowOf(
  { point, age, aligned, value, undated }: Draft,
  sequence: number,
  enqueuedAt: number,
  repeated: Row | undefined | 0,
): Row {
  const observed = enqueuedAt - age;
  if (repeated) {
    // An undated reading sent again is stamped again.
    const observedAt = repeated.undated ? enqueuedAt : repeated.observedAt;
    return { ...repeated, sequence, enqueuedAt, value: valueOf(repeated.pointOrdinal, value), observedAt };
  }
  return {
    sequence,
    enqueuedAt,
    buildingId: point === 5 || point === 6 || point === 9 ? 'bld_b' : 'bld_a',
    spaceId: point === 2 ? 'lvl_a' : point === 0 || point === 5 || point === 7 ? 'spc_1' : 'spc_2',
    quantity: QUANTITY_OF[point] ?? 1,
    pointOrdinal: point,
    deviceOrdinal: point >> 1,
    observedAt: undated !== undefined ? enqueuedAt : aligned ? Math.floor(observed / 1000) * 1000 : observed,
    value: valueOf(point, value),
    ...(undated === undefined
      ? {}
      : {
          undated: {
            messageId: undated === 0 ? null : `${Math.floor(enqueuedAt / 100_000)}-${undated}`,
            messageIndex: point % 2,
          },
        }),
  };
}

const QUANTITY_OF: Record<number, number> = { 4: 2, 7: 7, 8: 7, 9: 9 };

/** The quantities that have a state. */
export const STATES: readonly number[] = [7, 9];

function valueOf(point: number, value: number): number {
  return STATES.includes(QUANTITY_OF[point] ?? 1) ? Number(value > 10) : value;
}

/** Through the real codec. */
export function frameOf(rows: readonly Row[]): Frame {
  return decodeFrame(bodyOf(rows), { [SCHEMA_PROPERTY]: FRAME_SCHEMA });
}

export function bodyOf(rows: readonly Row[]): Buffer {
  const builder = createFrameBuilder();
  for (const row of rows) {
    const { buildingId, spaceId, quantity, pointOrdinal, deviceOrdinal, observedAt, value, undated } = row;
    builder.add(
      buildReading({
        buildingId,
        quantity,
        pointOrdinal,
        deviceOrdinal,
        observedAt,
        value,
        receivedAt: row.enqueuedAt,
        ...(spaceId !== undefined && { spaceId }),
        ...(undated ? { undated } : {}),
      }),
    );
  }
  return builder.take();
}
