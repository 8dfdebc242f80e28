import { setTimeout as delay } from 'node:timers/promises';
import { type Totals } from '../../simulator/totals';

/** How fast readings are being acknowledged at this moment. */
export interface Flow {
  /** Readings a second over the last few seconds. */
  rate(): number;
  /** Resolves with the rate once it is at least this much, or with the last one seen at the deadline. */
  atLeast(rate: number, withinMs: number): Promise<number>;
  stop(): void;
}

const SAMPLE_MS = 100;
const SPAN_SAMPLES = 30;

export function createFlow(totals: Totals): Flow {
  const samples: { at: number; acknowledged: number }[] = [];
  const timer = setInterval(() => {
    samples.push({ at: Date.now(), acknowledged: totals.acknowledged });
    if (samples.length > SPAN_SAMPLES) samples.shift();
  }, SAMPLE_MS);
  const rate = (): number => {
    const first = samples[0];
    const last = samples.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return ((last.acknowledged - first.acknowledged) / (last.at - first.at)) * 1000;
  };
  return {
    rate,
    async atLeast(wanted, withinMs) {
      const deadline = Date.now() + withinMs;
      while (rate() < wanted && Date.now() < deadline) await delay(SAMPLE_MS);
      return rate();
    },
    stop: () => clearInterval(timer),
  };
}
