import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface EventHubsProcess {
  pid: number;
  connectionString: string;
  healthUrl: string;
  /** The process's CPU so far, user and system, in ms. Linux only. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ code: number | null; signal: string | null }>;
  /** Lines that it logged, as objects. */
  log: Record<string, unknown>[];
}

const READY_WITHIN = 20_000;

/** Starts the built stand-in as a process of its own on free ports; resolves when it is ready. */
export async function startEventHubs(options: { data: string; args?: string[] }): Promise<EventHubsProcess> {
  const script = resolve('dist/emulators/main.js');
  if (!existsSync(script)) throw new Error(`${script} is missing: run npm run build first`);
  const child = spawn(
    process.execPath,
    [
      script,
      'event-hubs',
      '--port',
      '0',
      '--health-port',
      '0',
      '--data',
      options.data,
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const log: Record<string, unknown>[] = [];
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const gone = new Promise<{ code: number | null; signal: string | null }>((done) =>
    child.once('exit', (code, signal) => done({ code, signal })),
  );
  const ready = await new Promise<Record<string, unknown>>((done, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`event-hubs was not ready in time: ${complaints}`)),
      READY_WITHIN,
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry.msg !== 'ready') return;
      clearTimeout(timer);
      done(entry);
    });
    void gone.then(({ code }) => {
      clearTimeout(timer);
      fail(new Error(`event-hubs ended with ${code} before it was ready: ${complaints}`));
    });
  });
  return {
    pid: (child as ChildProcess & { pid: number }).pid,
    connectionString: `Endpoint=sb://127.0.0.1:${Number(ready.port)};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true`,
    healthUrl: `http://127.0.0.1:${Number(ready.healthPort)}`,
    log,
    kill(signal) {
      child.kill(signal);
      return gone;
    },
  };
}
