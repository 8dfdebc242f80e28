import { deviceModelNamed } from '../../domain/device';
import { type NewDevice, type NewSpace, type Refusal } from '../registry';

export const MAXIMUM_DEVICES = 10_000;
export const MAXIMUM_SPACES = 2_000;
const MAXIMUM_NAME = 200;
const MAXIMUM_KEY = 200;
const MAXIMUM_REASON = 500;

const CONTROL = /[\u0000-\u001f\u007f]/;

/** What is wrong with the text, as the end of a sentence, or undefined. */
function textProblem(text: string, maximum: number): string | undefined {
  if (text.trim() === '') return 'must not be empty';
  if (text.length > maximum) return `has ${text.length} characters and may have ${maximum}`;
  return CONTROL.test(text) ? 'holds a control character' : undefined;
}

function check(path: string, value: string, maximum: number): Refusal | undefined {
  const problem = textProblem(value, maximum);
  return problem === undefined ? undefined : { code: 'INVALID_INPUT', message: `${path} ${problem}`, path };
}

export function keyProblem(idempotencyKey: string): Refusal | undefined {
  return check('idempotencyKey', idempotencyKey, MAXIMUM_KEY);
}

export function reasonProblem(reason: string): Refusal | undefined {
  return check('reason', reason, MAXIMUM_REASON);
}

/** What somebody writes beside a change. */
export function noteProblem(note: string): Refusal | undefined {
  return check('note', note, MAXIMUM_REASON);
}

/** Also what the text of an argument may be that is a name of something: a device, a serial number. */
export function nameProblem(path: string, value: string): Refusal | undefined {
  return check(path, value, MAXIMUM_NAME);
}

export function buildingProblem(input: {
  name: string;
  timeZone: string;
  spaces: readonly NewSpace[];
}): Refusal | undefined {
  const { name, timeZone, spaces } = input;
  const problem = check('name', name, MAXIMUM_NAME);
  if (problem) return problem;
  if (!isTimeZone(timeZone)) {
    const message = `timeZone '${timeZone.slice(0, 60)}' is not an IANA time zone such as Europe/Berlin`;
    return { code: 'INVALID_INPUT', message, path: 'timeZone' };
  }
  if (spaces.length > MAXIMUM_SPACES) {
    const message = `spaces has ${spaces.length} entries and may have ${MAXIMUM_SPACES}`;
    return { code: 'LIMIT_EXCEEDED', message, path: 'spaces' };
  }
  for (const [i, space] of spaces.entries()) {
    const wrong = check(`spaces.${i}.name`, space.name, MAXIMUM_NAME);
    if (wrong) return wrong;
    // Only what stands before it: so there are no circles.
    if (space.parent !== null && !(Number.isInteger(space.parent) && space.parent >= 0 && space.parent < i)) {
      const message = `spaces.${i}.parent is ${space.parent} and must be the index of an earlier space`;
      return { code: 'INVALID_INPUT', message, path: `spaces.${i}.parent` };
    }
  }
  return undefined;
}

export function devicesProblem(devices: readonly NewDevice[]): Refusal | undefined {
  if (devices.length === 0) {
    return { code: 'INVALID_INPUT', message: 'devices must not be empty', path: 'devices' };
  }
  if (devices.length > MAXIMUM_DEVICES) {
    const message = `devices has ${devices.length} entries and may have ${MAXIMUM_DEVICES}`;
    return { code: 'LIMIT_EXCEEDED', message, path: 'devices' };
  }
  const serials = new Map<string, number>();
  for (const [i, { name, model, serialNumber }] of devices.entries()) {
    const wrong = check(`devices.${i}.name`, name, MAXIMUM_NAME);
    if (wrong) return wrong;
    const known = deviceModelNamed(model);
    if (!known) {
      const message = `devices.${i}.model '${model.slice(0, 60)}' is not a known device model`;
      return { code: 'INVALID_INPUT', message, path: `devices.${i}.model` };
    }
    if (serialNumber === null) continue;
    const path = `devices.${i}.serialNumber`;
    const mistaken = check(path, serialNumber, MAXIMUM_NAME);
    if (mistaken) return mistaken;
    // Serial numbers are unique per manufacturer.
    const serial = `${known.manufacturer}\n${serialNumber}`;
    const earlier = serials.get(serial);
    if (earlier !== undefined) {
      return { code: 'INVALID_INPUT', message: `${path} is that of devices.${earlier} as well`, path };
    }
    serials.set(serial, i);
  }
  return undefined;
}

function isTimeZone(name: string): boolean {
  // Offsets such as +01:00 are accepted by Intl and are no zones: they know no summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
