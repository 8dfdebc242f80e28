import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createGzip, deflateRawSync } from 'node:zlib';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import avro from 'avsc';
import { count } from '../simulator/arguments';
import { createCurator } from '../src/analytics/curation/curator';
import { quantityOfCode } from '../src/domain/quantity';
import { type Reading } from '../src/domain/reading';
import { readEvent } from '../src/ingest/dead-letter';
import { createHeldEvents, type HeldEvents, type ReadEvent } from '../src/ingest/held-events';
import { encodeLanding } from '../src/ingest/landing-file';
import { createLandingStore, type LandingStore } from '../src/ingest/landing-store';
import { createLogger } from '../src/observability/logger';
import { INGEST_NODE_OPTIONS } from '../src/main/local/plans';
import { createManifests } from '../src/store/manifests';
import { type Bench, type BenchContext, type BenchReport, type Figure } from './bench';
import { startBlob } from './blob-service';
import { madeUpFrames, recordedFrames, recordedMessages, type StreamedFrame } from './cold.readings';
import { measureWorker } from './cold.worker';

const RECORDING = '../shared/data/sutardja-dai-hall-12-rooms.csv.gz';
const FILE_ROWS = 250_000;
const FRAME_ROWS = 300;
const PLACE = { incarnation: '1790000000000-1', partition: 0 };

export const bench: Bench = {
  name: 'cold',
  summary:
    'the cold path: readings a second of one core into the landing and into the curated store, memory, bytes',
  options: [
    '--rounds N        minutes of readings that are landed and curated (120)',
    '--devices N       devices of five channels each, in buildings of 25 (5000)',
    '--tenants N       to whom they belong (10)',
    `--recording FILE  CSV, gzipped, for bytes a reading (${RECORDING})`,
  ],
  run,
};

async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '120' },
      devices: { type: 'string', default: '5000' },
      tenants: { type: 'string', default: '10' },
      recording: { type: 'string', default: RECORDING },
    },
  });
  const rounds = count(values.rounds, 'rounds', 100_000);
  const devices = count(values.devices, 'devices', 1_000_000);
  const tenants = count(values.tenants, 'tenants', 10_000);
  const folder = mkdtempSync(join(tmpdir(), 'atrium-bench-cold-'));
  const service = await startBlob(join(folder, 'blob'));
  try {
    const blobs = BlobServiceClient.fromConnectionString(service.connectionString);
    const container = blobs.getContainerClient('made-up');
    await container.create();
    const landed = await land({
      container,
      frames: madeUpFrames({
        ...{ tenants, buildings: Math.ceil(devices / 25), devices: 25, rounds, rows: FRAME_ROWS },
        start: Date.UTC(2026, 10, 21, 1),
      }),
      progress,
    });
    const curated = await curate(container, progress);
    const worker = await measureWorker({
      ...{ folder, blobConnection: service.connectionString, tenants, devices, progress },
      ...{ rounds: rounds * 2, frameRows: FRAME_ROWS },
    });
    const notes = [
      'CPU of landing and curation is this process’s, all its threads: the Blob stand-in is another process. The first file warms up and is not counted.',
      `The ingest process is the deployed one alone (${INGEST_NODE_OPTIONS}), from its start, with a backlog of ${worker.rows} readings in eight partitions: its memory is the most that the kernel ever saw resident, its CPU holds its start and everything that AMQP costs. It wrote ${worker.files} files in ${Math.round(worker.seconds)} s.`,
      'The resident memory of this process, which makes up the readings and holds whole files of decoded frames to meter their landing alone, says nothing of a worker and is not shown.',
    ];
    const figures: Figure[] = [
      {
        name: 'landing: readings a second of one core, from decoded frames to a stored file',
        value: Math.round(landed.rate),
        unit: '/s',
        target: { atLeast: 250_000 },
      },
      { name: 'landing: the same, decoding included', value: Math.round(landed.wholeRate), unit: '/s' },
      {
        name: 'ingest process: resident memory at its most, at full rate',
        value: Math.round(worker.peakBytes / 2 ** 20),
        unit: 'MB',
        target: { atMost: 400 },
      },
      {
        name: 'ingest process: readings a second of one core, from the stream to stored files',
        value: Math.round(worker.rows / worker.cpuSeconds),
        unit: '/s',
      },
      { name: 'landing: bytes a reading', value: landed.bytes / landed.rows, unit: 'B' },
      {
        name: 'curation: readings a second of one core',
        value: Math.round(curated.rate),
        unit: '/s',
        target: { atLeast: 400_000 },
      },
      { name: 'curation: rows written for each that came', value: curated.amplification, unit: '' },
      { name: 'curation: resident memory', value: Math.round(curated.residentBytes / 2 ** 20), unit: 'MB' },
      { name: 'curated: bytes a reading', value: curated.bytesARow, unit: 'B' },
    ];
    if (existsSync(values.recording)) {
      figures.push(...(await sizes(blobs, values.recording, progress)));
    } else {
      notes.push(`there is no ${values.recording}: bytes of the real recording are not shown`);
    }
    return { figures, notes };
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Landed {
  rows: number;
  bytes: number;
  rate: number;
  wholeRate: number;
}

async function land(options: {
  container: ContainerClient;
  frames: Iterable<StreamedFrame> | AsyncIterable<StreamedFrame>;
  progress: (line: string) => void;
}): Promise<Landed> {
  const store = createLandingStore(options.container);
  const held = createHeldEvents();
  const landed: Landed = { rows: 0, bytes: 0, rate: 0, wholeRate: 0 };
  let waiting: { frame: StreamedFrame; read: ReadEvent }[] = [];
  const cpu = { decode: 0, land: 0 };
  let warm = { rows: 0, decode: 0, land: 0 };
  const metered = async <T>(what: keyof typeof cpu, work: () => T | Promise<T>): Promise<T> => {
    const began = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(began);
    cpu[what] += (user + system) / 1e6;
    return result;
  };
  const flush = async (): Promise<void> => {
    const stored = await metered('land', () => landAll(held, waiting, store));
    waiting = [];
    landed.rows += stored.rows;
    landed.bytes += stored.bytes;
    if (warm.rows === 0) warm = { rows: landed.rows, ...cpu };
    options.progress(`${landed.rows} readings landed`);
  };
  let rows = 0;
  for await (const frame of options.frames) {
    const read = await metered('decode', () => readEvent(frame as never));
    waiting.push({ frame, read });
    rows += 'frame' in read ? read.frame.count : 0;
    if (rows >= FILE_ROWS) {
      await flush();
      rows = 0;
    }
  }
  if (waiting.length > 0) await flush();
  const measured = landed.rows > warm.rows ? warm : { rows: 0, decode: 0, land: 0 };
  const counted = landed.rows - measured.rows;
  landed.rate = counted / (cpu.land - measured.land);
  landed.wholeRate = counted / (cpu.land + cpu.decode - measured.land - measured.decode);
  return landed;
}

async function landAll(
  held: HeldEvents,
  waiting: readonly { frame: StreamedFrame; read: ReadEvent }[],
  store: LandingStore,
): Promise<{ rows: number; bytes: number }> {
  for (const { frame, read } of waiting) held.append(frame as never, read);
  const file = await encodeLanding(held, PLACE);
  await store.create(file, AbortSignal.timeout(60_000));
  held.clear();
  return { rows: file.summary.rows, bytes: file.readings.length };
}

async function curate(
  container: ContainerClient,
  progress: (line: string) => void,
): Promise<{ rate: number; amplification: number; residentBytes: number; bytesARow: number }> {
  const curator = createCurator({ logger: createLogger({ name: 'bench', level: 'error' }), container });
  const began = process.cpuUsage();
  let residentBytes = 0;
  let warm: { rows: number; seconds: number } | undefined;
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  const report = await curator.curate(new AbortController().signal, ({ rowsWritten, landed }, left) => {
    residentBytes = Math.max(residentBytes, process.memoryUsage().rss);
    warm ??= { rows: rowsWritten, seconds: seconds() };
    progress(`${landed} readings curated, ${left.rows} to go`);
  });
  const all = seconds();
  const single = warm === undefined || warm.rows === report.rowsWritten;
  let bytes = 0;
  let rows = 0;
  const manifests = createManifests(container);
  for await (const tenantId of manifests.tenants()) {
    for (const period of (await manifests.read(tenantId))!.value.periods) {
      bytes += period.bytes;
      rows += period.rows;
    }
  }
  return {
    // Of rows written: those that were curated before are read and written again in each batch.
    rate: single ? report.rowsWritten / all : (report.rowsWritten - warm!.rows) / (all - warm!.seconds),
    amplification: report.rowsWritten / report.landed,
    residentBytes,
    bytesARow: bytes / rows,
  };
}

/** Of the real recording, in the curated form and in others that would hold the same. */
async function sizes(
  blobs: BlobServiceClient,
  recording: string,
  progress: (line: string) => void,
): Promise<Figure[]> {
  const container = blobs.getContainerClient('recording');
  await container.create();
  const landed = await land({ container, frames: recordedFrames(recording), progress });
  const { bytesARow } = await curate(container, progress);
  const json = createGzip();
  let jsonBytes = 0;
  json.on('data', (chunk: Buffer) => (jsonBytes += chunk.length));
  const rowType = avro.Type.forSchema(AVRO_ROW as never);
  let block: Buffer[] = [];
  let avroBytes = 0;
  const endBlock = (): void => {
    avroBytes += deflateRawSync(Buffer.concat(block)).length + 20;
    block = [];
  };
  let sequence = 0;
  for await (const readings of recordedMessages(recording)) {
    for (const [row, reading] of readings.entries()) {
      const whole = wholeRow(reading, sequence, row);
      if (!json.write(`${JSON.stringify(whole)}\n`)) await new Promise((next) => json.once('drain', next));
      block.push(rowType.toBuffer(whole));
      if (block.length === 4_000) endBlock();
    }
    sequence++;
  }
  if (block.length > 0) endBlock();
  await new Promise((done) => json.end(() => done(undefined)));
  return [
    {
      name: 'recording: bytes a reading, curated',
      value: bytesARow,
      unit: 'B',
      target: { atMost: 6 },
      peer: { name: 'gzip JSON lines', value: jsonBytes / landed.rows },
    },
    {
      name: 'recording: bytes a reading, landing',
      value: landed.bytes / landed.rows,
      unit: 'B',
      peer: { name: 'Avro rows, deflate', value: avroBytes / landed.rows },
    },
  ];
}

const text = (name: string): object => ({ name, type: 'string' });
const long = (name: string): object => ({ name, type: 'long' });
const AVRO_ROW = {
  type: 'record',
  name: 'Row',
  fields: [
    ...['tenant_id', 'building_id', 'quantity', 'point_id', 'space_id', 'device_id', 'time_source'].map(text),
    ...['observed_at', 'received_at', 'enqueued_at', 'sequence', 'row'].map(long),
    { name: 'value', type: 'double' },
  ],
};

function wholeRow(reading: Reading, sequence: number, row: number): Record<string, string | number> {
  return {
    tenant_id: reading.tenantId,
    building_id: reading.buildingId,
    quantity: quantityOfCode(reading.quantity)!.name,
    point_id: reading.pointId,
    space_id: reading.spaceId,
    device_id: reading.deviceId,
    time_source: 'DEVICE',
    observed_at: reading.observedAt,
    received_at: reading.receivedAt,
    enqueued_at: reading.receivedAt + 10,
    sequence,
    row,
    value: reading.value,
  };
}
