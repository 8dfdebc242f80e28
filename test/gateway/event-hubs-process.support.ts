import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HUB } from './gateway.support';

/** The Event Hubs stand-in as a process of its own on a fixed port, so that it can be killed and come back. */
export interface EventHubsProcess {
  connectionString: string;
  start(): Promise<void>;
  /** As a power cut. */
  kill(): Promise<void>;
  /** It hears and says nothing, while its connections stand. */
  pause(): void;
  resume(): void;
  /** Stops it and throws its hubs away: when it starts again they are others. */
  destroyHubs(): Promise<void>;
  remove(): Promise<void>;
}

export async function createEventHubsProcess(options: {
  partitions: () => number;
}): Promise<EventHubsProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-gateway-hubs-'));
  const port = await freePort();
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const config = join(folder, 'hubs.json');
    const hub = { Name: HUB, PartitionCount: options.partitions(), ConsumerGroups: [] };
    const namespace = { Type: 'EventHub', Name: 'local', Entities: [hub] };
    writeFileSync(config, JSON.stringify({ UserConfig: { NamespaceConfig: [namespace] } }));
    const started = spawn(
      process.execPath,
      [
        join(repositoryRoot(), 'dist/emulators/main.js'),
        'event-hubs',
        ...['--data', join(folder, 'data'), '--config', config],
        ...['--port', String(port), '--health-port', '0'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child = started;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        if (text.includes('"msg":"ready"')) resolve();
      };
      started.stdout.on('data', read);
      started.stderr.on('data', read);
      started.once('exit', (code) =>
        reject(new Error(`the Event Hubs stand-in exited with ${code}: ${text}`)),
      );
    });
  };

  const end = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', () => resolve());
      child.kill(signal);
    });

  return {
    connectionString: `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true`,
    start,
    kill: () => end('SIGKILL'),
    pause: () => void child!.kill('SIGSTOP'),
    resume: () => void child!.kill('SIGCONT'),
    async destroyHubs() {
      await end('SIGKILL');
      rmSync(join(folder, 'data'), { recursive: true, force: true });
    },
    async remove() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The same from `dist/` and from the sources. */
function repositoryRoot(): string {
  const root = join(__dirname, '../..');
  return root.endsWith('dist') ? join(root, '..') : root;
}
