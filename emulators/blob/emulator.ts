import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listenError, OperatorError } from '../../src/observability/operator-error';

export interface BlobEmulator {
  /** Resolves once requests are answered. Port 0 binds a free one. */
  start(): Promise<{ connectionString: string }>;
  /** Everything that was acknowledged is on disk once this resolves. */
  stop(): Promise<void>;
}

// The account that every Azure Storage emulator knows: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const ACCOUNT = 'devstoreaccount1';
const ACCOUNT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Of the stand-in that answers at this endpoint, e.g. `http://127.0.0.1:10000/devstoreaccount1`. */
export function blobConnectionString(endpoint: string): string {
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${endpoint};`;
}

const METADATA_FILE = '__azurite_db_blob__.json';
const EXTENT_METADATA_FILE = '__azurite_db_blob_extent__.json';
const EXTENTS_FOLDER = '__blobstorage__';
const KEEP_ALIVE_SECONDS = 5;
const WRITERS = 50;

/**
 * Azure Blob Storage on one machine: Azurite's own server in this process, silent and without its telemetry.
 *
 * A clean stop keeps everything; a kill -9 loses up to the last five seconds, because Azurite writes its index on a
 * timer. Proofs that crash processes crash the workers, not this.
 */
export function createBlobEmulator(options: { host: string; port: number; dataDir: string }): BlobEmulator {
  const { host, port, dataDir } = options;
  let server: { close(): Promise<void> } | undefined;
  return {
    async start() {
      // Azurite opens its files, with timers that write to them, before it binds: ask first whether the port is free.
      await claimPort(host, port);
      await mkdir(dataDir, { recursive: true });
      await assertReadable(dataDir, METADATA_FILE);
      await assertReadable(dataDir, EXTENT_METADATA_FILE);
      const { default: BlobServer } = await import('azurite/dist/src/blob/BlobServer');
      const { default: BlobConfiguration } = await import('azurite/dist/src/blob/BlobConfiguration');
      const { AzuriteTelemetryClient } = await import('azurite/dist/src/common/Telemetry');
      AzuriteTelemetryClient.init(dataDir, false, undefined);
      const azurite = new BlobServer(
        new BlobConfiguration(
          host,
          port,
          KEEP_ALIVE_SECONDS,
          join(dataDir, METADATA_FILE),
          join(dataDir, EXTENT_METADATA_FILE),
          [{ locationId: 'Default', locationPath: join(dataDir, EXTENTS_FOLDER), maxConcurrency: WRITERS }],
          false,
          undefined,
          false,
          undefined,
          false,
          // The SDK speaks a newer version of the protocol than Azurite lists; what is used here it answers alike.
          true,
        ),
      );
      await azurite.start();
      server = azurite;
      const endpoint = `${azurite.getHttpServerAddress()}/${ACCOUNT}`;
      return {
        connectionString: blobConnectionString(endpoint),
      };
    },
    async stop() {
      const running = server;
      server = undefined;
      await running?.close();
    },
  };
}

async function claimPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(listenError(error, 'Azurite', host, port)));
    probe.listen(port, host, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

/** A damaged index would be replaced by an empty one, and with it every blob: refuse to start instead. */
async function assertReadable(dataDir: string, file: string): Promise<void> {
  const path = join(dataDir, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new OperatorError(
      `Azurite cannot read ${path} (${(error as NodeJS.ErrnoException).code}): mend its permissions or name another folder with --data`,
    );
  }
  try {
    JSON.parse(text);
  } catch {
    throw new OperatorError(
      `Azurite's index ${path} is damaged: restore it, or remove the folder ${dataDir} to begin with no blobs`,
    );
  }
}
