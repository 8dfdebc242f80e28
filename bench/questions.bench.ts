import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { createAnalytics } from '../src/analytics';
import { TooCostly } from '../src/analytics/engine';
import { createGenerationWriter } from '../src/analytics/curation/generation';
import { createPlaces } from '../src/analytics/curation/places';
import { clear, createRows, reserve } from '../src/analytics/curation/rows';
import { type Questions } from '../src/analytics/questions';
import { calendarDurationOf } from '../src/domain/calendar-duration';
import { type CuratedPeriod, MANIFEST_SCHEMA, ROOT_SCHEMA } from '../src/domain/curated';
import { createCuratedFiles } from '../src/store/curated-files';
import { generationFolder } from '../src/store/curated-path';
import { createManifests } from '../src/store/manifests';
import { type Bench, type Figure } from './bench';
import { startBlob } from './blob-service';

const TENANT = 'ten_bench';
const DAYS = 7;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FROM = Date.parse('2026-03-02T00:00:00Z');
const TO = FROM + DAYS * DAY_MS;
const POINTS_A_BUILDING = 25;
const DEVICES = 1_000;
const SIGNAL = new AbortController().signal;

export const bench: Bench = {
  name: 'questions',
  summary:
    'questions over 10 million curated readings of 1,000 devices in 40 buildings over 7 days, one a minute each: latency warm and cold, and how it grows with what is stored',
  options: [
    '--scale 1,4,16  how many times as much is stored, one measurement each (1)',
    '--repeats N     of each warm question (15)',
  ],
  async run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: { scale: { type: 'string', default: '1' }, repeats: { type: 'string', default: '15' } },
    });
    const scales = values.scale.split(',').map(Number);
    const figures: Figure[] = [];
    const refused: number[] = [];
    for (const scale of scales) {
      const folder = mkdtempSync(join(tmpdir(), 'questions-bench-'));
      const blob = await startBlob(join(folder, 'blob'));
      try {
        const blobs = BlobServiceClient.fromConnectionString(blob.connectionString);
        const container = blobs.getContainerClient('telemetry');
        await container.create();
        const stored = await store(container, scale, progress);
        const measured = await measure(container, folder, Number(values.repeats));
        const first = scale === scales[0];
        const at = scales.length === 1 ? '' : ` (${scale} times as much stored)`;
        const figure = (name: string, value: number, unit: string, atMost?: number): void => {
          const target = atMost === undefined || !first ? {} : { target: { atMost } };
          figures.push({ name: `${name}${at}`, value, unit, ...target });
        };
        figure('readings stored', stored.rows, '');
        figure('bytes a reading', stored.bytes / stored.rows, 'B');
        figure('one building’s excursions, warm', measured.building.median, 'ms', 60);
        figure('one building’s excursions, warm, CPU', measured.building.cpu, 'ms');
        figure('one building’s excursions, cold cache', measured.cold.median, 'ms', 600);
        figure('bytes fetched for that', measured.coldBytes / 1e6, 'MB');
        figure('a building’s average, excursions, warm', measured.average.median, 'ms');
        if (measured.all === null) refused.push(scale);
        else {
          figure('all buildings’ excursions, warm', measured.all.median, 'ms', 2_000);
          figure('all buildings’ excursions, warm, CPU', measured.all.cpu, 'ms');
        }
        figure('a day’s history of a building, warm', measured.history.median, 'ms', 30);
        figure('a day’s history of a building, warm, CPU', measured.history.cpu, 'ms');
        figure('a page of 50 readings, warm', measured.page.median, 'ms');
      } finally {
        await blob.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return {
      figures,
      notes: [
        'Values are 21 degrees with a wave of 4 and noise of 1; out is below 16.5 or above 25.5, longer than ten minutes.',
        'CPU is the least that one question took on all threads of the process; a machine that is busy otherwise shows in the latencies and not in it.',
        'A cold cache still finds the manifest in Blob; DuckDB is started, its files are not there.',
        ...refused.map(
          (scale) =>
            `All buildings' excursions over ${scale} times as much were refused: they need more memory than one question may have.`,
        ),
      ],
    };
  },
};

/** Writes a week of curated files as the curator does. */
async function store(
  container: ContainerClient,
  scale: number,
  progress: (line: string) => void,
): Promise<{ rows: number; bytes: number }> {
  const files = createCuratedFiles(container);
  const periods: CuratedPeriod[] = [];
  for (let day = 0; day < DAYS; day++) {
    const from = FROM + day * DAY_MS;
    const period = new Date(from).toISOString().slice(0, 10);
    const folder = generationFolder({ tenantId: TENANT, period, generation: 1, token: 'bench' });
    const places = createPlaces();
    const { texts } = places;
    const source = places.sourceOf('1772000000000-8', 0);
    const writer = createGenerationWriter({ places, files, folder, metadata: {} });
    const rows = createRows(DAY_MS / MINUTE_MS);
    for (let point = 0; point < DEVICES * scale; point++) {
      const number = (value: number): string => String(value).padStart(22, '0');
      const place = places.numberOf({
        tenant: texts.numberOf(TENANT),
        building: texts.numberOf(buildingId(Math.floor(point / POINTS_A_BUILDING))),
        quantity: texts.numberOf('AIR_TEMPERATURE'),
        point: texts.numberOf(`pnt_${number(point)}`),
        space: texts.numberOf(`spc_${number(Math.floor(point / 2))}`),
        device: texts.numberOf(`dev_${number(point)}`),
      });
      clear(rows);
      reserve(rows, DAY_MS / MINUTE_MS);
      for (let minute = 0; minute < DAY_MS / MINUTE_MS; minute++) {
        const at = from + minute * MINUTE_MS + ((point * 7_919) % MINUTE_MS);
        const wave = 21 + 4 * Math.sin((day * 1_440 + minute + point * 13) / 229);
        rows.place[minute] = place;
        rows.source[minute] = source;
        rows.observedAt[minute] = at;
        rows.value[minute] = Math.round((wave + noise(point, day * 1_440 + minute)) * 100) / 100;
        rows.receivedAt[minute] = at + 40;
        rows.enqueuedAt[minute] = at + 60;
        rows.sequence[minute] = day * 1_440 + minute;
        rows.row[minute] = point % 500;
      }
      rows.length = DAY_MS / MINUTE_MS;
      await writer.add(rows);
    }
    const written = await writer.finish();
    const sum = (of: (file: (typeof written)[number]) => number): number =>
      written.reduce((total, file) => total + of(file), 0);
    const made = { rows: sum((file) => file.rows), bytes: sum((file) => file.bytes), files: written };
    periods.push({ period, from, to: from + DAY_MS, generation: 1, folder, ...made });
    progress(`${period}: ${made.rows} readings in ${written.length} files of ${made.bytes} bytes`);
  }
  const manifests = createManifests(container);
  const publishedAt = Date.now();
  await manifests.publish(
    {
      ...{ schema: MANIFEST_SCHEMA, tenantId: TENANT, version: 1, publishedAt },
      ...{ periods, positions: [], retired: [] },
    },
    null,
  );
  await manifests.publishRoot({ schema: ROOT_SCHEMA, version: 1, publishedAt, positions: [] }, null);
  return {
    rows: periods.reduce((sum, { rows }) => sum + rows, 0),
    bytes: periods.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

interface Measured {
  median: number;
  /** The least. */
  cpu: number;
}

async function measure(container: ContainerClient, folder: string, repeats: number) {
  let opened = 0;
  const open = async () => {
    const analytics = createAnalytics({
      container,
      folder: join(folder, `cache-${opened++}`),
      ...{ cacheMegabytes: 8_192, memoryMegabytes: 2_048, threads: 2, seconds: 120 },
    });
    await analytics.start();
    return analytics;
  };
  const where = (buildingIds: string[] | null, to = TO) => ({
    ...{ tenantId: TENANT, buildingIds, spaceIds: null, deviceId: null, pointId: null, from: FROM, to },
  });
  const excursions = (questions: Questions, building: string | null, by: 'POINT' | 'BUILDING_AVERAGE') =>
    questions.excursions(
      where(building === null ? null : [building]),
      {
        ...{ quantity: 'AIR_TEMPERATURE' as const, low: 16.5, high: 25.5, longerThan: 10 * MINUTE_MS },
        ...{ by, silence: null, limit: 50, offset: 0 },
      },
      SIGNAL,
    );
  const building = buildingId(7);

  const cold: number[] = [];
  let coldBytes = 0;
  for (let i = 0; i < 5; i++) {
    const analytics = await open();
    const begun = performance.now();
    await excursions(analytics.questions, building, 'POINT');
    cold.push(performance.now() - begun);
    coldBytes = analytics.cacheCounts().downloadedBytes;
    await analytics.stop();
  }

  const analytics = await open();
  const { questions } = analytics;
  const repeated = async (times: number, ask: (i: number) => Promise<unknown>): Promise<Measured> => {
    await ask(0);
    const latencies: number[] = [];
    let cpu = Infinity;
    for (let i = 0; i < times; i++) {
      const before = process.cpuUsage();
      const begun = performance.now();
      await ask(i);
      latencies.push(performance.now() - begun);
      const { user, system } = process.cpuUsage(before);
      cpu = Math.min(cpu, (user + system) / 1_000);
    }
    return { median: medianOf(latencies), cpu };
  };
  const measured = {
    building: await repeated(repeats, () => excursions(questions, building, 'POINT')),
    average: await repeated(repeats, () => excursions(questions, building, 'BUILDING_AVERAGE')),
    history: await repeated(repeats, () =>
      questions.history(
        where([building], FROM + DAY_MS),
        { quantity: 'AIR_TEMPERATURE', step: calendarDurationOf('PT1H')!, timeZone: 'Europe/Berlin' },
        SIGNAL,
      ),
    ),
    page: await repeated(repeats, () =>
      questions.readings(
        { ...where([building]), quantities: ['AIR_TEMPERATURE'] },
        { first: 50, after: null },
        SIGNAL,
      ),
    ),
    // With many times as much stored it touches many times as much, until it is refused.
    all: await repeated(Math.min(repeats, 3), () => excursions(questions, null, 'POINT')).catch(
      (error: unknown) => {
        if (error instanceof TooCostly) return null;
        throw error;
      },
    ),
  };
  await analytics.stop();
  return { ...measured, cold: { median: medianOf(cold) }, coldBytes };
}

function buildingId(number: number): string {
  return `bld_${String(number).padStart(22, '0')}`;
}

/** Between 0 and 1, the same at each run. */
function noise(point: number, minute: number): number {
  let hash = Math.imul(point + 1, 0x9e3779b1) ^ Math.imul(minute + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 0x1_0000_0000;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
