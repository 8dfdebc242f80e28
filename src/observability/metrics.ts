import { Registry, collectDefaultMetrics } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * A process's metrics. Help texts are a runbook: each says what a sustained value means and what to do about it.
 */
export function createMetrics(options: { process: string }): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.process });
  collectDefaultMetrics({ register: registry });
  return registry;
}
