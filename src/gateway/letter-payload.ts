import { type Letter } from '../domain/reading';

/** RFC 8428 section 4.5.1. */
const SENML_NAME = /^[A-Za-z0-9][-A-Za-z0-9:./_]*$/;
/**
 * Longer ones name nothing that there is. In a SenML pack they stand once and count for each of its records, all of
 * which would have to be written.
 */
const MAXIMUM_CHANNEL_CHARACTERS = 512;
const MAXIMUM_UNIT_CHARACTERS = 128;
/** The one key of flat JSON that is no channel. */
const FLAT_TIME = 'observedAt';

/** What a transport knows of where a message came from. */
export interface MessageSource {
  protocol: string;
  /** The device whose connection brought it, where it is another than the one it is of. */
  relayedBy?: string;
}

/** One refused reading as its decoder handed it over. */
export interface RefusedValue {
  channel: string;
  value: unknown;
  unit: string | undefined;
  /** Milliseconds since 1970. */
  observedAt: number;
  /** From receipt, in milliseconds, where the gateway stamped the time; otherwise null. */
  offset: number | null;
}

/**
 * The refused reading as a message of its own, which no base value, device clock or time of receipt changes any more:
 * a SenML record, or flat JSON where SenML does not allow the channel's name. Undefined where neither can say it (no
 * readable time, a value that is no number, text or boolean), and where channel or unit are too long to be any.
 */
export function payloadOf(refused: RefusedValue): Pick<Letter, 'contentType' | 'payload'> | undefined {
  const { channel, value, unit, observedAt, offset } = refused;
  const sayable = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  if (!sayable || channel === '' || !Number.isSafeInteger(observedAt)) return undefined;
  if (channel.length > MAXIMUM_CHANNEL_CHARACTERS || (unit?.length ?? 0) > MAXIMUM_UNIT_CHARACTERS) {
    return undefined;
  }
  if (SENML_NAME.test(channel)) {
    const label = typeof value === 'string' ? 'vs' : typeof value === 'boolean' ? 'vb' : 'v';
    const time = offset === null ? { t: observedAt / 1000 } : offset === 0 ? {} : { t: offset / 1000 };
    const record = { n: channel, ...(unit === undefined ? {} : { u: unit }), ...time, [label]: value };
    return { contentType: 'application/senml+json', payload: Buffer.from(JSON.stringify([record])) };
  }
  const date = new Date(observedAt);
  // Flat JSON names no unit, counts from no receipt and has one name that is taken.
  if (unit !== undefined || (offset ?? 0) !== 0 || channel === FLAT_TIME || Number.isNaN(date.getTime())) {
    return undefined;
  }
  const record = { [channel]: value, ...(offset === null ? { [FLAT_TIME]: date.toISOString() } : {}) };
  return { contentType: 'application/json', payload: Buffer.from(JSON.stringify(record)) };
}
