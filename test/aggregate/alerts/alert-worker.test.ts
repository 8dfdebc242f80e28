import { partitionOf } from '../../../src/domain/partition';
import {
  ALERT_RULE_TENANTS,
  type AlertDocument,
  type AlertEventDocument,
  type AlertRuleDocument,
} from '../../../src/store/alert-documents';
import { type DeviceDocument } from '../../../src/store/documents';
import { createGatewayHeartbeat, type GatewayHeartbeat } from '../../../src/store/gateway-heartbeats';
import { logger } from '../../store/store.support';
import { eventually } from '../../support/eventually';
import { type House, PARTITIONS, startHouse } from '../house';
import { above, buildRule, type Sent } from './alert-house';

let house: House;
let heartbeat: GatewayHeartbeat;
let worker: Awaited<ReturnType<House['startWorker']>>;
let rules = 0;

beforeAll(async () => {
  house = await startHouse();
  await house.cosmos.bulkUpsert('directory', [
    { id: 'ten_a', key: ALERT_RULE_TENANTS, kind: 'alertRuleTenant', tenantId: 'ten_a' } as never,
  ]);
  heartbeat = createGatewayHeartbeat({
    cosmos: house.cosmos,
    logger,
    id: 'gateway',
    connected: () => true,
    everyMs: 300,
  });
  heartbeat.start();
  worker = await house.startWorker({ alerts: true });
});
afterAll(async () => {
  await heartbeat.stop();
  await worker.stop();
  await house.stop();
});

/** A rule of the building alone, as the API stores it. */
async function storeRule(buildingId: string, parts: Partial<AlertRuleDocument>): Promise<AlertRuleDocument> {
  const rule = buildRule({
    id: `alr_${++rules}`,
    changedAt: house.now() - 1_000,
    ...parts,
    scope: { buildingId, spaceId: null, deviceId: null, ...parts.scope },
  });
  await house.cosmos.bulkUpsert('directory', [rule]);
  return rule;
}

async function send(buildingId: string, ...readings: Sent[]): Promise<void> {
  const rows = readings.map((each) => ({
    quantity: 1,
    pointOrdinal: 0,
    deviceOrdinal: 0,
    ...each,
    buildingId,
  }));
  await house.send(partitionOf(buildingId, PARTITIONS), rows);
}

const told = (rule: AlertRuleDocument): AlertEventDocument[] =>
  house.alerts().filter(({ alert }) => alert.ruleId === rule.id);

const stored = (buildingId: string): Promise<AlertDocument[]> =>
  house.cosmos.query<AlertDocument>('alerts', buildingId, "SELECT * FROM c WHERE c.sortKey > ''");

/** Until the worker has the rule, which no reading may be sent before. */
async function untilFollowed({ id, revision }: AlertRuleDocument): Promise<void> {
  await eventually(() => {
    expect([...worker.rules!.all()]).toContainEqual(expect.objectContaining({ id, revision }));
  });
}

describe('a worker that follows rules', () => {
  it('tells at once that a unit overheats, and that it does no longer, and stores both', async () => {
    const rule = await storeRule('bld_unit', { condition: above(30, 1), name: 'This unit is overheating' });
    await untilFollowed(rule);
    const observedAt = house.now();
    await send('bld_unit', { observedAt, value: 31 });
    await eventually(() => expect(told(rule)).toHaveLength(1));
    expect(told(rule)[0]).toMatchObject({
      number: 1,
      change: 'RAISED',
      tenantId: 'ten_a',
      alert: { onset: observedAt, raisedAt: observedAt, value: 31, clearedAt: null, severity: 'MAJOR' },
    });
    const clearedAt = house.now();
    await send('bld_unit', { observedAt: clearedAt - 1, value: 29.5 }, { observedAt: clearedAt, value: 29 });
    await eventually(() => expect(told(rule)).toHaveLength(2));
    expect(told(rule)[1]).toMatchObject({ number: 2, change: 'CLEARED', alert: { clearedAt } });
    expect(await stored('bld_unit')).toMatchObject([{ onset: observedAt, clearedAt, ttl: 86_400 }]);
  });

  it('clears what a rule raised once it has ended', async () => {
    const rule = await storeRule('bld_ended', {});
    await untilFollowed(rule);
    await send('bld_ended', { observedAt: house.now(), value: 31 });
    await eventually(() => expect(told(rule)).toHaveLength(1));
    const ended: AlertRuleDocument = { ...rule, revision: 2, changedAt: house.now(), endedAt: house.now() };
    await house.cosmos.bulkUpsert('directory', [ended]);
    await eventually(() => expect(told(rule)).toHaveLength(2));
    expect(told(rule)[1]!.alert.clearedBecause).toBe('RULE_ENDED');
  });

  it('looks at a building’s average, each second', async () => {
    const rule = await storeRule('bld_mean', {
      condition: { kind: 'AVERAGE', comparison: 'BELOW', low: 15, high: null, hysteresis: 0, forMs: 0 },
    });
    await untilFollowed(rule);
    await send('bld_mean', { observedAt: house.now() - 1_500, value: 10 });
    await eventually(() => expect(told(rule)).toHaveLength(1));
    expect(told(rule)[0]!.alert).toMatchObject({
      value: 10,
      subject: { buildingId: 'bld_mean', spaceId: null, pointId: null, quantity: 'AIR_TEMPERATURE' },
    });
    await send('bld_mean', { observedAt: house.now() - 1_200, value: 30 });
    await eventually(() => expect(told(rule)).toHaveLength(2));
  });

  const INTERVAL_SECONDS = 5;
  /** Interval after interval, while gateways are heard. */
  const silence = (rule: AlertRuleDocument, number: number): Promise<void> =>
    eventually(async () => {
      await house.heard();
      if (told(rule).length < number) house.pass(INTERVAL_SECONDS);
      expect(told(rule)).toHaveLength(number);
    });

  it('raises that a device is silent once it has missed its intervals, not while no gateway is heard, and no more once it has gone', async () => {
    await house.cosmos.bulkUpsert('registry', [device('bld_silent', 'dev_0', INTERVAL_SECONDS)]);
    const rule = await storeRule('bld_silent', {
      quantity: null,
      condition: { kind: 'DEVICE_SILENT', intervals: 3 },
    });
    await untilFollowed(rule);
    await send('bld_silent', { observedAt: house.now(), value: 20 });
    await silence(rule, 1);
    const [raised] = told(rule);
    expect(raised!.alert).toMatchObject({
      value: null,
      subject: { buildingId: 'bld_silent', deviceId: 'dev_0', pointId: null, quantity: null },
    });
    await send('bld_silent', { observedAt: house.now(), value: 20 });
    await eventually(() => expect(told(rule)).toHaveLength(2));
    expect(told(rule)[1]!.alert.clearedBecause).toBe('BACK_IN_ORDER');
    await silence(rule, 3);
    const retired: DeviceDocument = { ...device('bld_silent', 'dev_0', INTERVAL_SECONDS), state: 'RETIRED' };
    await house.cosmos.bulkUpsert('registry', [retired]);
    await eventually(() => expect(told(rule)).toHaveLength(4));
    expect(told(rule)[3]!.alert.clearedBecause).toBe('SUBJECT_GONE');
  });

  it('goes on after a restart: what was active is cleared, and nothing is raised twice', async () => {
    const rule = await storeRule('bld_again', {});
    await untilFollowed(rule);
    await send('bld_again', { observedAt: house.now(), value: 31 });
    await eventually(() => expect(told(rule)).toHaveLength(1));
    await worker.stop();
    await send(
      'bld_again',
      { observedAt: house.now(), value: 32 },
      { observedAt: house.now() + 5, value: 33 },
    );
    worker = await house.startWorker({ alerts: true });
    await send('bld_again', { observedAt: house.now() + 10, value: 20 });
    await eventually(() => expect(told(rule).map(({ number }) => number)).toContain(2));
    expect(await stored('bld_again')).toHaveLength(1);
    expect((await stored('bld_again'))[0]!.clearedAt).not.toBeNull();
  });
});

function device(buildingId: string, id: string, intervalSeconds: number): DeviceDocument {
  return {
    id,
    type: 'device',
    buildingId,
    tenantId: 'ten_a',
    name: id,
    sortKey: id,
    serialNumber: null,
    model: 'thermometer',
    spaceId: 'spc_a',
    state: 'ACTIVE',
    keys: null,
    assignments: [
      {
        channel: 'temperature',
        pointId: 'pnt_0',
        pointOrdinal: 0,
        deviceOrdinal: 0,
        quantity: 'AIR_TEMPERATURE',
        unit: 'Cel',
        tenantId: 'ten_a',
        buildingId,
        spaceId: 'spc_a',
        from: 0,
        to: null,
      },
    ],
    createdAt: 0,
    retiredAt: null,
    intervalSeconds,
    activatedAt: 1,
  };
}
