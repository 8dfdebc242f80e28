import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../src/observability/operator-error';

/** What `DATA_DIR/endpoints.json` holds. */
export interface PlatformEndpoints {
  api: string;
  subscriptions: string;
  identity: string;
  gateway: string;
  gatewayHttps: string | null;
  mqtt: string;
  mqtts: string | null;
  amqps: string | null;
  /** Connection strings. */
  eventHubs: string;
  cosmos: string;
  blob: string;
  metrics: Record<string, string>;
  processes: Record<string, number>;
}

export interface Kill {
  name: string;
  pid: number;
  at: Date;
}

/** The whole of Atrium as separate processes under its supervisor. */
export interface Platform {
  /** As they are now: process ids change when something was killed. */
  endpoints(): PlatformEndpoints;
  endpointsFile: string;
  dataDir: string;
  /** From the start of the supervisor to the last process being ready; 0 where the platform ran already. */
  startMilliseconds: number;
  /** Process ids by name, of those alive now, with the supervisor's own as `supervisor` where it was started here. */
  processes(): Record<string, number>;
  /** kill -9. Waits for the process to be there first, where it is just being started again. */
  kill(name: string): Promise<Kill>;
  /** Drains and ends everything that was started here, and removes its data. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 60_000;
const RESTART_TIMEOUT_MS = 60_000;
const LAST_WORDS = 8_000;

const FREE_PORTS = {
  API_PORT: '0',
  IDENTITY_PORT: '0',
  GATEWAY_PORT: '0',
  GATEWAY_HTTPS_PORT: '0',
  MQTT_PORT: '0',
  MQTTS_PORT: '0',
  AMQPS_PORT: '0',
  EVENT_HUBS_PORT: '0',
  COSMOS_PORT: '0',
  BLOB_PORT: '0',
  GATEWAY_HEALTH_PORT: '0',
  INGEST_HEALTH_PORT: '0',
  AGGREGATE_HEALTH_PORT: '0',
  EVENT_HUBS_HEALTH_PORT: '0',
  COSMOS_HEALTH_PORT: '0',
  JOBS_HEALTH_PORT: '0',
};

/** The compiled supervisor, from a compiled file as well as from a source that jest runs. */
function supervisorScript(): string {
  const beside = resolve(__dirname, '../../src/main/local.js');
  return existsSync(beside) ? beside : resolve(__dirname, '../../dist/src/main/local.js');
}

/**
 * Starts a platform of its own on free ports. The data folder is a temporary one, removed at the end, unless one is
 * given.
 * @throws OperatorError with the supervisor's last words when it does not come up.
 */
export async function startPlatform(
  options: { env?: Record<string, string>; dataDir?: string } = {},
): Promise<Platform> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'atrium-platform-'));
  const file = join(dataDir, 'endpoints.json');
  const startedAt = Date.now();
  const child = spawn(process.execPath, [supervisorScript()], {
    env: { ...process.env, ...FREE_PORTS, DEMO: 'off', ...options.env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let words = '';
  const listen = (chunk: Buffer): void => {
    words = (words + chunk.toString()).slice(-LAST_WORDS);
  };
  child.stdout!.on('data', listen);
  child.stderr!.on('data', listen);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;

  const stop = async (): Promise<void> => {
    if (alive()) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(late);
    }
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };

  while (!existsSync(file)) {
    if (!alive() || Date.now() - startedAt > START_TIMEOUT_MS) {
      const lastWords = words.trim();
      await stop();
      throw new OperatorError(`the platform did not start: ${lastWords || 'it said nothing'}`);
    }
    await delay(25);
  }
  const startMilliseconds = Date.now() - startedAt;
  const running = attached(file);
  return {
    ...running,
    startMilliseconds,
    processes: () => ({ supervisor: child.pid!, ...running.processes() }),
    stop,
  };
}

/** A platform that runs already, by its `endpoints.json`; `stop` leaves it running. */
export function attachPlatform(endpointsFile: string): Platform {
  if (!existsSync(endpointsFile)) {
    throw new OperatorError(
      `no platform runs over ${endpointsFile}: start one by 'npm start', or leave --attach out`,
    );
  }
  return attached(endpointsFile);
}

function attached(endpointsFile: string): Platform {
  const endpoints = (): PlatformEndpoints =>
    JSON.parse(readFileSync(endpointsFile, 'utf8')) as PlatformEndpoints;
  return {
    endpoints,
    endpointsFile,
    dataDir: dirname(endpointsFile),
    startMilliseconds: 0,
    processes: () => endpoints().processes,
    async kill(name) {
      const deadline = Date.now() + RESTART_TIMEOUT_MS;
      for (;;) {
        const pid = endpoints().processes[name];
        if (pid !== undefined && killed(pid)) return { name, pid, at: new Date() };
        if (Date.now() >= deadline) throw new Error(`${name} does not run, so that it cannot be killed`);
        await delay(50);
      }
    },
    stop: () => Promise.resolve(),
  };
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
