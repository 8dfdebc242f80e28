import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { blobConnectionString } from '../emulators/blob';

/** The Blob stand-in as a process of its own, so that its CPU and memory are not the bench's. */
export async function startBlob(
  folder: string,
): Promise<{ connectionString: string; pid: number; stop(): Promise<void> }> {
  const script = resolve(__dirname, '../emulators/main.js');
  const child: ChildProcess = spawn(process.execPath, [script, 'blob', '--port', '0', '--data', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const endpoint = await new Promise<string>((found, fail) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = JSON.parse(line) as { msg?: string; endpoint?: string };
      if (said.msg === 'ready' && said.endpoint !== undefined) found(said.endpoint);
    });
    void ended.then(() => fail(new Error('the Blob stand-in ended before it was ready')));
  });
  return {
    connectionString: blobConnectionString(endpoint),
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A port that was free a moment ago, for a process that must be told one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
