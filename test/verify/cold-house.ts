import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { inheritedVariables } from '../../src/config/environment';
import { FRAME_SCHEMA } from '../../src/stream/frame';
import { checkpointContainerName } from '../../src/stream/incarnation';
import { createStreamProducer } from '../../src/stream/producer';
import { type StreamEnd, streamEnd } from './stream-end';

/** The cold path alone, its workers as processes that can be killed, over Event Hubs and Blob that stay. */
export interface ColdHouse {
  folder: string;
  blobs: BlobServiceClient;
  /** Sends one event; resolves once it is acknowledged. */
  send(partition: number, body: Buffer): Promise<void>;
  end(): Promise<StreamEnd>;
  /** Starts a worker unless it runs. */
  startIngest(slot: string, flush: { rows: number; seconds: number }): void;
  startCurator(slot: string): void;
  running(): string[];
  /** kill -9. @returns false where it did not run. */
  kill(name: string): Promise<boolean>;
  /** SIGTERM, and waits for its end. */
  drain(name: string): Promise<void>;
  /** What the curators said was wrong. */
  complaints(): string[];
  /** Remembers the checkpoints of ingest as they are now. */
  rememberCheckpoints(): Promise<void>;
  /** Back to how one remembered state had them. @returns how many. */
  rollCheckpointsBack(random: () => number): Promise<number>;
  /** Another life of the hub: its log is gone, its name is the same. Nothing may be sent meanwhile. */
  recreateHub(): Promise<void>;
  stop(): Promise<void>;
}

export const PARTITIONS = 4;

export async function startColdHouse(options: {
  keepLandingMs: number;
  graceMs: number;
}): Promise<ColdHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-cold-crash-'));
  const blobEmulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const { connectionString: blob } = await blobEmulator.start();
  const blobs = BlobServiceClient.fromConnectionString(blob);
  const hubs = { telemetry: { partitions: PARTITIONS, consumerGroups: ['ingest'] } };
  const startHub = async (life: number, port: number) => {
    const emulator = createEventHubsEmulator({
      ...{ dataDir: join(folder, `hub-${life}`), port, hubs, fsync: false },
    });
    return { emulator, ...(await emulator.start()) };
  };
  let life = 0;
  let hub = await startHub(life, 0);
  const { connectionString, port } = hub;
  const startProducer = async () => {
    const made = createStreamProducer({ namespace: { connectionString }, hub: 'telemetry' });
    await made.start();
    return made;
  };
  let producer = await startProducer();
  const children = new Map<string, { child: ChildProcess; ended: Promise<void> }>();
  const complaints: string[] = [];
  let remembered: Map<string, Record<string, string>>[] = [];

  const start = (name: string, script: string, args: string[], env: Record<string, string>): void => {
    if (children.has(name)) return;
    const child = spawn(process.execPath, [script, ...args], {
      env: {
        ...inheritedVariables(),
        LOG_LEVEL: 'error',
        EVENT_HUBS_CONNECTION_STRING: connectionString,
        BLOB_CONNECTION_STRING: blob,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      complaints.push(...text.split('\n').flatMap((line) => (line === '' ? [] : [`${name}: ${line}`])));
    });
    const ended = new Promise<void>((onEnd) => {
      child.once('close', () => {
        children.delete(name);
        onEnd();
      });
    });
    children.set(name, { child, ended });
  };
  const end = async (name: string, signal: NodeJS.Signals): Promise<boolean> => {
    const running = children.get(name);
    if (running === undefined) return false;
    running.child.kill(signal);
    await running.ended;
    return true;
  };
  const checkpoints = async () => {
    const { incarnation } = await streamEnd(connectionString);
    const container = blobs.getContainerClient(checkpointContainerName('telemetry', incarnation));
    // No worker has been up in this life of the hub yet.
    return (await container.exists()) ? container : null;
  };

  return {
    folder,
    blobs,
    send: (partition, body) => producer.send(partition, FRAME_SCHEMA, [body]),
    end: () => streamEnd(connectionString),
    startIngest(slot, { rows, seconds }) {
      start(`ingest-${slot}`, scriptOf('src/main/ingest.js'), [], {
        WORKER_SLOT: slot,
        INGEST_HEALTH_PORT: '0',
        INGEST_FLUSH_ROWS: String(rows),
        INGEST_FLUSH_SECONDS: String(seconds),
      });
    },
    startCurator(slot) {
      const args = [String(options.keepLandingMs), String(options.graceMs)];
      start(`curator-${slot}`, scriptOf('test/verify/curator.process.js'), args, {});
    },
    running: () => [...children.keys()],
    kill: (name) => end(name, 'SIGKILL'),
    drain: async (name) => void (await end(name, 'SIGTERM')),
    complaints: () => complaints,
    async rememberCheckpoints() {
      const state = new Map<string, Record<string, string>>();
      const container = await checkpoints();
      if (container === null) return;
      for await (const { name, metadata } of container.listBlobsFlat({ includeMetadata: true })) {
        if (name.includes('/checkpoint/')) state.set(name, metadata ?? {});
      }
      remembered = [...remembered.slice(-30), state];
    },
    async rollCheckpointsBack(random) {
      const container = await checkpoints();
      if (container === null) return 0;
      const state = remembered[Math.floor(random() * remembered.length)] ?? new Map<string, never>();
      let rolled = 0;
      for await (const { name } of container.listBlobsFlat()) {
        if (!name.includes('/checkpoint/')) continue;
        const metadata = state.get(name);
        // Where there was none then, there is none now.
        if (metadata === undefined) await container.getBlobClient(name).deleteIfExists();
        else await container.getBlockBlobClient(name).upload('', 0, { metadata });
        rolled++;
      }
      return rolled;
    },
    async recreateHub() {
      remembered = [];
      await producer.stop();
      await hub.emulator.stop();
      hub = await startHub(++life, port);
      producer = await startProducer();
    },
    async stop() {
      for (const name of [...children.keys()]) await end(name, 'SIGKILL');
      await producer.stop();
      await hub.emulator.stop();
      await blobEmulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The compiled script, from a compiled file as well as from a source that jest runs. */
function scriptOf(path: string): string {
  const beside = resolve(__dirname, '../..', path);
  return existsSync(beside) ? beside : resolve(__dirname, '../../dist', path);
}
