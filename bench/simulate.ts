import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The totals that the simulator leaves by `--summary`. */
export interface SimulatorSummary {
  messages: number;
  readings: number;
  acknowledged: number;
  refused: Record<string, number>;
  rejected: Record<string, number>;
  retried: number;
  late: number;
  /** From the first message to the last acknowledgement. */
  seconds: number;
  unacknowledged: number;
  acknowledgementMilliseconds: { p50: number | null; p99: number | null };
}

/** The simulator as a process of its own, as anybody would run it, so that its cost is its own. */
export interface Simulation {
  pid: number;
  /** Its totals. Rejects with its last words when it fails before it has any. */
  done: Promise<SimulatorSummary>;
}

const LAST_WORDS = 2_000;

export function simulate(args: readonly string[], say: (line: string) => void): Simulation {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-simulation-'));
  const summary = join(folder, 'summary.json');
  const script = resolve(__dirname, '../simulator/main.js');
  const child = spawn(process.execPath, [script, ...args, '--summary', summary], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  let line = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (line + chunk.toString()).split('\n');
    line = lines.pop()!;
    for (const each of lines) say(`  ${each}`);
  });
  child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-LAST_WORDS)));
  const done = new Promise<SimulatorSummary>((resolveDone, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        resolveDone(JSON.parse(readFileSync(summary, 'utf8')) as SimulatorSummary);
      } catch {
        reject(new Error(`the simulator ended with code ${code}: ${words.trim()}`));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
  return { pid: child.pid!, done };
}
