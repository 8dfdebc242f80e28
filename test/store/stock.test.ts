import { type TenantScope } from '../../src/auth/scope';
import {
  type AuditDocument,
  type ClaimDocument,
  type StockDocument,
  stockOf,
} from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import { claimKeyOf, newClaimCode, normalizedClaimCode } from '../../src/store/registry/claim-code';
import { type NewStockDevice, type RegisteredRow } from '../../src/store/registry/stock';
import { freshKey, startStore, type Store, tapped, valueOf } from './store.support';

const MAKER = 'ten_maker';
let store: Store;
let maker: TenantScope;
beforeAll(async () => {
  store = await startStore();
  maker = await store.member('maker', MAKER, 'OWNER');
});
afterAll(() => store.stop());

let serials = 0;
function newRows(count: number, model = 'climate-sensor'): NewStockDevice[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    serialNumber: `SN-${++serials}`,
    model,
    enrollmentGroupId: null,
  }));
}

function registered(rows: readonly RegisteredRow[]) {
  return rows.map((row) => {
    if (row.outcome !== 'registered') throw new Error(`row was ${row.outcome}`);
    return row;
  });
}

const stockDocument = (deviceId: string) =>
  store.cosmos.read<StockDocument>('registry', stockOf(MAKER), deviceId);
const claimDocument = (serialNumber: string, code: string) =>
  store.cosmos.read<ClaimDocument>('directory', claimKeyOf(serialNumber, code), 'claim');

test('a claim code has 128 random bits in digits that nobody mistakes, and is read however it is typed', () => {
  const code = newClaimCode();
  expect(code).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]$/);
  expect(newClaimCode()).not.toBe(code);
  const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
  expect(normalizedClaimCode(typed)).toBe(code.replaceAll('-', ''));
  expect(claimKeyOf('a', typed)).toBe(claimKeyOf(' a ', code));
  expect(claimKeyOf('ab', 'c')).not.toBe(claimKeyOf('a', 'bc'));
});

test('registered devices stand in their maker’s stock with a hash of their code alone, and an audit event', async () => {
  const rows = newRows(30);
  const results = registered(
    valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'a', rows })),
  );
  expect(new Set(results.map((each) => each.deviceId)).size).toBe(30);
  const { deviceId, serialNumber, claimCode, claimText } = results[3]!;
  expect(claimText).toBe(`ATRIUM:1:${serialNumber}:${claimCode}`);
  const stock = await stockDocument(deviceId);
  expect(stock).toMatchObject({ type: 'stock', state: 'REGISTERED', serialNumber, model: 'climate-sensor' });
  expect(await claimDocument(serialNumber, claimCode)).toMatchObject({ deviceId, tenantId: MAKER });
  const everything = JSON.stringify([
    await store.cosmos.query('registry', stockOf(MAKER), 'SELECT * FROM c'),
    await claimDocument(serialNumber, claimCode),
  ]);
  expect(everything).not.toContain(claimCode);
  expect(everything).not.toContain(normalizedClaimCode(claimCode));
  const audits = await store.cosmos.query<AuditDocument>(
    'registry',
    stockOf(MAKER),
    "SELECT * FROM c WHERE c.type = 'audit'",
  );
  expect(audits.some((each) => (each.after?.devices as string[]).includes(deviceId))).toBe(true);
});

test('a repeated chunk gives the same devices with new codes, and the earlier codes are void', async () => {
  const rows = newRows(3);
  const first = registered(valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'b', rows })));
  const again = registered(valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'b', rows })));
  expect(again.map((each) => each.deviceId)).toEqual(first.map((each) => each.deviceId));
  for (const [i, { deviceId, serialNumber, claimCode }] of again.entries()) {
    expect(claimCode).not.toBe(first[i]!.claimCode);
    expect((await stockDocument(deviceId))!.claim).toBe(claimKeyOf(serialNumber, claimCode));
  }
});

test.each(['before', 'after'] as const)(
  'a try that dies %s any store call is completed by the next',
  async (moment) => {
    let died = true;
    let call = 1;
    for (; died; call++) {
      died = false;
      const rows = newRows(4);
      const crashing = createRegistry({
        keyring: store.keyring,
        cosmos: tapped(store.cosmos, {
          [moment]: (number: number) => {
            if (number < call) return;
            died = true;
            throw new Error('killed');
          },
        }),
      });
      const input = { jobId: `c ${moment} ${call}`, rows };
      await crashing.registerDevices(maker, MAKER, input).catch(() => undefined);
      const results = registered(valueOf(await store.registry.registerDevices(maker, MAKER, input)));
      for (const { deviceId, serialNumber, claimCode } of results) {
        expect((await stockDocument(deviceId))!.claim).toBe(claimKeyOf(serialNumber, claimCode));
        expect(await claimDocument(serialNumber, claimCode)).not.toBeNull();
      }
    }
    expect(call).toBeGreaterThan(6);
  },
);

test('a row that is refused names its place and keeps no other back', async () => {
  const [taken] = newRows(1);
  valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'd', rows: [taken!] }));
  const rows = [
    ...newRows(2),
    { ...taken!, index: 2 },
    { ...newRows(1)[0]!, index: 3, model: 'teapot' },
    { ...newRows(1)[0]!, index: 4, serialNumber: ' ' },
    { ...newRows(1)[0]!, index: 5, enrollmentGroupId: 'grp_nowhere' },
  ];
  rows.push({ ...rows[0]!, index: 6 });
  const results = valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'e', rows }));
  expect(
    results.map((each) =>
      each.outcome === 'refused' ? [each.refusal.code, each.refusal.path] : each.outcome,
    ),
  ).toEqual([
    'registered',
    'registered',
    ['CONFLICT', 'rows.2.serialNumber'],
    ['INVALID_INPUT', 'rows.3.model'],
    ['INVALID_INPUT', 'rows.4.serialNumber'],
    ['NOT_FOUND', 'rows.5.enrollmentGroupId'],
    ['CONFLICT', 'rows.6.serialNumber'],
  ]);
});

test('the same serial number at two makers is two devices', async () => {
  const other = await store.member('other maker', 'ten_other_maker', 'OWNER');
  const rows = newRows(1);
  registered(valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'f', rows })));
  registered(valueOf(await store.registry.registerDevices(other, 'ten_other_maker', { jobId: 'f', rows })));
});

test('a code is reissued once a key, and the one before leads nowhere', async () => {
  const [first] = registered(
    valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'g', rows: newRows(1) })),
  );
  const { deviceId, serialNumber } = first!;
  const key = freshKey();
  const { code } = valueOf(await store.registry.reissueClaimCode(maker, deviceId, key));
  expect((await stockDocument(deviceId))!.claim).toBe(claimKeyOf(serialNumber, code!.claimCode));
  expect(valueOf(await store.registry.reissueClaimCode(maker, deviceId, key)).code).toBeNull();
  expect((await stockDocument(deviceId))!.claim).toBe(claimKeyOf(serialNumber, code!.claimCode));
});

test('a device retired from stock frees its serial number and is reissued no code', async () => {
  const rows = newRows(1);
  const [made] = registered(
    valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'h', rows })),
  );
  const retired = (await store.registry.retireStock(maker, made!.deviceId))!;
  expect(valueOf(retired).state).toBe('RETIRED');
  expect(await store.registry.reissueClaimCode(maker, made!.deviceId, freshKey())).toMatchObject({
    refusal: { code: 'WRONG_STATE' },
  });
  const [again] = registered(
    valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'i', rows })),
  );
  expect(again!.deviceId).not.toBe(made!.deviceId);
});

test('stock is its maker’s: others learn nothing of it and change nothing in it', async () => {
  const other = await store.member('stranger', 'ten_stranger', 'OWNER');
  const technician = await store.member('fitter', MAKER, 'TECHNICIAN');
  const rows = newRows(1);
  const [made] = registered(
    valueOf(await store.registry.registerDevices(maker, MAKER, { jobId: 'j', rows })),
  );
  const { deviceId } = made!;
  const everyone = { first: 100, after: null };
  expect((await store.registry.registeredDevices(maker, MAKER, everyone)).items.length).toBeGreaterThan(0);
  expect((await store.registry.registeredDevices(other, MAKER, everyone)).items).toEqual([]);
  expect((await store.registry.registeredDevices(technician, MAKER, everyone)).items).toEqual([]);
  const input = { jobId: 'k', rows };
  expect(await store.registry.registerDevices(other, MAKER, input)).toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  });
  expect(await store.registry.registerDevices(technician, MAKER, input)).toMatchObject({
    refusal: { code: 'FORBIDDEN' },
  });
  expect(await store.registry.reissueClaimCode(other, deviceId, freshKey())).toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  });
  expect(await store.registry.retireStock(other, deviceId)).toBeNull();
});

test('stock is listed by serial number, a page at a time', async () => {
  const listing = await store.member('lister', 'ten_lister', 'OWNER');
  const rows = newRows(5);
  valueOf(await store.registry.registerDevices(listing, 'ten_lister', { jobId: 'l', rows }));
  const one = await store.registry.registeredDevices(listing, 'ten_lister', { first: 3, after: null });
  const two = await store.registry.registeredDevices(listing, 'ten_lister', { first: 3, after: one.next });
  const listed = [...one.items, ...two.items].map((each) => each.serialNumber);
  expect(listed).toEqual(rows.map((each) => each.serialNumber).sort());
  expect(two.next).toBeNull();
});
