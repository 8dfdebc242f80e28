import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine } from '../../src/aggregate/engine';
import { horizonsFor } from '../../src/aggregate/horizons';
import {
  AVERAGES_SCHEMA,
  decodeAverages,
  encodeAverages,
  furtherProperties,
} from '../../src/stream/averages';
import { SCHEMA_PROPERTY } from '../../src/stream/frame';
import { BEGINNING, frameOf } from '../aggregate/random-stream';
import { rootMeanSquare } from './root-mean-square';

describe('the guide to adding an aggregation', () => {
  it('shows the very code that is run here', () => {
    const guide = readFileSync(
      join(__dirname, '..', '..', 'docs', 'guides', 'adding-an-aggregation.md'),
      'utf8',
    );
    const shown = /```ts\n([^]*?)```/.exec(guide)![1]!;
    const run = readFileSync(join(__dirname, 'root-mean-square.ts'), 'utf8');
    expect(shown).toBe(run.replaceAll("'../../src/aggregate/aggregations/", "'./"));
  });

  it('tells it of the building and of each space, and on the stream', () => {
    const engine = createEngine({
      incarnation: 'i',
      partition: 0,
      horizons: horizonsFor(300_000),
      expected: () => 2,
      onFinal: () => undefined,
      aggregations: [rootMeanSquare],
      now: () => BEGINNING,
    });
    const row = {
      sequence: 0,
      enqueuedAt: BEGINNING,
      buildingId: 'bld_a',
      quantity: 1,
      observedAt: BEGINNING,
    };
    const rows = [
      { ...row, spaceId: 'spc_1', pointOrdinal: 0, deviceOrdinal: 0, value: 3 },
      { ...row, spaceId: 'spc_2', pointOrdinal: 1, deviceOrdinal: 1, value: 4 },
      { ...row, spaceId: 'spc_2', pointOrdinal: 2, deviceOrdinal: 2, value: 5 },
    ];
    engine.advance(BEGINNING / 1000);
    engine.apply(frameOf(rows), 0, BEGINNING);
    engine.advance(BEGINNING / 1000 + 1);
    const values = engine.takeValues(true);
    const bySpace = new Map(values.map(({ spaceId, further }) => [spaceId, further!.rootMeanSquare]));
    expect(bySpace.get(null)).toBeCloseTo(Math.sqrt(50 / 3), 12);
    expect(bySpace.get('spc_1')).toBe(3);
    expect(bySpace.get('spc_2')).toBeCloseTo(Math.sqrt(41 / 2), 12);

    const building = values.filter(({ spaceId }) => spaceId === null);
    const batch = { incarnation: 'i', partition: 0, sequence: 0, asOf: 0, windowEnd: 0, values: building };
    const [decoded] = decodeAverages(encodeAverages(batch), {
      ...furtherProperties(batch),
      [SCHEMA_PROPERTY]: AVERAGES_SCHEMA,
    });
    expect(decoded!.further).toEqual({ rootMeanSquare: building[0]!.further!.rootMeanSquare });
  });
});
