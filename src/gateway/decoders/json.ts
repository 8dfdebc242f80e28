import { isUtf8 } from 'node:buffer';
import { PayloadError } from './decoder';

/** @throws PayloadError that says where the text stops being JSON. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new PayloadError('the body is empty');
  if (!isUtf8(body)) throw new PayloadError('the body is not UTF-8');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new PayloadError(`the body is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, in JSON's own words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
