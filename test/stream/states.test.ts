import { FrameError } from '../../src/stream/frame';
import { decodeStates, encodeStates, type StatesBatch } from '../../src/stream/states';

const batch: StatesBatch = {
  incarnation: 'test-2',
  partition: 1,
  sequence: 42,
  asOf: 1_790_000_000_120,
  windowEnd: 1_790_000_000,
  values: [
    {
      tenantId: 'ten_a',
      buildingId: 'bld_a',
      spaceId: null,
      quantity: 7,
      active: 1,
      clear: 2,
      activeMs: 1_500,
      knownMs: 900_000,
      changedAt: 1_789_999_998_500,
      lastReadingAt: 1_789_999_999_000,
    },
    {
      tenantId: 'ten_a',
      buildingId: 'bld_a',
      spaceId: 'spc_1',
      quantity: 9,
      active: 0,
      clear: 1,
      activeMs: 0,
      knownMs: 300_000,
      changedAt: null,
      lastReadingAt: 1_789_999_999_000,
    },
  ],
};

describe('states on the averages stream', () => {
  it('come back as they were sent, each with its instant and position', () => {
    const { incarnation, partition, sequence, windowEnd, asOf } = batch;
    expect(decodeStates(encodeStates(batch))).toEqual(
      batch.values.map((value) => ({
        ...value,
        windowEnd,
        asOf,
        position: { incarnation, partition, sequence },
      })),
    );
  });

  it('are refused as a value where the body is damaged', () => {
    expect(() => decodeStates(encodeStates(batch).subarray(0, 20))).toThrow(FrameError);
    expect(() => decodeStates('text')).toThrow(FrameError);
  });
});
