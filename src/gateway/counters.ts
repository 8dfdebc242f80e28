import { Counter, type Registry } from '../observability/metrics';

/** Counters that run once a message: kept as plain numbers and read when scraped. */
export interface Counters {
  tally(name: string, label: string, help: string): (value: string) => void;
  sum(name: string, help: string): (count: number) => void;
}

export function createCounters(registry: Registry): Counters {
  const registers = [registry];
  return {
    tally(name, label, help) {
      const counts = new Map<string, number>();
      new Counter({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, count] of counts) this.inc({ [label]: value }, count);
        },
      });
      return (value) => counts.set(value, (counts.get(value) ?? 0) + 1);
    },
    sum(name, help) {
      let total = 0;
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(total);
        },
      });
      return (count) => (total += count);
    },
  };
}
