import { type MessageReading } from './sender';

/** The flat JSON of one message: the channels of a device model by name, beside the instant they were observed. */
export function flatBody(observedAt: number, readings: readonly MessageReading[]): string {
  let body = `{"observedAt":"${new Date(observedAt).toISOString()}"`;
  for (const { channel, value } of readings) body += `,"${channel}":${value}`;
  return `${body}}`;
}
