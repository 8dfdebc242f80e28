import { randomBytes } from 'node:crypto';
import {
  type CuratedManifest,
  type CuratedPeriod,
  type CuratedPosition,
  type CurationTallies,
  type CurationTallyRow,
  MANIFEST_SCHEMA,
  partitionKey,
  type RetiredGeneration,
} from '../../domain/curated';
import { type CuratedFiles } from '../../store/curated-files';
import { generationFolder } from '../../store/curated-path';
import { type Manifests, type Versioned } from '../../store/manifests';
import { type LoadedBatch } from './batch';
import { createGenerationWriter } from './generation';
import { createHourTally, type HourTally } from './hour-tally';
import { sortLanded } from './landed';
import { mergeSeries } from './merge';
import { dayOf, planPeriods, type PeriodPlan } from './periods';
import { createPlaces } from './places';
import { createRows } from './rows';
import { curatedSource, type CuratedPart, landedSource } from './sources';

/** The tenant was erased while a generation of it was made: no further file of it is written. */
export class ErasedMeanwhile extends Error {}

/** A file that the present manifest names is not there: somebody removed it, and no merge may go on without its rows. */
export class MissingFile extends Error {}

export interface TenantOutcome {
  /** False where another curator published for the tenant in the meantime: nothing of this attempt stands. */
  published: boolean;
  /** Rows of this batch that were taken, and what became of them. */
  landed: number;
  curated: number;
  duplicates: number;
  dropped: number;
  /** Rows written, those of former generations among them, and the bytes of their files. */
  rowsWritten: number;
  bytesWritten: number;
  periods: number;
}

export interface TenantCuration {
  /** Curates a tenant's rows of the batch; with null only settles periods and removes what was retired. */
  curate(tenantId: string, batch: LoadedBatch | null): Promise<TenantOutcome>;
}

export function createTenantCuration(options: {
  manifests: Manifests;
  files: CuratedFiles;
  /** How long a replaced generation is kept for its last readers. */
  graceMs: number;
  now: () => number;
  monthBytes?: number;
  fileRows?: number;
}): TenantCuration {
  const { manifests, files, graceMs, now, monthBytes, fileRows } = options;

  /** Writes one period's next generation. */
  const write = async (
    plan: PeriodPlan,
    tenantId: string,
    batch: LoadedBatch,
    through: readonly number[],
    tally: HourTally,
    found: Versioned<CuratedManifest> | null,
  ) => {
    const { places } = batch;
    const generation = 1 + Math.max(0, ...plan.sources.map((each) => each.generation));
    const token = randomBytes(6).toString('hex');
    const folder = generationFolder({ tenantId, period: plan.period, generation, token });
    const writer = createGenerationWriter({
      places,
      // Asked before each file, so that none is written longer after a tombstone than one takes.
      files: {
        ...files,
        async create(...file) {
          const standing = await manifests.read(tenantId, found);
          if (standing?.value.erasedAt !== undefined) throw new ErasedMeanwhile(`${tenantId} is erased`);
          return files.create(...file);
        },
      },
      folder,
      metadata: { 'atrium.tenant': tenantId, 'atrium.period': plan.period },
      ...(fileRows !== undefined && { fileRows }),
    });
    const curated = await Promise.all(
      plan.sources.map((source) =>
        curatedSource({ parts: partsOf(source), places, from: plan.from, to: plan.to }),
      ),
    );
    const series = batch.tenants.get(tenantId);
    const landed =
      series === undefined ? null : landedSource({ batch, series, from: plan.from, to: plan.to, through });
    const counts = await mergeSeries({ places, curated, landed, tally, emit: (rows) => writer.add(rows) });
    const written = await writer.finish();
    const rows = written.reduce((sum, each) => sum + each.rows, 0);
    const bytes = written.reduce((sum, each) => sum + each.bytes, 0);
    const period: CuratedPeriod | null =
      written.length === 0
        ? null
        : {
            ...{ period: plan.period, from: plan.from, to: plan.to },
            ...{ generation, folder, rows, bytes, files: written },
          };
    return { period, counts };
  };

  const partsOf = (period: CuratedPeriod): CuratedPart[] =>
    period.files.map((file) => ({
      rowGroups: file.rowGroups,
      async read() {
        const content = await files.read(file);
        if (content === null) throw new MissingFile(`${file.name} is gone, or not what the manifest says`);
        return content;
      },
    }));

  const attempt = async (
    tenantId: string,
    batch: LoadedBatch | null,
    found: Versioned<CuratedManifest> | null,
  ): Promise<TenantOutcome> => {
    const before = found?.value ?? emptyManifest(tenantId);
    const outcome = nothingDone();
    const positions = new Map(before.positions.map((each) => [partitionKey(each), { ...each }]));
    const loaded = batch ?? emptyBatch();
    const { places } = loaded;
    const through = places.sources().map((source) => positions.get(partitionKey(source))?.sequence ?? -1);
    const erased = before.erasedAt !== undefined;
    const tally = createHourTally();
    const fresh = freshRows(loaded, tenantId, through, (source, receivedAt) => {
      if (erased) tally.add('dropped', source, receivedAt, 1);
    });

    let periods = before.periods;
    const retired: RetiredGeneration[] = [];
    const counts = { landed: fresh.bySource, curated: [] as number[], duplicates: [] as number[] };
    const add = (to: number[], from: readonly number[]): void =>
      from.forEach((each, source) => (to[source] = (to[source] ?? 0) + each));
    if (!erased) {
      const at = now();
      const merged: number[] = [];
      const plans = planPeriods({
        periods: before.periods,
        rowsByDay: fresh.byDay,
        now: at,
        ...(monthBytes !== undefined && { monthBytes }),
      });
      const written: CuratedPeriod[] = [];
      for (const plan of plans) {
        const { period, counts: each } = await write(plan, tenantId, loaded, through, tally, found);
        add(merged, each.landed);
        add(counts.curated, each.curated);
        add(counts.duplicates, each.duplicates);
        if (period) written.push(period);
      }
      const replaced = new Set(plans.flatMap(({ sources }) => sources));
      for (const { folder } of replaced) retired.push({ folder, retiredAt: at });
      periods = [...before.periods.filter((each) => !replaced.has(each)), ...written].sort(
        (a, b) => a.from - b.from,
      );
      outcome.rowsWritten = written.reduce((sum, { rows }) => sum + rows, 0);
      outcome.bytesWritten = written.reduce((sum, { bytes }) => sum + bytes, 0);
      outcome.periods = written.length;
      mustBe(total(merged), total(fresh.bySource), `rows of ${tenantId} that were merged`);
    }
    fresh.bySource.forEach((landed, source) => {
      const { incarnation, partition } = places.source(source);
      const end = loaded.ends.find(
        (each) => each.incarnation === incarnation && each.partition === partition,
      );
      const change = counts.curated[source] ?? 0;
      const repeated = counts.duplicates[source] ?? 0;
      const position = positions.get(partitionKey({ incarnation, partition })) ?? {
        ...{ incarnation, partition, sequence: -1 },
        ...{ landed: 0, curated: 0, duplicates: 0, dropped: 0 },
      };
      if (landed > 0) position.sequence = Math.max(position.sequence, end!.sequence);
      position.landed += landed;
      position.curated += change;
      position.duplicates += repeated;
      position.dropped += erased ? landed : 0;
      if (position.sequence >= 0) positions.set(partitionKey(position), position);
      outcome.landed += landed;
      outcome.curated += change;
      outcome.duplicates += repeated;
      outcome.dropped += erased ? landed : 0;
    });
    // A row of another life, read long ago, may have made way.
    counts.curated.forEach((change, source) => {
      if (fresh.bySource[source] !== undefined) return;
      const position = positions.get(partitionKey(places.source(source)));
      if (position === undefined) return;
      position.curated += change;
      position.duplicates += counts.duplicates[source] ?? 0;
    });

    const gone = before.retired.filter(({ retiredAt }) => retiredAt + graceMs <= now());
    if (outcome.landed === 0 && outcome.periods === 0 && retired.length === 0 && gone.length === 0) {
      return outcome;
    }
    const manifest: CuratedManifest = {
      ...before,
      version: before.version + 1,
      publishedAt: now(),
      periods,
      positions: [...positions.values()],
      ...(!erased && { tallies: talliesBehind(before, [...positions.values()], tally.rows(places), now()) }),
      retired: [...before.retired.filter((each) => !gone.includes(each)), ...retired],
    };
    if (!erased) mustAgree(manifest);
    for (const { folder } of gone) await files.removeFolder(folder);
    outcome.published = (await manifests.publish(manifest, found?.etag ?? null)) !== null;
    return outcome;
  };

  return {
    async curate(tenantId, batch) {
      const found = await manifests.read(tenantId);
      try {
        return await attempt(tenantId, batch, found);
      } catch (error) {
        if (error instanceof ErasedMeanwhile) return { ...nothingDone(), published: false };
        if (!(error instanceof MissingFile)) throw error;
        const again = await manifests.read(tenantId);
        // Another curator replaced it, and its grace time is over; else the store has lost a file.
        if (again?.etag === found?.etag) throw error;
        return { ...nothingDone(), published: false };
      }
    },
  };
}

/**
 * What stands must be what was counted in: every row of the landing is in a generation, or was there already, or was
 * dropped with its tenant. Nothing is published, and nothing of the landing removed, that does not add up.
 */
export function mustAgree({ tenantId, periods, positions }: CuratedManifest): void {
  const sum = (of: (position: CuratedPosition) => number): number =>
    positions.reduce((all, each) => all + of(each), 0);
  mustBe(
    periods.reduce((all, { rows }) => all + rows, 0),
    sum(({ curated }) => curated),
    `rows of ${tenantId} in its generations`,
  );
  for (const { landed, curated, duplicates, dropped, ...place } of positions) {
    mustBe(curated + duplicates + dropped, landed, `rows of ${tenantId} in ${partitionKey(place)}`);
  }
}

/** An entry that nobody has added up for so long is given up: reconciliation looks every few minutes. */
const TALLIES_KEPT_MS = 3 * 24 * 3_600_000;

function talliesBehind(
  before: CuratedManifest,
  positions: readonly CuratedPosition[],
  rows: CurationTallyRow[],
  at: number,
): CurationTallies {
  const { tallies } = before;
  const landed = (of: readonly CuratedPosition[]): number => total(of.map((each) => each.landed));
  // A curator of the release before, which keeps what it does not know, published in between.
  const whole = tallies !== undefined && tallies.landed === landed(before.positions);
  const kept = (tallies?.entries ?? []).filter((each) => each.at + TALLIES_KEPT_MS > at);
  return {
    since: whole
      ? tallies.since
      : before.positions.map(({ incarnation, partition, sequence }) => ({
          incarnation,
          partition,
          sequence,
        })),
    landed: landed(positions),
    entries: rows.length === 0 ? kept : [...kept, { version: before.version + 1, at, rows }],
  };
}

function mustBe(found: number, expected: number, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${found}, expected ${expected}`);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, each) => sum + (each ?? 0), 0);
}

/** The rows that are not curated yet. */
function freshRows(
  { rows, order, tenants }: LoadedBatch,
  tenantId: string,
  through: readonly number[],
  each: (source: number, receivedAt: number) => void,
): { bySource: number[]; byDay: Map<number, number> } {
  const bySource: number[] = [];
  const byDay = new Map<number, number>();
  let day = Number.NaN;
  let inDay = 0;
  const note = (): void => {
    if (inDay > 0) byDay.set(day, (byDay.get(day) ?? 0) + inDay);
    inDay = 0;
  };
  for (const { from, to } of tenants.get(tenantId) ?? []) {
    for (let i = from; i < to; i++) {
      const row = order[i]!;
      const source = rows.source[row]!;
      if (rows.sequence[row]! <= through[source]!) continue;
      bySource[source] = (bySource[source] ?? 0) + 1;
      each(source, rows.receivedAt[row]!);
      const instant = rows.observedAt[row]!;
      if (!(instant >= day && instant < day + 86_400_000)) {
        note();
        day = dayOf(instant);
      }
      inDay++;
    }
  }
  note();
  return { bySource, byDay };
}

function nothingDone(): TenantOutcome {
  return {
    published: true,
    ...{ landed: 0, curated: 0, duplicates: 0, dropped: 0 },
    ...{ rowsWritten: 0, bytesWritten: 0, periods: 0 },
  };
}

function emptyBatch(): LoadedBatch {
  const places = createPlaces();
  return { ...sortLanded(createRows(0), places), places, files: 0, ends: [] };
}

/** Of a tenant of whom nothing was published yet. */
export function emptyManifest(tenantId: string): CuratedManifest {
  return {
    ...{ schema: MANIFEST_SCHEMA, tenantId, version: 0, publishedAt: 0 },
    ...{ periods: [], positions: [], retired: [] },
  };
}
