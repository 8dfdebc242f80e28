import { createExportHandler, type ExportHandler } from '../../src/analytics/exports/handler';
import { type StoredReading } from '../../src/analytics/readings-page';
import { type ExportedReadings } from '../../src/domain/export';
import { partitionOf } from '../../src/domain/partition';
import { QUANTITIES, quantityNamed } from '../../src/domain/quantity';
import { type Reading } from '../../src/domain/reading';
import { type Cosmos } from '../../src/store/cosmos';
import { createPartFiles, type PartFiles } from '../../src/store/exports/part-files';
import { type Registry } from '../../src/store/registry';
import { buildReading } from '../support/readings';
import { type ColdStore } from './cold-store';

export const DAY_MS = 86_400_000;
export const FROM = Date.parse('2026-03-01T00:00:00Z');
export const DAYS = 3;
export const TO = FROM + DAYS * DAY_MS;

/** What an export of everything asks for. */
export function everything(parts: Partial<ExportedReadings> = {}): ExportedReadings {
  return {
    format: 'CSV',
    quantities: QUANTITIES.map(({ name }) => name),
    spaceIds: null,
    deviceIds: null,
    from: FROM,
    to: TO,
    ...parts,
  };
}

/** Some readings of each day in two points, some of them sent again; the first day is curated, the others landed. */
export async function fill(
  cold: ColdStore,
  place: { tenantId: string; buildingId: string; spaceId: string },
): Promise<void> {
  const { buildingId } = place;
  const partition = partitionOf(buildingId, 8);
  const arrive = (day: number, values: Partial<Reading>[]) =>
    cold.land([
      {
        incarnation: '1772000000000-8',
        partition,
        sequence: day * 100,
        enqueuedAt: FROM + (day + 1) * DAY_MS,
        readings: values.map((each) => buildReading({ ...place, ...each })),
      },
    ]);
  for (let day = 0; day < DAYS; day++) {
    const values = Array.from({ length: 10 }, (_, i) => {
      const observedAt = FROM + day * DAY_MS + Math.floor(i / 2) * 3_600_000;
      return { observedAt, receivedAt: observedAt + 40, pointOrdinal: i % 2, value: i / 3 - 1 };
    });
    // Sent again, also a day later, with another value: the first stands.
    await arrive(day, [...values, { ...values[3]!, value: 99 }]);
    await arrive(day + 0.5, [{ ...values[4]!, value: 99 }]);
    if (day === 0) await cold.curate();
  }
}

export interface Exporting extends ExportHandler {
  parts: PartFiles;
}

/** The handler of exports over a cold store, with parts in a container of their own. */
export function buildExporting(
  { cosmos, registry }: { cosmos: Pick<Cosmos, 'batch'>; registry: Pick<Registry, 'spaces'> },
  cold: ColdStore,
  options: Partial<Parameters<typeof createExportHandler>[0]> = {},
): Exporting {
  const parts = createPartFiles(cold.blobs.getContainerClient(`${cold.container.containerName}-exports`));
  return { parts, ...createExportHandler({ cosmos, registry, files: cold.files, parts, ...options }) };
}

/** All readings of a building as `readings` tells them. */
export async function readingsOf(
  cold: ColdStore,
  { tenantId, buildingId }: { tenantId: string; buildingId: string },
): Promise<StoredReading[]> {
  const filter = {
    tenantId,
    buildingIds: [buildingId],
    quantities: QUANTITIES.map(({ name }) => name),
    spaceIds: null,
    deviceId: null,
    pointId: null,
    from: FROM,
    to: TO,
  };
  const page = { first: 1_000, after: null };
  return (await cold.questions.readings(filter, page, new AbortController().signal)).items;
}

export const HEADER =
  'building_id,space_id,point_id,device_id,quantity,unit,observed_at,received_at,value,time_source';

/** Readings as the lines of an export. */
export function linesOf(readings: readonly StoredReading[]): string[] {
  return readings.map((each) =>
    [
      each.buildingId,
      each.spaceId,
      each.pointId,
      each.deviceId,
      each.quantity,
      quantityNamed(each.quantity).unit,
      new Date(each.observedAt).toISOString(),
      new Date(each.receivedAt).toISOString(),
      Number.isInteger(each.value) ? each.value.toFixed(1) : String(each.value),
      each.timeSource,
    ].join(','),
  );
}

/** The lines of CSV parts one after the other, without their headers. */
export function linesIn(parts: readonly string[]): string[] {
  return parts.flatMap((part) => {
    const [header, ...lines] = part.split('\r\n');
    if (header !== HEADER || lines.pop() !== '')
      throw new Error(`not CSV by RFC 4180: ${part.slice(0, 200)}`);
    return lines;
  });
}
