import {
  ExcursionsDocument,
  ReadingHistoryDocument,
  ReadingsDocument,
  type TypedDocumentString,
} from '../../simulator/generated/graphql';
import { type Person, type TestApi } from '../api/api.support';
import { type AnswerRow } from './oracle/hive.oracle';

const PAGE = 200;

interface Range {
  from: number;
  to: number;
}

/** The sample questions as a client of the API answers them, in the rows of the scripts. */
export interface HiveAnswers {
  eventsByDevice(buildings: readonly string[], range: Range): Promise<AnswerRow[]>;
  hourlyAverages(
    buildings: readonly string[],
    quantity: 'AIR_TEMPERATURE',
    range: Range,
  ): Promise<AnswerRow[]>;
  excursions(
    asked: Range & {
      building: string;
      quantity: 'AIR_TEMPERATURE';
      low: number;
      high: number;
      longerThan: number;
    },
  ): Promise<AnswerRow[]>;
}

export function createHiveAnswers(api: TestApi, who: Person): HiveAnswers {
  const ask = async <Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> => {
    const { data, errors } = await api.ask(who, document, variables);
    if (data === null || errors !== undefined) throw new Error(`the API answers ${JSON.stringify(errors)}`);
    return data;
  };
  const pageOfReadings = async (building: string, range: Range, after: string | null) => {
    const narrowed = { quantity: null, space: null, device: null, point: null };
    const variables = { building, ...isoRange(range), ...narrowed, first: PAGE, after };
    return (await ask(ReadingsDocument, variables)).building!.readings!;
  };
  const pageOfExcursions = async (
    { from, to, longerThan, building, quantity, low, high }: Parameters<HiveAnswers['excursions']>[0],
    after: string | null,
  ) => {
    const lasting = `PT${longerThan / 1000}S`;
    const asked = { building, quantity, low, high, longerThan: lasting, ...isoRange({ from, to }) };
    const variables = { ...asked, by: 'POINT' as const, first: PAGE, after };
    return (await ask(ExcursionsDocument, variables)).building!.excursions!;
  };

  return {
    async eventsByDevice(buildings, range) {
      const devices = new Map<string, { building: string; device: string; instants: number[] }>();
      for (const building of buildings) {
        let page = await pageOfReadings(building, range, null);
        for (;;) {
          for (const { deviceId: device, observedAt } of page.nodes) {
            const one = devices.get(device) ?? { building, device, instants: [] };
            one.instants.push(Date.parse(observedAt));
            devices.set(device, one);
          }
          if (!page.pageInfo.hasNextPage) break;
          page = await pageOfReadings(building, range, page.pageInfo.endCursor!);
        }
      }
      return [...devices.values()].map(({ building, device, instants }) => ({
        ...{ building_id: building, device_id: device, readings: instants.length },
        // In the order of observation.
        ...{ first_observed_at: instants[0]!, last_observed_at: instants.at(-1)! },
      }));
    },
    async hourlyAverages(buildings, quantity, range) {
      const rows: AnswerRow[] = [];
      for (const building of buildings) {
        const variables = { building, quantity, ...isoRange(range), step: 'PT1H' };
        const steps = (await ask(ReadingHistoryDocument, variables)).building!.history!;
        for (const { start, count, average, minimum, maximum } of steps) {
          if (count === 0) continue;
          const hour = start.slice(0, 16).replace('T', ' ');
          const values = { average: average!, minimum: minimum!, maximum: maximum! };
          rows.push({ building_id: building, hour_of_utc: hour, readings: Number(count), ...values });
        }
      }
      return rows;
    },
    async excursions(asked) {
      const rows: AnswerRow[] = [];
      let page = await pageOfExcursions(asked, null);
      for (;;) {
        for (const { pointId, start, end, endedBy, peak, peakAt } of page.nodes) {
          const [first, last] = [Date.parse(start), Date.parse(end)];
          rows.push({
            ...{ point_id: pointId!, start_at: first, end_at: last, minutes: (last - first) / 60_000 },
            ...{ ended_by: endedBy, peak, peak_at: Date.parse(peakAt) },
          });
        }
        if (!page.hasNextPage) return rows;
        page = await pageOfExcursions(asked, page.endCursor!);
      }
    },
  };
}

function isoRange({ from, to }: Range): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
