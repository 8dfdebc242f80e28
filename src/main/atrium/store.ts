import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atriumSettings } from '../../config/environment';
import { OperatorError } from '../../observability/operator-error';
import { type Cosmos, createCosmos } from '../../store/cosmos';
import { createKeyring, type Keyring } from '../../store/keyring';
import { cosmosAccountOf } from '../connections';

/** The store that a command works on. The keyring is asked for only by what hands out or opens keys. */
export interface CommandStore {
  cosmos: Cosmos;
  /** Throws an OperatorError where no key was given. */
  keyring(): Keyring;
}

/**
 * The store that the environment names; without a COSMOS_ENDPOINT that of the laptop's platform, which must be running.
 * @throws OperatorError where there is neither.
 */
export function openStore(): CommandStore {
  const settings = atriumSettings();
  const { COSMOS_ENDPOINT, COSMOS_KEY, COSMOS_DATABASE, DEVICE_KEY_ENCRYPTION_KEY } = settings;
  const local = COSMOS_ENDPOINT === undefined ? localAccount(settings.DATA_DIR) : undefined;
  const account = local ?? cosmosAccountOf({ COSMOS_ENDPOINT: COSMOS_ENDPOINT!, COSMOS_KEY });
  return {
    cosmos: createCosmos(account, COSMOS_DATABASE),
    keyring() {
      const key = DEVICE_KEY_ENCRYPTION_KEY ?? local?.deviceKeyEncryptionKey;
      if (key === undefined) {
        throw new OperatorError('set DEVICE_KEY_ENCRYPTION_KEY: the key that seals the devices’ keys');
      }
      return createKeyring(key);
    },
  };
}

function localAccount(folder: string): { endpoint: string; key: string; deviceKeyEncryptionKey: Buffer } {
  const file = join(folder, 'endpoints.json');
  if (!existsSync(file)) {
    throw new OperatorError(
      `no platform runs over ${folder}: start one by 'npm start', set DATA_DIR to its folder, or COSMOS_ENDPOINT to an account`,
    );
  }
  const { cosmos } = JSON.parse(readFileSync(file, 'utf8')) as { cosmos: string };
  const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as {
    deviceKeyEncryptionKey: string;
  };
  const part = (name: string): string => new RegExp(`${name}=([^;]+)`).exec(cosmos)![1]!;
  return {
    endpoint: part('AccountEndpoint'),
    key: part('AccountKey'),
    deviceKeyEncryptionKey: Buffer.from(secrets.deviceKeyEncryptionKey, 'base64'),
  };
}
