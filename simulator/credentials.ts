import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../src/observability/operator-error';

/** What the simulator remembers of a building it made: above all the connection strings, which are shown once. */
export interface BuildingRecord {
  tenantId: string;
  name: string;
  buildingId: string;
  /** Space ids by room. */
  spaces: Record<string, string>;
  /** By the device's name. */
  devices: Record<string, { deviceId: string; connectionString: string; model: string; room: string }>;
}

export interface CredentialStore {
  /** Null for a building that the simulator does not know. */
  load(tenantId: string, name: string): BuildingRecord | null;
  save(record: BuildingRecord): void;
}

/** Keeps one file a building, readable by its owner alone, in `folder`. */
export function createCredentialStore(folder: string): CredentialStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (tenantId: string, name: string): string => {
    const hash = createHash('sha256').update(`${tenantId}\n${name}`).digest('hex').slice(0, 12);
    const slug = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 40);
    return join(folder, `${slug}-${hash}.json`);
  };
  return {
    load(tenantId, name) {
      const file = fileOf(tenantId, name);
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      try {
        return JSON.parse(text) as BuildingRecord;
      } catch {
        throw new OperatorError(
          `${file} is damaged: remove it, and the simulator provisions the devices of ${name} anew`,
        );
      }
    },
    save(record) {
      const file = fileOf(record.tenantId, record.name);
      // Renamed into place, so that a crash leaves the old file or the new one, whole.
      writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
      chmodSync(`${file}.new`, 0o600);
      renameSync(`${file}.new`, file);
    },
  };
}
