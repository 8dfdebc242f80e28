import { type Logger } from '../../observability/logger';
import { type AlertRules } from '../../store/alert-rules';
import { type AlertMetrics } from './metrics';

/**
 * What is out of order with us and not with any device: one alert of the platform's, instead of one for each device that
 * cannot be heard. A metric and a line of the log: it is no tenant's, and who runs the platform looks there.
 */
export interface PlatformAlert {
  /** To be called once a second. */
  look(): void;
  raised(): boolean;
}

/** Three heartbeats. */
const HEARD_WITHIN_MS = 15_000;

export function createPlatformAlert(options: {
  logger: Logger;
  metrics: AlertMetrics;
  rules: Pick<AlertRules, 'gatewayHeardAt'>;
  now(): number;
}): PlatformAlert {
  const { logger, metrics, rules, now } = options;
  let raised = false;
  metrics.platform.set({ kind: 'gateways_silent' }, 0);
  return {
    look() {
      const heardAt = rules.gatewayHeardAt();
      const silent = now() - heardAt > HEARD_WITHIN_MS;
      if (silent === raised) return;
      raised = silent;
      metrics.platform.set({ kind: 'gateways_silent' }, silent ? 1 : 0);
      if (silent) {
        const since = new Date(heardAt).toISOString();
        logger.error({ since }, 'no gateway is heard: no device is called silent meanwhile');
      } else logger.info('gateways are heard again');
    },
    raised: () => raised,
  };
}
