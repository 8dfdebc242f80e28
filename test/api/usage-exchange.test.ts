import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createThrottle } from '../../src/api/throttle';
import { createLive } from '../../src/live/live';
import { createUsageExchange } from '../../src/live/usage-exchange';
import { createMetrics } from '../../src/observability/metrics';
import { createStreamProducer } from '../../src/stream/producer';
import { decodeUsage, encodeUsage, USAGE_SCHEMA } from '../../src/stream/usage';
import { eventually } from '../support/eventually';
import { logger } from './api.support';

describe('what replicas tell each other of what clients used', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-usage-'));
  const eventHubs = createEventHubsEmulator({
    dataDir,
    fsync: false,
    logger,
    hubs: { averages: { partitions: 2, consumerGroups: ['live-0'] } },
  });
  let connectionString: string;
  beforeAll(async () => {
    ({ connectionString } = await eventHubs.start());
  });
  afterAll(async () => {
    await eventHubs.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function startReplica() {
    const namespace = { connectionString };
    const size = { capacity: 1_000, restorePerSecond: 0.001 };
    const throttle = createThrottle({ client: size, tenant: { capacity: 1e9, restorePerSecond: 1e9 } });
    const producer = createStreamProducer({ namespace, hub: 'averages' });
    const exchange = createUsageExchange({ logger, producer, usage: throttle, everyMs: 20 });
    const metrics = createMetrics({ process: 'api' });
    const live = createLive({
      logger,
      metrics,
      namespace,
      hub: 'averages',
      group: 'live-0',
      others: { [USAGE_SCHEMA]: exchange.take },
    });
    await live.start();
    exchange.start();
    return {
      throttle,
      metrics,
      async stop() {
        await exchange.stop();
        await live.stop();
        await producer.stop();
      },
    };
  }

  it('leaves a client at each of them what it has not used at the other', async () => {
    const [one, two] = [await startReplica(), await startReplica()];
    try {
      const payer = { client: 'somebody', tenants: ['t'] };
      expect(one.throttle.charge(payer, 700).ok).toBe(true);
      await eventually(() => {
        expect(two.throttle.refund(payer, 0).currentlyAvailable).toBe(300);
      });
      one.throttle.refund(payer, 200);
      await eventually(() => {
        expect(two.throttle.refund(payer, 0).currentlyAvailable).toBe(500);
      });
      expect(one.throttle.refund(payer, 0).currentlyAvailable).toBe(500);
      expect(await two.metrics.metrics()).not.toMatch(/outcome="unreadable"} [1-9]/);
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  it('is refused as a value where it cannot be read', () => {
    const properties = { 'atrium-schema': USAGE_SCHEMA };
    const usage = { replica: 'r', charged: { 'c:a': 1 } };
    expect(decodeUsage(encodeUsage(usage), properties)).toEqual(usage);
    for (const body of [Buffer.from('{'), Buffer.from('null'), Buffer.from('{"replica":1}'), 'text']) {
      expect(() => decodeUsage(body, properties)).toThrow(/usage|binary/);
    }
    expect(() => decodeUsage(encodeUsage(usage), { 'atrium-schema': 'usage/2' })).toThrow(/unknown schema/);
  });
});
