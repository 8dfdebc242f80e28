import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../observability/operator-error';

/** One process of the house: how it is started, and how one knows that it can do its work. */
export interface ProcessPlan {
  name: string;
  /** Path of the compiled script, and its arguments. */
  script: string;
  args?: string[];
  env: Record<string, string | undefined>;
  /** Answers 200 when the process can do its work. */
  readyUrl?: string;
  /** Any answer at all will do, from a service that has no readiness of its own. */
  readyByAnswer?: boolean;
  /** Restarted when it ends by itself. */
  restart?: boolean;
}

export interface Supervisor {
  /** Starts a process and resolves once it is ready. Throws an OperatorError with its own words when it cannot start. */
  start(plan: ProcessPlan): Promise<void>;
  /** Process ids by name, of those alive now. */
  processes(): Record<string, number>;
  /** SIGTERM in the order of the names given, then SIGKILL past the deadline. */
  stop(names: readonly (readonly string[])[]): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 12_000;
const LAST_WORDS = 4_000;

/** Starts the processes of the house, sends their logs to files, and starts again what dies. */
export function createSupervisor(options: {
  logs: string;
  /** Told of every death and every return, for the console and for endpoints.json. */
  onChange(event: { name: string; what: 'started' | 'ended'; detail: string }): void;
}): Supervisor {
  mkdirSync(options.logs, { recursive: true });
  const children = new Map<string, ChildProcess>();
  let stopping = false;

  const launch = (plan: ProcessPlan, onExit: (detail: string, lastWords: string) => void): void => {
    const log = createWriteStream(join(options.logs, `${plan.name}.log`), { flags: 'a' });
    const child = fork(plan.script, plan.args ?? [], {
      env: plan.env as NodeJS.ProcessEnv,
      execPath: process.execPath,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which drains in order.
      detached: true,
    });
    children.set(plan.name, child);
    let lastWords = '';
    child.stdout!.pipe(log, { end: false });
    child.stderr!.on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString()).slice(-LAST_WORDS);
      log.write(chunk);
    });
    child.once('error', (error) => onExit(error.message, lastWords));
    child.once('close', (code, signal) => {
      log.end();
      if (children.get(plan.name) === child) children.delete(plan.name);
      onExit(signal === null ? `exit code ${code}` : `signal ${signal}`, lastWords.trim());
    });
    options.onChange({ name: plan.name, what: 'started', detail: `pid ${child.pid}` });
  };

  const untilReady = async (plan: ProcessPlan, failed: () => OperatorError | undefined): Promise<void> => {
    if (plan.readyUrl === undefined) return;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    let lastAnswer = 'no answer';
    while (Date.now() < deadline) {
      const failure = failed();
      if (failure !== undefined) throw failure;
      try {
        const response = await fetch(plan.readyUrl, { signal: AbortSignal.timeout(2_000) });
        const body = await response.text();
        if (response.ok || plan.readyByAnswer) return;
        lastAnswer = body;
      } catch {
        // Not listening yet.
      }
      await delay(50);
    }
    throw new OperatorError(
      `${plan.name} was not ready after ${READY_TIMEOUT_MS / 1000} s (${lastAnswer}): see ${join(options.logs, `${plan.name}.log`)}`,
    );
  };

  const keepRunning = (plan: ProcessPlan, failures: number): void => {
    if (stopping) return;
    const startedAt = Date.now();
    launch(plan, (detail) => {
      if (stopping) return;
      options.onChange({ name: plan.name, what: 'ended', detail });
      if (plan.restart === false) return;
      // Back off only while it keeps dying young.
      const next = Date.now() - startedAt > 10_000 ? 0 : failures + 1;
      void delay(Math.min(100 * 2 ** next, 5_000)).then(() => keepRunning(plan, next));
    });
  };

  return {
    async start(plan) {
      let failure: OperatorError | undefined;
      let ready = false;
      launch(plan, (detail, lastWords) => {
        if (stopping) return;
        if (ready) {
          options.onChange({ name: plan.name, what: 'ended', detail });
          if (plan.restart !== false) void delay(100).then(() => keepRunning(plan, 0));
          return;
        }
        // The child's own sentence says what to do; only the last line counts, the rest is in its log.
        const words = lastWords.split('\n').at(-1) ?? '';
        failure = new OperatorError(
          words === '' ? `${plan.name} ended while starting (${detail}): see ${options.logs}` : words,
        );
      });
      await untilReady(plan, () => failure);
      if (failure !== undefined) throw failure;
      ready = true;
    },
    processes() {
      return Object.fromEntries([...children].flatMap(([name, { pid }]) => (pid ? [[name, pid]] : [])));
    },
    async stop(order) {
      stopping = true;
      const stopOne = async (name: string): Promise<void> => {
        const child = children.get(name);
        if (child === undefined || child.exitCode !== null) return;
        const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
        await ended;
        clearTimeout(late);
      };
      for (const together of order) await Promise.all(together.map(stopOne));
      await Promise.all([...children.keys()].map(stopOne));
    },
  };
}
