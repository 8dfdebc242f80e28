import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTime, GraphQLJSONObject, GraphQLLong, GraphQLTimeZone } from 'graphql-scalars';
import { type CalendarDuration as Calendar, calendarDurationOf } from '../domain/calendar-duration';
import { durationOf, millisecondsOf } from '../domain/duration';

export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  description: 'An instant in UTC, as RFC 3339 writes it, to the millisecond: `2026-03-01T12:00:00.000Z`.',
  // The text at once, as writing the answer would ask each Date for it. Throws for an invalid one.
  serialize: (value) => (value instanceof Date ? value.toISOString() : GraphQLDateTime.serialize(value)),
});

export const Long = new GraphQLScalarType({
  ...GraphQLLong.toConfig(),
  description: 'A whole number of up to 53 bits, for counts and positions that outgrow a 32-bit Int.',
});

export const TimeZone = new GraphQLScalarType({
  ...GraphQLTimeZone.toConfig(),
  description: 'A time zone by its IANA name, such as `Europe/Berlin`.',
  specifiedByURL: 'https://www.iana.org/time-zones',
  // What is stored was checked on its way in; checking on the way out costs tens of microseconds a field.
  serialize: String,
});

/** Any object at all: who takes one bounds its depth and size and refuses keys such as `__proto__`. */
export const JSONObject = new GraphQLScalarType({
  ...GraphQLJSONObject.toConfig(),
  description: 'A JSON object (RFC 8259) of any content.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
});

/** Milliseconds in our hands. */
export const Duration = new GraphQLScalarType<number, string>({
  name: 'Duration',
  description:
    'A length of time as ISO 8601 writes it, in weeks, days, hours, minutes and seconds (to the millisecond): `PT30S`, `P1DT12H`.',
  serialize: (value) => durationOf(value as number),
  parseValue: parsedDuration,
  parseLiteral: (node) => parsedDuration(node.kind === Kind.STRING ? node.value : undefined),
});

function parsedDuration(value: unknown): number {
  const milliseconds = typeof value === 'string' ? millisecondsOf(value) : undefined;
  if (milliseconds !== undefined) return milliseconds;
  throw new GraphQLError('a Duration is an ISO 8601 text of weeks, days, hours, minutes and seconds: PT30S');
}

export const CalendarDuration = new GraphQLScalarType<Calendar, string>({
  name: 'CalendarDuration',
  description:
    'A length of time as ISO 8601 writes it, counted by a calendar: `P1D` is from midnight to midnight, 23 to 25 hours, `P1M` a month. Of one kind: years and months, weeks and days, or hours, minutes and seconds.',
  serialize: () => {
    throw new GraphQLError('a CalendarDuration is given, never answered');
  },
  parseValue: parsedCalendarDuration,
  parseLiteral: (node) => parsedCalendarDuration(node.kind === Kind.STRING ? node.value : undefined),
});

function parsedCalendarDuration(value: unknown): Calendar {
  const duration = typeof value === 'string' ? calendarDurationOf(value) : undefined;
  if (duration !== undefined) return duration;
  throw new GraphQLError('a CalendarDuration is an ISO 8601 text: P1D, P1M, PT1H');
}
