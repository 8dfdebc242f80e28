import { writeFileSync } from 'node:fs';
import { runLoad, type Source } from './load';
import { createProgress } from './progress';
import { createSendLog, type SendLog } from './send-log';
import { createSender } from './sender';
import { createTotals, linesOfTotals, summaryOf, type Totals, unacknowledged } from './totals';

export interface RunOptions {
  gateway: string;
  connections: number;
  /** After the schedule's end, how long what is outstanding may still be repeated. */
  graceMs: number;
  /** Path of the send log. */
  log?: string;
  /** Path for the totals as JSON. */
  summary?: string;
  /** Called for every acknowledged message. */
  onAcknowledged?: () => void;
}

/** What a second Ctrl-C, or one that finds nothing to finish, leaves running for this long at most. */
const GRACE_AFTER_SIGNAL_MS = 3_000;

/**
 * Runs sources from the command line: progress while it goes, totals at its end or at Ctrl-C.
 * @returns the exit code: 1 when a reading was neither acknowledged nor refused for what it says.
 */
export async function runFromCommandLine(sources: readonly Source[], options: RunOptions): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const totals = createTotals();
  const log: SendLog | undefined = options.log === undefined ? undefined : createSendLog(options.log);
  const sender = createSender({
    origin: options.gateway,
    totals,
    connections: options.connections,
    ...(log === undefined ? {} : { log }),
    ...(options.onAcknowledged === undefined ? {} : { onAcknowledged: options.onAcknowledged }),
  });
  const total = sources.every((source) => source.total !== null)
    ? sources.reduce((sum, source) => sum + source.total!, 0)
    : null;
  const progress = createProgress({ totals, total, output: process.stdout, say });
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  progress.start();
  try {
    const running = runLoad({ sources, sender, graceMs: options.graceMs, signal: interruption.signal });
    const interrupted = new Promise<void>((resolve) => {
      interruption.signal.addEventListener('abort', () => {
        void sender.drained(Date.now() + GRACE_AFTER_SIGNAL_MS).then(() => resolve());
      });
    });
    await Promise.race([running, interrupted]);
  } finally {
    progress.stop();
    await sender.stop();
    log?.close();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  return report(totals, options.summary, say);
}

function report(totals: Totals, summary: string | undefined, say: (line: string) => void): number {
  for (const line of linesOfTotals(totals)) say(line);
  if (summary !== undefined) writeFileSync(summary, `${JSON.stringify(summaryOf(totals), null, 2)}\n`);
  return unacknowledged(totals) > 0 ? 1 : 0;
}
