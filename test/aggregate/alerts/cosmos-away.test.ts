import { partitionOf } from '../../../src/domain/partition';
import { quantityNamed } from '../../../src/domain/quantity';
import {
  ALERT_RULE_TENANTS,
  type AlertDocument,
  type AlertEventDocument,
  type AlertRuleDocument,
} from '../../../src/store/alert-documents';
import { eventually } from '../../support/eventually';
import { type House, PARTITIONS, startHouse } from '../house';
import { buildRule, type Sent } from './alert-house';

jest.setTimeout(180_000);

const SMOKE = quantityNamed('SMOKE').code;
const PATIENT = { within: 60_000 };

let house: House;
beforeAll(async () => {
  house = await startHouse();
  await house.cosmos.bulkUpsert('directory', [
    { id: 'ten_a', key: ALERT_RULE_TENANTS, kind: 'alertRuleTenant', tenantId: 'ten_a' } as never,
  ]);
});
afterAll(() => house.stop());

/** A rule that looks for smoke in a building, as the API stores it. */
async function storeRule(buildingId: string, parts: Partial<AlertRuleDocument> = {}) {
  const rule = buildRule({
    id: `alr_${buildingId}`,
    name: 'Smoke',
    severity: 'CRITICAL',
    quantity: 'SMOKE',
    condition: { kind: 'STATE', value: 1, forMs: 0 },
    changedAt: house.now() - 1_000,
    ...parts,
    scope: { buildingId, spaceId: null, deviceId: null, ...parts.scope },
  });
  await house.cosmos.bulkUpsert('directory', [rule]);
  return rule;
}

async function send(buildingId: string, parts: Partial<Sent> & { value: number }): Promise<void> {
  const row = {
    quantity: SMOKE,
    pointOrdinal: 0,
    deviceOrdinal: 0,
    observedAt: house.now(),
    spaceId: 'spc_a',
  };
  await house.send(partitionOf(buildingId, PARTITIONS), [{ ...row, ...parts, buildingId } as never]);
}

/** The worker has read what was sent before: averages go on whatever becomes of the alerts. */
async function untilRead(buildingId: string): Promise<void> {
  const value = house.live().length + 10;
  await send(buildingId, {
    value,
    quantity: 1,
    pointOrdinal: 9,
    deviceOrdinal: 9,
    observedAt: house.now() - 1_000,
  });
  await eventually(
    () => expect(house.live().filter((each) => each.buildingId === buildingId).length).toBeGreaterThan(0),
    PATIENT,
  );
}

const told = (rule: AlertRuleDocument): AlertEventDocument[] =>
  house.alerts().filter(({ alert }) => alert.ruleId === rule.id);

const stored = (buildingId: string): Promise<AlertDocument[]> =>
  house.cosmos.query<AlertDocument>('alerts', buildingId, "SELECT * FROM c WHERE c.sortKey > ''");

describe('a worker that starts while Cosmos is away', () => {
  it('tells averages at once, and each alert once, when the rules are known and what lies in their spaces', async () => {
    const before = await storeRule('bld_before');
    const meanwhile = await storeRule('bld_meanwhile');
    const space = await storeRule('bld_floor', {
      scope: { buildingId: 'bld_floor', spaceId: 'spc_floor', deviceId: null },
    });
    await house.cosmos.bulkUpsert('registry', [
      { id: 'spc_room', type: 'space', buildingId: 'bld_floor', parentId: 'spc_floor' } as never,
    ]);
    let worker = await house.startWorker({ alerts: true });
    await send('bld_before', { value: 1 });
    await eventually(() => expect(told(before)).toHaveLength(1), PATIENT);
    await worker.stop();

    const bringBack = await house.loseCosmos();
    worker = await house.startWorker({ alerts: true });
    const observedAt = house.now();
    await send('bld_before', { value: 0, observedAt });
    await send('bld_meanwhile', { value: 1, observedAt });
    await send('bld_floor', { value: 1, observedAt, spaceId: 'spc_room' });
    for (const buildingId of ['bld_before', 'bld_meanwhile', 'bld_floor']) await untilRead(buildingId);
    expect(told(before)).toHaveLength(1);
    await bringBack();

    await eventually(() => expect([...told(meanwhile), ...told(space)]).toHaveLength(2), PATIENT);
    for (const rule of [meanwhile, space]) {
      expect(told(rule)).toMatchObject([{ change: 'RAISED', alert: { onset: observedAt, value: 1 } }]);
    }
    // What was active before is not ended for want of its rule.
    await eventually(() => expect(told(before)).toHaveLength(2), PATIENT);
    expect(told(before)[1]).toMatchObject({
      number: 2,
      alert: { clearedAt: observedAt, clearedBecause: 'BACK_IN_ORDER' },
    });
    await send('bld_meanwhile', { value: 0 });
    await eventually(() => expect(told(meanwhile)).toHaveLength(2), PATIENT);
    for (const buildingId of ['bld_before', 'bld_meanwhile', 'bld_floor']) {
      expect(await stored(buildingId)).toHaveLength(1);
    }
    await worker.stop();
  });
});
