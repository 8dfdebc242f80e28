import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inheritedVariables } from '../../src/config/environment';
import { type PlatformEndpoints } from '../support/platform';

/** Another worker of the warm path, in a slot of its own, beside the platform's. */
export interface SecondWorker {
  pid: number;
  /** Partitions it owns now. */
  owned(): Promise<number>;
  kill(): Promise<void>;
}

const OWNS_WITHIN_MS = 60_000;

/** Resolves once it owns partitions. */
export async function startSecondWorker(
  endpoints: PlatformEndpoints,
  atLeast: number,
): Promise<SecondWorker> {
  const port = await freePort();
  const [, cosmosEndpoint, cosmosKey] = /AccountEndpoint=([^;]+);AccountKey=([^;]+)/.exec(endpoints.cosmos)!;
  const child: ChildProcess = spawn(process.execPath, [workerScript()], {
    env: {
      ...inheritedVariables(),
      LOG_LEVEL: 'warn',
      WORKER_SLOT: 'second',
      EVENT_HUBS_CONNECTION_STRING: endpoints.eventHubs,
      BLOB_CONNECTION_STRING: endpoints.blob,
      COSMOS_ENDPOINT: cosmosEndpoint,
      COSMOS_KEY: cosmosKey,
      AGGREGATE_HEALTH_PORT: String(port),
    },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((onEnd) => child.once('close', () => onEnd()));
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const worker: SecondWorker = {
    pid: child.pid!,
    async owned() {
      const text = await metricsOf(`http://127.0.0.1:${port}/metrics`);
      return text.match(/^atrium_aggregate_catching_up\{/gm)?.length ?? 0;
    },
    async kill() {
      if (alive()) child.kill('SIGKILL');
      await ended;
    },
  };
  const deadline = Date.now() + OWNS_WITHIN_MS;
  while ((await worker.owned()) < atLeast) {
    if (!alive() || Date.now() > deadline) {
      await worker.kill();
      throw new Error('the second worker took no partitions');
    }
    await delay(100);
  }
  return worker;
}

/** What a process says in Prometheus' text; empty while it does not answer. */
export async function metricsOf(url: string): Promise<string> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text();
  } catch {
    return '';
  }
}

/** The compiled worker, from a compiled file as well as from a source that jest runs. */
function workerScript(): string {
  const beside = resolve(__dirname, '../../src/main/aggregate.js');
  return existsSync(beside) ? beside : resolve(__dirname, '../../dist/src/main/aggregate.js');
}

function freePort(): Promise<number> {
  return new Promise((onPort, onError) => {
    const server = createServer();
    server.once('error', onError);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => onPort(port));
    });
  });
}
