import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Schema, Type } from 'avsc';
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

/** With refused readings that carry the message to be judged again. */
const second = JSON.parse(readFileSync(join(__dirname, '../fixtures/stream-2.json'), 'utf8')) as {
  frame: string;
};
/** With means over devices beside buildings' values, and values of spaces. */
const third = JSON.parse(readFileSync(join(__dirname, '../fixtures/stream-3.json'), 'utf8')) as {
  averages: string;
  deviceMeans: string;
  spaceAverages: string;
};
/** The schema that the first release reads every frame by. */
const firstSchema = Type.forSchema(
  JSON.parse(readFileSync(join(__dirname, '../fixtures/frame-1.avsc'), 'utf8')) as Schema,
);

const firstAveragesSchema = Type.forSchema(
  JSON.parse(readFileSync(join(__dirname, '../fixtures/averages-1.avsc'), 'utf8')) as Schema,
);

describe('frames whose refused readings carry their message', () => {
  const body = Buffer.from(second.frame, 'base64');
  const refused = {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    deviceId: 'dev_a',
    channel: 'temperature',
    observedAt: 1_790_000_000_000,
    receivedAt: 1_790_000_000_050,
    code: 'VALUE_OUT_OF_RANGE',
    message: "394 Cel is outside AIR_TEMPERATURE's range of -60 to 85",
  };
  const unreadable = {
    ...refused,
    buildingId: '',
    channel: '',
    observedAt: null,
    code: 'PAYLOAD_INVALID',
    message: 'the body is not UTF-8',
  };

  it('are read as they were first written', () => {
    const frame = decodeFrame(body, { [SCHEMA_PROPERTY]: 'telemetry-frame/1' });
    expect(frame.value).toEqual([21.5]);
    const source = { relayedBy: null, contentEncoding: null };
    expect(frame.refused).toEqual([
      {
        ...refused,
        raw: '{"temperature":394}',
        letter: {
          ...source,
          protocol: 'MQTT',
          messageId: 'm-1',
          index: 2,
          createdAt: null,
          contentType: 'application/senml+json',
          payload: Buffer.from('[{"n":"temperature","t":1790000000,"v":394}]'),
        },
      },
      {
        ...unreadable,
        raw: '\ufffd\ufffd\n',
        letter: {
          ...source,
          protocol: 'HTTP',
          messageId: null,
          index: 0,
          createdAt: 1_789_999_999_000,
          contentType: 'application/json',
          payload: Buffer.from([255, 254, 10, 0]),
        },
      },
    ]);
  });

  it('are read by the first release, to which the message is a longer excerpt', () => {
    const frame = firstSchema.fromBuffer(body) as { value: number[]; refused: { raw: string }[] };
    expect(frame.value).toEqual([21.5]);
    expect(frame.refused).toMatchObject([refused, unreadable]);
    expect(frame.refused[0]!.raw).toContain('[{"n":"temperature","t":1790000000,"v":394}]');
  });
});

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
      spaceId: null,
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

describe('averages with means over devices and of spaces', () => {
  const common = {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    windowEnd: 1_790_000_010,
    asOf: 1_790_000_010_010,
    position: { incarnation: '1790000000000-8', partition: 3, sequence: 41 },
    quantity: 1,
    mean: 21.75,
    minimum: 21.5,
    maximum: 22,
    deviceMean: 21.625,
    readings: 3,
    devicesReporting: 2,
    devicesExpected: 2,
    lastReadingAt: 1_790_000_001_000,
  };
  const empty = {
    mean: null,
    minimum: null,
    maximum: null,
    deviceMean: null,
    readings: 0,
    devicesReporting: 0,
  };

  it('are read as they were first written', () => {
    const values = decodeAverages(Buffer.from(third.averages, 'base64'), {
      [SCHEMA_PROPERTY]: 'averages/1',
      'atrium-further-deviceMean': Buffer.from(third.deviceMeans, 'base64'),
    });
    expect(values).toEqual([
      { ...common, spaceId: null },
      { ...common, ...empty, spaceId: null, quantity: 2 },
    ]);
    const ofSpaces = decodeAverages(Buffer.from(third.spaceAverages, 'base64'), {
      [SCHEMA_PROPERTY]: 'space-averages/1',
    });
    expect(ofSpaces).toEqual([
      { ...common, spaceId: 'spc_a' },
      { ...common, ...empty, spaceId: 'spc_b', quantity: 2 },
      { ...common, spaceId: 'spc_c', buildingId: 'bld_b' },
    ]);
  });

  it('are read by the first release where they are of buildings, without the means over devices', () => {
    const batch = firstAveragesSchema.fromBuffer(Buffer.from(third.averages, 'base64')) as {
      values: object[];
    };
    expect(batch.values).toMatchObject([{ buildingId: 'bld_a', mean: 21.75 }, { mean: null }]);
  });
});
