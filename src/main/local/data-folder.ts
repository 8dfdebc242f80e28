import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../../observability/operator-error';

const secretsShape = z.object({
  deviceKeyEncryptionKey: z.string().min(1),
  cursorKey: z.string().min(1),
  eventHubsKey: z.string().min(1),
  cosmosKey: z.string().min(1),
});

export type LocalSecrets = z.infer<typeof secretsShape>;

export interface DataFolder {
  path: string;
  secrets: LocalSecrets;
  /** Replaces `endpoints.json` in one step, so that a reader never sees half of it. */
  writeEndpoints(endpoints: object): void;
  release(): void;
}

/**
 * Takes the data folder for this supervisor alone and reads the keys that were drawn when it was first used.
 * @throws OperatorError when another supervisor uses it, or it cannot be read or written.
 */
export function openDataFolder(path: string): DataFolder {
  try {
    // What lies below holds keys and tenants' readings: it is its owner's alone.
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new OperatorError(
      `the data folder ${path} cannot be made (${(error as Error).message}): set DATA_DIR to one that can`,
    );
  }
  const lock = join(path, 'supervisor.pid');
  const endpoints = join(path, 'endpoints.json');
  takeLock(path, lock);
  rmSync(endpoints, { force: true });
  return {
    path,
    secrets: secretsOf(path),
    writeEndpoints(content) {
      writeFileSync(`${endpoints}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
      renameSync(`${endpoints}.new`, endpoints);
    },
    release() {
      rmSync(endpoints, { force: true });
      rmSync(lock, { force: true });
    },
  };
}

function takeLock(path: string, lock: string): void {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new OperatorError(
          `the data folder ${path} cannot be written (${(error as Error).message}): set DATA_DIR to one that can`,
        );
      }
    }
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder !== process.pid && isAlive(holder)) {
      throw new OperatorError(
        `the data folder ${path} is in use by process ${holder}: stop it, or set DATA_DIR to another folder`,
      );
    }
    rmSync(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function secretsOf(path: string): LocalSecrets {
  const file = join(path, 'secrets.json');
  if (!existsSync(file)) {
    const draw = (): string => randomBytes(32).toString('base64');
    const secrets = {
      deviceKeyEncryptionKey: draw(),
      cursorKey: draw(),
      eventHubsKey: draw(),
      cosmosKey: draw(),
    };
    // Renamed into place, so that a kill at the first start leaves none rather than half of them.
    writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return secrets;
  }
  try {
    return secretsShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new OperatorError(
      `${file} is damaged: restore it (it holds the keys of this folder's devices), or start anew in another DATA_DIR`,
    );
  }
}
