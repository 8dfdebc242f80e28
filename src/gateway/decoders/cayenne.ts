import { type QuantityName } from '../../domain/quantity';
import {
  type DeviceChannel,
  type DeviceMessage,
  PayloadError,
  type PayloadDecoder,
  type ReadingSink,
} from './decoder';

/**
 * One Cayenne LPP data type: https://docs.mydevices.com/docs/lorawan/cayenne-lpp (IPSO object id less 3200); those from
 * 116 on that the page does not have are of the widely used extension.
 */
interface LppType {
  name: string;
  bytes: number;
  /** Left out where it measures nothing that a point can hold. */
  measures?: { quantities: readonly QuantityName[]; unit: string; read(body: Buffer, at: number): number };
}

const kind = (name: string, bytes: number): LppType => ({ name, bytes });
const measure = (
  name: string,
  bytes: number,
  quantities: readonly QuantityName[],
  unit: string,
  read: (body: Buffer, at: number) => number,
): LppType => ({ name, bytes, measures: { quantities, unit, read } });

const byte = (body: Buffer, at: number): number => body.readUInt8(at);
const word = (body: Buffer, at: number): number => body.readUInt16BE(at);
// Divided and not multiplied: 272 / 10 is the number that 27.2 is, 272 * 0.1 is not.
const tenths = (body: Buffer, at: number): number => body.readInt16BE(at) / 10;
const halves = (body: Buffer, at: number): number => body.readUInt8(at) / 2;

const TYPES = new Map<number, LppType>([
  // A contact: what it means is what the model's state channel means.
  [0, measure('digital-input', 1, ['SMOKE', 'INTRUSION'], '1', byte)],
  [1, kind('digital-output', 1)],
  [2, kind('analog-input', 2)],
  [3, kind('analog-output', 2)],
  [100, kind('generic', 4)],
  [101, measure('illuminance', 2, ['ILLUMINANCE'], 'lx', word)],
  [102, measure('presence', 1, ['OCCUPANCY'], '1', byte)],
  [103, measure('temperature', 2, ['AIR_TEMPERATURE'], 'Cel', tenths)],
  [104, measure('humidity', 1, ['RELATIVE_HUMIDITY'], '%', halves)],
  [113, kind('accelerometer', 6)],
  [115, kind('barometer', 2)],
  [116, kind('voltage', 2)],
  [117, kind('current', 2)],
  [118, kind('frequency', 4)],
  [120, measure('percentage', 1, ['BATTERY_LEVEL'], '%', byte)],
  [121, kind('altitude', 2)],
  [125, measure('concentration', 2, ['CO2_LEVEL'], '[ppm]', word)],
  [128, kind('power', 2)],
  [130, kind('distance', 4)],
  [131, kind('energy', 4)],
  [132, kind('direction', 2)],
  [133, kind('unix-time', 4)],
  [134, kind('gyrometer', 6)],
  [135, kind('colour', 3)],
  [136, kind('gps', 9)],
  [142, kind('switch', 1)],
]);

/** One value as its dead letter shows it. */
interface LppRecord {
  lppChannel: number;
  type: string;
  bytes: string;
}

/**
 * Cayenne LPP: `channel type value` over and over, without times. A value goes to the device's channel of its type's
 * quantity: to the one that the model numbers like the LPP channel (`temperature-3`), else to the only one there is.
 * It is never counted through by place in the frame: LPP lets a device send some of its sensors in one frame and others
 * in the next. A type of unknown length ends all knowledge of what follows and refuses the message.
 */
const decode = (message: DeviceMessage, sink: ReadingSink): void => {
  const { body, channels } = message;
  if (body.length === 0) throw new PayloadError('the body is empty');
  const taken = new Set<string>();
  const fitting = new Map<LppType, readonly string[]>();
  for (let at = 0, index = 0; at < body.length; index++) {
    if (at + 2 > body.length) throw new PayloadError('it ends within a value', { index, offset: at });
    const lppChannel = body[at]!;
    const code = body[at + 1]!;
    const type = TYPES.get(code);
    if (type === undefined)
      throw new PayloadError(`${code} is no LPP type that is known`, { index, offset: at });
    const start = at + 2;
    at = start + type.bytes;
    if (at > body.length) throw new PayloadError('it ends within a value', { index, offset: start });
    const record = (): LppRecord => ({
      lppChannel,
      type: type.name,
      bytes: body.toString('hex', start, start + type.bytes),
    });
    const channel = channelFor(type, lppChannel, fittingIn(fitting, type, channels), taken);
    const { measures } = type;
    if (channel === undefined || measures === undefined) {
      const reason = `the device has no channel for ${type.name} of LPP channel ${lppChannel}`;
      sink.refuse(index, `${type.name}-${lppChannel}`, 'UNKNOWN_CHANNEL', reason, record());
      continue;
    }
    taken.add(channel);
    sink.undated(index, channel, measures.read(body, start), measures.unit, 0, record());
  }
};

/** The channels of the type's quantities, looked for once a message. */
function fittingIn(
  known: Map<LppType, readonly string[]>,
  type: LppType,
  channels: readonly DeviceChannel[],
): readonly string[] {
  let names = known.get(type);
  if (names === undefined) {
    const quantities = type.measures?.quantities ?? [];
    const fitting = channels.filter(({ quantity }) => quantities.includes(quantity));
    names = [...new Set(fitting.map(({ channel }) => channel))];
    known.set(type, names);
  }
  return names;
}

function channelFor(
  { measures }: LppType,
  lppChannel: number,
  fitting: readonly string[],
  taken: ReadonlySet<string>,
): string | undefined {
  if (measures === undefined) return undefined;
  const numbered = fitting.find((name) => name.endsWith(`-${lppChannel}`));
  if (numbered !== undefined) return numbered;
  const [only] = fitting;
  // A second value of one message for the only channel is another sensor's.
  return fitting.length === 1 && !taken.has(only!) ? only : undefined;
}

const excerpt = (record: unknown): unknown => record;

export const cayenneLpp: PayloadDecoder = {
  contentType: 'application/vnd.cayenne-lpp',
  linear: true,
  decode,
  excerpt,
};
/** The name that LoRaWAN servers gave it before it had one. */
export const cayenneLppUnregistered: PayloadDecoder = {
  contentType: 'application/x-cayenne-lpp',
  linear: true,
  decode,
  excerpt,
};
