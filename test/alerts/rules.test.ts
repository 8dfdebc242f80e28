import fc from 'fast-check';
import { type AlertCondition } from '../../src/domain/alert';
import { MAXIMUM_RULES, ruleProblem } from '../../src/domain/alert-rule';
import { quantityNamed } from '../../src/domain/quantity';
import { ALERT_RULE_TENANTS, type AlertRuleDocument, alertRulesOf } from '../../src/store/alert-documents';
import { type Alerting, createAlerting, type NewAlertRule } from '../../src/store/alerts/alerting';
import { type TenantScope } from '../../src/auth/scope';
import {
  createBuilding,
  freshKey,
  newDevices,
  startStore,
  type Store,
  valueOf,
} from '../store/store.support';
import { HOT } from './alerts.support';

const NORTH = 'ten_north';
const ANYWHERE = { buildingId: null, spaceId: null, deviceId: null };

function rule(change: Partial<NewAlertRule> = {}): NewAlertRule {
  return {
    tenantId: NORTH,
    name: 'Too hot',
    severity: 'MAJOR',
    quantity: 'AIR_TEMPERATURE',
    scope: ANYWHERE,
    condition: HOT,
    enabled: true,
    ...change,
  };
}

describe('alert rules', () => {
  let store: Store;
  let alerting: Alerting;
  let owner: TenantScope;
  let technician: TenantScope;
  let stranger: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    alerting = createAlerting({ cosmos: store.cosmos, keepSeconds: 86_400 });
    owner = await store.member('owner', NORTH, 'OWNER');
    technician = await store.member('technician', NORTH, 'TECHNICIAN');
    stranger = await store.member('stranger', 'ten_south', 'OWNER');
  });
  afterAll(() => store.stop());

  const refusal = (outcome: { ok: boolean; refusal?: { code: string; path?: string } }) =>
    outcome.ok ? 'none' : `${outcome.refusal!.code} ${outcome.refusal!.path ?? ''}`.trim();
  const create = (change: Partial<NewAlertRule> = {}, scope = owner, key = freshKey()) =>
    alerting.createAlertRule(scope, rule(change), key);

  it('are made once for a key, listed by name, changed under a new revision, and end without being deleted', async () => {
    const key = freshKey();
    const made = valueOf(await create({ name: 'B' }, owner, key));
    expect(valueOf(await create({ name: 'B' }, owner, key)).id).toBe(made.id);
    expect(refusal(await create({ name: 'C' }, owner, key))).toBe('IDEMPOTENCY_KEY_REUSED');
    const other = valueOf(await create({ name: 'A' }));
    const list = () => alerting.alertRules(technician, NORTH, { first: 10, after: null });
    expect((await list()).items.map(({ name }) => name)).toEqual(['A', 'B']);
    expect(await store.cosmos.read('directory', ALERT_RULE_TENANTS, NORTH)).toMatchObject({
      tenantId: NORTH,
    });

    const renamed = valueOf(await alerting.changeAlertRule(owner, made.id, { name: 'Z' }));
    expect(renamed).toMatchObject({ name: 'Z', revision: 1 });
    const condition: AlertCondition = { ...HOT, high: 28 } as AlertCondition;
    expect(valueOf(await alerting.changeAlertRule(owner, made.id, { condition })).revision).toBe(2);
    expect(valueOf(await alerting.changeAlertRule(owner, made.id, { condition })).revision).toBe(2);
    expect(valueOf(await alerting.changeAlertRule(owner, made.id, { enabled: false })).revision).toBe(3);

    const ended = valueOf(await alerting.deleteAlertRule(owner, other.id));
    expect(ended.endedAt).not.toBeNull();
    expect(valueOf(await alerting.deleteAlertRule(owner, other.id)).endedAt).toBe(ended.endedAt);
    expect((await list()).items.map(({ name }) => name)).toEqual(['Z']);
    const kept = await store.cosmos.read<AlertRuleDocument>('directory', alertRulesOf(NORTH), other.id);
    expect(kept).toMatchObject({ endedAt: ended.endedAt, ttl: expect.any(Number) });
    expect(refusal(await alerting.changeAlertRule(owner, other.id, { name: 'D' }))).toBe('NOT_FOUND ruleId');

    const log = await store.registry.auditLog(owner, { tenantId: NORTH }, { first: 10, after: null });
    expect(log.items.map(({ action }) => action)).toEqual([
      'alert-rule.delete',
      'alert-rule.change',
      'alert-rule.change',
      'alert-rule.change',
      'alert-rule.create',
      'alert-rule.create',
    ]);
    const page = await store.registry.auditLog(
      owner,
      { tenantId: NORTH },
      { first: 3, after: log.positions[1]!, subject: made.id },
    );
    expect(page.items.map(({ action, subject }) => [action, subject])).toEqual([
      ['alert-rule.change', made.id],
      ['alert-rule.change', made.id],
      ['alert-rule.create', made.id],
    ]);
  });

  it('are made by owners and managers, read by technicians, and unknown to everybody else', async () => {
    const made = valueOf(await create());
    expect(refusal(await create({}, technician))).toBe('FORBIDDEN');
    expect(refusal(await create({}, stranger))).toBe('NOT_FOUND tenantId');
    expect(refusal(await alerting.changeAlertRule(technician, made.id, { name: 'X' }))).toBe('FORBIDDEN');
    expect(refusal(await alerting.deleteAlertRule(technician, made.id))).toBe('FORBIDDEN');
    for (const id of [made.id, 'alr_unknown']) {
      expect(refusal(await alerting.deleteAlertRule(stranger, id))).toBe('NOT_FOUND ruleId');
      expect(await alerting.alertRule(stranger, id)).toBeNull();
    }
    expect((await alerting.alertRule(technician, made.id))?.id).toBe(made.id);
    // An audit event and the count lie in the same partition.
    expect(await alerting.alertRule(owner, 'count')).toBeNull();
  });

  it('name places of their own tenant only', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
    const provisioned = await store.registry.provisionDevices(
      owner,
      { buildingId, devices: newDevices(1, spaceIds) },
      freshKey(),
    );
    const deviceId = valueOf(provisioned)[0]!.device.id;
    const foreign = await createBuilding(store.registry, stranger);
    const silent = { quantity: null, condition: { kind: 'DEVICE_SILENT', intervals: 3 } as const };
    const at = (scope: Partial<NewAlertRule['scope']>) => ({ ...silent, scope: { ...ANYWHERE, ...scope } });

    expect(refusal(await create(at({ buildingId })))).toBe('none');
    expect(refusal(await create(at({ buildingId, spaceId: spaceIds[0]! })))).toBe('none');
    expect(refusal(await create(at({ deviceId })))).toBe('none');
    expect(refusal(await create(at({ buildingId, deviceId })))).toBe('none');
    expect(refusal(await create(at({ spaceId: spaceIds[0]! })))).toBe('INVALID_INPUT scope.buildingId');
    expect(refusal(await create(at({ buildingId: foreign.buildingId })))).toBe('NOT_FOUND scope.buildingId');
    expect(refusal(await create(at({ buildingId, spaceId: foreign.spaceIds[0]! })))).toBe(
      'NOT_FOUND scope.spaceId',
    );
    expect(refusal(await create(at({ deviceId: 'dev_unknown' })))).toBe('NOT_FOUND scope.deviceId');
    const here = await alerting.alertRules(owner, NORTH, { first: 50, after: null, buildingId: 'bld_other' });
    expect(here.items.every(({ scope }) => scope.buildingId === null)).toBe(true);
    valueOf(await store.registry.retireDevice(owner, deviceId));
    expect(refusal(await create(at({ deviceId })))).toBe('WRONG_STATE scope.deviceId');
  });

  it('are at most so many a tenant, however many are made at once, and one that ends makes room', async () => {
    const few = await store.member('few', 'ten_few', 'OWNER');
    const made = async () =>
      alerting.createAlertRule(few, rule({ tenantId: 'ten_few' }), freshKey()).then(refusal);
    // As if all but two had been made.
    const key = alertRulesOf('ten_few');
    const count = { id: 'count', key, kind: 'count', number: MAXIMUM_RULES - 2 };
    await store.cosmos.bulkUpsert('directory', [count]);
    const outcomes = await Promise.all([made(), made(), made(), made()]);
    expect(outcomes.sort()).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'none', 'none']);
    const { items } = await alerting.alertRules(few, 'ten_few', { first: 1, after: null });
    valueOf(await alerting.deleteAlertRule(few, items[0]!.id));
    expect(await made()).toBe('none');
    expect(await made()).toBe('LIMIT_EXCEEDED');
  });

  it('cannot be made of what can never be met or never be over', () => {
    const bounds = {
      kind: 'READING',
      comparison: 'OUTSIDE',
      low: 10,
      high: 20,
      hysteresis: 1,
      forMs: 0,
    } as const;
    const pathOf = (condition: AlertCondition, quantity: NewAlertRule['quantity'] = 'AIR_TEMPERATURE') =>
      ruleProblem({ quantity, scope: ANYWHERE, condition })?.path;
    expect(pathOf(bounds)).toBeUndefined();
    expect(pathOf({ ...bounds, low: 20 })).toBe('condition.reading.low');
    expect(pathOf({ ...bounds, low: null })).toBe('condition.reading.low');
    expect(pathOf({ ...bounds, comparison: 'ABOVE' })).toBe('condition.reading.low');
    expect(pathOf({ ...bounds, high: 86 })).toBe('condition.reading.high');
    expect(pathOf({ ...bounds, high: NaN })).toBe('condition.reading.high');
    expect(pathOf({ ...bounds, hysteresis: 10 })).toBe('condition.reading.hysteresis');
    expect(pathOf({ ...bounds, hysteresis: -1 })).toBe('condition.reading.hysteresis');
    expect(pathOf({ ...bounds, forMs: 86_400_001 })).toBe('condition.reading.forSeconds');
    expect(pathOf(bounds, 'SMOKE')).toBe('quantity');
    expect(pathOf(bounds, null)).toBe('quantity');
    expect(pathOf({ kind: 'STATE', value: 1, forMs: 0 }, 'SMOKE')).toBeUndefined();
    expect(pathOf({ kind: 'STATE', value: 2, forMs: 0 }, 'SMOKE')).toBe('condition.state.value');
    expect(pathOf({ kind: 'STATE', value: 0.5, forMs: 0 }, 'SMOKE')).toBe('condition.state.value');
    expect(pathOf({ kind: 'DEVICE_SILENT', intervals: 0.5 }, null)).toBe('condition.deviceSilent.intervals');
    expect(pathOf({ kind: 'DEVICE_SILENT', intervals: 3 })).toBe('quantity');
    expect(pathOf({ kind: 'TOO_FEW_REPORTING', share: 0, forMs: 0 })).toBe('condition.tooFewReporting.share');
    const rate = { kind: 'RATE_OF_CHANGE', change: 5, withinMs: 60_000, direction: 'ANY' } as const;
    expect(pathOf(rate)).toBeUndefined();
    expect(pathOf({ ...rate, change: 146 })).toBe('condition.rateOfChange.change');
    expect(pathOf({ ...rate, withinMs: 0 })).toBe('condition.rateOfChange.withinSeconds');
    const average = { ...bounds, kind: 'AVERAGE' } as const;
    expect(
      ruleProblem({
        quantity: 'AIR_TEMPERATURE',
        scope: { ...ANYWHERE, deviceId: 'dev_1' },
        condition: average,
      })?.path,
    ).toBe('scope.deviceId');
  });

  it('that are taken have a value that is out of order and one that is back in order', () => {
    const { minimum, maximum } = quantityNamed('AIR_TEMPERATURE');
    const number = fc.double({ min: minimum - 5, max: maximum + 5, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.double({ min: -1, max: 150, noNaN: true }), (low, high, hysteresis) => {
        const condition = {
          kind: 'READING',
          comparison: 'OUTSIDE',
          low,
          high,
          hysteresis,
          forMs: 0,
        } as const;
        if (ruleProblem({ quantity: 'AIR_TEMPERATURE', scope: ANYWHERE, condition })) return;
        expect(low).toBeGreaterThanOrEqual(minimum);
        expect(high).toBeLessThanOrEqual(maximum);
        expect(low + hysteresis).toBeLessThanOrEqual(high);
        expect(high - hysteresis).toBeGreaterThanOrEqual(low);
      }),
    );
  });
});

describe('the interval of a device', () => {
  it('is set by who may configure it, told in the log, and left to the model with null', async () => {
    const store = await startStore();
    try {
      const owner = await store.member('owner', NORTH, 'OWNER');
      const technician = await store.member('technician', NORTH, 'TECHNICIAN');
      const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
      const devices = newDevices(1, spaceIds);
      const made = await store.registry.provisionDevices(owner, { buildingId, devices }, freshKey());
      const { id } = valueOf(made)[0]!.device;
      const set = (scope: TenantScope, seconds: number | null) =>
        store.registry.setDeviceInterval(scope, id, seconds);
      expect(valueOf(await set(owner, 900)).intervalSeconds).toBe(900);
      expect(valueOf(await set(owner, null)).intervalSeconds).toBeUndefined();
      for (const seconds of [0, 1.5, -1, 604_801]) {
        expect(await set(owner, seconds)).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
      }
      expect(await set(technician, 60)).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
      const { items } = await store.registry.auditLog(owner, { buildingId }, { first: 2, after: null });
      expect(items.map(({ action, after }) => [action, after])).toEqual([
        ['device.set-interval', { intervalSeconds: null }],
        ['device.set-interval', { intervalSeconds: 900 }],
      ]);
    } finally {
      await store.stop();
    }
  });
});
