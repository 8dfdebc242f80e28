import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { INGEST_NODE_OPTIONS } from '../src/main/local/plans';
import { FRAME_SCHEMA } from '../src/stream/frame';
import { createStreamProducer } from '../src/stream/producer';
import { freePort } from './blob-service';
import { startEventHubs } from '../test/verify/event-hubs-process';
import { madeUpFrames } from './cold.readings';
import { cpuSeconds } from './process-stats';

const PARTITIONS = 8;
const BATCH_BYTES = 900_000;
const POLL_MS = 250;

/** What the `ingest` process itself took, as the kernel counts it. */
export interface WorkerMeasured {
  rows: number;
  files: number;
  cpuSeconds: number;
  seconds: number;
  /** The most that was ever resident, from its start to its end. */
  peakBytes: number;
}

/**
 * The `ingest` process as it is deployed, alone with a backlog in all eight partitions: what it reads it reads as fast as
 * it can. Event Hubs' and Blob's stand-ins, and who made the backlog, are other processes.
 */
export async function measureWorker(options: {
  folder: string;
  blobConnection: string;
  tenants: number;
  devices: number;
  rounds: number;
  frameRows: number;
  progress: (line: string) => void;
}): Promise<WorkerMeasured> {
  const { folder, rounds, devices, tenants, frameRows, progress } = options;
  const config = join(folder, 'hubs.json');
  const hub = { Name: 'telemetry', PartitionCount: PARTITIONS, ConsumerGroups: [{ Name: 'ingest' }] };
  const namespace = { Type: 'EventHub', Name: 'bench', Entities: [hub] };
  writeFileSync(config, JSON.stringify({ UserConfig: { NamespaceConfig: [namespace] } }));
  const eventHubs = await startEventHubs({
    data: join(folder, 'event-hubs'),
    args: ['--config', config],
  });
  try {
    const producer = createStreamProducer({
      namespace: { connectionString: eventHubs.connectionString },
      hub: 'telemetry',
    });
    await producer.start();
    const buildings = Math.ceil(devices / 25 / PARTITIONS);
    let rows = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      let bodies: Buffer[] = [];
      let bytes = 0;
      const send = async (): Promise<void> => {
        await producer.send(
          partition,
          FRAME_SCHEMA,
          bodies,
          bodies.map(() => ({ 'atrium-refused': 0 })),
        );
        bodies = [];
        bytes = 0;
      };
      const firstBuilding = partition * buildings;
      const start = Date.now() - rounds * 60_000;
      const made = { tenants, buildings, firstBuilding, devices: 25, rounds, rows: frameRows, start };
      for (const { body } of madeUpFrames(made)) {
        if (bytes + (body as Buffer).length > BATCH_BYTES) await send();
        bodies.push(body as Buffer);
        bytes += (body as Buffer).length;
      }
      if (bodies.length > 0) await send();
      rows += buildings * 25 * 5 * rounds;
      progress(`${rows} readings in the stream`);
    }
    await producer.stop();
    return await readBacklog(eventHubs.connectionString, options.blobConnection, rows, progress);
  } finally {
    await eventHubs.kill('SIGTERM');
  }
}

async function readBacklog(
  eventHubs: string,
  blob: string,
  rows: number,
  progress: (line: string) => void,
): Promise<WorkerMeasured> {
  const port = await freePort();
  const child = spawn(process.execPath, [resolve(__dirname, '../src/main/ingest.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...{ EVENT_HUBS_CONNECTION_STRING: eventHubs, BLOB_CONNECTION_STRING: blob, COLD_CONTAINER: 'worker' },
      ...{ INGEST_HEALTH_PORT: String(port), INGEST_FLUSH_SECONDS: '5', LOG_LEVEL: 'warn' },
      NODE_OPTIONS: INGEST_NODE_OPTIONS,
    },
  });
  let ended = false;
  const gone = new Promise<void>((done) => child.once('exit', () => done((ended = true) && undefined)));
  try {
    let begun: { cpu: number; at: number } | undefined;
    for (let landed = 0; ;) {
      if (ended) throw new Error('the ingest process ended');
      const text = await metricsOf(port);
      landed = Number(/^atrium_ingest_rows_landed_total\S* (\S+)/m.exec(text)?.[1] ?? 0);
      const files = Number(/^atrium_ingest_files_landed_total\S* (\S+)/m.exec(text)?.[1] ?? 0);
      if (landed > 0) begun ??= { cpu: cpuSeconds(child.pid!), at: performance.now() };
      progress(`${landed} of ${rows} readings landed by the ingest process`);
      if (landed >= rows) {
        return {
          ...{ rows, files, peakBytes: peakBytes(child.pid!) },
          cpuSeconds: cpuSeconds(child.pid!),
          seconds: (performance.now() - begun!.at) / 1_000,
        };
      }
      await delay(POLL_MS);
    }
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}

async function metricsOf(port: number): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  } catch {
    return '';
  }
}

/** The kernel's own high-water mark of resident memory. */
function peakBytes(pid: number): number {
  return 1_024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
