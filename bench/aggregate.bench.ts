import { PerformanceObserver } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { count } from '../simulator/arguments';
import { createEngine, type Engine } from '../src/aggregate/engine';
import { horizonsFor } from '../src/aggregate/horizons';
import { openSnapshot, packSnapshot, sealSnapshot } from '../src/aggregate/snapshot';
import { QUANTITIES } from '../src/domain/quantity';
import { type Frame } from '../src/stream/frame';
import { type Bench, type BenchContext, type BenchReport } from './bench';

const PARTITIONS = 8;
/** What a device measures. */
const CHANNELS = 5;
const SPACES = 5;
const REPORTS_EVERY_SECONDS = 60;
const ALLOWED_LATENESS_MS = 300_000;

export const bench: Bench = {
  name: 'aggregate',
  summary:
    'the engine of the rolling averages alone: readings a second of one core, ticks, memory and snapshots at a million points',
  options: [
    '--points N     how many points report once a minute (1000000)',
    '--buildings N  in how many buildings, of five spaces each (10000)',
    '--frame N      readings in a frame (300)',
    '--measure N    seconds of stream that are measured, after what is held has filled (60)',
  ],
  run,
};

async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      points: { type: 'string', default: '1000000' },
      buildings: { type: 'string', default: '10000' },
      frame: { type: 'string', default: '300' },
      measure: { type: 'string', default: '60' },
    },
  });
  const points = count(values.points, 'points', 10_000_000);
  const buildings = count(values.buildings, 'buildings', points);
  const rows = count(values.frame, 'frame', 10_000);
  const measured = count(values.measure, 'measure', 3_600);

  const horizons = horizonsFor(ALLOWED_LATENESS_MS);
  const start = Math.floor(Date.now() / 60_000) * 60;
  let second = start;
  const engines = Array.from({ length: PARTITIONS }, (_, partition) =>
    createEngine({
      incarnation: 'bench',
      partition,
      horizons,
      expected: () => 20,
      onFinal: () => undefined,
      now: () => second * 1000,
    }),
  );
  // The same minute again and again: only the instants differ, so that making frames costs little beside counting them.
  const minutes = engines.map((_, partition) => minuteOf(partition, { points, buildings, rows }));
  const before = process.memoryUsage().rss;
  const sequences = new Array<number>(PARTITIONS).fill(0);

  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });

  /** One second of stream and the tick after it, partition by partition. */
  const pass = (): { readings: number; applying: number; ticks: number[] } => {
    second++;
    let readings = 0;
    let applying = 0;
    const ticks = engines.map((engine, partition) => {
      for (const frame of minutes[partition]![second % REPORTS_EVERY_SECONDS]!) {
        stamp(frame, second * 1000);
        const began = process.cpuUsage();
        engine.apply(frame, sequences[partition]!++, second * 1000);
        const { user, system } = process.cpuUsage(began);
        applying += user + system;
        readings += frame.count;
      }
      const began = performance.now();
      engine.advance(second);
      engine.takeValues(second % 60 === 0);
      return performance.now() - began;
    });
    // Points are computed some seconds after the minute and spread over it, as the worker does; a tenth at a time here.
    const partition = second % PARTITIONS;
    const engine = engines[partition]!;
    let due = Math.ceil([...engine.dirtyBuildings()].length / 4);
    for (const building of [...engine.dirtyBuildings()]) {
      if (due-- <= 0) break;
      engine.takeMinutes(building, second * 1000);
    }
    return { readings, applying, ticks };
  };

  const filling = horizons.heldFor + 60;
  for (let passed = 0; passed < filling; passed++) {
    pass();
    if (passed % 60 === 59) progress(`${passed + 1} of ${filling} s filled`);
    if (passed % 10 === 9) await new Promise(setImmediate);
  }
  pauses.length = 0;
  let readings = 0;
  let applying = 0;
  const ticks: number[] = [];
  const minuteTicks: number[] = [];
  /** The worker ticks a partition a turn of its event loop. */
  const turns: number[] = [];
  for (let passed = 0; passed < measured; passed++) {
    const one = pass();
    readings += one.readings;
    applying += one.applying;
    const whole = one.ticks.reduce((sum, each) => sum + each, 0);
    (second % 60 === 0 ? minuteTicks : ticks).push(whole);
    if (second % 60 > 0) turns.push(Math.max(...one.ticks));
    await new Promise(setImmediate);
  }
  const memory = process.memoryUsage();
  observer.disconnect();
  const snapshots = await measureSnapshots(engines, progress);

  const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
  const counts = engines.map((engine) => engine.counts);
  const lost = counts.reduce((sum, each) => sum + each.impossible + each.late + each.tooLate, 0);
  return {
    figures: [
      {
        name: 'readings a second of one core',
        value: Math.round((readings / applying) * 1e6),
        unit: '/s',
        target: { atLeast: 1_000_000 },
      },
      {
        name: 'resident memory beside the bench’s own, held in full',
        value: Math.round((memory.rss - before) / 2 ** 20),
        unit: 'MB',
        target: { atMost: 800 },
      },
      {
        name: `tick over ${buildings} buildings, median`,
        value: median(ticks),
        unit: 'ms',
        target: { atMost: 10 },
      },
      {
        name: 'of it in one turn of the event loop, a partition, median',
        value: median(turns),
        unit: 'ms',
      },
      { name: 'tick at second 0, every value told', value: median(minuteTicks), unit: 'ms' },
      {
        name: 'longest pause of the collector',
        value: Math.max(0, ...pauses),
        unit: 'ms',
        target: { atMost: 50 },
      },
      {
        name: 'snapshot, longest standstill',
        value: snapshots.longest,
        unit: 'ms',
        target: { atMost: 50 },
      },
      { name: 'snapshots, all partitions', value: Math.round(snapshots.bytes / 2 ** 20), unit: 'MB' },
      { name: 'restoring a partition', value: snapshots.restoring, unit: 'ms' },
    ],
    notes: [
      `${points.toLocaleString('en')} points in ${buildings.toLocaleString('en')} buildings report once a minute: ${Math.round(readings / measured).toLocaleString('en')} readings/s; ${lost} readings were not counted`,
      `the process and the bench's own frames hold ${Math.round(before / 2 ** 20)} MB more; buffers are ${Math.round(memory.arrayBuffers / 2 ** 20)} MB, objects ${Math.round(memory.heapUsed / 2 ** 20)} of ${Math.round(memory.heapTotal / 2 ** 20)} MB`,
    ],
  };
}

async function measureSnapshots(engines: readonly Engine[], progress: (line: string) => void) {
  let bytes = 0;
  let longest = 0;
  let restoring = 0;
  for (const [partition, engine] of engines.entries()) {
    const { second, sequence, knownFrom } = engine;
    const began = performance.now();
    const head = { incarnation: 'bench', partition, second, sequence, knownFrom, points: [], marks: [] };
    const state = engine.pack();
    longest = Math.max(longest, performance.now() - began);
    const parts = await packSnapshot(head, state);
    const body = await sealSnapshot(parts);
    bytes += body.length;
    const opening = performance.now();
    const { head: stored, parts: held } = await openSnapshot(body);
    createEngine({
      incarnation: 'bench',
      partition,
      horizons: horizonsFor(ALLOWED_LATENESS_MS),
      expected: () => 20,
      onFinal: () => undefined,
      restored: { ...stored, parts: held },
      now: () => second * 1000,
    });
    restoring = Math.max(restoring, performance.now() - opening);
  }
  progress('snapshots measured');
  return { bytes, longest, restoring };
}

/** The frames of one partition's points for each second of a minute. */
function minuteOf(partition: number, shape: { points: number; buildings: number; rows: number }): Frame[][] {
  const quantities = QUANTITIES.filter(({ kind }) => kind === 'continuous').slice(0, CHANNELS);
  const pointsABuilding = Math.floor(shape.points / shape.buildings);
  const own: { building: number; ordinal: number }[] = [];
  for (let building = partition; building < shape.buildings; building += PARTITIONS) {
    for (let ordinal = 0; ordinal < pointsABuilding; ordinal++) own.push({ building, ordinal });
  }
  // Devices report at their own second of the minute; all channels of one together.
  const bySecond: { building: number; ordinal: number }[][] = Array.from(
    { length: REPORTS_EVERY_SECONDS },
    () => [],
  );
  for (const each of own) {
    const device = Math.floor(each.ordinal / CHANNELS);
    const at = (each.building * 7919 + device * 104_729) % REPORTS_EVERY_SECONDS;
    bySecond[at]!.push(each);
  }
  return bySecond.map((list) => {
    const frames: Frame[] = [];
    for (let begin = 0; begin < list.length; begin += shape.rows) {
      const part = list.slice(begin, begin + shape.rows);
      const indexes = new Map<number, number>();
      for (const { building } of part) if (!indexes.has(building)) indexes.set(building, indexes.size);
      frames.push({
        buildings: [...indexes.keys()].map((building) => ({
          tenantId: `ten_${building % 100}`,
          buildingId: `bld_${building}`,
        })),
        points: part.map(({ building, ordinal }) => {
          const device = Math.floor(ordinal / CHANNELS);
          return {
            building: indexes.get(building)!,
            spaceId: `spc_${building}_${device % SPACES}`,
            pointId: `pnt_${building}_${ordinal}`,
            pointOrdinal: ordinal,
            deviceId: `dev_${building}_${device}`,
            deviceOrdinal: device,
            quantity: quantities[ordinal % CHANNELS]!.code,
          };
        }),
        count: part.length,
        point: part.map((_, row) => row),
        observedAt: part.map(() => 0),
        receivedAt: part.map(() => 0),
        value: part.map((_, row) => 20 + (row % 10) / 10),
        undated: [],
        originals: [],
        refused: [],
      });
    }
    return frames;
  });
}

function stamp(frame: Frame, enqueuedAt: number): void {
  for (let row = 0; row < frame.count; row++) frame.observedAt[row] = enqueuedAt - 40 - ((row * 37) % 900);
}
