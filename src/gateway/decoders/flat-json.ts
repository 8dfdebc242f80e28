import { parseInstant } from '../instant';
import { type DeviceMessage, PayloadError, type PayloadDecoder, type ReadingSink } from './decoder';
import { isObject, kindOf, parseJson } from './json';

/** The one key that is no channel. */
const TIME = 'observedAt';
const SHOWN_TIME_CHARACTERS = 64;

/**
 * Flat JSON: `{"temperature": 21.5, "humidity": 40, "observedAt": "2026-03-01T12:00:00Z"}` or an array of such objects.
 * Each key but `observedAt` is a channel of the device's model, its value in the channel's unit; `observedAt` is RFC
 * 3339 and may be left out.
 */
export const flatJson: PayloadDecoder = {
  contentType: 'application/json',
  linear: true,
  decode(message: DeviceMessage, sink: ReadingSink) {
    const payload = parseJson(message.body);
    if (!Array.isArray(payload)) return decodeRecord(payload, 0, sink);
    if (payload.length === 0) throw new PayloadError('the array holds no reading');
    for (let index = 0; index < payload.length; index++) decodeRecord(payload[index], index, sink);
  },
  excerpt: (record, channel) =>
    isObject(record) && channel !== ''
      ? { [channel]: record[channel], ...(TIME in record ? { [TIME]: shownTime(record[TIME]) } : {}) }
      : record,
};

/** One time for all channels of its object: shown with each of them, it must not be what the sender makes long. */
function shownTime(time: unknown): unknown {
  if (typeof time === 'string') return time.slice(0, SHOWN_TIME_CHARACTERS);
  return typeof time === 'object' ? kindOf(time) : time;
}

function decodeRecord(record: unknown, index: number, sink: ReadingSink): void {
  if (!isObject(record)) {
    const expected = 'expected an object such as {"temperature": 21.5}';
    sink.refuse(index, '', 'PAYLOAD_INVALID', `${expected}, found ${kindOf(record)}`, record);
    return;
  }
  const time = record[TIME];
  const observedAt = typeof time === 'string' ? parseInstant(time) : NaN;
  let readings = 0;
  for (const channel in record) {
    if (channel === TIME) continue;
    readings++;
    if (time === undefined) sink.undated(index, channel, record[channel], undefined, 0, record);
    else sink.dated(index, channel, record[channel], undefined, observedAt, record);
  }
  if (readings === 0) sink.refuse(index, '', 'PAYLOAD_INVALID', 'the object holds no reading', record);
}
