import fc from 'fast-check';
import { createEngine } from '../../src/aggregate/engine';
import { drive } from './drive';
import { randomStream } from './random-stream';

// Without shrinking, which takes minutes: the seed that is printed brings a failure back.
const RUNS = { numRuns: 30, endOnFailure: true };

describe('the engine over any stream', () => {
  it('tells at every tick exactly what the readings up to its position say, and records every minute so', () => {
    fc.assert(
      fc.property(randomStream, (events) => {
        expect(drive(createEngine, events, { live: true }).differences).toEqual([]);
      }),
      RUNS,
    );
  });

  it('tells spaces exactly, those that others lie in too, once it knows where they lie', () => {
    fc.assert(
      fc.property(randomStream, fc.nat(), (events, learnsAt) => {
        const outcome = drive(createEngine, events, { live: true, learnsAt: learnsAt % events.length });
        expect(outcome.differences).toEqual([]);
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
        const outcome = drive(createEngine, events, { live: true, from });
        expect(outcome.differences).toEqual([]);
      }),
      RUNS,
    );
  });
});
