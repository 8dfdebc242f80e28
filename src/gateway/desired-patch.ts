import { isDeepStrictEqual } from 'node:util';
import { type Properties } from '../domain/twin-properties';
import { isObject } from './decoders/json';

/** The merge patch (RFC 7396) that makes the one out of the other: what changed, and null for what went. */
export function patchBetween(before: Properties, after: Properties): Properties {
  const patch: Properties = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const former = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isDeepStrictEqual(former, value)) continue;
    patch[key] = isObject(former) && isObject(value) ? patchBetween(former, value) : value;
  }
  return patch;
}
