/** What a device was told to be, or says it is: any JSON object within IoT Hub's limits. */
export type Properties = Record<string, unknown>;

/**
 * IoT Hub's limits of desired and of reported properties, each.
 * https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins (Device twin format, Device twin size)
 */
export const PROPERTY_LIMITS = {
  /** Of the whole as JSON in UTF-8. */
  bytes: 32 * 1024,
  /** Objects and arrays within objects and arrays, the outermost not counted. */
  depth: 10,
  keyBytes: 1024,
  textBytes: 4 * 1024,
} as const;

/** What is wrong and where: `path` as `sampling.interval`, empty for the whole. */
export interface PropertiesProblem {
  path: string;
  message: string;
}

/** Why these are not acceptable as properties or as a patch of some; undefined where they are. */
export function propertiesProblem(properties: unknown): PropertiesProblem | undefined {
  if (!isObject(properties)) return { path: '', message: 'must be a JSON object' };
  // The depth first: what is deeper than that is not even measured.
  return valueProblem(properties, '', 0) ?? sizeProblem(properties);
}

/** Why the whole is too large; undefined where it is not. */
export function sizeProblem(properties: Properties): PropertiesProblem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(properties));
  if (bytes <= PROPERTY_LIMITS.bytes) return undefined;
  return { path: '', message: `has ${bytes} bytes as JSON and may have ${PROPERTY_LIMITS.bytes}` };
}

/**
 * RFC 7396: objects are merged, null removes, anything else replaces. Neither argument is changed. Both must be without
 * `propertiesProblem`, which bounds the recursion.
 */
export function mergePatch(target: unknown, patch: Properties): Properties {
  const merged: Properties = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    // An own property only: a key such as `constructor` has a value in every object.
    else if (isObject(value)) merged[key] = mergePatch(Object.hasOwn(merged, key) ? merged[key] : {}, value);
    else merged[key] = plain(value);
  }
  return merged;
}

/** A copy whose objects are plain ones, whatever parser they come from: so that equal ones are found equal. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueProblem(value: unknown, path: string, depth: number): PropertiesProblem | undefined {
  const wrong = (message: string): PropertiesProblem => ({ path, message });
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : wrong('is not a finite number');
    case 'string':
      return Buffer.byteLength(value) <= PROPERTY_LIMITS.textBytes
        ? undefined
        : wrong(`is a text of more than ${PROPERTY_LIMITS.textBytes} bytes`);
    case 'object':
      break;
    default:
      return wrong('is not a JSON value');
  }
  if (value === null) return undefined;
  if (depth > PROPERTY_LIMITS.depth) return wrong(`is more than ${PROPERTY_LIMITS.depth} levels deep`);
  for (const [key, each] of Object.entries(value)) {
    const problem =
      (Array.isArray(value) ? undefined : keyProblem(key, path)) ??
      valueProblem(each, path === '' ? key : `${path}.${key}`, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function keyProblem(key: string, path: string): PropertiesProblem | undefined {
  const wrong = (why: string): PropertiesProblem => ({
    path,
    message: `has the key ${JSON.stringify(key.slice(0, 60))}, which ${why}`,
  });
  if (key === '') return wrong('is empty');
  if (Buffer.byteLength(key) > PROPERTY_LIMITS.keyBytes) {
    return wrong(`has more than ${PROPERTY_LIMITS.keyBytes} bytes`);
  }
  if (/[\u0000-\u001f\u007f-\u009f.$ ]/.test(key)) return wrong("holds a control character, '.', '$' or ' '");
  // Would be taken for the object's prototype wherever it is assigned.
  return key === '__proto__' ? wrong('is not allowed') : undefined;
}
