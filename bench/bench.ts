/** One benchmark: `npm run bench -- NAME`. It starts what it measures itself, on free ports, in a temporary folder. */
export interface Bench {
  name: string;
  /** One sentence for the list that `npm run bench` prints. */
  summary: string;
  /** Help for the options that this bench takes, one line each. */
  options?: string[];
  run(context: BenchContext): Promise<BenchReport>;
}

export interface BenchContext {
  /** The arguments after the bench's name, for `parseArgs`. */
  args: string[];
  /** Progress for the person who waits: goes to standard error and to the run's log. */
  progress(line: string): void;
}

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What others reach at the same task in the same run, where there is a peer to run. */
  peer?: { name: string; value: number };
  /** The mark to reach: at least or at most this much. */
  target?: { atLeast: number } | { atMost: number };
}

export interface BenchReport {
  figures: Figure[];
  /** What limits the figures, circumstances, things to know when reading the table. */
  notes?: string[];
}

export interface Target {
  name: string;
  value: number;
  target: number;
  unit: string;
  met: boolean;
}

/** The targets of a report, judged. */
export function targetsOf(report: BenchReport): Target[] {
  return report.figures.flatMap(({ name, value, unit, target }) => {
    if (!target) return [];
    const atLeast = 'atLeast' in target;
    const mark = atLeast ? target.atLeast : target.atMost;
    return [{ name, value, target: mark, unit, met: atLeast ? value >= mark : value <= mark }];
  });
}

/** The report as a table for people. */
export function tableOf(report: BenchReport): string {
  const rows = report.figures.map((figure) => [
    figure.name,
    `${rounded(figure.value)} ${figure.unit}`,
    figure.target === undefined
      ? ''
      : 'atLeast' in figure.target
        ? `>= ${rounded(figure.target.atLeast)}`
        : `<= ${rounded(figure.target.atMost)}`,
    figure.peer === undefined ? '' : `${rounded(figure.peer.value)} (${figure.peer.name})`,
  ]);
  const header = ['figure', 'value', 'target', 'peer'];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [
    line(header),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
    ...(report.notes ?? []).map((note) => `note: ${note}`),
  ].join('\n');
}

function rounded(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
