import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperatorError } from '../../src/observability/operator-error';

/**
 * One process owns a data folder: two that append to the same log would destroy it. The lock is SQLite's, which the
 * system releases when its holder dies in whatever way; a file with a process id in it would not be.
 */
export function lockData(directory: string): { release(): void } {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new OperatorError(
      `the data folder ${directory} cannot be made (${(error as NodeJS.ErrnoException).code}): choose another with --data`,
    );
  }
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const busy = /locked/i.test((error as Error).message);
    throw new OperatorError(
      busy
        ? `the data folder ${directory} is in use by another event-hubs process: stop it or choose another folder`
        : `the data folder ${directory} cannot be locked (${(error as Error).message}): remove the file 'lock' in it`,
    );
  }
  return { release: () => database.close() };
}
