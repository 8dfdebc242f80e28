import { type Excursion, type ExcursionsAsked } from '../../src/analytics/excursions';
import { type PlacedReading } from './cold-store';

/** The definitions again, in plain loops over readings that are distinct already. */
const DAY = 86_400_000;

interface Value {
  t: number;
  value: number;
}

export function excursionsByHand(
  readings: readonly PlacedReading[],
  asked: Omit<ExcursionsAsked, 'limit' | 'offset'>,
): Excursion[] {
  const series = new Map<string, { buildingId: string; pointId: string | null; values: Value[] }>();
  if (asked.by === 'POINT') {
    for (const { buildingId, pointId, observedAt, value } of readings) {
      if (observedAt < asked.from || observedAt >= asked.to) continue;
      const one = series.get(pointId) ?? { buildingId, pointId, values: [] };
      one.values.push({ t: observedAt, value });
      series.set(pointId, one);
    }
  } else {
    for (const buildingId of new Set(readings.map((each) => each.buildingId))) {
      const own = readings.filter((each) => each.buildingId === buildingId);
      const values: Value[] = [];
      for (let t = Math.ceil(asked.from / 60_000) * 60_000; t < asked.to && t <= asked.now; t += 60_000) {
        const window = own.filter(({ observedAt }) => observedAt > t - 300_000 && observedAt <= t);
        if (window.length > 0) {
          values.push({ t, value: window.reduce((sum, { value }) => sum + value, 0) / window.length });
        }
      }
      series.set(buildingId, { buildingId, pointId: null, values });
    }
  }
  const found: Excursion[] = [];
  for (const { buildingId, pointId, values } of series.values()) {
    values.sort((a, b) => a.t - b.t || a.value - b.value);
    const silence = asked.by === 'POINT' ? (asked.silence ?? silenceOf(values)) : 60_000;
    const isOut = ({ value }: Value): boolean =>
      (asked.low !== null && value < asked.low) || (asked.high !== null && value > asked.high);
    const distance = ({ value }: Value): number =>
      Math.max(
        asked.low === null ? -Infinity : asked.low - value,
        asked.high === null ? -Infinity : value - asked.high,
      );
    let open: Value[] = [];
    const close = (end: number, endedBy: Excursion['endedBy']): void => {
      const first = open[0]!;
      let peak = first;
      for (const each of open) if (distance(each) > distance(peak)) peak = each;
      if (end - first.t > asked.longerThan) {
        found.push({ buildingId, pointId, start: first.t, end, endedBy, peak: peak.value, peakAt: peak.t });
      }
      open = [];
    };
    for (const each of values) {
      const last = open.at(-1);
      if (last && each.t - last.t > silence) close(last.t, 'SILENT');
      else if (last && !isOut(each)) close(each.t, 'RETURNED');
      if (isOut(each)) open.push(each);
    }
    const last = open.at(-1);
    if (last) close(last.t, Math.min(asked.to, asked.now) - last.t > silence ? 'SILENT' : 'ONGOING');
  }
  const compare = (a: string | null, b: string | null): number => ((a ?? '') < (b ?? '') ? -1 : 1);
  return found.sort(
    (a, b) =>
      a.start - b.start ||
      (a.buildingId === b.buildingId ? compare(a.pointId, b.pointId) : compare(a.buildingId, b.buildingId)),
  );
}

function silenceOf(values: readonly Value[]): number {
  const intervals: number[] = [];
  values.forEach(({ t }, i) => {
    const before = values[i - 1]?.t;
    if (before !== undefined && t > before && Math.floor(t / DAY) === Math.floor(before / DAY)) {
      intervals.push(t - before);
    }
  });
  if (intervals.length === 0) return 3 * DAY;
  intervals.sort((a, b) => a - b);
  return Math.max(60_000, 3 * intervals[Math.ceil(intervals.length / 2) - 1]!);
}
