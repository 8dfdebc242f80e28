import { newId } from '../../src/domain/id';
import { type TwinDocument } from '../../src/store/documents';
import { createTwins } from '../../src/store/twins';
import { startStore, type Store, tapped, valueOf } from './store.support';

describe('the twin of a device', () => {
  let store: Store;
  beforeAll(async () => {
    store = await startStore();
  });
  afterAll(() => store.stop());
  const owner = () => ({ deviceId: newId('dev'), buildingId: newId('bld'), tenantId: 'ten_north' });

  it('is absent until the device reports, and then holds what it reported, merged', async () => {
    const twins = createTwins({ cosmos: store.cosmos });
    const device = owner();
    expect(await twins.read(device.buildingId, device.deviceId)).toBeNull();
    expect(
      valueOf(await twins.report(device, { firmware: '1.0', radio: { rssi: -60, mode: 'LR' } })),
    ).toEqual({
      version: 1,
    });
    expect(valueOf(await twins.report(device, { radio: { rssi: -61, mode: null } }))).toEqual({ version: 2 });
    expect(await twins.read(device.buildingId, device.deviceId)).toMatchObject({
      type: 'twin',
      tenantId: 'ten_north',
      deviceId: device.deviceId,
      desired: {},
      desiredVersion: 0,
      desiredAt: null,
      reported: { firmware: '1.0', radio: { rssi: -61 } },
      reportedVersion: 2,
      reportedAt: expect.any(Number),
    });
  });

  it('keeps its version at a report that changes nothing, and writes nothing', async () => {
    const batches: string[] = [];
    const cosmos = tapped(store.cosmos, { after: (_call, name) => void batches.push(name) });
    const twins = createTwins({ cosmos });
    const device = owner();
    // An empty report is a report all the same.
    expect(valueOf(await twins.report(device, {}))).toEqual({ version: 1 });
    expect(valueOf(await twins.report(device, { a: null }))).toEqual({ version: 1 });
    expect(batches.filter((name) => name === 'batch')).toHaveLength(1);
  });

  it('loses no report of several at once', async () => {
    const device = owner();
    const reporters = [createTwins({ cosmos: store.cosmos }), createTwins({ cosmos: store.anotherCosmos() })];
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => reporters[i % 2]!.report(device, { [`k${i}`]: i })),
    );
    expect(outcomes.map((each) => valueOf(each).version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
    const twin = (await reporters[0]!.read(device.buildingId, device.deviceId)) as TwinDocument;
    expect(Object.keys(twin.reported)).toHaveLength(10);
  });

  it('counts a report once whose answer was lost', async () => {
    let lost = false;
    const cosmos = tapped(store.cosmos, {
      after: (_call, name) => {
        if (name !== 'batch' || lost) return;
        lost = true;
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      },
    });
    expect(valueOf(await createTwins({ cosmos }).report(owner(), { a: 1 }))).toEqual({ version: 1 });
    expect(lost).toBe(true);
  });

  it('refuses what is no patch, and what would grow beyond 32 kB', async () => {
    const twins = createTwins({ cosmos: store.cosmos });
    const device = owner();
    expect(await twins.report(device, { 'a.b': 1 })).toMatchObject({
      ok: false,
      refusal: { code: 'INVALID_INPUT', path: 'reported' },
    });
    for (let i = 0; i < 8; i++) valueOf(await twins.report(device, { [`k${i}`]: 'x'.repeat(4000) }));
    expect(await twins.report(device, { k8: 'x'.repeat(4000) })).toMatchObject({
      ok: false,
      refusal: { code: 'INVALID_INPUT', message: expect.stringContaining('may have 32768') },
    });
    expect((await twins.read(device.buildingId, device.deviceId))!.reportedVersion).toBe(8);
  });
});
