import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeAverages, AVERAGES_SCHEMA } from '../../src/stream/averages';
import { decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';

/**
 * Bodies as they were written when a format was first used. They are never written anew: a release that cannot read them
 * cannot take over from the one before it.
 */
const first = JSON.parse(readFileSync(join(__dirname, '../fixtures/stream-1.json'), 'utf8')) as {
  frame: string;
  averages: string;
};

describe('bodies of earlier releases', () => {
  it('are read as telemetry-frame/1 was written', () => {
    expect(FRAME_SCHEMA).toBe('telemetry-frame/1');
    const frame = decodeFrame(Buffer.from(first.frame, 'base64'), { [SCHEMA_PROPERTY]: 'telemetry-frame/1' });
    const point = { building: 0, spaceId: 'spc_a', deviceId: 'dev_a', deviceOrdinal: 4 };
    expect(frame).toEqual({
      buildings: [{ tenantId: 'ten_a', buildingId: 'bld_a' }],
      points: [
        { ...point, pointId: 'pnt_a', pointOrdinal: 7, quantity: 1 },
        { ...point, pointId: 'pnt_b', pointOrdinal: 8, quantity: 2 },
      ],
      count: 3,
      point: [0, 1, 0],
      observedAt: [1_790_000_000_000, 1_789_999_990_000, 1_790_000_001_000],
      receivedAt: [1_790_000_000_050, 1_790_000_000_040, 1_790_000_001_001],
      value: [21.5, 45, 22],
      undated: [{ row: 1, messageId: 'm-1', messageIndex: 3 }],
      originals: [{ row: 2, value: 71.6, unit: '[degF]' }],
      refused: [
        {
          tenantId: 'ten_a',
          buildingId: 'bld_a',
          deviceId: 'dev_a',
          channel: 'temperature',
          observedAt: 1_790_000_000_000,
          receivedAt: 1_790_000_000_050,
          code: 'VALUE_OUT_OF_RANGE',
          message: '394 Cel is not in -60..85',
          raw: '{"temperature":394}',
        },
      ],
    });
  });

  it('are read as averages/1 was written', () => {
    expect(AVERAGES_SCHEMA).toBe('averages/1');
    const values = decodeAverages(Buffer.from(first.averages, 'base64'), { [SCHEMA_PROPERTY]: 'averages/1' });
    const common = {
      tenantId: 'ten_a',
      buildingId: 'bld_a',
      windowEnd: 1_790_000_010,
      asOf: 1_790_000_010_010,
      devicesExpected: 2,
      position: { incarnation: '1790000000000-8', partition: 3, sequence: 41 },
    };
    expect(values).toEqual([
      {
        ...common,
        quantity: 1,
        mean: 21.75,
        minimum: 21.5,
        maximum: 22,
        readings: 2,
        devicesReporting: 1,
        lastReadingAt: 1_790_000_001_000,
      },
      {
        ...common,
        quantity: 2,
        mean: null,
        minimum: null,
        maximum: null,
        readings: 0,
        devicesReporting: 0,
        lastReadingAt: null,
      },
    ]);
  });
});
