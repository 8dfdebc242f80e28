/** One proof: `npm run verify -- NAME`. It starts what it needs itself and ends with its counts. */
export interface Verification {
  name: string;
  /** One sentence for the list that `npm run verify` prints. */
  summary: string;
  options?: string[];
  run(context: VerificationContext): Promise<Outcome>;
}

export interface VerificationContext {
  /** The arguments after the verification's name, for `parseArgs`. */
  args: string[];
  /** Progress: goes to standard error and to a log that survives an interrupted run. */
  progress(line: string): void;
}

/** Figures side by side. */
export interface Table {
  columns: readonly string[];
  rows: (string | number)[][];
}

export interface Outcome {
  /** Printed before the counts. */
  tables?: Table[];
  /** What was counted, in the order it is printed. */
  counts: Record<string, number>;
  /** Every difference found, in words. Empty means proved. */
  differences: string[];
}
