import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';

/** The Cosmos stand-in as a process of its own, on free ports. */
export interface CosmosProcess {
  endpoint: string;
  key: string;
  /** Of `/metrics` and `/faults`. */
  healthEndpoint: string;
  pid: number;
  /** Ends it at once, as a power cut would, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to stop and resolves with its exit code. */
  stop(): Promise<number | null>;
}

const START_MILLISECONDS = 20_000;

/** Starts the built stand-in (`dist/`); rejects with its last words when it does not come up. */
export async function startCosmosProcess(data: string, more: string[] = []): Promise<CosmosProcess> {
  const child = spawn(
    process.execPath,
    [
      join(repositoryRoot(), 'dist/emulators/main.js'),
      'cosmos',
      ...['--port', '0', '--health-port', '0', '--data', data],
      ...more,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const found = await listening(child, exited, () => errors);
  return {
    ...found,
    key: LOCAL_KEY,
    pid: child.pid!,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function listening(
  child: ChildProcess,
  exited: Promise<number | null>,
  errors: () => string,
): Promise<{ endpoint: string; healthEndpoint: string }> {
  return new Promise((resolve, reject) => {
    let endpoint: string | undefined;
    const fail = (why: string): void => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
      reject(new Error(`the Cosmos stand-in did not start: ${why} ${errors()}`));
    };
    const deadline = setTimeout(() => fail('it took too long.'), START_MILLISECONDS);
    void exited.then((code) => fail(`it exited with ${code}.`));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      let line: { msg?: string; endpoint?: string; port?: number };
      try {
        line = JSON.parse(text) as typeof line;
      } catch {
        return;
      }
      if (line.msg === 'listening') endpoint = line.endpoint;
      if (line.msg !== 'health' || endpoint === undefined) return;
      clearTimeout(deadline);
      resolve({ endpoint, healthEndpoint: `http://127.0.0.1:${line.port}/` });
    });
  });
}

/** The same from `dist/` and from the sources. */
function repositoryRoot(): string {
  const root = join(__dirname, '../..');
  return root.endsWith('dist') ? join(root, '..') : root;
}

export interface WireReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface WireRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** What the signature covers. */
  type: string;
  link: string;
  headers?: Record<string, string>;
  body?: string;
  key?: string;
}

/** A bare client of the protocol, for what the SDK does not send and for measuring the server rather than the SDK. */
export function createWire(
  endpoint: string,
  accountKey: string,
  connections = 16,
): {
  send(request: WireRequest): Promise<WireReply>;
  close(): void;
} {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(endpoint);
  return {
    send({ method, path, type, link, headers, body, key = accountKey }) {
      const date = new Date().toUTCString();
      const signature = createHmac('sha256', Buffer.from(key, 'base64'))
        .update(`${method.toLowerCase()}\n${type}\n${link}\n${date.toLowerCase()}\n\n`)
        .digest('base64');
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            agent,
            hostname,
            port,
            method,
            path,
            headers: {
              authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
              'x-ms-date': date,
              ...(body === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
              ...headers,
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: Buffer.concat(chunks).toString(),
              }),
            );
            response.on('error', reject);
          },
        );
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
