import { type Session } from './engine';
import { type ReadingsRelation } from './readings-source';
import { runsOf } from './steps';

/** What the readings of one step amount to. */
export interface HistoryStep {
  /** Milliseconds since 1970, [start, end). */
  start: number;
  end: number;
  /** Distinct readings; where there are none, the others are null. */
  count: number;
  average: number | null;
  minimum: number | null;
  maximum: number | null;
}

/** @param edges of `stepsOf`; the relation must hold readings of [first, last) alone. */
export async function historyOf(
  session: Session,
  relation: ReadingsRelation,
  edges: readonly number[],
): Promise<HistoryStep[]> {
  const rows = await session.rows<{
    step: number;
    count: number;
    average: number;
    minimum: number;
    maximum: number;
  }>(
    `SELECT step, count(*)::DOUBLE AS count, avg(value) AS average, min(value) AS minimum, max(value) AS maximum
    FROM (SELECT ${stepNumber(edges)} AS step, value FROM (SELECT epoch_ms(observed_at) AS t, value FROM (${relation.sql})))
    GROUP BY step`,
    relation.values,
  );
  const found = new Map(rows.map((row) => [row.step, row]));
  return edges.slice(0, -1).map((start, step) => {
    const { count = 0, average = null, minimum = null, maximum = null } = found.get(step) ?? {};
    return { start, end: edges[step + 1]!, count, average, minimum, maximum };
  });
}

/** The number of the step that the instant `t` falls in: a search among few runs of equal length, then a division. */
function stepNumber(edges: readonly number[]): string {
  const runs = runsOf(edges);
  const search = (low: number, high: number): string => {
    if (low === high) {
      const { index, start, width } = runs[low]!;
      return `(${index} + (t - ${start}) // ${width})`;
    }
    const middle = Math.floor((low + high) / 2);
    return `CASE WHEN t < ${runs[middle]!.end} THEN ${search(low, middle)} ELSE ${search(middle + 1, high)} END`;
  };
  return `(${search(0, runs.length - 1)})::INTEGER`;
}
