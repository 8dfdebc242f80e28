import { type Principal, tenantScope, type TenantScope } from '../auth/scope';
import { type Logger } from '../observability/logger';
import { Counter, type Registry as Metrics } from '../observability/metrics';
import { type Cosmos } from '../store/cosmos';
import { type Keyring } from '../store/keyring';
import { type Registry } from '../store/registry';
import { createDelivering, DEFAULT_LIMITS, type DeliveryLimits } from './delivering';
import { createFiling } from './filing';
import { DEFAULT_SCHEDULE, type RetrySchedule } from './schedule';
import { createSender, type Resolve } from './sender';

export interface WebhookDelivery {
  start(): void;
  /** Resolves when what is under way is noted. */
  stop(): Promise<void>;
}

/** Tells tenants' own servers of their alerts: makes deliveries of events, and sends them until they are taken. */
export function createWebhookDelivery(options: {
  cosmos: Cosmos;
  keyring: Keyring;
  registry: Pick<Registry, 'memberships'>;
  worker: string;
  /** How long deliveries can be asked about. */
  keepSeconds: number;
  /** For tests and laptops: any address, and http. */
  allowPrivate: boolean;
  resolve?: Resolve;
  timeoutMs?: number;
  schedule?: RetrySchedule;
  limits?: Partial<DeliveryLimits>;
  metrics: Metrics;
  logger: Logger;
}): WebhookDelivery {
  const { cosmos, keyring, registry, worker, keepSeconds, allowPrivate, resolve, timeoutMs, logger } =
    options;
  const meters = createMeters(options.metrics);
  const scopeOf = async (id: string): Promise<TenantScope> => {
    const principal: Principal = { kind: 'person', id, email: null, expiresAt: Infinity };
    return tenantScope(principal, await registry.memberships(id));
  };
  const filing = createFiling({
    cosmos,
    worker,
    scopeOf,
    keepSeconds,
    onFiled: (deliveries) => meters.filed.inc(deliveries),
    logger,
  });
  const delivering = createDelivering({
    cosmos,
    keyring,
    sender: createSender({
      allowPrivate,
      ...(resolve && { resolve }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    }),
    schedule: options.schedule ?? DEFAULT_SCHEDULE,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    scopeOf,
    onAttempt: (outcome) => meters.attempts.inc({ outcome }),
    logger,
  });
  return {
    start() {
      filing.start();
      delivering.start();
    },
    async stop() {
      await Promise.all([filing.stop(), delivering.stop()]);
    },
  };
}

function createMeters(registry: Metrics) {
  return {
    filed: new Counter({
      name: 'atrium_webhook_deliveries_total',
      help: 'Events of alerts that were filed for a webhook. Standing still while alerts are raised means that no jobs process follows the alerts: look at their logs.',
      registers: [registry],
    }),
    attempts: new Counter({
      name: 'atrium_webhook_attempts_total',
      help: 'Tries to deliver, by outcome. "failed" that grows beside "delivered" is receivers’ trouble; "failed" alone means that we cannot reach the internet.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}
