import { createAlertMetrics } from '../../../src/aggregate/alerts/metrics';
import { createPlatformAlert } from '../../../src/aggregate/alerts/platform-alert';
import { createMetrics } from '../../../src/observability/metrics';
import { logger } from '../../store/store.support';

describe('the platform’s alert', () => {
  it('is raised once when no gateway was heard for three heartbeats, and is over with the next', async () => {
    let now = 1_000_000;
    let heardAt = now;
    const registry = createMetrics({ process: 'test' });
    const lines: string[] = [];
    const note = (_of: object, line: string): void => void lines.push(line);
    const alert = createPlatformAlert({
      logger: { ...logger, error: note, info: (line: string) => void lines.push(line) } as never,
      metrics: createAlertMetrics(registry),
      rules: { gatewayHeardAt: () => heardAt },
      now: () => now,
    });
    const gauge = async (): Promise<string> =>
      /^atrium_platform_alert\{.*$/m.exec(await registry.metrics())![0];
    const look = (seconds: number): void => {
      for (let i = 0; i < seconds; i++) {
        now += 1_000;
        alert.look();
      }
    };
    look(15);
    expect(alert.raised()).toBe(false);
    look(60);
    expect(alert.raised()).toBe(true);
    expect(await gauge()).toMatch(/ 1$/);
    heardAt = now;
    look(1);
    expect(alert.raised()).toBe(false);
    expect(await gauge()).toMatch(/ 0$/);
    expect(lines).toHaveLength(2);
  });
});
