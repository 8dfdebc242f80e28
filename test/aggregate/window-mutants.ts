import { type createEngine } from '../../src/aggregate/engine';
import type * as identities from '../../src/aggregate/identities';
import type * as windowRule from '../../src/domain/window';
import { type Frame } from '../../src/stream/frame';

export type CreateEngine = typeof createEngine;

/**
 * A window that is wrong in one way: what a module of `src` exports instead, or what is made of the engine. Such engines
 * are made where they are to be found out and nowhere else.
 */
export interface WindowMutant {
  name: string;
  /** Below `src`, without an extension. */
  module?: string;
  change?: (actual: object) => object;
  wrap?: (create: CreateEngine) => CreateEngine;
}

/** The three that every proof of the averages must find. */
export const WINDOW_MUTANTS: readonly WindowMutant[] = [
  {
    name: 'counts what was sent twice twice',
    module: 'aggregate/identities',
    change: (actual) => ({
      ...(actual as typeof identities),
      isNewDated: () => true,
      addUndated: () => true,
    }),
  },
  {
    name: 'is off by one second',
    module: 'domain/window',
    change: (actual) => ({
      ...(actual as typeof windowRule),
      slotOf: (observedAt: number) => Math.ceil(observedAt / 1000) + 1,
    }),
  },
  { name: 'lets readings expire by their arrival', wrap: expiringByArrival },
];

function expiringByArrival(create: CreateEngine): CreateEngine {
  return (options) => {
    const engine = create(options);
    const apply = (frame: Frame, sequence: number, enqueuedAt: number): Uint8Array =>
      engine.apply(
        { ...frame, observedAt: frame.observedAt.map((_, row) => enqueuedAt - row) },
        sequence,
        enqueuedAt,
      );
    return new Proxy(engine, {
      get: (target, name) => (name === 'apply' ? apply : Reflect.get(target, name)),
    });
  };
}
