import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { type BuildingAverage } from '../../src/domain/window';
import { createLive, type Live } from '../../src/live/live';
import { createMetrics } from '../../src/observability/metrics';
import { AVERAGES_SCHEMA, encodeAverages } from '../../src/stream/averages';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { average, logger } from './api.support';

describe('live averages', () => {
  const building = { id: 'bld_live', tenantId: 'ten_live' };
  const value = (sequence: number, mean: number): BuildingAverage =>
    average(building, {
      mean,
      windowEnd: 1_000 + sequence,
      position: { incarnation: 'one', partition: 0, sequence },
    });
  const bodyOf = ({ position, windowEnd, asOf, ...rest }: BuildingAverage): Buffer =>
    encodeAverages({ ...position, windowEnd, asOf, values: [rest] });

  let dataDir: string;
  let hubs: ReturnType<typeof createEventHubsEmulator>;
  let connectionString: string;
  let port: number;
  const open: { stop(): Promise<void> }[] = [];
  const startHubs = async (at = 0): Promise<void> => {
    hubs = createEventHubsEmulator({
      dataDir,
      fsync: false,
      logger,
      port: at,
      hubs: { averages: { partitions: 2, consumerGroups: ['live-0'] } },
    });
    ({ connectionString, port } = await hubs.start());
  };
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'atrium-live-'));
    await startHubs();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
    await hubs.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const buildLive = async (): Promise<{ live: Live; metrics: ReturnType<typeof createMetrics> }> => {
    const metrics = createMetrics({ process: 'test' });
    const live = createLive({
      logger,
      metrics,
      namespace: { connectionString },
      hub: 'averages',
      group: 'live-0',
    });
    await live.start();
    open.push(live);
    return { live, metrics };
  };
  const publish = async (partition: number, schema: string, ...bodies: Buffer[]): Promise<void> => {
    const producer = createStreamProducer({ namespace: { connectionString }, hub: 'averages' });
    await producer.start();
    await producer.send(partition, schema, bodies);
    await producer.stop();
  };
  const sees = (live: Live, mean: number): Promise<void> =>
    eventually(() =>
      expect(
        live.latest({ tenantId: building.tenantId, buildingId: building.id }).map((each) => each.mean),
      ).toEqual([mean]),
    );

  it('are ready once what was published before has been read, by every replica of a group', async () => {
    await publish(0, AVERAGES_SCHEMA, bodyOf(value(1, 20)), bodyOf(value(2, 21)));
    for (const { live } of [await buildLive(), await buildLive()]) {
      await eventually(() => expect(live.readiness()).toEqual({ ready: true, reasons: [] }));
      expect(live.latest({ tenantId: building.tenantId, buildingId: building.id })).toMatchObject([
        { mean: 21, position: { sequence: 2 } },
      ]);
    }
  });

  it('pass over what they cannot read and count it', async () => {
    const { live, metrics } = await buildLive();
    await publish(1, AVERAGES_SCHEMA, Buffer.from('damaged'));
    await publish(1, 'averages/9', bodyOf(value(1, 20)));
    await publish(1, AVERAGES_SCHEMA, bodyOf(value(2, 22)));
    await sees(live, 22);
    expect(await metrics.metrics()).toMatch(/atrium_live_values_total\{outcome="unreadable".*\} 2$/m);
  });

  it('go on after the hub was away, and miss nothing of it', async () => {
    const { live } = await buildLive();
    await publish(0, AVERAGES_SCHEMA, bodyOf(value(1, 20)));
    await sees(live, 20);
    await hubs.stop();
    await startHubs(port);
    await publish(0, AVERAGES_SCHEMA, bodyOf(value(2, 21)));
    await sees(live, 21);
  });

  it('begin anew when the hub is made again', async () => {
    const { live } = await buildLive();
    await publish(
      0,
      AVERAGES_SCHEMA,
      ...[1, 2, 3, 4, 5].map((sequence) => bodyOf(value(sequence, sequence))),
    );
    await sees(live, 5);
    await hubs.stop();
    rmSync(dataDir, { recursive: true, force: true });
    await startHubs(port);
    await publish(0, AVERAGES_SCHEMA, bodyOf(value(6, 23)));
    await sees(live, 23);
  });
});
