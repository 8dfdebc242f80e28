import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo } from 'node:net';

/**
 * - `pass`: as if it were not there.
 * - `fail`: answered 503, as a service in trouble does, without reaching it.
 * - `lose-answer`: reaches the service, and the answer is cut off: the caller cannot know.
 */
export type Fate = 'pass' | 'fail' | 'lose-answer';

export interface BlobProxy {
  /** The same account, through the proxy. */
  connectionString: string;
  /** Decides about each request from now on. */
  decide(fate: (request: IncomingMessage) => Fate): void;
  stop(): Promise<void>;
}

/** Stands between a client and the blob emulator and does what networks and services in trouble do. */
export async function startBlobProxy(connectionString: string): Promise<BlobProxy> {
  const endpoint = new URL(/BlobEndpoint=([^;]+)/.exec(connectionString)![1]!);
  let fateOf: (request: IncomingMessage) => Fate = () => 'pass';
  const server = createServer((incoming, outgoing) => {
    const fate = fateOf(incoming);
    if (fate === 'fail') {
      incoming.resume();
      outgoing.writeHead(503, { 'x-ms-error-code': 'ServerBusy', connection: 'close' }).end();
      return;
    }
    const { method, url, headers } = incoming;
    const forwarded = request(
      { host: endpoint.hostname, port: endpoint.port, method, path: url, headers },
      (answer) => {
        if (fate === 'lose-answer') {
          answer.resume();
          answer.once('end', () => outgoing.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.once('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connectionString: connectionString.replace(endpoint.host, `127.0.0.1:${port}`),
    decide(fate) {
      fateOf = fate;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
