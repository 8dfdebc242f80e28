import { type DeviceMessage, PayloadError, type ReadingSink } from './decoder';
import { isObject, kindOf } from './json';

/** RFC 8428 section 4.4: a pack of a greater version must not be used. */
const VERSION = 10;
/** RFC 8428 section 4.5.3: from 2**28 seconds on a time is absolute, below it counts from now. */
const ABSOLUTE_SECONDS = 2 ** 28;
/** RFC 8428 section 4.5.1. */
const NAME = /^[A-Za-z0-9][-A-Za-z0-9:./_]*$/;
/**
 * Of a name, base name and name together: a device's id and a channel, and some. The base name stands in the pack once and
 * counts for every record: without a bound, ten thousand records would each be searched for all of a long one.
 */
const MAXIMUM_NAME_CHARACTERS = 256;
/** A name that begins with a device's id (`newId('dev')`) and a separator. */
const OF_A_DEVICE = /^(dev_[-A-Za-z0-9_]{1,64})[/:.](.*)$/s;

const KNOWN = new Set([
  'bn', 'bt', 'bu', 'bv', 'bs', 'bver', 'n', 'u', 'v', 'vs', 'vb', 'vd', 's', 't', 'ut',
]); // prettier-ignore

interface Base {
  name: string;
  time: number;
  unit: string | undefined;
  value: number;
  version: number;
}

/**
 * What a SenML pack says, whatever it was written in (RFC 8428 section 4); labels are those of JSON. A record's name,
 * base name and name together, is the channel; the device's own id may stand before it (`{"bn": "dev_x/", "n":
 * "temperature"}`), or that of another device, which the sink then hears. Faults of the pack (its form, its version, a
 * base field, a label that must be understood) refuse the whole of it, as the RFC demands; faults of a record refuse
 * that record.
 */
export function decodeSenmlPack(pack: unknown, message: DeviceMessage, sink: ReadingSink): void {
  if (!Array.isArray(pack)) throw new PayloadError(`a SenML pack is an array, found ${kindOf(pack)}`);
  if (pack.length === 0) throw new PayloadError('the SenML pack holds no record');
  const base: Base = { name: '', time: 0, unit: undefined, value: 0, version: VERSION };
  for (let index = 0; index < pack.length; index++) {
    const record: unknown = pack[index];
    if (!isObject(record)) {
      throw new PayloadError(`a SenML record is an object, found ${kindOf(record)}`, { index });
    }
    takeBase(base, record, index);
    decodeRecord(base, record, index, message.deviceId, sink);
  }
}

function takeBase(base: Base, record: Record<string, unknown>, index: number): void {
  for (const label in record) {
    // Section 4.4: labels that are not understood are ignored, unless they end with "_".
    if (label.charCodeAt(label.length - 1) === 95 && !KNOWN.has(label)) {
      throw new PayloadError(
        `the label '${label.slice(0, 64)}' must be understood and is not (section 4.4)`,
        {
          index,
        },
      );
    }
    if (label.charCodeAt(0) !== 98) continue;
    const value = record[label];
    switch (label) {
      case 'bn':
        base.name = asText(value, label, index);
        break;
      case 'bu':
        base.unit = asText(value, label, index);
        break;
      case 'bt':
        base.time = asNumber(value, label, index);
        break;
      case 'bv':
        base.value = asNumber(value, label, index);
        break;
      case 'bver':
        takeVersion(base, value, index);
        break;
    }
  }
}

function takeVersion(base: Base, value: unknown, index: number): void {
  if (!Number.isInteger(value) || (value as number) < 1) {
    throw new PayloadError("'bver' is a positive integer", { index });
  }
  if ((value as number) > VERSION) {
    throw new PayloadError(`SenML version ${String(value)} is newer than ${VERSION}`, { index });
  }
  // Section 4.4: all records of a pack have one version; a pack that starts without one has version 10.
  if (index > 0 && value !== base.version) {
    throw new PayloadError('the records of a pack must have one version', { index });
  }
  base.version = value as number;
}

function decodeRecord(
  base: Base,
  record: Record<string, unknown>,
  index: number,
  deviceId: string,
  sink: ReadingSink,
): void {
  const { n, u, t } = record;
  if (n !== undefined && typeof n !== 'string') {
    return sink.refuse(index, '', 'PAYLOAD_INVALID', `'n' is a text, found ${kindOf(n)}`, record);
  }
  if (base.name.length + (n?.length ?? 0) > MAXIMUM_NAME_CHARACTERS) {
    const shown = (base.name || n!).slice(0, MAXIMUM_NAME_CHARACTERS);
    const reason = `a name may have ${MAXIMUM_NAME_CHARACTERS} characters, its base name counted`;
    return sink.refuse(index, shown, 'PAYLOAD_INVALID', reason, record);
  }
  const name = base.name === '' ? (n ?? '') : base.name + (n ?? '');
  if (!NAME.test(name)) {
    const reason = name === '' ? 'the record has no name' : 'the name has a character SenML does not allow';
    return sink.refuse(index, name, 'PAYLOAD_INVALID', `${reason} (section 4.5.1)`, record);
  }
  const { device, channel } = placeOf(name, deviceId);
  if (u !== undefined && typeof u !== 'string') {
    return sink.refuse(
      index,
      channel,
      'PAYLOAD_INVALID',
      `'u' is a text, found ${kindOf(u)}`,
      record,
      device,
    );
  }
  if (t !== undefined && typeof t !== 'number') {
    return sink.refuse(
      index,
      channel,
      'OBSERVED_AT_INVALID',
      `'t' is a number, found ${kindOf(t)}`,
      record,
      device,
    );
  }
  const value = valueOf(base, record, (code, reason) =>
    sink.refuse(index, channel, code, reason, record, device),
  );
  if (value === undefined) return;
  const seconds = base.time + (t ?? 0);
  const unit = u ?? base.unit;
  const milliseconds = Math.round(seconds * 1000);
  if (seconds >= ABSOLUTE_SECONDS) sink.dated(index, channel, value, unit, milliseconds, record, device);
  else sink.undated(index, channel, value, unit, milliseconds, record, device);
}

/** The record's value with its base value added; undefined where the record was refused. */
function valueOf(
  base: Base,
  record: Record<string, unknown>,
  refused: (code: 'PAYLOAD_INVALID' | 'VALUE_NOT_A_NUMBER', message: string) => void,
): number | boolean | undefined {
  const { v, vs, vb, vd } = record;
  const fields =
    Number(v !== undefined) + Number(vs !== undefined) + Number(vb !== undefined) + Number(vd !== undefined);
  const refuse = (...why: Parameters<typeof refused>): undefined => {
    refused(...why);
  };
  if (fields > 1) return refuse('PAYLOAD_INVALID', 'the record has more than one value (section 4.2)');
  if (fields === 0) {
    return record['s'] === undefined
      ? refuse('PAYLOAD_INVALID', 'the record has no value (section 4.2)')
      : refuse('VALUE_NOT_A_NUMBER', 'the record has a sum and no value: sums are not taken');
  }
  if (vb !== undefined) {
    return typeof vb === 'boolean' ? vb : refuse('PAYLOAD_INVALID', `'vb' is a boolean, found ${kindOf(vb)}`);
  }
  if (v === undefined) {
    return refuse('VALUE_NOT_A_NUMBER', 'texts and data are not taken: use v or vb');
  }
  return typeof v === 'number' ? v + base.value : refuse('VALUE_NOT_A_NUMBER', `'v' is ${kindOf(v)}`);
}

/** Whose channel the name is of: undefined for the sender's own. */
function placeOf(name: string, deviceId: string): { device: string | undefined; channel: string } {
  if (name.startsWith(deviceId)) {
    const next = name.charCodeAt(deviceId.length);
    // "/", ":" and "." part a name from what stands before it.
    const separator = next === 47 || next === 58 || next === 46 ? 1 : 0;
    return { device: undefined, channel: name.slice(deviceId.length + separator) };
  }
  const other = name.startsWith('dev_') ? OF_A_DEVICE.exec(name) : null;
  return other === null ? { device: undefined, channel: name } : { device: other[1], channel: other[2]! };
}

function asText(value: unknown, label: string, index: number): string {
  if (typeof value === 'string') return value;
  throw new PayloadError(`'${label}' is a text, found ${kindOf(value)}`, { index });
}

function asNumber(value: unknown, label: string, index: number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new PayloadError(`'${label}' is a finite number, found ${kindOf(value)}`, { index });
}
