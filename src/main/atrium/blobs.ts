import { type BlobServiceClient } from '@azure/storage-blob';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atriumSettings } from '../../config/environment';
import { OperatorError } from '../../observability/operator-error';
import { blobServiceOf } from '../connections';

/**
 * The storage account that the environment names; else that of the laptop's platform, which must be running.
 * @throws OperatorError where there is neither.
 */
export function openColdStore(): { blobs: BlobServiceClient; container: string } {
  const settings = atriumSettings();
  const container = settings.COLD_CONTAINER;
  if (settings.BLOB_CONNECTION_STRING !== undefined || settings.BLOB_ACCOUNT_URL !== undefined) {
    return { blobs: blobServiceOf(settings), container };
  }
  const file = join(settings.DATA_DIR, 'endpoints.json');
  if (!existsSync(file)) {
    throw new OperatorError(
      `no platform runs over ${settings.DATA_DIR}: start one by 'npm start', set DATA_DIR to its folder, or BLOB_CONNECTION_STRING or BLOB_ACCOUNT_URL to an account`,
    );
  }
  const { blob } = JSON.parse(readFileSync(file, 'utf8')) as { blob: string };
  return { blobs: blobServiceOf({ BLOB_CONNECTION_STRING: blob }), container };
}
