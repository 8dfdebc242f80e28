import { type Assignment, type DeviceState } from '../domain/device';
import { type Readiness } from '../observability/health';

/** What the gateway must know of a device to let it in and to place its readings. */
export interface DirectoryDevice {
  deviceId: string;
  /** The owner now; each assignment names the owner of its time. */
  tenantId: string;
  state: DeviceState;
  /** The opened symmetric keys, primary first; empty once destroyed. */
  keys: readonly Buffer[];
  assignments: readonly Assignment[];
}

/**
 * Devices by id, whoever owns them, kept current by the registry's change feed: a retired device is gone within two
 * seconds, and a directory that is further behind reads through. Known devices cost no call; an unknown id costs one
 * point read and then, where it exists, one query for its whole building.
 */
export interface DeviceDirectory {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What is known and current without asking the store; undefined means `lookup` must be asked. */
  peek(deviceId: string): DirectoryDevice | null | undefined;
  /** Null for a device that does not exist. Throws when the store cannot be asked. */
  lookup(deviceId: string): Promise<DirectoryDevice | null>;
  readiness(): Readiness;
}
