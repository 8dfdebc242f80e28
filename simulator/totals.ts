import { createLatencies, type Latencies } from './latency';

/** What a run has done so far. Readings unless it says messages. */
export interface Totals {
  /** Messages whose time had come and that were handed to the sender. */
  messages: number;
  /** Readings in those messages. */
  readings: number;
  /** Messages sent at least once. */
  sent: number;
  acknowledged: number;
  /** Refused for what they say (a value out of range, ...), by code: named by the gateway, never sent again. */
  refused: Map<string, number>;
  /** Not let in at all (401, 404, ...), by status and code: never sent again. */
  rejected: Map<string, number>;
  /** Attempts after the first, in messages. */
  retried: number;
  /** Why attempts had to be repeated, by status or network error, in messages. */
  retriedFor: Map<string, number>;
  /** Messages whose first attempt left more than a second after its time. */
  late: number;
  /** When the first message left and when the last one was acknowledged, milliseconds since 1970; 0 for not yet. */
  firstSentAt: number;
  lastAcknowledgedAt: number;
  /** From the first attempt to the acknowledgement, in milliseconds. */
  latency: Latencies;
}

export function createTotals(): Totals {
  return {
    messages: 0,
    readings: 0,
    sent: 0,
    acknowledged: 0,
    refused: new Map(),
    rejected: new Map(),
    retried: 0,
    retriedFor: new Map(),
    late: 0,
    firstSentAt: 0,
    lastAcknowledgedAt: 0,
    latency: createLatencies(),
  };
}

export function increment(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

export function sumOf(counts: Map<string, number>): number {
  let sum = 0;
  for (const each of counts.values()) sum += each;
  return sum;
}

/** Readings that were neither acknowledged nor refused for what they say: what a run must not leave behind. */
export function unacknowledged(totals: Totals): number {
  return totals.readings - totals.acknowledged - sumOf(totals.refused);
}

/** The totals as plain data, for `--summary`. */
export function summaryOf(totals: Totals): Record<string, unknown> {
  return {
    messages: totals.messages,
    readings: totals.readings,
    sent: totals.sent,
    acknowledged: totals.acknowledged,
    refused: Object.fromEntries(totals.refused),
    rejected: Object.fromEntries(totals.rejected),
    retried: totals.retried,
    retriedFor: Object.fromEntries(totals.retriedFor),
    late: totals.late,
    seconds: Math.max(0, totals.lastAcknowledgedAt - totals.firstSentAt) / 1000,
    unacknowledged: unacknowledged(totals),
    acknowledgementMilliseconds: {
      p50: totals.latency.percentile(0.5),
      p99: totals.latency.percentile(0.99),
    },
  };
}

/** The totals as lines for people. */
export function linesOfTotals(totals: Totals): string[] {
  const number = (value: number): string => value.toLocaleString('en-US');
  const milliseconds = (share: number): string => {
    const value = totals.latency.percentile(share);
    return value === null ? '-' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  };
  const byKey = (counts: Map<string, number>): string =>
    counts.size === 0 ? '' : ` (${[...counts].map(([key, value]) => `${key} ${number(value)}`).join(', ')})`;
  return [
    `messages sent: ${number(totals.sent)} of ${number(totals.messages)}, ${number(totals.late)} more than a second late`,
    `readings acknowledged: ${number(totals.acknowledged)} of ${number(totals.readings)}`,
    `readings refused: ${number(sumOf(totals.refused))}${byKey(totals.refused)}`,
    ...(totals.rejected.size > 0
      ? [`readings not let in: ${number(sumOf(totals.rejected))}${byKey(totals.rejected)}`]
      : []),
    `messages retried: ${number(totals.retried)}${byKey(totals.retriedFor)}`,
    `acknowledgement: p50 ${milliseconds(0.5)}, p99 ${milliseconds(0.99)}`,
    `readings not acknowledged: ${number(unacknowledged(totals))}`,
  ];
}
