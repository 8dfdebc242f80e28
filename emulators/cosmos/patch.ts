import { type Document } from './document-body';
import { refusal, type Reply } from './reply';
import { compileCondition } from './query/condition';

/** A partial document update (https://learn.microsoft.com/azure/cosmos-db/partial-document-update). */
export interface PatchRequest {
  operations: PatchOperation[];
  /** `from c where ...`: the patch is refused with 412 where it does not hold. */
  condition?: (document: unknown) => boolean;
}

interface PatchOperation {
  op: 'add' | 'set' | 'replace' | 'remove' | 'incr' | 'move';
  path: string[];
  from?: string[];
  value?: unknown;
}

const MOST_OPERATIONS = 10;
const OPERATIONS = new Set(['add', 'set', 'replace', 'remove', 'incr', 'move']);
const UNCHANGEABLE = new Set(['id', '_rid', '_self', '_etag', '_attachments', '_ts']);

/** Reads a patch from a request's body: the array of operations, or `{condition, operations}`. */
export function readPatch(body: unknown): PatchRequest | Reply {
  const list = Array.isArray(body) ? body : (body as { operations?: unknown } | null)?.operations;
  if (!Array.isArray(list) || list.length === 0) {
    return refusal(400, 'The patch request is invalid: it has no operations.');
  }
  if (list.length > MOST_OPERATIONS) {
    return refusal(400, `The patch request has ${list.length} operations and may have ${MOST_OPERATIONS}.`);
  }
  const operations: PatchOperation[] = [];
  for (const each of list as { op?: unknown; path?: unknown; from?: unknown; value?: unknown }[]) {
    const op = String(each?.op).toLowerCase();
    if (!OPERATIONS.has(op)) return refusal(400, `The patch operation '${String(each?.op)}' is not known.`);
    const path = pointer(each.path);
    if (!path) return refusal(400, `The patch path '${String(each.path)}' is invalid: it starts with /.`);
    if (UNCHANGEABLE.has(path[0]!)) return refusal(400, `A patch cannot change the property '${path[0]}'.`);
    const from = op === 'move' ? pointer(each.from) : undefined;
    if (op === 'move' && !from) return refusal(400, "The patch operation 'move' needs 'from'.");
    if (from && UNCHANGEABLE.has(from[0]!))
      return refusal(400, `A patch cannot change the property '${from[0]}'.`);
    if (op === 'incr' && typeof each.value !== 'number') {
      return refusal(400, "The patch operation 'incr' needs a number as its value.");
    }
    if ((op === 'add' || op === 'set' || op === 'replace') && each.value === undefined) {
      return refusal(400, `The patch operation '${op}' needs a value.`);
    }
    operations.push({ op: op as PatchOperation['op'], path, from, value: each.value });
  }
  const text = Array.isArray(body) ? undefined : (body as { condition?: unknown }).condition;
  if (text === undefined || text === null) return { operations };
  const condition = compileCondition(String(text));
  return 'status' in condition ? condition : { operations, condition: condition.holds };
}

/** The patched document (the one given, changed), or the refusal; operations apply in order, all or none. */
export function applyPatch(document: Document, request: PatchRequest): { document: Document } | Reply {
  if (request.condition && !request.condition(document)) {
    return refusal(412, 'Operation cannot be performed because the patch condition is not met.');
  }
  for (const operation of request.operations) {
    const problem = apply(document, operation);
    if (problem) return refusal(400, problem);
  }
  return { document };
}

function apply(document: Document, { op, path, from, value }: PatchOperation): string | undefined {
  const at = `/${path.join('/')}`;
  if (op === 'move') {
    const moved = locate(document, from!);
    if (!moved || read(moved) === undefined) return `The patch path '/${from!.join('/')}' does not exist.`;
    if (path.length > from!.length && from!.every((name, i) => name === path[i])) {
      return `The patch path '${at}' is inside the path that is moved.`;
    }
    const taken = read(moved);
    remove(moved);
    return put(document, path, taken, 'add');
  }
  if (op === 'add' || op === 'set') return put(document, path, value, op);
  const place = locate(document, path);
  const current = place && read(place);
  if (op === 'incr' && place && current === undefined) return put(document, path, value, 'add');
  if (!place || current === undefined) return `The patch path '${at}' does not exist.`;
  if (op === 'remove') remove(place);
  else if (op === 'replace') write(place, value);
  else if (typeof current === 'number') {
    const sum = current + (value as number);
    // JSON has no infinities.
    if (!Number.isFinite(sum))
      return `The increment takes the number at '${at}' beyond the range of a double.`;
    write(place, sum);
  } else return `The patch path '${at}' does not hold a number.`;
  return undefined;
}

type Place = { object: Document; name: string } | { array: unknown[]; index: number };

/** Where a path's last step stands, or `undefined` when a step before it is missing. */
function locate(document: Document, path: string[]): Place | undefined {
  let parent: unknown = document;
  for (const name of path.slice(0, -1)) {
    if (Array.isArray(parent)) parent = /^\d+$/.test(name) ? (parent[Number(name)] as unknown) : undefined;
    else if (isObject(parent)) parent = Object.hasOwn(parent, name) ? parent[name] : undefined;
    else return undefined;
  }
  const name = path.at(-1)!;
  if (Array.isArray(parent)) {
    if (name === '-') return { array: parent, index: parent.length };
    return /^\d+$/.test(name) ? { array: parent, index: Number(name) } : undefined;
  }
  return isObject(parent) ? { object: parent, name } : undefined;
}

function put(document: Document, path: string[], value: unknown, op: 'add' | 'set'): string | undefined {
  const place = locate(document, path);
  if (!place) return `The patch path '/${path.join('/')}' does not exist: only its last step may be new.`;
  if ('array' in place) {
    if (place.index > place.array.length) return `The index ${place.index} is beyond the end of the array.`;
    // `add` inserts into an array; `set` overwrites the element.
    if (op === 'add' || place.index === place.array.length) place.array.splice(place.index, 0, value);
    else place.array[place.index] = value;
  } else write(place, value);
  return undefined;
}

function read(place: Place): unknown {
  if ('array' in place) return place.array[place.index];
  return Object.hasOwn(place.object, place.name) ? place.object[place.name] : undefined;
}

function write(place: Place, value: unknown): void {
  if ('array' in place) place.array[place.index] = value;
  else {
    // Assigning would set the object's prototype where the name is '__proto__'.
    const own = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(place.object, place.name, own);
  }
}

function remove(place: Place): void {
  if ('array' in place) place.array.splice(place.index, 1);
  else delete place.object[place.name];
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pointer(path: unknown): string[] | undefined {
  if (typeof path !== 'string' || !/^\/./.test(path)) return undefined;
  return path
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
