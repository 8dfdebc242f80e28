import fc from 'fast-check';
import type * as stateRule from '../../src/domain/state';
import type * as statePoint from '../../src/aggregate/state-point';
import { type StatePoint } from '../../src/aggregate/state-point';
import type * as windowRule from '../../src/domain/window';
import type * as places from '../../src/aggregate/places';
import { createEngine } from '../../src/aggregate/engine';
import { drive } from './drive';
import { randomStream, type StreamEvent } from './random-stream';
import { type CreateEngine, WINDOW_MUTANTS } from './window-mutants';

/** Proof that the comparison can fail: each of these engines is wrong in one way, and must be found out. */
const MUTANTS: Record<string, () => CreateEngine> = {
  ...Object.fromEntries(
    WINDOW_MUTANTS.map(({ name, module, change, wrap }): [string, () => CreateEngine] => [
      name,
      () => {
        if (wrap !== undefined) return wrap(createEngine);
        const path = `../../src/${module}`;
        const made = engineWith(() => jest.doMock(path, () => change!(jest.requireActual<object>(path))));
        jest.dontMock(path);
        return made;
      },
    ]),
  ),
  'takes the whole second at the window’s beginning': () =>
    engineWith(() =>
      jest.doMock('../../src/domain/window', () => ({
        ...jest.requireActual<typeof windowRule>('../../src/domain/window'),
        slotOf: (observedAt: number) => Math.floor(observedAt / 1000),
      })),
    ),
  'takes what one space holds for another’s': () =>
    engineWith(() => jest.doMock('../../src/aggregate/places', () => withOneSpace())),
  'lets a state stand a second longer than it holds': () =>
    engineWith(() =>
      jest.doMock('../../src/domain/state', () => ({
        ...jest.requireActual<typeof stateRule>('../../src/domain/state'),
        STATE_HOLDS_SECONDS: 601,
      })),
    ),
  'puts states in the order in which they came': () =>
    engineWith(() =>
      jest.doMock('../../src/aggregate/state-point', () => ({
        ...jest.requireActual<typeof statePoint>('../../src/aggregate/state-point'),
        insertState: ({ instants, marks }: StatePoint, instant: number, mark: number) => {
          instants.push(Math.max(instant, instants.at(-1) ?? 0));
          marks.push(mark);
          return true;
        },
      })),
    ),
  'takes a level for what is measured on it alone': () => (options) =>
    createEngine({ ...options, tree: { ancestors: () => [] } }),
};

function withOneSpace(): typeof places {
  const actual = jest.requireActual<typeof places>('../../src/aggregate/places');
  return {
    ...actual,
    createPlaces: (...given) => {
      const made = actual.createPlaces(...given);
      return new Proxy(made, {
        get: (target, name) =>
          name === 'leafFor'
            ? (...[building, code, , point, device]: Parameters<typeof made.leafFor>) =>
                made.leafFor(building, code, 'spc_1', point, device)
            : Reflect.get(target, name),
      });
    },
  };
}

function engineWith(mutate: () => void): CreateEngine {
  let create: CreateEngine | undefined;
  jest.isolateModules(() => {
    mutate();
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    create = (require('../../src/aggregate/engine') as { createEngine: CreateEngine }).createEngine;
  });
  jest.dontMock('../../src/aggregate/places');
  jest.dontMock('../../src/aggregate/state-point');
  jest.dontMock('../../src/domain/state');
  jest.dontMock('../../src/domain/window');
  return create!;
}

describe('an engine that', () => {
  it.each(Object.keys(MUTANTS))('%s is found out', (name) => {
    const mutant = MUTANTS[name]!();
    const streams = fc.sample(randomStream, { numRuns: 40, seed: 7 });
    const isFoundBy = (events: StreamEvent[]): boolean =>
      drive(mutant, events, { live: true }).differences.length > 0;
    expect(streams.some(isFoundBy)).toBe(true);
  });
});
