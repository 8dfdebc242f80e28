import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { columnMap, readRecording } from '../../simulator/recording';
import { timesOf } from '../../simulator/replay';

const CHANNELS = ['temperature', 'humidity', 'co2', 'light', 'motion'];
const LINES = [
  'room,timestamp,co2,humidity,light,pir,temperature',
  '415,2013-08-23T23:06:00Z,500,45,90,0,24',
  '413,2013-08-23T23:05:00Z,494.727,45.33,96.556,0,23.928',
  '413,2013-08-23T23:06:00Z,496.667,,96.833,3,not a number',
  ',2013-08-23T23:06:00Z,1,1,1,1,1',
  '413,yesterday,1,1,1,1,1',
  '640,2013-08-23T23:10:00Z,400,50,1,0,20',
];

describe('a recording', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'atrium-recording-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string | Buffer): string => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const read = (file: string, { map = '', span = 120_000 } = {}) =>
    readRecording({ file, map: columnMap(map), channels: CHANNELS, span });

  it('is read in the order of its instants, whatever the order of the file', async () => {
    const recording = await read(write('rooms.csv.gz', gzipSync(LINES.join('\n'))));
    expect(recording.rows.map(({ room, recordedAt }) => [room, new Date(recordedAt).toISOString()])).toEqual([
      ['413', '2013-08-23T23:05:00.000Z'],
      ['413', '2013-08-23T23:06:00.000Z'],
      ['415', '2013-08-23T23:06:00.000Z'],
    ]);
    expect(recording.channels).toEqual(['co2', 'humidity', 'light', 'motion', 'temperature']);
    expect(recording.rows[0]!.values).toEqual([494.727, 45.33, 96.556, 0, 23.928]);
  });

  it('leaves out what is no number, and counts rows without a room or an instant', async () => {
    const recording = await read(write('rooms.csv', LINES.join('\r\n')));
    expect(recording.rows[1]!.values).toEqual([496.667, null, 96.833, 3, null]);
    expect(recording.malformed).toBe(2);
  });

  it('names every room of the file, so that a longer replay finds its rooms', async () => {
    expect((await read(write('rooms.csv', LINES.join('\n')))).rooms).toEqual(['413', '415', '640']);
  });

  it('takes other column names by a map', async () => {
    const file = write('other.csv', 'place,"when, exactly",deg\n1,2020-01-01T00:00:00Z,21.5\n');
    const recording = await read(file, { map: 'place=room,deg=temperature' }).catch((error: Error) => error);
    expect((recording as Error).message).toContain('no column for timestamp');
    const other = write('third.csv', 'place,when,deg\n1,2020-01-01T00:00:00Z,21.5\n');
    const { rows } = await read(other, { map: 'place=room,when=timestamp,deg=temperature' });
    expect(rows).toEqual([{ room: '1', recordedAt: Date.UTC(2020, 0, 1), values: [21.5] }]);
  });

  it.each([
    ['absent', () => 'absent.csv', 'there is no file'],
    ['empty', () => write('empty.csv', ''), 'is empty'],
    ['no gzip', () => write('torn.csv.gz', 'room,timestamp'), 'not a whole gzip file'],
    [
      'cut off',
      () => write('cut.csv.gz', gzipSync('a'.repeat(9999)).subarray(0, 30)),
      'not a whole gzip file',
    ],
    ['without rows', () => write('header.csv', LINES[0]!), 'no row with an instant'],
    [
      'without channels',
      () => write('x.csv', 'room,timestamp,x\n1,2020-01-01T00:00:00Z,1'),
      'no column for any of',
    ],
  ])('says in one sentence that a file is %s', async (_, file, words) => {
    await expect(read(file())).rejects.toThrow(words);
  });

  it('refuses a map that is none', () => {
    expect(() => columnMap('pir')).toThrow('--map pir is not COLUMN=CHANNEL');
  });

  it('moves its instants to the start of the replay, at its speed', () => {
    const row = { room: '413', recordedAt: 160_000, values: [] };
    const replay = { start: 1_000_000, speed: 60, originalTime: false };
    expect(timesOf(row, { firstAt: 40_000 }, replay)).toEqual({ dueAt: 1_002_000, observedAt: 1_002_000 });
    expect(timesOf(row, { firstAt: 40_000 }, { ...replay, originalTime: true })).toEqual({
      dueAt: 1_002_000,
      observedAt: 160_000,
    });
  });
});
