import fc from 'fast-check';
import { createEngine } from '../../src/aggregate/engine';
import { drive } from './drive';
import { randomStream, type StreamEvent } from './random-stream';

// Without shrinking, which takes minutes: the seed that is printed brings a failure back.
const RUNS = { numRuns: 80, endOnFailure: true };

jest.setTimeout(90_000);

describe('the engine over any stream', () => {
  it('tells at every tick exactly what the readings up to its position say, and records every minute so', () => {
    fc.assert(
      fc.property(randomStream, (events) => {
        expect(drive(createEngine, events, { live: true }).differences).toEqual([]);
      }),
      RUNS,
    );
  });

  it('records the same minutes when it catches up with the stream as its only clock', () => {
    fc.assert(
      fc.property(randomStream, (events) => {
        const caughtUp = drive(createEngine, events, { live: false });
        expect(caughtUp.differences).toEqual([]);
        const live = drive(createEngine, events, { live: true });
        expect([...caughtUp.record.keys()].sort()).toEqual([...live.record.keys()].sort());
      }),
      RUNS,
    );
  });

  it('computes only windows that it knows whole when it begins in the middle', () => {
    fc.assert(
      fc.property(randomStream, fc.nat(), (events, start) => {
        const from = start % events.length;
        const outcome = drive(createEngine, withoutRepeatsAcross(from, events), { live: true, from });
        expect(outcome.differences).toEqual([]);
      }),
      RUNS,
    );
  });
});

/**
 * An undated message that is repeated minutes later, its first arrival in an event from before a replay's beginning,
 * counts again: nothing in the event says that there was another.
 */
function withoutRepeatsAcross(from: number, events: StreamEvent[]): StreamEvent[] {
  return events.map((event) => ({
    ...event,
    rows: event.rows.map((row) =>
      row.undated?.messageId && event.sequence >= from
        ? { ...row, undated: { ...row.undated, messageId: `${row.undated.messageId} again` } }
        : row,
    ),
  }));
}
