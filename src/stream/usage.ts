import { FrameError, SCHEMA_PROPERTY } from './frame';

/**
 * What one replica of the API charged to clients and tenants since it last said so, on the averages stream, which every
 * replica reads whole anyway. A replica of the release before passes it by.
 */
export const USAGE_SCHEMA = 'usage/1';

export interface Usage {
  /** Of the replica, new with each start. */
  replica: string;
  /** Cost by bucket. */
  charged: Readonly<Record<string, number>>;
}

export function encodeUsage(usage: Usage): Buffer {
  return Buffer.from(JSON.stringify(usage));
}

/** @throws FrameError when the schema is another or the body is damaged; never anything else. */
export function decodeUsage(body: unknown, properties: Record<string, unknown> | undefined): Usage {
  const schema = properties?.[SCHEMA_PROPERTY];
  if (schema !== USAGE_SCHEMA) {
    throw new FrameError(`unknown schema ${JSON.stringify(schema ?? null)}, expected ${USAGE_SCHEMA}`);
  }
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let usage: Usage | null;
  try {
    usage = JSON.parse(body.toString('utf8')) as Usage | null;
  } catch (error) {
    throw new FrameError(`damaged usage of ${body.length} bytes: ${(error as Error).message}`);
  }
  const charged = usage?.charged;
  if (typeof usage?.replica !== 'string' || charged === null || typeof charged !== 'object') {
    throw new FrameError(`no usage in a body of ${body.length} bytes`);
  }
  return usage;
}
