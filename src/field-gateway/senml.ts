/** One value of a child, in the channel's unit. */
export interface MeasuredValue {
  channel: string;
  unit: string;
  value: number;
}

/**
 * A SenML pack (RFC 8428) of a child's values of one instant. Its base name says whose they are; its time is absolute,
 * so that sending it again changes nothing.
 * @param observedAt milliseconds since 1970.
 */
export function senmlOf(childId: string, observedAt: number, values: readonly MeasuredValue[]): string {
  return JSON.stringify(
    values.map(({ channel, unit, value }, index) => ({
      ...(index === 0 ? { bn: `${childId}/`, bt: observedAt / 1000 } : {}),
      n: channel,
      u: unit,
      v: value,
    })),
  );
}
